"""A folder that files are put into: each is imported when it has stopped growing, and put away."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.app.project import Project
from engine.app.watching import NOTE, files_in, keep_taking, take, take_once
from engine.clock import VirtualClock
from engine.store.tables import customers

from .conftest import Aftersale

GOOD = "email\nann@example.com\n"


@pytest.fixture
def inbox(light_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `inbox` of a new project, which is the working folder."""
    monkeypatch.setenv("AFTERSALE_WATCH__FOLDER", "inbox")
    Path("inbox").mkdir()
    return Path("inbox").resolve()


@pytest.fixture
def project(inbox: Path, clock: VirtualClock) -> Project:
    return Project(inbox.parent, clock)


def names(folder: Path) -> list[str]:
    """Of all files in it, but for the notes beside those that are done."""
    every = (path for path in folder.rglob("*") if path.is_file() and path.suffix != NOTE)
    return sorted(str(path.relative_to(folder)) for path in every)


def nothing(_: float) -> None:
    """Wait for nothing."""


def meanwhile(write: Callable[[], object]) -> Callable[[float], None]:
    """A wait in which somebody writes."""

    def wait(_: float) -> None:
        write()

    return wait


def test_files_are_taken_in_order_of_their_names_andput_away(project: Project, inbox: Path) -> None:
    (inbox / "b.csv").write_text("email\nbad\nann@example.com\n")
    (inbox / "a.jsonl").write_text('{"email": "bob@example.com"}\n')
    (inbox / "c.csv").write_text("colour\nred\n")
    taken = take_once(project, inbox, wait=nothing)
    assert [each.file for each in taken] == ["a.jsonl", "b.csv", "c.csv"]
    assert [each.summary and each.summary.inserted for each in taken] == [1, 1, None]
    assert names(inbox) == [
        *("done/a.jsonl", "done/b.csv", "done/b.csv.rejects.csv", "failed/c.csv", "failed/c.csv.reason.txt")
    ]
    assert "fits no kind of file" in (inbox / "failed" / "c.csv.reason.txt").read_text()
    assert take_once(project, inbox, wait=nothing) == []


def test_a_file_that_still_grows_waits_for_the_next_pass(project: Project, inbox: Path) -> None:
    (inbox / "a.csv").write_text(GOOD)

    def more() -> None:
        with (inbox / "a.csv").open("a") as file:
            file.write("bob@example.com\n")

    assert take_once(project, inbox, wait=meanwhile(more)) == []
    [taken] = take_once(project, inbox, wait=nothing)
    assert taken.summary is not None
    assert taken.summary.inserted == 2


def test_a_file_that_comes_during_a_pass_waits_for_the_next(project: Project, inbox: Path) -> None:
    assert take_once(project, inbox, wait=meanwhile(lambda: (inbox / "a.csv").write_text(GOOD))) == []
    assert len(take_once(project, inbox, wait=nothing)) == 1


def test_hidden_files_and_those_under_way_are_left_alone(project: Project, inbox: Path) -> None:
    for name in (".a.csv", "b.csv.part", "c.tmp"):
        (inbox / name).write_text(GOOD)
    assert take_once(project, inbox, wait=nothing) == []


def test_a_second_file_of_one_name_replaces_neither_the_first_nor_its_rejects(
    project: Project, inbox: Path
) -> None:
    for bad in ("x", "y"):
        (inbox / "a.csv").write_text(f"email\n{bad}\n")
        take_once(project, inbox, wait=nothing)
    assert names(inbox) == [
        f"done/{name}" for name in ("a-2.csv", "a-2.csv.rejects.csv", "a.csv", "a.csv.rejects.csv")
    ]
    assert "y" in (inbox / "done" / "a-2.csv.rejects.csv").read_text().splitlines()[1]


def test_a_file_that_is_written_on_after_it_was_taken_is_imported_again(
    aftersale: Aftersale, project: Project, inbox: Path
) -> None:
    """Its writer holds it open, wherever it is moved; half a line is rejected at first."""
    writer = (inbox / "a.csv").open("a")
    for part, told, taken in (
        (f"{GOOD}bob@exam", [], [False]),
        ("ple.com\neve@example.com\n", ["changed since it was imported: done/a.csv"], [True]),
        ("", [], []),
    ):
        writer.write(part)
        writer.flush()
        findings = aftersale("doctor", "--json").json["findings"]
        assert [each["said"] for each in findings if each["about"] == "watch"] == told
        assert [each.again for each in take_once(project, inbox, wait=nothing)] == taken
    writer.close()
    with project.store.reading() as connection:
        found = connection.scalars(select(customers.c.email).order_by(customers.c.email)).all()
    assert found == ["ann@example.com", "bob@example.com", "eve@example.com"]
    assert names(inbox) == ["done/a.csv"], "the rejects of the half line are gone"


def test_a_folder_that_is_not_there_is_told_by_the_doctor(aftersale: Aftersale, inbox: Path) -> None:
    inbox.rmdir()
    findings = {each["about"]: each for each in aftersale("doctor", "--json").json["findings"]}
    assert findings["watch"]["said"] == "there is no folder inbox to watch"


def test_what_a_file_was_like_is_noted_for_a_day(project: Project, inbox: Path, clock: VirtualClock) -> None:
    (inbox / "a.csv").write_text(GOOD)
    take_once(project, inbox, wait=nothing)
    at = clock.now().timestamp()
    for days, noted in ((0.9, True), (1.1, False)):
        os.utime(inbox / "done" / ".a.csv.taken", (at - days * 86_400,) * 2)
        take_once(project, inbox, wait=nothing)
        assert (inbox / "done" / ".a.csv.taken").exists() is noted


def test_pass_after_pass(project: Project, inbox: Path) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        (inbox / f"{len(waits)}.csv").write_text(GOOD)

    passes = keep_taking(project, inbox, wait=wait)
    assert [[each.file for each in next(passes)] for _ in range(4)] == [[], [], ["1.csv"], ["2.csv"]]
    assert waits == [60, 60, 60]


def test_what_another_watcherput_away_meanwhile_does_no_harm(
    project: Project, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.app import watching

    (inbox / "a.csv").write_text(GOOD)
    put_away = watching.put_away
    monkeypatch.setattr(watching, "put_away", lambda path, where: (path.unlink(), put_away(path, where))[1])
    [taken] = take_once(project, inbox, wait=nothing)
    assert taken.summary is not None
    assert taken.summary.inserted == 1


def test_of_two_watchers_at_once_each_file_has_one(
    project: Project, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one imports a.csv, another comes by and takes the rest."""
    from engine.app import watching

    for name, text in (("a.csv", "email\nbad\n"), ("a.txt", "email\nworse\n"), ("b.csv", "colour\nred\n")):
        (inbox / name).write_text(text)
    others: list[str] = []
    import_into = watching.import_into

    def meanwhile(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(watching, "import_into", import_into)
        others.extend(each.file for each in take(project, inbox, files_in(inbox)))
        return import_into(*given, **more)

    monkeypatch.setattr(watching, "import_into", meanwhile)
    assert [each.file for each in take_once(project, inbox, wait=nothing)] == ["a.csv"]
    assert others == ["a.txt", "b.csv"]
    assert names(inbox) == [
        *("done/a.csv", "done/a.csv.rejects.csv", "done/a.txt", "done/a.txt.rejects.csv"),
        *("failed/b.csv", "failed/b.csv.reason.txt"),
    ]
    assert [path.name for path in inbox.iterdir() if path.name.startswith(".")] == []


def test_the_command(
    aftersale: Aftersale, inbox: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", nothing)
    (inbox / "a.csv").write_text(GOOD)
    (inbox / "b.csv").write_text("colour\n")
    said = aftersale("import", "--watch", "--once", "--json")
    assert said.code == 1
    assert [(each["file"], each["inserted"]) for each in said.json["files"]] == [("inbox/a.csv", 1)]
    assert [each["now_at"] for each in said.json["failed"]] == ["inbox/failed/b.csv"]
    assert aftersale("import", "--watch", "--once", "inbox").code == 0
    with project.store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(customers)) == 1


def test_the_command_until_it_is_interrupted(
    aftersale: Aftersale, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inbox / "a.csv").write_text(GOOD)
    waits: list[float] = []

    def interrupted(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    said = aftersale("import", "--watch")
    assert said.code == 0
    assert "inbox/a.csv" in said.out
    assert names(inbox) == ["done/a.csv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--once", "a.csv"), "--once belongs to --watch"),
        (("--watch", "a", "b"), "--watch takes one folder"),
        (("--watch", "--json"), "needs --once"),
        (("--watch", "none"), "there is no folder none"),
        (("--from", "sqlite:///a.db"), "--from and --query belong together"),
        (("--query", "SELECT 1"), "--from and --query belong together"),
        ((), "give files to import"),
    ],
)
def test_how_it_is_not_called(aftersale: Aftersale, inbox: Path, words: tuple[str, ...], said: str) -> None:
    answer = aftersale("import", *words)
    assert answer.code in (2, 10)
    assert said in answer.err


def test_no_folder_is_named(aftersale: Aftersale, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFTERSALE_WATCH__FOLDER")
    answer = aftersale("import", "--watch")
    assert answer.code == 2
    assert "set watch.folder" in answer.err


def test_a_map_for_all_files_of_the_folder(
    inbox: Path, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    Path("shop.map.yaml").write_text("kind: customers\nfields: {email: Mail}\n")
    monkeypatch.setenv("AFTERSALE_WATCH__MAP", "shop.map.yaml")
    (inbox / "a.csv").write_text("Mail\nann@example.com\n")
    [taken] = take_once(Project(inbox.parent, clock), inbox, wait=nothing)
    assert taken.summary is not None
    assert json.dumps(taken.summary.inserted) == "1"
