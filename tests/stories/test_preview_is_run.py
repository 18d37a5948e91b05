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


LAST_UNIT = """\
campaign: last-unit
audience: {consumed: {product: starter-guide}}
priority: 900
holdout: 0%
steps:
  - id: praise
    after: 0
    email: {subject: "You finished {{ consumed('starter-guide').last_unit }}", template: win-back/focaccia.html}
"""
USES = """\
email,sku,unit,kind,at
whole@example.com,starter-guide,,completed,2026-03-01T10:00:00Z
part@example.com,starter-guide,{unit},completed,2026-03-01T10:00:00Z
"""


def test_what_no_unit_proves_is_held_by_the_plan(aftersale: Aftersale, shop: Path) -> None:
    """Who completed the product as a whole completed no unit by name, and preview and run both say so."""
    catalogue = Project(shop).files.catalogue
    orders = "order_id,email,at,sku,quantity,unit_price\n" + "".join(
        f"{name},{name}@example.com,2026-02-01T10:00:00Z,starter-guide,1,7.00\n" for name in ("whole", "part")
    )
    consent = "email,topic,granted,at\n" + "".join(
        f"{name}@example.com,marketing,yes,2026-02-01T10:00:00Z\n" for name in ("whole", "part")
    )
    unit = next(iter(catalogue["starter-guide"].units))
    for kind, text in (("orders", orders), ("consent", consent), ("consumption", USES.format(unit=unit))):
        Path(f"{kind}.csv").write_text(text)
        assert aftersale("import", f"{kind}.csv", "--as", kind).code == 0
    Path("templates/win-back/focaccia.html").write_text("<p>Well done</p>")
    Path("campaigns/last-unit.yaml").write_text(LAST_UNIT)
    listed = aftersale("preview", "--json", "--days", 0).json
    assert listed["unwritable"] == []
    assert "part@example.com" in [mail["to"] for mail in listed["mails"] if mail["campaign"] == "last-unit"]
    explained = aftersale("explain", "whole@example.com", "last-unit", "--json").json["campaigns"][0]
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
