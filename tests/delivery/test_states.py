"""The states of a mail, and the moves between them."""

from itertools import product

import pytest

from engine.delivery.retry import pause_after
from engine.delivery.states import FINAL, MOVES, Status, move

ALLOWED = """
scheduled sending
sending   accepted
sending   rejected
sending   cancelled
sending   scheduled
sending   unknown
unknown   accepted
unknown   rejected
unknown   scheduled
rejected  scheduled
rejected  accepted
scheduled accepted
scheduled cancelled
scheduled held
sending   held
unknown   held
held      scheduled
held      cancelled
"""
PAIRS = {tuple(line.split()) for line in ALLOWED.strip().splitlines()}


@pytest.mark.parametrize(("origin", "target"), list(product(Status, Status)))
def test_only_the_listed_moves_are_allowed(origin: Status, target: Status) -> None:
    if (origin.value, target.value) in PAIRS:
        assert move(origin, target) == (origin.value, target.value)
    else:
        with pytest.raises(ValueError, match="never goes from"):
            move(origin, target)


def test_every_move_says_when_it_is_made() -> None:
    assert all(len(sentence) > 20 for sentence in MOVES.values())


def test_nothing_leaves_a_final_state_but_by_a_persons_word_or_a_better_one_of_the_provider() -> None:
    found = {pair: said for pair, said in MOVES.items() if pair[0] in FINAL}
    assert found.keys() == {
        (Status.REJECTED, Status.SCHEDULED),
        (Status.REJECTED, Status.ACCEPTED),
    }
    assert "a person" in found[Status.REJECTED, Status.SCHEDULED]
    assert "its provider" in found[Status.REJECTED, Status.ACCEPTED]


def test_what_nobody_knows_is_never_sent_without_being_scheduled_first() -> None:
    assert [origin for origin, target in MOVES if target is Status.SENDING] == [Status.SCHEDULED]


@pytest.mark.parametrize(
    ("attempt", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (100, 60), (10**6, 60)]
)
def test_pauses_double_up_to_an_hour(attempt: int, minutes: int) -> None:
    assert pause_after(attempt).total_seconds() == minutes * 60
