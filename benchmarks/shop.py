"""A shop of any size as four files of canonical CSV, the same bytes for the same size and seed.

It sells what the bundled campaigns speak of. A few customers buy much and most buy little, half of
them have stopped buying, and orders stand in the file as a shop exports them: by time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
THREE_YEARS = 3 * 365 * 86_400
SEED = 20_260_310
FILES = ("customers.csv", "consent.csv", "consumption.csv", "orders.csv")
HEADERS = (
    "email,shop_id,first_name,last_name,country,locale,timezone,known_at,attribute.bakes",
    "email,topic,granted,at,basis,source",
    "email,sku,unit,kind,at,progress",
    "order_id,email,at,paid,line_id,sku,quantity,amount,refunded_at",
)
PRICES = {
    "starter-guide": 700, "flagship": 9700, "dark-rye": 4700, "membership": 1500, "shaping-cards": 900,
    "basket": 2800, "blade": 1600, "jar": 1800, "iron-pot": 11_900, "first-bake-set": 5400, "flour": 2400,
}  # fmt: skip
_SKUS = list(PRICES)
_COMMON = list(accumulate((3, 3, 3, 12, 8, 6, 8, 8, 2, 3, 44)))  # how often each is bought
_FIRST = list(accumulate((60, 8, 4, 4, 2, 3, 3, 4, 1, 3, 8)))  # and as the first thing of all
_UNITS = {
    "starter-guide": [f"chapter-{n}" for n in range(1, 8)],
    "flagship": [f"lesson-{n}" for n in range(1, 13)],
    "dark-rye": [f"part-{n}" for n in range(1, 5)],
}
_NAMES = ("Ada", "Bo", "Cem", "Dina", "Ewa", "Finn", "Gia", "Hugo", "Ines", "Jan", "Kim", "Lea", "Max")
_ZONES = ("America/New_York", "Europe/Berlin", "Europe/London", "Australia/Sydney")


@dataclass(frozen=True)
class Size:
    """How many customers, and how many order lines among them."""

    customers: int
    lines: int

    def __str__(self) -> str:
        return f"{self.customers:,} customers, {self.lines:,} order lines"


class Sold(NamedTuple):
    """One line of an order; times are seconds since 1970."""

    sku: str
    quantity: int
    refunded_at: int | None


class Placed(NamedTuple):
    """One order, not yet numbered."""

    at: int
    email: str
    paid: bool
    lines: Sequence[Sold]


def write_shop(folder: Path, size: Size) -> None:
    """Write the four files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = Random(SEED)
    placed: list[Placed] = []
    people, consents, uses = ((folder / name).open("w", encoding="utf-8") for name in FILES[:3])
    with people, consents, uses:
        for file, header in zip((people, consents, uses), HEADERS, strict=False):
            file.write(header + "\n")
        for number, quota in enumerate(_quotas(dice, size)):
            email, start = f"c{number}@shop.example", _now() - dice.randrange(THREE_YEARS)
            people.write(_person(dice, number, email, start))
            consents.write(_consent(dice, email, start))
            theirs = list(_orders(dice, email, start, quota))
            uses.writelines(_uses(dice, email, theirs))
            placed += theirs
    _write_orders(folder / FILES[3], placed)


def _quotas(dice: Random, size: Size) -> Iterator[int]:
    """How many order lines each customer has: few have many."""
    weights = [dice.paretovariate(1.5) - 0.95 for _ in range(size.customers)]
    share = size.lines / sum(weights)
    return (
        round(upto * share) - round(before * share)
        for before, upto in pairwise(accumulate(weights, initial=0))
    )


def _person(dice: Random, number: int, email: str, start: int) -> str:
    first, zone = dice.choice(_NAMES), dice.choice(_ZONES)
    bakes = dice.choice(("weekly", "monthly", "rarely"))
    return f"{email},{number},{first},Baker,US,en-US,{zone},{_said(start)},{bakes}\n"


def _consent(dice: Random, email: str, start: int) -> str:
    granted = "true" if dice.random() < 0.9 else "false"
    return f"{email},marketing,{granted},{_said(start)},consent,checkout\n"


def _orders(dice: Random, email: str, start: int, quota: int) -> Iterator[Placed]:
    """So many lines in orders of one to four; the first order is the first, the others lie anywhere after."""
    active = (_now() - start) * (1 if dice.random() < 0.5 else dice.random())
    at = start
    while quota > 0:
        lines = min(quota, dice.randint(1, 4))
        skus = dice.choices(_SKUS, cum_weights=_FIRST if at == start else _COMMON, k=lines)
        yield Placed(at, email, dice.random() < 0.99, [_sold(dice, sku, at) for sku in skus])
        quota -= lines
        at = start + int(dice.random() * active)


def _sold(dice: Random, sku: str, at: int) -> Sold:
    refunded = at + dice.randrange(1, 20 * 86_400) if dice.random() < 0.02 else None
    quantity = dice.randint(1, 3) if sku == "flour" else 1
    return Sold(sku, quantity, refunded if refunded is not None and refunded < _now() else None)


def _uses(dice: Random, email: str, placed: Sequence[Placed]) -> Iterator[str]:
    """The first so many units of each thing with units, since it was first bought."""
    owned = {line.sku: order.at for order in sorted(placed, key=_by_time)[::-1] for line in order.lines}
    for sku, units in _UNITS.items():
        at = owned.get(sku, _now())
        for unit in units[: dice.randint(0, len(units))]:
            at += dice.randrange(3600, 12 * 86_400)
            if at + 3600 >= _now():
                break
            yield f"{email},{sku},{unit},started,{_said(at)},\n"
            yield f"{email},{sku},{unit},completed,{_said(at + 3600)},100\n"


def _write_orders(path: Path, placed: list[Placed]) -> None:
    placed.sort(key=_by_time)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADERS[3] + "\n")
        for number, order in enumerate(placed, start=1):
            file.writelines(_rows(number, order))


def _rows(number: int, order: Placed) -> Iterator[str]:
    whole = f"{number},{order.email},{_said(order.at)},{'true' if order.paid else 'false'}"
    for place, line in enumerate(order.lines, start=1):
        amount = f"{PRICES[line.sku] * line.quantity / 100:.2f}"
        back = _said(line.refunded_at) if line.refunded_at and order.paid else ""
        yield f"{whole},{number}-{place},{line.sku},{line.quantity},{amount},{back}\n"


def _by_time(order: Placed) -> tuple[int, str]:
    return order.at, order.email


def _now() -> int:
    return int(NOW.timestamp())


def _said(at: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(seconds=at)).isoformat() + "Z"  # noqa: DTZ001 - Z says it
