"""Who the customers are: names, places, where they came from, and how they take to things."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.trials.demo_shop.dice import Dice
from engine.trials.demo_shop.names import AWKWARD_NAMES, FIRST_NAMES, LAST_NAMES

HISTORY_DAYS = 540


class Place(NamedTuple):
    """Where somebody lives."""

    country: str
    locale: str
    timezone: str


PLACES: dict[Place, int] = {  # and how many of a hundred live there
    Place("US", "en-US", "America/New_York"): 24,
    Place("US", "en-US", "America/Chicago"): 14,
    Place("US", "en-US", "America/Denver"): 5,
    Place("US", "en-US", "America/Los_Angeles"): 13,
    Place("CA", "en-CA", "America/Toronto"): 7,
    Place("CA", "fr-CA", "America/Montreal"): 2,
    Place("GB", "en-GB", "Europe/London"): 12,
    Place("IE", "en-IE", "Europe/Dublin"): 4,
    Place("DE", "de-DE", "Europe/Berlin"): 6,
    Place("NL", "nl-NL", "Europe/Amsterdam"): 3,
    Place("SE", "sv-SE", "Europe/Stockholm"): 2,
    Place("FR", "fr-FR", "Europe/Paris"): 2,
    Place("AU", "en-AU", "Australia/Sydney"): 4,
    Place("NZ", "en-NZ", "Pacific/Auckland"): 2,
}


class Visit(NamedTuple):
    """Where somebody came from."""

    source: str
    medium: str
    campaign: str


VISITS: dict[Visit, int] = {
    Visit("facebook", "cpc", "seven-day-starter"): 30,
    Visit("instagram", "cpc", "crumb-shots"): 16,
    Visit("google", "cpc", "sourdough-search"): 12,
    Visit("google", "organic", ""): 16,
    Visit("youtube", "video", "flat-loaf-story"): 9,
    Visit("pinterest", "social", ""): 5,
    Visit("crumbs-and-co", "partner", "spring-swap"): 4,
    Visit("", "", ""): 8,
}
BACK_AGAIN = (Visit("", "", ""), Visit("newsletter", "email", ""), Visit("google", "organic", ""))


@dataclass(frozen=True)
class Person:
    """One customer of the demonstration shop. `zeal` and `fondness` lie between 0 and 1."""

    email: str
    shop_id: str
    first_name: str
    last_name: str
    place: Place
    known_at: datetime
    visit: Visit
    bakes: str = ""
    zeal: float = 0.5  # how far they read
    fondness: float = 0.5  # how soon they buy again


def invent(number: int, dice: Dice, now: datetime) -> Person:
    """The customer of that number. The nearer to `now`, the more of them: the shop grows."""
    first_name, last_name = _name(number, dice)
    days_known = 0.2 + (HISTORY_DAYS - 1) * dice.number(0, 1) ** 1.5
    return Person(
        email=f"{_mailbox(first_name, last_name)}{number}@example.{dice.one_of(('com', 'org', 'net'))}",
        shop_id=str(10_000 + number),
        first_name=first_name,
        last_name=last_name,
        place=_place(dice),
        known_at=now - timedelta(days=days_known),
        visit=dice.weighted(VISITS),
        bakes=dice.one_of(("weekly", "monthly", "rarely", "", "")),
        zeal=dice.share(2, 2),
        fondness=dice.share(1.5, 2.5),
    )


def _name(number: int, dice: Dice) -> tuple[str, str]:
    if number % 50 == 25:
        return AWKWARD_NAMES[number // 50 % len(AWKWARD_NAMES)]
    nameless = dice.happens(0.06)
    return "" if nameless else dice.one_of(FIRST_NAMES), dice.one_of(LAST_NAMES)


def _mailbox(first_name: str, last_name: str) -> str:
    names = [_letters(name) for name in (first_name, last_name)]
    return ".".join(name for name in names if name) or "baker"


def _letters(name: str) -> str:
    """What of a name can stand in an address."""
    plain = unicodedata.normalize("NFKD", name.lower())
    return "".join(sign for sign in plain if sign.isascii() and (sign.isalpha() or sign == "'"))


def _place(dice: Dice) -> Place:
    place = dice.weighted(PLACES)
    return place._replace(timezone="") if dice.happens(0.1) else place
