"""Invariant 3: what `preview --json` lists at an instant is what `run --once` sends, byte for byte."""

from datetime import timedelta
from pathlib import Path

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
