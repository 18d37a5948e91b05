"""A short one; `make soak` runs as long as one likes, and elsewhere too."""

from pathlib import Path

from tests.soak.events import compared
from tests.soak.round import Chosen, soak


def test_events_in_any_order_end_as_in_order(tmp_path: Path) -> None:
    in_order, in_any = compared(400, "sqlite", "1", tmp_path)
    assert in_any.digests == in_order.digests
    assert in_any.did["events told"] > in_order.did["events told"] == 400
    assert len(in_any.states) == 3  # some accepted, some rejected, some of which nothing is known


def test_every_promise_is_kept_in_a_few_seconds_of_trouble(tmp_path: Path) -> None:
    told = soak(Chosen(seconds=3, customers=60, seed="1", freeze=1), tmp_path, say=lambda _: None)
    lines = [*told.at_the_end.lines(), *told.settled.lines(), *told.wrong]
    assert told.kept(), "\n".join(lines)
    assert told.at_the_end.there > 20
