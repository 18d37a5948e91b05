"""A shop that sends by SMTP to a server that is not always at its best."""

from collections import Counter
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from engine.clock import VirtualClock
from tests.delivery.mail_server import HANG_UP, HANG_UP_AFTER, MailServer, mail_server
from tests.stories.conftest import Aftersale

TROUBLES = [
    {".": HANG_UP_AFTER},
    {"RCPT": "450 4.2.1 later"},
    {"RCPT": "550 5.1.1 nobody"},
    {"DATA": HANG_UP},
]


def ids(server: MailServer) -> list[str]:
    return [str(message_from_bytes(content)["Message-ID"]) for _, content in server.taken]


def mails(aftersale: Aftersale, status: str) -> dict[str, int]:
    """Those in that state, and whose they are."""
    told = aftersale("outbox", "--status", status, "--most", 1000, "--json").json["mails"]
    return {mail["message_id"]: mail["customer_id"] for mail in told}


def test_nothing_is_doubled_nothing_lost_and_what_is_unknown_is_shown(
    shop: Path, aftersale: Aftersale, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server() as server:
        set_up = {"DELIVERY__TRANSPORT": "smtp", "SMTP__HOST": "127.0.0.1", "SMTP__TLS": "none"}
        for name, value in (set_up | {"SMTP__PORT": str(server.port)}).items():
            monkeypatch.setenv(f"AFTERSALE_{name}", value)
        troubles = [dict(trouble) for trouble in TROUBLES * 2]
        server.only_once = True
        server.on_mail = lambda number: server.trouble.update(
            troubles.pop() if number % 3 == 0 and troubles else {}
        )
        first = aftersale("run", "--once", "--json").json["delivered"]
        assert not troubles
        assert (first["rejected"], first["postponed"], first["unknown"]) == (2, 4, 2)
        assert first["accepted"] + first["unknown"] == len(server.taken)

        before = mails(aftersale, "accepted")
        again = aftersale("run", "--once", "--json").json["delivered"]
        new = mails(aftersale, "accepted").items() - before.items()
        assert (again["accepted"], again["unknown"]) == (len(new), 2)
        refused = {*mails(aftersale, "rejected").values()}
        assert {customer for _, customer in new} <= refused, (
            "a refused mail gives its place back, and no other"
        )
        clock.advance(timedelta(minutes=2))
        later = aftersale("run", "--once", "--json").json["delivered"]
        assert later["accepted"] >= 4
        assert set(Counter(ids(server)).values()) == {1}
        assert len(server.taken) == sum(run["accepted"] for run in (first, again, later)) + 2

        assert aftersale("outbox", "--status", "unknown").out.startswith("2 of 2 mails")
        assert aftersale("outbox", "--status", "rejected").out.startswith("2 of 2 mails")
