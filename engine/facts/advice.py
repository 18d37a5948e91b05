"""What many rejected rows have in common, where that tells what is to be done."""

from collections.abc import Iterator

from engine.facts.columns import Money
from engine.facts.refusal import NoRate, Refused
from engine.facts.values.numbers import TOO_FINE, TOO_LONG


class Advice:
    """Looks at every refusal of a file, and has notes at its end."""

    def __init__(self) -> None:
        self._fractions = False
        self._rateless: set[str] = set()

    def see(self, refused: Refused) -> None:
        if isinstance(refused, NoRate):
            self._rateless.add(refused.currency)
        elif TOO_LONG in refused.reason or TOO_FINE in refused.reason:
            self._fractions = True

    def notes(self, money: Money, *, floats: bool, landed: bool) -> Iterator[str]:
        """`floats`: whether its numbers are a database's floating-point ones; `landed`: if any row has."""
        if self._fractions and floats:
            rounded = f"ROUND(CAST(… AS NUMERIC), {money.digits})"
            yield (
                "some amounts are floating-point numbers of the database, which are seldom exact; "
                f"round them in the query: {rounded}"
            )
        if len(self._rateless) == 1 and not landed:
            [currency] = self._rateless
            yield (
                f"all its orders are in {currency}, and shop.currency is {money.currency}: "
                f"should shop.currency in config.yaml be {currency}?"
            )
