"""Invariant 3: what `preview --json` lists at an instant is what `run --once` sends, byte for byte."""

from datetime import timedelta
from pathlib import Path

import pytest
import typer

from engine.app.previewing import previewing
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.rendering.eml import to_bytes
from tests.stories.conftest import Aftersale


def test_preview_lists_what_run_sends(aftersale: Aftersale, shop: Path, clock: VirtualClock) -> None:
    sent: set[str] = set()
    for _ in range(5):
        listed = aftersale("preview", "--json", "--days", 0).json
        written = _previewed_bytes(shop, clock)
        ran = aftersale("run", "--once", "--json").json
        files = {path.stem: path for path in (shop / "outbox" / "mails").rglob("*.eml")}
        new = set(files) - sent
        assert new == {mail["message_id"] for mail in listed["mails"]}
        assert {name: files[name].read_bytes() for name in new} == written
        decided = [count for count in listed["counts"] if count["verdict"] != "none"]
        assert decided == ran["decided"]
        assert ran["delivered"]["accepted"] == len(new)
        sent |= new
        clock.advance(timedelta(days=1, hours=3))
    assert len(sent) > 100


def _previewed_bytes(shop: Path, clock: VirtualClock) -> dict[str, bytes]:
    project = Project(shop, clock)
    with previewing(project, clock.now()) as preview:
        written = {mail.message_id: to_bytes(mail) for mail in preview.mails()}
    project.close()
    return written


def test_a_plan_that_is_made_while_a_command_begins_does_not_stop_it(
    aftersale: Aftersale, shop: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a daemon makes one, at a time at which the command has read its files and no facts yet."""

    def meanwhile(project: Project) -> typer.Exit:
        clock.advance(timedelta(seconds=1))
        aftersale("run", "--once")
        return typer.Exit(0)

    for command in ("preview", "explain"):
        monkeypatch.setattr(f"engine.cli.{command}.tell_what_is_wrong", meanwhile)
    assert aftersale("preview", "--days", 0).code == 0
    clock.advance(timedelta(days=1))
    told = aftersale("explain", "ann@example.com", "--json").json
    assert told["at"] == f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"


def test_a_preview_leaves_no_trace(aftersale: Aftersale, shop: Path) -> None:
    def seen() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in shop.iterdir() if path.suffix == ".db"}

    before = seen()
    aftersale("preview", "--days", 30)
    aftersale("preview", "--html", "pages")
    aftersale("explain", "ann@example.com")
    assert seen() == before
    assert not (shop / "outbox").exists()


def test_pages_and_a_document_of_one_preview(aftersale: Aftersale, shop: Path) -> None:
    """The look ahead that the pages take leaves the document as it would be without them."""
    alone = aftersale("preview", "--json", "--days", 9)
    both = aftersale("preview", "--json", "--days", 9, "--html", "out")
    assert (both.code, both.json) == (0, alone.json)
    assert both.json["mails"]
    assert both.json["calendar"]
    assert Path("out/index.html").exists()
    assert len(list(Path("out/mails").glob("*.html"))) > 1


def test_a_page_of_somebody_else_is_not_written_over(aftersale: Aftersale, light_shop: Path) -> None:
    Path("site").mkdir()
    Path("site/index.html").write_text("<h1>Our shop</h1>")
    said = aftersale("preview", "--html", "site")
    assert (said.code, "is there already, and is no preview" in said.err) == (2, True)
    assert Path("site/index.html").read_text() == "<h1>Our shop</h1>"
    assert [aftersale("preview", "--html", "out").code for _ in range(2)] == [0, 0]


def test_without_days_to_come_the_mails_of_now_are_called_so(aftersale: Aftersale, light_shop: Path) -> None:
    assert "Mails that leave now" in aftersale("preview", "--days", 0).out


STILL_YOURS = """\
campaign: still-yours
audience: {bought: {product: starter-guide, within: 60d}}
priority: 900
holdout: 0%
steps:
  - id: reminder
    after: 1d
    email: {subject: "{{ owned('starter-guide') }} is still yours", template: win-back/focaccia.html}
"""
ORDERS = """\
order_id,email,at,sku,quantity,unit_price,refunded_at
kept,kept@example.com,2026-02-01T10:00:00Z,starter-guide,1,7.00,
back,back@example.com,2026-02-01T10:00:00Z,starter-guide,1,7.00,{refunded}
more,back@example.com,2026-02-01T10:00:00Z,flour,1,9.00,
"""


def test_who_sends_it_back_before_the_mail_is_held(
    aftersale: Aftersale, shop: Path, clock: VirtualClock
) -> None:
    """The audience proved at entry what the mail says; a refund takes it back, and preview and run say so."""
    for path in Path("campaigns").glob("*.yaml"):
        if path.name not in ("products.yaml", "segments.yaml"):
            path.unlink()
    Path("campaigns/still-yours.yaml").write_text(STILL_YOURS)
    Path("templates/win-back/focaccia.html").write_text("<p>Well done</p>")
    consent = "email,topic,granted,at\n" + "".join(
        f"{name}@example.com,marketing,yes,2026-02-01T10:00:00Z\n" for name in ("kept", "back")
    )
    for kind, text in (("orders", ORDERS.format(refunded="")), ("consent", consent)):
        Path(f"{kind}.csv").write_text(text)
        assert aftersale("import", f"{kind}.csv", "--as", kind).code == 0
    assert aftersale("run", "--once").code == 0
    clock.advance(timedelta(days=1, hours=1))
    Path("orders.csv").write_text(
        ORDERS.format(refunded=f"{clock.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
    )
    assert aftersale("import", "orders.csv", "--as", "orders").code == 0
    listed = aftersale("preview", "--json", "--days", 0).json
    assert listed["unwritable"] == []
    told = [mail["to"] for mail in listed["mails"]]
    assert "kept@example.com" in told
    assert "back@example.com" not in told
    explained = aftersale("explain", "back@example.com", "still-yours", "--json").json["campaigns"][0]
    assert (explained["now"]["verdict"], explained["now"]["reason"]) == ("hold", "claim_unproven")
    ran = aftersale("run", "--once", "--json").json
    assert ran["decided"] == [count for count in listed["counts"] if count["verdict"] != "none"]
    assert ran["delivered"]["postponed"] == 0


def test_more_mails_than_are_shown(
    light_shop: Path, aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan is read page by page. Pages that nobody turns must not stand in the way of the days to come."""
    monkeypatch.setattr("engine.planning.readout.PAGE", 1)
    monkeypatch.setattr("engine.app.previewing.BATCH", 1)
    assert aftersale("preview").code == 0
