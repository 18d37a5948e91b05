"""A short contest; `make contest` takes ten minutes."""

from pathlib import Path

from tests.soak.contest import contest


def test_nobody_is_told_of_a_lock(tmp_path: Path) -> None:
    told = contest(tmp_path, seconds=3, customers=40)
    assert not told.wrong, "\n".join([*told.lines(), *told.wrong])
    assert {"import", "status", "pause"} <= told.calls.keys()
    assert told.mails["accepted"] > 20
