"""A fixed crowd whose facts lie on and beside every edge that the random rules ask about."""

from datetime import timedelta
from random import Random

from tests.rules.strategies import (
    AMOUNTS,
    CLUBS,
    DAYS,
    EDGE,
    EVENT_KINDS,
    FUNNEL,
    MAIL_STATUSES,
    NOW,
    SKUS,
    STATUSES,
)
from tests.world import Attribute, Change, Event, Line, Order, Person, Refund, Sent, Told, Use

SOURCES = ["", "", "google", "newsletter"]
UNITS = ["", "c1", "c2", "c3", "l1", "l2", "l3", "l4", "x"]


class Crowd(dict[int, Person]):
    """People by number. A failing example tells the rule, not four hundred lives."""

    def __repr__(self) -> str:
        return f"<a crowd of {len(self)}>"


def crowd(size: int = 400, seed: int = 7) -> Crowd:
    """So many people, the same ones every time."""
    random = Random(seed)
    return Crowd({number: _person(random) for number in range(1, size + 1)})


def _person(random: Random) -> Person:
    def instant() -> object:
        return NOW - random.choice(DAYS) + random.choice(EDGE)

    def several(most: int) -> range:
        return range(random.randint(0, most))

    def line() -> Line:
        refunded = instant() if random.random() < 0.3 else None
        return Line(random.choice(SKUS), random.randint(1, 4), random.choice(AMOUNTS), refunded)

    known = random.choice([timedelta(days=90), timedelta(days=90), timedelta(0), timedelta(microseconds=-1)])
    uses = {(u.sku, u.unit, u.kind, u.at): u for u in (_use(random, instant()) for _ in several(6))}
    had = {(a.name, a.at): a for a in (_attribute(random, instant()) for _ in several(4))}
    changes = {(c.subscription, c.at): c for c in (_change(random, instant()) for _ in several(6))}
    return Person(
        known_at=NOW - known,
        orders=[
            Order(
                instant(),
                [line() for _ in range(random.randint(1, 3))],
                random.random() < 0.85,
                *_traffic(random),
            )
            for _ in several(3)
        ],
        refunds=[Refund(instant(), random.choice(AMOUNTS), random.choice(["", *SKUS])) for _ in several(2)],
        uses=list(uses.values()),
        attributes=list(had.values()),
        changes=list(changes.values()),
        mails=[_mail(random, instant()) for _ in several(4)],
        events=[_event(random, instant()) for _ in several(4)],
        funnel=list(
            {(t.what, t.sku, t.at): t for t in (_told(random, instant()) for _ in several(4))}.values()
        ),
    )


def _traffic(random: Random) -> tuple[str, str, str]:
    return random.choice(SOURCES), random.choice(["", "", "cpc"]), random.choice(["", "", "spring"])


def _use(random: Random, at: object) -> Use:
    kind = random.choice(["started", "progressed", "completed", "completed"])
    return Use(at, random.choice(["guide", "course", "mug"]), random.choice(UNITS), kind)


def _change(random: Random, at: object) -> Change:
    def later() -> object:
        return at + random.choice(DAYS[1:]) + random.choice(EDGE) if random.random() < 0.5 else None

    subscription = random.choice(["s1", "s1", "s2"])
    return Change(at, random.choice(CLUBS), random.choice(STATUSES), subscription, later(), later())


def _mail(random: Random, at: object) -> Sent:
    campaign, step = random.choice(["letters", "news"]), random.choice(["one", "two"])
    return Sent(at, campaign, step, random.choice(MAIL_STATUSES))


def _event(random: Random, at: object) -> Event:
    campaign, step = random.choice(["letters", "news"]), random.choice(["one", "two"])
    return Event(at, random.choice(EVENT_KINDS), campaign, step, random.random() < 0.5)


def _told(random: Random, at: object) -> Told:
    return Told(at, random.choice(FUNNEL), random.choice(["course", "course", "mug", ""]), stage="s")


def _attribute(random: Random, at: object) -> Attribute:
    return Attribute(
        random.choice(["plan", "country"]), at, random.choice(["", "gold", "GB", "5", "5.5", "-1"])
    )
