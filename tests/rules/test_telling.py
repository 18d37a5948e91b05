"""What `explain` says of one person: each condition's sentence, and what is known, word for word."""

from datetime import timedelta
from typing import Any

import pytest

from engine.documents import parse_document
from engine.rules.explain import explain
from engine.rules.model import Scope
from engine.rules.parse import RuleParser
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.conftest import NOW
from tests.world import CATALOGUE, Change, Event, Line, Order, Person, Sent, Told, Use, write

DAY = timedelta(days=1)
GUIDE = Order(NOW - 40 * DAY, [Line("guide")], source="google", medium="cpc")
COURSE = Order(NOW - 30 * DAY, [Line("course")])
PAID = [Change(NOW - 70 * DAY, renews_at=NOW - 40 * DAY), Change(NOW - 40 * DAY, renews_at=NOW + 4 * DAY)]
LEFT = [*PAID, Change(NOW - 20 * DAY, status="cancelled", ends_at=NOW + 4 * DAY)]
GONE = [*PAID, Change(NOW - 20 * DAY, status="cancelled", ends_at=NOW - 5 * DAY)]

# the rule, what is known, its sentence, and what is said of the person
TOLD: list[tuple[str, dict[str, Any], str, str]] = [
    ("subscribed: {product: club}", {}, "subscribed to The Club", "never subscribed"),
    (
        "subscribed: {product: club, renews_within: 7d}",
        {"changes": PAID},
        "subscribed to The Club, which renews in the next 7 days",
        "active since 2025-12-30 (70 days ago), renews 2026-03-14 (in 4 days)",
    ),
    (
        "subscribed: {product: club, older_than: 60d}",
        {"changes": [Change(NOW - 70 * DAY), Change(NOW - 9 * DAY, status="past_due")]},
        "subscribed to The Club at least 60 days ago",
        "past due since 2026-03-01 (9 days ago)",
    ),
    (
        "subscribed: {product: club, status: cancelled}",
        {"changes": LEFT},
        "cancelled The Club",
        "cancelled 2026-02-18 (20 days ago), ends 2026-03-14 (in 4 days)",
    ),
    (
        "subscribed: {product: club, cancelled_within: 30d}",
        {"changes": GONE},
        "cancelled The Club at most 30 days ago",
        "cancelled 2026-02-18 (20 days ago), expired 2026-03-05 (5 days ago)",
    ),
    (
        "subscribed: {product: club, cancelled_within: 30d}",
        {
            "changes": [
                Change(NOW - 70 * DAY, ends_at=NOW - 9 * DAY),
                Change(NOW - 5 * DAY, status="cancelled"),
            ]
        },
        "cancelled The Club at most 30 days ago",
        "cancelled 2026-03-05 (5 days ago)",
    ),
    (
        "subscribed: {product: club, cancelled_within: 10d}",
        {"changes": [*GONE, Change(NOW - 4 * DAY, status="cancelled")]},
        "cancelled The Club at most 10 days ago",
        "cancelled 2026-02-18 (20 days ago), and told so again 2026-03-06 (4 days ago)",
    ),
    (
        "subscribed: {product: club, status: expired, cancelled_within: 30d}",
        {"changes": [Change(NOW - 70 * DAY, ends_at=NOW - 5 * DAY)]},
        "let The Club run out, having cancelled it at most 30 days ago",
        "expired 2026-03-05 (5 days ago)",
    ),
    (
        "subscribed: {product: club}",
        {"changes": [Change(NOW - 70 * DAY, renews_at=NOW - DAY)]},
        "subscribed to The Club",
        "active since 2025-12-30 (70 days ago), renews 2026-03-09 (due)",
    ),
    ("offered: {product: course}", {}, "was offered The Course in the front end", "never offered"),
    (
        "offered: {product: course, outcome: refused, within: 30d}",
        {
            "funnel": [
                Told(NOW - 39 * DAY, "offer_refused", "course"),
                Told(NOW - DAY, "offer_shown", "course"),
            ]
        },
        "refused the offer of The Course in the front end at most 30 days ago",
        "refused 0 times in that time, last 2026-01-30 (39 days ago)",
    ),
    (
        "offered: {product: course, outcome: accepted}",
        {"funnel": [Told(NOW - DAY, "offer_shown", "course")]},
        "accepted the offer of The Course in the front end",
        "offered, but never accepted",
    ),
    ("received: {campaign: letters}", {}, "received a mail of 'letters'", "never received"),
    (
        "received: {campaign: letters, step: one, within: 30d}",
        {"mails": [Sent(NOW - 9 * DAY), Sent(NOW - 2 * DAY)]},
        "received 'one' of 'letters' at most 30 days ago",
        "received 2 mails, last 2026-03-08 (2 days ago)",
    ),
    (
        "clicked: {campaign: letters, within: 30d}",
        {},
        "clicked a mail of 'letters' at most 30 days ago",
        "never clicked",
    ),
    (
        "opened: {campaign: letters, step: one, machines: true}",
        {"events": [Event(NOW - 9 * DAY, machine=True), Event(NOW - 2 * DAY)]},
        "opened 'one' of 'letters', or a program did",
        "opened 2 times, last 2026-03-08 (2 days ago)",
    ),
    (
        "opened: {campaign: letters}",
        {"events": [Event(NOW - DAY, machine=True)]},
        "opened a mail of 'letters'",
        "never opened",
    ),
    ("ordered: {at_least: 1}", {}, "placed at least 1 paid order", "0 such orders, last ordered never"),
    ("ordered: {at_least: 2}", {}, "placed at least 2 paid orders", "0 such orders, last ordered never"),
    (
        "bought: {product: guide, at_least: 1, at_most: 1, quantity: {at_least: 1}}",
        {},
        "bought The Guide in exactly 1 order, at least 1 piece",
        "never bought",
    ),
    ("first_order: {within: 30d}", {}, "first ordered at most 30 days ago", "never ordered"),
    ("last_order: {within: 30d}", {}, "last ordered at most 30 days ago", "never ordered"),
    (
        "first_order: {older_than: 30d}",
        {"orders": [GUIDE, COURSE]},
        "first ordered at least 30 days ago",
        "first ordered 2026-01-29 (40 days ago)",
    ),
    (
        "spent: {at_least: 20, within: 30d}",
        {"orders": [GUIDE]},
        "spent at least 20 at most 30 days ago",
        "spent 0.00 in that time",
    ),
    ("started: {product: guide}", {}, "started The Guide", "never opened"),
    (
        "consumed: {product: course, within: 30d}",
        {"uses": [Use(NOW - 39 * DAY, "course", "l1", "completed")]},
        "used The Course at most 30 days ago",
        "0 of 4 units completed in that time, last used 2026-01-30 (39 days ago)",
    ),
    (
        "consumed: {product: course, unit: l1, within: 30d}",
        {"uses": [Use(NOW - 39 * DAY, "course", "l1", "completed")]},
        "completed 'Lesson 1' of The Course at most 30 days ago",
        "not completed in that time, last used 2026-01-30 (39 days ago)",
    ),
    (
        "consumed: {product: course, at_least: 50%}",
        {"uses": [Use(NOW - 39 * DAY, "course", "l1", "completed")]},
        "completed at least 50% of The Course",
        "1 of 4 units completed, last used 2026-01-30 (39 days ago)",
    ),
    (
        "started: {product: course, unit: l2}",
        {"uses": [Use(NOW - 3 * DAY, "course", "l2", "started")]},
        "started 'Lesson 2' of The Course",
        "started 2026-03-07 (3 days ago)",
    ),
    (
        "then: {first: {bought: {product: guide}}, next: {bought: {product: course}}, within: 14d}",
        {"orders": [GUIDE]},
        "bought The Guide, and within 14 days of that bought The Course",
        "the first: last bought 2026-01-29 (40 days ago); the second: never bought",
    ),
    (  # the latest that followed, 3 days ago, is too late for it
        "then: {first: {bought: {product: guide}}, next: {bought: {any: true}}, within: 20d}",
        {"orders": [GUIDE, *(Order(NOW - n * DAY, [Line("course")]) for n in (25, 3))]},
        "bought The Guide, and within 20 days of that bought anything",
        "the first: bought 2026-01-29 (40 days ago); the second: bought 2026-02-13 (25 days ago)",
    ),
    (
        "bought: {product: guide, position: bump, end: back, within: 30d}",
        {"orders": [GUIDE]},
        "bought The Guide as a bump in the back end at most 30 days ago",
        "0 orders as a bump in the back end in that time, last 2026-01-29 (40 days ago)",
    ),
    (
        "source: {first: {source: google}}",
        {"orders": [COURSE, GUIDE]},
        "first came by source 'google'",
        "first came by source 'google', medium 'cpc'",
    ),
    (
        "source: {last: {source: google}}",
        {"orders": [COURSE]},
        "last came by source 'google'",
        "no order tells the traffic",
    ),
]


@pytest.mark.parametrize(("rule", "facts", "sentence", "known"), TOLD)
def test_it_is_told_in_words(
    store: Store, rule: str, facts: dict[str, Any], sentence: str, known: str
) -> None:
    ensure_current(store)
    document = parse_document("rule.yaml", rule)
    parser = RuleParser(document, CATALOGUE, campaigns={"letters": ["one", "two"]})
    read = parser.parse(document.data, ())
    assert not parser.problems
    with store.writing() as connection:
        write(connection, {1: Person(NOW - 365 * DAY, **facts)})
        told = explain(connection, read, Scope(NOW, CATALOGUE, dialect=store.engine.dialect.name), 1)
    assert (told.sentence, told.actual) == (sentence, known)
