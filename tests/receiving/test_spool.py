"""What is spooled is on the disk, once, whatever is torn, doubled, taken or full; and nobody else reads it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from engine.errors import StoreError
from engine.facts.locks import locked
from engine.facts.receiving import draining, spool
from engine.facts.receiving.draining import Drained, drain
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.spool import Spool, Tray
from engine.store.connect import Store
from engine.store.tables import inbound
from tests.conftest import NOW


def told(number: int) -> Told:
    return Told("segment", f"m{number}", NOW, f'{{"text": "one\\ntwo", "number": {number}}}')


def nothing(_: Any) -> None:
    """Nothing follows."""


@pytest.fixture
def tray(tmp_path: Path) -> Tray:
    return Spool(tmp_path / "state").events


def ids(store: Store) -> list[str]:
    with store.reading() as connection:
        return sorted(connection.scalars(select(inbound.c.event_id)))


def test_it_is_for_its_owner_alone_and_read_word_for_word(tray: Tray, tmp_path: Path) -> None:
    assert (tray.files(), tray.since()) == ([], None)
    tray.put([told(1), told(2)])
    tray.put([told(3)])
    assert (tray.look(), tray.since()) == ([told(1), told(2), told(3)], NOW)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").rglob("*")}
    assert modes == {"spool": 0o700, "events": 0o700, tray.files()[0].name: 0o600}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("damage", "left", "torn"),
    [
        (lambda text: text, 3, 0),
        (lambda text: text[:-1], 3, 0),  # all of it is there but the end of its line
        (lambda text: text[:-2], 2, 1),
        (lambda text: text[: -text.count(b"m3") - 30], 2, 1),
        (lambda text: text + b"00000000 [", 3, 1),
        (lambda text: text[:-20] + b"\0" * 20, 2, 1),
        (lambda text: text.replace(b"m2", b"m7"), 2, 1),
        (lambda text: b"\0" * len(text), 0, 1),
        (lambda text: b"", 0, 0),
    ],
)
def test_a_torn_line_is_dropped_and_counted(
    store: Store, tray: Tray, damage: Callable[[bytes], bytes], left: int, torn: int
) -> None:
    tray.put([told(1), told(2), told(3)])
    [file] = tray.files()
    file.write_bytes(damage(file.read_bytes()))
    assert drain(store, tray, nothing) == Drained(left, torn)
    assert (len(ids(store)), tray.files()) == (left, [])


def test_several_processes_write_and_any_of_them_brings_it_all_in(store: Store, tmp_path: Path) -> None:
    one, two, three = (Spool(tmp_path).events for _ in range(3))
    one.put([told(1)])
    two.put([told(2), told(1)])
    assert drain(store, three, nothing) == Drained(3)
    one.put([told(3)])  # its file was taken, so it begins another one
    two.put([told(3)])
    assert ids(store) == ["m1", "m2"]
    assert drain(store, two, nothing) == Drained(2)
    assert drain(store, one, nothing) == Drained()
    assert (ids(store), one.files()) == (["m1", "m2", "m3"], [])


def test_two_who_bring_in_the_same_file_keep_each_event_once(
    store: Store, tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is done with it between the look at the file and the database."""
    tray.put([told(1)])
    read = draining.read

    def read_and_be_overtaken(path: Path) -> Any:
        lines = read(path)
        monkeypatch.setattr(draining, "read", read)
        assert drain(store, tray, nothing) == Drained(1)
        return lines

    monkeypatch.setattr(draining, "read", read_and_be_overtaken)
    assert drain(store, tray, nothing) == Drained(1)
    assert ids(store) == ["m1"]


def test_who_dies_between_the_database_and_the_file_leaves_it_to_the_next(
    store: Store, tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    tray.put([told(1)])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(draining, "remove", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        drain(store, tray, nothing)
    assert (ids(store), len(tray.files())) == (["m1"], 1)
    assert drain(store, tray, nothing) == Drained(1)
    assert (ids(store), tray.files()) == (["m1"], [])


def test_a_line_in_hand_is_waited_for_and_a_frozen_writer_holds_up_no_other(
    store: Store, tray: Tray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "PATIENCE", 0)
    tray.put([told(1)])
    with tray.files()[0].open("rb") as frozen:
        assert locked(frozen.fileno())
        other = Spool(tmp_path / "state").events
        other.put([told(2)])
        assert drain(store, other, nothing) == Drained(events=1, unread=1)
        assert ids(store) == ["m2"]
        assert [each.event_id for each in tray.look()] == ["m1"]
        tray.put([told(3)])  # nobody who writes waits either
    assert drain(store, other, nothing) == Drained(2)
    assert ids(store) == ["m1", "m2", "m3"]


def test_those_who_come_together_share_one_wait_for_the_disk(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    tray.put([told(0)])
    threads = [Thread(target=tray.put, args=([told(number)],)) for number in range(1, 6)]
    synced, fsync = [], os.fsync

    def slow(handle: int) -> None:
        synced.append(handle)
        while len(synced) == 1 and len(tray._slips) < 4:
            pass  # until the others stand in line
        fsync(handle)

    monkeypatch.setattr(os, "fsync", slow)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(synced) == 2
    assert {each.event_id for each in tray.look()} == {f"m{number}" for number in range(6)}


@pytest.mark.parametrize("broken", ["write", "fsync"])
def test_what_could_not_be_written_is_not_acknowledged_and_the_next_is(
    store: Store, tray: Tray, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    tray.put([told(1)])
    write = os.write

    def fails(handle: int, *text: Any) -> int:
        if text:
            write(handle, bytes(text[0])[:20])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="No space left on device"):
        patch.setattr(os, broken, fails)
        tray.put([told(2)])
    tray.put([told(3)])
    assert drain(store, tray, nothing).torn == (broken == "write")
    assert ids(store) == ["m1", "m3"] if broken == "write" else ["m1", "m2", "m3"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StoreError, match="spool/events cannot be written"):
        Spool(tmp_path / "state").events.put([told(1)])


def test_a_large_file_gets_no_more_lines(tray: Tray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "LARGEST", 100)
    for number in range(3):
        tray.put([told(number), told(number + 10)])
    assert len(tray.files()) == 3
