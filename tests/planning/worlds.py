"""Random worlds: people, campaigns and settings, what must hold of them, and a world told as a story."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import insert

from engine.campaigns.model import Campaign
from engine.facts.suppression import address_hash
from engine.planning.slots import TAKES_A_SLOT
from engine.settings.model import Settings
from engine.store import tables
from engine.store.connect import Store
from tests import oracle
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, campaign_text
from tests.world import Consent, Line, Order, Person, Use

HOUR = timedelta(hours=1)
INSTANTS = [NOW + hours * HOUR for hours in (0, 7, 24, 48, 72, 120, 240, 300, 600)]
LEFT = ("sending", "accepted", "unknown", "held_out")
Row = Mapping[str, Any]

ages = st.integers(-15, 14).map(lambda days: NOW - days * DAY)
lines = st.builds(
    Line, st.sampled_from(["guide", "course", "mug"]), refunded_at=st.one_of(st.none(), st.none(), ages)
)
orders = st.builds(
    Order, ages, st.lists(lines, min_size=1, max_size=2), paid=st.sampled_from([True, True, True, False])
)
FIRST_ORDER = Order(NOW - 15 * DAY, [Line("guide")])  # most are mailed, or there is little to be seen
YES = [Consent(NOW - 15 * DAY), Consent(NOW - 15 * DAY, topic="news")]
people = st.builds(
    Person,
    known_at=st.just(NOW - 60 * DAY),
    orders=st.lists(orders, max_size=2).map(lambda some: [FIRST_ORDER, *some]),
    uses=st.lists(
        st.builds(Use, ages, st.just("guide"), st.sampled_from(["c1", "c2", "c3"])),
        max_size=3,
        unique_by=lambda use: (use.unit, use.at),
    ),
    consents=st.lists(
        st.builds(
            Consent,
            st.integers(-15, 14).map(lambda days: NOW - days * DAY),
            st.booleans(),
            st.sampled_from(["marketing", "news"]),
        ),
        max_size=3,
        unique_by=lambda c: (c.at, c.granted, c.topic),
    ).map(lambda told: [*YES, *told]),
    email=st.sampled_from(
        ["ann@example.com", "bob@example.com", "cid@example.com", "eve@example.com", "una@example.com", None]
    ),
)
SUPPRESSED = {"eve@example.com": "complaint", "una@example.com": "unsubscribed"}
audiences = st.sampled_from(
    [
        "{bought: {product: guide}}",
        "{bought: {any: true, older_than: 2d}}",
        "{consumed: {product: guide}}",
        "{all: [{bought: {product: guide}}, {not: {bought: {product: course}}}]}",
    ]
)


def _sequence(waits: list[str]) -> str:
    mail = "email: {subject: Hello, template: a.html}"
    return f"[{', '.join(f'{{id: s{n}, after: {wait}, {mail}}}' for n, wait in enumerate(waits))}]"


words = {
    "audience": audiences,
    "steps": st.lists(st.sampled_from(["0", "1d", "5d"]), min_size=1, max_size=3).map(_sequence),
    "enter": st.sampled_from(["once", "every_time", "{again_after: 3d}"]),
}
more_words = {
    "goal": st.just("{bought: {product: course}}"),
    "while_": st.just("{bought: {any: true}}"),
    "hold": st.sampled_from(["{at_most: 3d}", "{at_most: 0}", "{at_most: 6d, then: exit}"]),
}
marketing = st.fixed_dictionaries(
    {
        **words,
        "priority": st.integers(0, 2),
        "holdout": st.sampled_from(["0%", "0%", "40%"]),
        "offers": st.sampled_from(["[towel]", "[course, mug]", "[club]", "[]"]),
    },
    optional={
        **more_words,
        "topic": st.just("news"),
        "cool_down": st.sampled_from(["{after_purchase: 0}", "{after_purchase: 3d}"]),
    },
)
owed = st.fixed_dictionaries({**words, "transactional": st.just("true")}, optional=more_words)
caps = st.lists(
    st.sampled_from(
        [
            {"max": 5, "per": "1d"},
            {"max": 1, "per": "1d"},
            {"max": 1, "per": "4d"},
            {"max": 2, "per": "4d"},
            {"max": 3, "per": "12d"},
            {"max": 1, "per": "9d", "topic": "news"},
            {"max": 1, "per": "3d", "topic": "marketing"},
        ]
    ),
    max_size=2,
    unique_by=str,
)
rules_of_the_house = st.fixed_dictionaries(
    {"frequency": caps},
    optional={
        "minimum_gap": st.sampled_from(["5h", "20h", "2d"]),
        "cool_down": st.just({"after_purchase": "2d"}),
        "hold": st.just({"at_most": "9d"}),
    },
)


@dataclass(frozen=True)
class World:
    """Its people by their ids, the words of its campaigns, and its settings."""

    persons: Sequence[Person]
    campaigns: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def people(self) -> dict[int, Person]:
        return dict(enumerate(self.persons, start=1))

    def shop(self, store: Store, *, sends: bool = True) -> Shop:
        texts = [campaign_text(f"c{n}", **extra) for n, extra in enumerate(self.campaigns)]
        shop = Shop(store, texts, Settings(**self.settings), people=self.people, sends=sends)
        with store.writing() as connection:
            for address, reason in SUPPRESSED.items():
                row = {"address_hash": address_hash(address), "reason": reason, "at": NOW - DAY}
                connection.execute(insert(tables.suppressions), row)
            if rows := list(self._transactions()):
                connection.execute(insert(tables.transactions), rows)
        return shop

    def _transactions(self) -> Iterator[Row]:
        """One for each paid order, as if none had followed another within the hour."""
        for who, person in self.people.items():
            for number, order in enumerate(person.orders):
                times = {"opened_at": order.at, "last_addition_at": order.at, "closes_at": order.at + HOUR}
                if order.paid:
                    yield {"customer_id": who, "first_order_ref": f"o{number}", "number": number, **times}


worlds = st.builds(
    World,
    st.lists(people, min_size=3, max_size=5),
    st.lists(st.one_of(marketing, marketing, marketing, owed), min_size=3, max_size=5),
    rules_of_the_house,
)


# ── what must hold ──────────────────────────────────────────────────────────────────────────────


def check(shop: Shop) -> None:
    """Raises AssertionError where a mail left that should not have."""
    mails = [mail for mail in shop.rows("messages") if mail["status"] in TAKES_A_SLOT]
    keys = Counter((m["customer_id"], m["campaign_id"], m["step_id"], m["spell"]) for m in mails)
    assert max(keys.values(), default=0) <= 1, "the same mail twice"
    runs = {(r["customer_id"], r["campaign_id"], r["spell"]): r for r in shop.rows("enrollments")}
    campaigns = {campaign.id: campaign for campaign in shop.book.campaigns}
    left = [mail for mail in mails if mail["status"] in LEFT]
    for mail in mails:
        run = runs[mail["customer_id"], mail["campaign_id"], mail["spell"]]
        assert (mail["status"] == "held_out") == run["held_out"], "who is held out gets no mail"
    for mail in left:
        _check_mail(shop, campaigns[mail["campaign_id"]], mail)
    for who in shop.people:
        theirs = [mail for mail in left if mail["customer_id"] == who]
        _check_spans(shop, theirs)
        _check_offers(theirs, runs, {each.id for each in campaigns.values() if each.offers})


def decided_at(mail: Row) -> datetime:
    at: datetime = mail["slot_at"] or mail["planned_at"]
    return at


def _check_mail(shop: Shop, campaign: Campaign, mail: Row) -> None:
    person, at = shop.people[mail["customer_id"]], decided_at(mail)
    reason = SUPPRESSED.get(person.email or "")
    assert person.email, "a mail without an address"
    assert reason is None or (campaign.transactional and reason == "unsubscribed"), "suppressed"
    assert oracle.is_customer(person, at), "not a customer"
    if campaign.transactional:
        return
    assert consents(person, campaign.topic, at), "no consent"
    usual = shop.settings.cool_down.after_purchase
    cool_down = usual if campaign.cool_down is None else campaign.cool_down
    for order in person.orders:
        quiet = HOUR + shop.settings.front_end.quiet if order.paid else HOUR
        assert not order.at <= at < order.at + quiet, "a transaction was open"
        bought = order.paid and order.amount > 0
        assert not (bought and order.at <= at < order.at + cool_down), "just bought"


def consents(person: Person, topic: str, at: datetime) -> bool:
    told = sorted((c.at, not c.granted) for c in person.consents if c.at <= at and c.topic == topic)
    return bool(told) and not told[-1][1]


def _check_spans(shop: Shop, mails: Sequence[Row]) -> None:
    for cap in shop.settings.frequency:
        of = [m for m in mails if m["topic"] and cap.topic in (None, m["topic"])]
        times = sorted(map(decided_at, of))
        for start in times:
            assert sum(start <= at < start + cap.per for at in times) <= cap.max, f"over the cap {cap}"
    times = sorted(decided_at(mail) for mail in mails if mail["topic"])
    for one, next_one in pairwise(times):
        assert next_one - one >= shop.settings.minimum_gap, "too soon after the last mail"


def _check_offers(mails: Sequence[Row], runs: Mapping[Any, Row], offering: set[str]) -> None:
    """No offer between the first mail of another one's run and the end of that run."""
    offers = [mail for mail in mails if mail["campaign_id"] in offering]
    first: dict[Any, datetime] = {}
    for mail in offers:
        key = (mail["customer_id"], mail["campaign_id"], mail["spell"])
        first[key] = min(decided_at(mail), first.get(key, decided_at(mail)))
    for (who, campaign_id, spell), begun in first.items():
        run = runs[who, campaign_id, spell]
        until = run["updated_at"] if run["status"] != "active" else datetime.max.replace(tzinfo=NOW.tzinfo)
        between = [m for m in offers if m["campaign_id"] != campaign_id and begun < decided_at(m) < until]
        same = [m for m in offers if m["campaign_id"] != campaign_id and begun == decided_at(m)]
        assert not between, "another offer while a run is under way"
        assert not same, "two offers at once"


# ── a world as a story ──────────────────────────────────────────────────────────────────────────


def story(world: World, shop: Shop) -> str:
    """Who is there, what is sold how, and what happened: to be read beside a failure."""
    told = [f"settings: {dict(world.settings) or 'as usual'}"]
    told += [f"campaign c{n}: {_keys(extra)}" for n, extra in enumerate(world.campaigns)]
    told += [f"customer {who}: {life(person)}" for who, person in world.people.items()]
    mails = sorted(shop.rows("messages"), key=lambda m: (decided_at(m), m["customer_id"]))
    told += [
        f"{on(decided_at(m))} {m['campaign_id']}/{m['step_id']} to customer {m['customer_id']}: {m['status']}"
        for m in mails
    ]
    return "\n".join(told)


def _keys(extra: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.rstrip('_')} {value}" for key, value in extra.items())


def life(person: Person) -> str:
    facts = [
        (
            order.at,
            f"{'bought' if order.paid else 'left unpaid'} {', '.join(line.sku for line in order.lines)}",
        )
        for order in person.orders
    ]
    facts += [(use.at, f"used {use.sku} {use.unit}") for use in person.uses]
    facts += [(c.at, f"said {'yes' if c.granted else 'no'} to {c.topic}") for c in person.consents]
    facts += [
        (line.refunded_at, f"got {line.sku} refunded")
        for order in person.orders
        for line in order.lines
        if line.refunded_at
    ]
    told = "; ".join(f"{on(at)} {what}" for at, what in sorted(facts))
    return f"{person.email or 'no address'}; {told}"


def on(at: datetime) -> str:
    return f"{at:%m-%d %H:%M}"
