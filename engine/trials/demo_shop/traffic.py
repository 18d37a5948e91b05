"""What comes before the orders: visitors of the guide's funnel, most of whom buy nothing, and what was spent.

The shop has told its visits, and what it spends, for some months only. Chance has dice of its own here, so
that everybody's life is the same with and without it. The order form is where the most are lost; the search
advertisements bring more than they cost, and those with crumbs cost more than they bring.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from engine.trials.demo_shop.dice import Dice
from engine.trials.demo_shop.ledger import CENT, Ledger, Order
from engine.trials.demo_shop.people import Visit

TOLD = timedelta(days=200)
STAGES = ("landing", "opt-in", "sales-page", "order-form")
LOST = (2.9, 0.6, 1.7, 1.1)  # for each who orders, so many who get as far as that stage and no further
DEVICES = {"mobile": 64, "desktop": 29, "tablet": 5, "other": 2}
BOTS = 0.04
SPAN = timedelta(days=28)


class Seen(NamedTuple):
    """A visitor at a stage. A stranger is known by a cookie alone."""

    email: str
    anonymous_id: str
    stage: str
    at: datetime
    visit: Visit
    ad: str
    device: str


class Spent(NamedTuple):
    """What an ad cost on a day."""

    day: datetime
    source: str
    campaign: str
    ad: str
    amount: Decimal


ADS: dict[Visit, tuple[str, Decimal]] = {  # the ad, and what a customer costs that comes by it
    Visit("facebook", "cpc", "seven-day-starter"): ("hands-and-dough", Decimal(85)),
    Visit("instagram", "cpc", "crumb-shots"): ("crumb-close-up", Decimal(160)),
    Visit("google", "cpc", "sourdough-search"): ("first-loaf", Decimal(24)),
    Visit("youtube", "video", "flat-loaf-story"): ("flat-loaf", Decimal(70)),
}


def visits(ledgers: Sequence[Ledger], seed: int, now: datetime) -> Iterator[Seen]:
    """Those who bought the guide first, and about six for each of them who did not."""
    for ledger in ledgers:
        order = _first(ledger)
        if order is not None and order.lines[0].sku == "starter-guide" and now - TOLD < order.at <= now:
            dice = Dice(f"{seed}/traffic/{ledger.person.email}")
            yield from _way(dice, order.at, len(STAGES), order.visit, ledger.person.email, "")
            yield from _lost(dice, order, now)


def _first(ledger: Ledger) -> Order | None:
    paid = [order for order in ledger.orders if order.paid and any(line.amount > 0 for line in order.lines)]
    return min(paid, key=lambda order: order.at, default=None)


def _lost(dice: Dice, order: Order, now: datetime) -> Iterator[Seen]:
    number = 0
    for stages, mean in enumerate(LOST, start=1):
        for _ in range(int(mean) + dice.happens(mean % 1)):
            at = order.at - dice.days(0, 3)
            number += 1
            name = f"v-{order.email.partition('@')[0]}-{number}"
            yield from _way(dice, min(at, now), stages, order.visit, "", name)


def _way(
    dice: Dice, end: datetime, stages: int, visit: Visit, email: str, anonymous_id: str
) -> Iterator[Seen]:
    """The first so many stages, the last of them some minutes before `end`."""
    bot = anonymous_id and stages == 1 and dice.happens(BOTS)
    device = "bot" if bot else dice.weighted(DEVICES)
    ad, _ = ADS.get(visit, ("", 0))
    at = end - dice.minutes(1, 4)
    times = [at := at - dice.minutes(0.5, 6) for _ in range(stages)]
    for stage, when in zip(STAGES, reversed(times), strict=False):
        yield Seen(email, anonymous_id, stage, when, visit, ad, device)


def spending(ledgers: Sequence[Ledger], seed: int, now: datetime) -> Iterator[Spent]:
    """Day by day, after how many customers a source brought around it."""
    today = now.replace(hour=0, minute=0, second=0)
    first = today - TOLD + timedelta(days=1)
    for visit, (ad, price) in ADS.items():
        dice = Dice(f"{seed}/spend/{visit.source}")
        came = sorted(
            order.at for order in map(_first, ledgers) if order is not None and order.visit == visit
        )
        for day in (first + timedelta(days=number) for number in range(TOLD.days)):
            about = sum(day - SPAN / 2 <= at < day + SPAN / 2 for at in came)
            within = min(SPAN / 2, now - day) + SPAN / 2
            amount = price * about / Decimal(within.days or 1) * Decimal(f"{dice.number(0.8, 1.2):.3f}")
            if about:
                yield Spent(day, visit.source, visit.campaign, ad, amount.quantize(CENT))
