"""Random people and random rules, close enough to each other that edges are hit often."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from engine.rules.conditions.attribute import Attribute as AttributeRule
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.clicked import Clicked
from engine.rules.conditions.consumed import Consumed
from engine.rules.conditions.first_order import FirstOrder
from engine.rules.conditions.last_order import LastOrder
from engine.rules.conditions.offered import Offered
from engine.rules.conditions.opened import Opened
from engine.rules.conditions.ordered import Ordered
from engine.rules.conditions.received import Received
from engine.rules.conditions.segment import Segment
from engine.rules.conditions.source import Source
from engine.rules.conditions.spent import Spent
from engine.rules.conditions.started import Started
from engine.rules.conditions.subscribed import Subscribed
from engine.rules.conditions.then import Then
from engine.rules.model import All, AnyOf, Not, Rule
from tests.world import Attribute, Change, Event, Line, Order, Person, Refund, Sent, Told, Use

NOW = datetime(2028, 2, 29, 12, 0, tzinfo=UTC)  # a leap day
DAYS = [timedelta(days=n) for n in (0, 1, 2, 3, 10, 30)]
EDGE = [timedelta(0), timedelta(microseconds=1), timedelta(microseconds=-1), timedelta(hours=5)]
SKUS = ["guide", "course", "mug", "towel", "unlisted"]
AMOUNTS = [0, 1, 699, 700, 701, 9700]
SIDES = ["front", "back"]
CLUBS = ["club", "club", "patron"]
MAIL_STATUSES = [
    "accepted",
    "accepted",
    "scheduled",
    "sending",
    "unknown",
    "rejected",
    "cancelled",
    "held_out",
]
EVENT_KINDS = ["opened", "opened", "clicked", "delivered", "bounced"]
FUNNEL = ["offer_shown", "offer_shown", "offer_accepted", "offer_refused", "visited", "completed"]
STATUSES = ["active", "active", "past_due", "cancelled", "expired"]

instants = st.builds(lambda day, edge: NOW - day + edge, st.sampled_from(DAYS), st.sampled_from(EDGE))
maybe_refunded = st.one_of(st.none(), instants)
lines = st.builds(
    Line,
    st.sampled_from(SKUS),
    st.integers(1, 4),
    st.sampled_from(AMOUNTS),
    maybe_refunded,
    st.sampled_from(["", "", "core", "bump", "upsell"]),
    st.sampled_from(SIDES),
)
orders = st.builds(
    Order,
    instants,
    st.lists(lines, min_size=1, max_size=3),
    st.sampled_from([True, True, True, False]),
    opens=st.booleans(),
)
refunds = st.builds(Refund, instants, st.sampled_from(AMOUNTS), st.sampled_from(["", *SKUS]))
uses = st.builds(
    Use,
    instants,
    st.sampled_from(["guide", "course", "mug"]),
    st.sampled_from(["", "c1", "c2", "c3", "l1", "l2", "l3", "l4", "x"]),
    st.sampled_from(["started", "progressed", "completed"]),
)
attributes = st.builds(
    Attribute,
    st.sampled_from(["plan", "country"]),
    instants,
    st.sampled_from(["", "gold", "GB", "5", "5.5", "-1"]),
)
changes = st.builds(
    lambda at, sku, status, subscription, renews, ends: Change(
        at, sku, status, subscription, renews and at + renews, ends and at + ends
    ),
    instants,
    st.sampled_from(CLUBS),
    st.sampled_from(STATUSES),
    st.sampled_from(["s1", "s1", "s2"]),
    st.sampled_from([None, *DAYS[1:]]),
    st.sampled_from([None, *DAYS[1:]]),
)
mails = st.builds(
    Sent,
    instants,
    st.sampled_from(["letters", "news"]),
    st.sampled_from(["one", "two"]),
    st.sampled_from(MAIL_STATUSES),
)
events = st.builds(
    Event,
    instants,
    st.sampled_from(EVENT_KINDS),
    st.sampled_from(["letters", "news"]),
    st.sampled_from(["one", "two"]),
    st.booleans(),
)
funnel = st.builds(
    Told, instants, st.sampled_from(FUNNEL), st.sampled_from(["course", "mug", ""]), stage=st.just("s")
)
people = st.builds(
    Person,
    st.sampled_from([NOW - timedelta(days=90), NOW - timedelta(days=2), NOW + timedelta(microseconds=1)]),
    st.lists(orders, max_size=4),
    st.lists(refunds, max_size=2),
    st.lists(uses, max_size=5, unique_by=lambda use: (use.sku, use.unit, use.kind, use.at)),
    st.lists(attributes, max_size=4, unique_by=lambda a: (a.name, a.at)),
    changes=st.lists(changes, max_size=5, unique_by=lambda c: (c.subscription, c.at)),
    mails=st.lists(mails, max_size=3),
    events=st.lists(events, max_size=3),
    funnel=st.lists(funnel, max_size=4, unique_by=lambda told: (told.what, told.sku, told.at)),
)


@st.composite
def time_words(draw: Any) -> dict[str, Any]:
    older = draw(st.one_of(st.none(), st.sampled_from(DAYS)))
    within = draw(st.one_of(st.none(), st.sampled_from(DAYS)))
    if older is not None and within is not None and older > within:
        older, within = within, older
    since, until = draw(st.one_of(st.none(), instants)), draw(st.one_of(st.none(), instants))
    if since is not None and until is not None and since > until:
        since, until = until, since
    words = {"older_than": older, "within": within, "since": since, "until": until}
    return {word: value for word, value in words.items() if value is not None}


@st.composite
def counts(draw: Any, values: Any) -> dict[str, Any]:
    low, high = draw(st.one_of(st.none(), values)), draw(st.one_of(st.none(), values))
    if low is not None and high is not None and low > high:
        low, high = high, low
    return {k: v for k, v in (("at_least", low), ("at_most", high)) if v is not None}


@st.composite
def which_products(draw: Any) -> dict[str, Any]:
    return draw(
        st.one_of(
            st.builds(lambda sku: {"product": sku}, st.sampled_from(SKUS)),
            st.sampled_from([{"kind": "physical"}, {"category": "goods"}, {"tag": "gift"}, {"kind": "core"}]),
        )
    )


places = st.sampled_from(
    [
        {},
        {},
        {},
        {"position": "core"},
        {"position": "upsell"},
        {"end": "front"},
        {"position": "bump", "end": "back"},
    ]
)


@st.composite
def bought_rules(draw: Any) -> Bought:
    which = draw(st.one_of(which_products(), st.just({"any": True})))
    how_many = draw(counts(st.integers(0, 3)))
    if how_many.get("at_least") == 0:
        del how_many["at_least"]
    pieces = draw(counts(st.integers(0, 5)))
    quantity = {"quantity": pieces} if pieces else {}
    return Bought(**which, **how_many, **draw(time_words()), **quantity, **draw(places))


bare_bought = which_products().map(lambda which: Bought(**which))


@st.composite
def ordered_rules(draw: Any) -> Ordered:
    how_many = draw(counts(st.integers(0, 3)))
    if how_many.get("at_least") == 0:
        del how_many["at_least"]
    amount = draw(
        counts(st.sampled_from([Decimal("0.01"), Decimal(7), Decimal("7.01"), Decimal("7.005"), Decimal(97)]))
    )
    return Ordered(**how_many, **draw(time_words()), **({"amount": amount} if amount else {}))


@st.composite
def spent_rules(draw: Any) -> Spent:
    which = draw(
        st.one_of(st.just({}), which_products().filter(lambda words: "product" in words or "kind" in words))
    )
    money = draw(counts(st.sampled_from([Decimal(-7), Decimal(0), Decimal(7), Decimal("7.01"), Decimal(97)])))
    return Spent(**which, **(money or {"at_least": Decimal(1)}), **draw(time_words()))


@st.composite
def consumed_rules(draw: Any) -> Consumed:
    asked = draw(
        st.sampled_from(
            [
                {},
                {"completed": True},
                {"unit": "c1"},
                {"unit": "l2"},
                {"at_least": "50%"},
                {"at_least": "67%"},
                {"at_least": "100%"},
                {"at_least": "1%"},
            ]
        )
    )
    return Consumed(product=draw(st.sampled_from(["guide", "course", "mug"])), **asked, **draw(time_words()))


attribute_rules = st.builds(
    lambda name, asked: AttributeRule(name=name, **asked),
    st.sampled_from(["plan", "country"]),
    st.sampled_from(
        [
            {"is_": "gold"},
            {"in_": ("gold", "5")},
            {"contains": "ol"},
            {"contains": "."},
            {"exists": True},
            {"exists": False},
            {"at_least": 5},
            {"at_most": 5},
            {"at_least": -1, "at_most": "5.5"},
        ]
    ),
)
first_order_rules = time_words().filter(bool).map(lambda words: FirstOrder(**words))
started_rules = st.builds(
    lambda product, unit, words: Started(product=product, unit=unit, **words),
    st.sampled_from(["guide", "course", "mug"]),
    st.sampled_from([None, None, "c1", "l2"]),
    time_words(),
)
one_buy = st.builds(
    lambda which, words, place: {"bought": {**which, **words, **place}},
    which_products(),
    time_words(),
    places,
)
then_rules = st.builds(
    lambda first, following, within: Then(first=first, next=following, within=within),
    one_buy,
    one_buy,
    st.sampled_from([*DAYS, timedelta(days=20)]),
)
touches = st.sampled_from(
    [
        {"source": "google"},
        {"source": "newsletter", "medium": "cpc"},
        {"campaign": "spring"},
        {"medium": "cpc"},
    ]
)
source_rules = st.builds(
    lambda which, touch: Source(**{which: touch}), st.sampled_from(["first", "last"]), touches
)
ahead = st.sampled_from(DAYS[1:])
subscribed_rules = st.builds(
    lambda product, asked, words: Subscribed(product=product, **asked, **words),
    st.sampled_from(["club", "patron"]),
    st.one_of(
        st.just({}),
        st.builds(lambda status: {"status": status}, st.sampled_from(STATUSES)),
        st.builds(lambda span: {"renews_within": span}, ahead),
        st.builds(lambda span: {"cancelled_within": span}, ahead),
        st.builds(lambda span: {"cancelled_within": span, "status": "expired"}, ahead),
    ),
    st.one_of(st.just({}), time_words()),
)
received_rules = st.builds(
    lambda campaign, step, words: Received(campaign=campaign, step=step, **words),
    st.sampled_from(["letters", "news"]),
    st.sampled_from([None, "one", "two"]),
    time_words(),
)
opened_rules = st.builds(
    lambda campaign, step, machines, words: Opened(campaign=campaign, step=step, machines=machines, **words),
    st.sampled_from(["letters", "news"]),
    st.sampled_from([None, "one", "two"]),
    st.booleans(),
    time_words(),
)
clicked_rules = st.builds(
    lambda campaign, step, words: Clicked(campaign=campaign, step=step, **words),
    st.sampled_from(["letters", "news"]),
    st.sampled_from([None, "one", "two"]),
    time_words(),
)
offered_rules = st.builds(
    lambda product, outcome, words: Offered(product=product, **outcome, **words),
    st.sampled_from(["course", "mug"]),
    st.sampled_from([{}, {"outcome": "shown"}, {"outcome": "accepted"}, {"outcome": "refused"}]),
    time_words(),
)
last_order_rules = time_words().filter(bool).map(lambda words: LastOrder(**words))
leaves: st.SearchStrategy[Rule] = st.one_of(
    bought_rules(),
    ordered_rules(),
    spent_rules(),
    first_order_rules,
    last_order_rules,
    then_rules,
    started_rules,
    consumed_rules(),
    subscribed_rules,
    offered_rules,
    received_rules,
    opened_rules,
    clicked_rules,
    attribute_rules,
    source_rules,
)
with_segments = st.one_of(leaves, st.just(Segment(name="named")))
rules: st.SearchStrategy[Rule] = st.recursive(
    with_segments,
    lambda inner: st.one_of(
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: AnyOf(tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)
