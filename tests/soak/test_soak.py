"""A short one; `make soak` runs as long as one likes, and elsewhere too."""

from pathlib import Path

from tests.soak.round import Chosen, soak


def test_every_promise_is_kept_in_a_few_seconds_of_trouble(tmp_path: Path) -> None:
    told = soak(Chosen(seconds=3, customers=60, seed="1", freeze=1), tmp_path, say=lambda _: None)
    lines = [*told.at_the_end.lines(), *told.settled.lines(), *told.wrong]
    assert told.kept(), "\n".join(lines)
    assert told.at_the_end.there > 20
