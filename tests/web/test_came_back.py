"""What SendGrid told of mails, as the commands show it: taken up before a run plans, then seen everywhere."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.app.hearing import take_in
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.planning.keys import MailKey
from tests.stories.conftest import Aftersale


@pytest.fixture
def shop(small_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copied = Path(shutil.copytree(small_shop, tmp_path / "shop"))
    monkeypatch.chdir(copied)
    return copied


def of(mail: Any, number: int, name: str, **said: Any) -> dict[str, Any]:
    """The event of that number of a mail, ten minutes before now."""
    ours = {"aftersale_customer": str(mail["customer_id"]), "aftersale_message": mail["message_id"]}
    told = {"event": name, "sg_event_id": f"{mail['message_id']}-{number}", "timestamp": 1773132600 + number}
    return told | ours | {"email": mail["address"]} | said


def test_a_run_begins_with_what_was_told(aftersale: Aftersale, shop: Path, clock: VirtualClock) -> None:
    aftersale("run", "--once")
    mails = aftersale("outbox", "--status", "accepted", "--json").json["mails"]
    first, second = [aftersale("outbox", "show", mail["message_id"], "--json").json for mail in mails[:2]]
    assert (first["outcome"], first["came_back"]) == (None, [])
    assert "What came back" not in aftersale("status").out
    project = Project(shop, clock)
    hard = {"type": "bounce", "status": "5.1.1", "reason": "550 no such user"}
    told = [
        *(of(first, 3, "click", url="https://shop.example/a"), of(first, 1, "delivered")),
        *(of(first, 2, "open", sg_machine_open=True), of(second, 1, "bounce", **hard)),
        of(first, 1, "delivered"),
    ]
    take_in(project, json.dumps(told))
    project.close()
    assert "4 yet to be taken up" in aftersale("doctor").out

    assert "told by the provider: 4 applied" in aftersale("run", "--once").err
    shown = aftersale("outbox", "show", first["message_id"], "--json").json
    assert shown["outcome"] == "clicked"
    assert [(e["kind"], e["machine"], e["detail"]) for e in shown["came_back"]] == [
        ("delivered", False, ""),
        ("opened", True, ""),
        ("clicked", False, "https://shop.example/a"),
    ]
    assert "550 no such user" in aftersale("outbox", "show", second["message_id"]).out
    came_back = aftersale("status", "--json").json["came_back"]
    assert sum(each["delivered"] for each in came_back) == 1
    assert sum(each["bounced"] for each in came_back) == 1
    assert {each["complaints"] for each in came_back} == {0}
    assert "What came back" in aftersale("status").out
    said = aftersale("suppress", second["address"]).out
    assert "was suppressed already" in said


def test_a_mail_that_never_left_has_nothing_to_tell(aftersale: Aftersale, shop: Path) -> None:
    assert aftersale("outbox", "show", MailKey(1, "win-back", "x", 1).message_id).code == 11
