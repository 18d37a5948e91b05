"""What many rejected rows have in common, where that tells what is to be done."""

from collections.abc import Iterator

from engine.facts.columns import Money
from engine.facts.refusal import Refused
from engine.facts.values.numbers import TOO_FINE, TOO_LONG


class Advice:
    """Looks at every refusal of a file, and has notes at its end."""

    def __init__(self) -> None:
        self._fractions = False

    def see(self, refused: Refused) -> None:
        if TOO_LONG in refused.reason or TOO_FINE in refused.reason:
            self._fractions = True

    def notes(self, money: Money, *, floats: bool) -> Iterator[str]:
        """`floats`: whether a database answered with floating-point numbers."""
        if self._fractions and floats:
            rounded = f"ROUND(CAST(… AS NUMERIC), {money.digits})"
            yield (
                "some amounts are floating-point numbers of the database, which are seldom exact; "
                f"round them in the query: {rounded}"
            )
