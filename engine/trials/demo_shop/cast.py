"""Twelve customers whose lives are written by hand, so that there is somebody to ask about.

Ann and Otto have read enough of the guide to be offered the course, Ben and Hal have stopped in the
middle of it, Cleo has not been here for months, Dan said no to letters, Eva buys just when one is due,
Fay owns what the win-back offers, and Gus is wanted by two campaigns at once. Iris must be near the end
of her flour, June's membership renews, and Kay comes back more often than anybody.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from engine.facts.catalogue import Catalogue
from engine.trials.demo_shop.ledger import Ledger
from engine.trials.demo_shop.people import Person, Place, Visit

Story = Callable[[Ledger, datetime], None]
HOME = Place("US", "en-US", "America/New_York")
CLICK = Visit("facebook", "cpc", "seven-day-starter")
WEEK = timedelta(days=7)  # the stories lead up to the start of the week that ends now


def days(number: float) -> timedelta:
    return timedelta(days=number)


def ann(ledger: Ledger, start: datetime) -> None:
    """Bought the guide three weeks ago, read five chapters of seven."""
    buy_guide(ledger, start - days(21))
    read(ledger, "starter-guide", 5, start - days(19))
    ledger.agree(start - days(21))


def ben(ledger: Ledger, start: datetime) -> None:
    """Bought the course, finished four lessons, has not come back for seven weeks."""
    ledger.buy(start - days(80), ledger.line("flagship"))
    read(ledger, "flagship", 4, start - days(76))
    ledger.agree(start - days(80))


def cleo(ledger: Ledger, start: datetime) -> None:
    """Bought a basket and flour half a year ago, and nothing since."""
    ledger.buy(start - days(190), ledger.line("basket"), ledger.line("flour", quantity=2))
    ledger.agree(start - days(190))


def dan(ledger: Ledger, start: datetime) -> None:
    """Like Ann, but said no to letters."""
    buy_guide(ledger, start - days(25))
    read(ledger, "starter-guide", 6, start - days(24))
    ledger.decline(start - days(25), "checkout")


def eva(ledger: Ledger, start: datetime) -> None:
    """Like Ann, and bought a jar just when a letter was due."""
    buy_guide(ledger, start - days(30))
    read(ledger, "starter-guide", 7, start - days(28))
    ledger.agree(start - days(30))
    ledger.buy(start + days(0.3), ledger.line("jar"))


def fay(ledger: Ledger, start: datetime) -> None:
    """Lapsed, and owns the rye course already."""
    ledger.buy(start - days(210), ledger.line("dark-rye"))
    read(ledger, "dark-rye", 4, start - days(205))
    ledger.agree(start - days(210))


def gus(ledger: Ledger, start: datetime) -> None:
    """Stopped in the middle of the course, and has not bought for five months."""
    ledger.buy(start - days(150), ledger.line("flagship"))
    read(ledger, "flagship", 7, start - days(140))
    ledger.agree(start - days(150))


def hal(ledger: Ledger, start: datetime) -> None:
    """Like Ben, and back at it two days after the first letter."""
    ledger.buy(start - days(70), ledger.line("flagship"))
    read(ledger, "flagship", 5, start - days(66))
    ledger.agree(start - days(70))
    ledger.complete("flagship", [("lesson-6", start + days(2.3))])


def iris(ledger: Ledger, start: datetime) -> None:
    """Bought a bag of flour nine weeks ago, and the guide long before."""
    buy_guide(ledger, start - days(130))
    read(ledger, "starter-guide", 7, start - days(128))
    ledger.agree(start - days(130))
    ledger.buy(start - days(62), ledger.line("flour"))


def june(ledger: Ledger, start: datetime) -> None:
    """A member for three months; the next one begins on the fifth day. Baked along ten days ago."""
    ledger.agree(start - days(85))
    for month in range(4):
        ledger.renew("membership", start - days(85 - 30 * month), start - days(55 - 30 * month))
    for weeks_ago in (5, 3):
        ledger.use("membership", "", "progressed", start - days(7 * weeks_ago - 11))


def kay(ledger: Ledger, start: datetime) -> None:
    """Six orders in eleven months, of nearly everything."""
    ledger.agree(start - days(330))
    ledger.buy(start - days(330), ledger.line("first-bake-set"))
    ledger.buy(start - days(280), ledger.line("flagship"))
    read(ledger, "flagship", 12, start - days(275))
    ledger.buy(start - days(200), ledger.line("iron-pot"))
    ledger.buy(start - days(140), ledger.line("dark-rye"), ledger.line("basket"))
    ledger.buy(start - days(90), ledger.line("blade"), ledger.line("jar"))
    ledger.buy(start - days(20), ledger.line("flour", quantity=2))


def otto(ledger: Ledger, start: datetime) -> None:
    """Like Ann, and buys the course in the middle of the week."""
    buy_guide(ledger, start - days(15))
    read(ledger, "starter-guide", 7, start - days(14))
    ledger.agree(start - days(15))
    ledger.buy(start + days(3.4), ledger.line("flagship"))


def buy_guide(ledger: Ledger, at: datetime) -> None:
    ledger.buy(at, ledger.line("starter-guide"))


def read(ledger: Ledger, sku: str, units: int, since: datetime) -> None:
    """The first so many units, one every other day."""
    names = ledger.owned_units(sku)[:units]
    ledger.complete(sku, [(name, since + days(2 * number)) for number, name in enumerate(names)])


STORIES: Sequence[tuple[str, str, Story]] = (
    ("Ann", "Arbour", ann),
    ("Ben", "Bakewell", ben),
    ("Cleo", "Crust", cleo),
    ("Dan", "Doughty", dan),
    ("Eva", "Ember", eva),
    ("Fay", "Ferment", fay),
    ("Gus", "Grain", gus),
    ("Hal", "Hearth", hal),
    ("Iris", "Ingot", iris),
    ("June", "Jar", june),
    ("Kay", "Kneader", kay),
    ("Otto", "Oven", otto),
)


def told_lives(catalogue: Catalogue, now: datetime) -> list[Ledger]:
    """The ledgers of all twelve: ann@example.com, ben@example.com and so on."""
    return [_told(number, catalogue, now) for number in range(len(STORIES))]


def _told(number: int, catalogue: Catalogue, now: datetime) -> Ledger:
    first_name, last_name, story = STORIES[number]
    ledger = Ledger(
        Person(
            email=f"{first_name.lower()}@example.com",
            shop_id=str(10_000 + number),
            first_name=first_name,
            last_name=last_name,
            place=HOME,
            known_at=now,
            visit=CLICK,
        ),
        catalogue,
    )
    story(ledger, now - WEEK)
    return ledger
