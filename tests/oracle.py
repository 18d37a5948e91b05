"""The slow, obvious judge of rules: plain Python over plain data, one person at a time.

It shares no code with the conditions' SQL. Where the two differ, one of them is wrong.
"""

from datetime import datetime
from decimal import ROUND_CEILING
from typing import Any

from engine.rules.conditions.attribute import Attribute
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
from tests.world import CATALOGUE, Line, Order, Person, opening


def judge(rule: Rule, person: Person, now: datetime, segments: dict[str, Rule] | None = None) -> bool:
    """Whether the rule holds for the person at that instant."""
    named = segments or {}
    if person.known_at > now:
        return False
    if isinstance(rule, All):
        return all(judge(part, person, now, named) for part in rule.rules)
    if isinstance(rule, AnyOf):
        return any(judge(part, person, now, named) for part in rule.rules)
    if isinstance(rule, Not):
        return not judge(rule.rule, person, now, named)
    if isinstance(rule, Segment):
        return judge(named[rule.name], person, now, named)
    return _JUDGES[type(rule)](rule, person, now)


def is_customer(person: Person, now: datetime) -> bool:
    return any(_counts(order, now) for order in person.orders)


def _counts(order: Order, now: datetime) -> bool:
    refunded = order.refunded_at is not None and order.refunded_at <= now
    return order.paid and order.amount > 0 and not refunded and order.at <= now


def _in_time(words: Any, at: datetime, now: datetime) -> bool:
    return (
        at <= now
        and (words.within is None or at >= now - words.within)
        and (words.older_than is None or at <= now - words.older_than)
        and (words.since is None or at >= words.since)
        and (words.until is None or at <= words.until)
    )


def _is_meant(words: Any, sku: str) -> bool:
    if words.product is not None:
        return bool(sku == words.product)
    product = CATALOGUE.get(sku)
    if product is None:
        return words.kind is None and words.category is None and words.tag is None
    return (
        words.kind in (None, product.kind)
        and words.category in (None, product.category)
        and (words.tag is None or words.tag in product.tags)
    )


def _enough(count: int, at_least: int | None, at_most: int | None) -> bool:
    if at_least is None and at_most is None:
        return count >= 1
    return (at_least is None or count >= at_least) and (at_most is None or count <= at_most)


def _bought(rule: Bought, person: Person, now: datetime) -> bool:
    found = [
        [line for line in order.lines if _holds(rule, order, line, person, now)] for order in person.orders
    ]
    pieces = sum(line.quantity for lines in found for line in lines)
    wanted = rule.quantity
    return _enough(sum(map(bool, found)), rule.at_least, rule.at_most) and (
        wanted is None
        or (
            (wanted.at_least is None or pieces >= wanted.at_least)
            and (wanted.at_most is None or pieces <= wanted.at_most)
        )
    )


def _holds(rule: Bought, order: Order, line: Line, person: Person, now: datetime) -> bool:
    """Whether that line of that order counts."""
    return (
        order.paid
        and _in_time(rule, order.at, now)
        and _is_meant(rule, line.sku)
        and not (line.refunded_at is not None and line.refunded_at <= now)
        and rule.position in (None, line.position or _place(order, person))
        and rule.end in (None, line.side)
    )


def _place(order: Order, person: Person) -> str:
    """What an order says of its lines' position: one that adds to a transaction is an upsell."""
    opened = [each.at for _, each in opening(person)]
    return "upsell" if not order.opens and opened and order.at >= min(opened) else "core"


def _ordered(rule: Ordered, person: Person, now: datetime) -> bool:
    def asked(amount: int) -> bool:
        wanted = rule.amount
        return wanted is None or (
            (wanted.at_least is None or amount >= wanted.at_least * 100)
            and (wanted.at_most is None or amount <= wanted.at_most * 100)
        )

    found = [o for o in person.orders if _counts(o, now) and _in_time(rule, o.at, now) and asked(o.amount)]
    return _enough(len(found), rule.at_least, rule.at_most)


def _spent(rule: Spent, person: Person, now: datetime) -> bool:
    by_product = rule.product is not None or rule.kind is not None
    total = 0
    for order in person.orders:
        if order.paid and _in_time(rule, order.at, now):
            total += sum(line.amount for line in order.lines if not by_product or _is_meant(rule, line.sku))
    for refund in person.refunds:
        if _in_time(rule, refund.at, now) and (not by_product or _is_meant(rule, refund.sku)):
            total -= refund.amount
    return (rule.at_least is None or total >= rule.at_least * 100) and (
        rule.at_most is None or total <= rule.at_most * 100
    )


def _first_order(rule: FirstOrder, person: Person, now: datetime) -> bool:
    times = [order.at for order in person.orders if _counts(order, now)]
    return bool(times) and _in_time(rule, min(times), now)


def _then(rule: Then, person: Person, now: datetime) -> bool:
    def times(bought: Bought) -> list[datetime]:
        return [
            order.at
            for order in person.orders
            if any(_holds(bought, order, line, person, now) for line in order.lines)
        ]

    return any(a < b <= a + rule.within for a in times(rule.first) for b in times(rule.next))


def _started(rule: Started, person: Person, now: datetime) -> bool:
    return any(
        use.sku == rule.product and rule.unit in (None, use.unit) and _in_time(rule, use.at, now)
        for use in person.uses
    )


def _source(rule: Source, person: Person, now: datetime) -> bool:
    telling = [o for o in person.orders if o.at <= now and (o.source or o.medium or o.campaign)]
    if not telling:
        return False
    decisive = min(o.at for o in telling) if rule.first else max(o.at for o in telling)
    asked = rule.first or rule.last
    return any(
        asked.source in (None, o.source)
        and asked.medium in (None, o.medium)
        and asked.campaign in (None, o.campaign)
        for o in telling
        if o.at == decisive
    )


def _last_order(rule: LastOrder, person: Person, now: datetime) -> bool:
    times = [order.at for order in person.orders if _counts(order, now)]
    return bool(times) and _in_time(rule, max(times), now)


def _consumed(rule: Consumed, person: Person, now: datetime) -> bool:
    uses = [use for use in person.uses if use.sku == rule.product and _in_time(rule, use.at, now)]
    done = {use.unit for use in uses if use.kind == "completed"}
    if rule.unit is not None:
        return rule.unit in done
    if rule.at_least is None and rule.completed is None:
        return any(use.kind in ("progressed", "completed") for use in uses)
    if "" in done:
        return True
    product = CATALOGUE.get(rule.product)
    units = set(product.units) if product else set()
    share = 1 if rule.completed else rule.at_least
    needed = int((share * len(units)).to_integral_value(ROUND_CEILING)) if share != 1 else len(units)
    return bool(units) and len(done & units) >= needed


def _subscribed(rule: Subscribed, person: Person, now: datetime) -> bool:
    return any(
        _stands(rule, _story(person, ref, now), now) for ref in {c.subscription for c in person.changes}
    )


def _story(person: Person, ref: str, now: datetime) -> list[tuple[datetime, str, str, Any]]:
    """How the subscription stood until now: since when, of what, how, and when it renews."""
    told = sorted((c for c in person.changes if c.subscription == ref and c.at <= now), key=lambda c: c.at)
    story: list[tuple[datetime, str, str, Any]] = []
    for number, change in enumerate(told):
        story.append((change.at, change.sku, change.status, change.renews_at))
        following = told[number + 1].at if number + 1 < len(told) else None
        ends = change.ends_at
        runs_out = change.status != "expired" and ends is not None and ends <= now
        if runs_out and (following is None or ends < following):
            story.append((ends, change.sku, "expired", None))
    return story


def _stands(rule: Subscribed, story: list[tuple[datetime, str, str, Any]], now: datetime) -> bool:
    over = ("cancelled", "expired")
    wanted = (rule.status,) if rule.status else over if rule.cancelled_within is not None else ("active",)

    def run(statuses: tuple[str, ...]) -> list[tuple[datetime, str, str, Any]]:
        """The last entries, as many as are of the product and stand so."""
        found: list[tuple[datetime, str, str, Any]] = []
        for entry in reversed(story):
            if entry[1] != rule.product or entry[2] not in statuses:
                break
            found.insert(0, entry)
        return found

    so = run(wanted)
    if not so or not _in_time(rule, so[0][0], now):
        return False
    if rule.renews_within is not None:
        renews = so[-1][3]
        return renews is not None and now < renews <= now + rule.renews_within
    if rule.cancelled_within is not None:
        cancelled = [entry[0] for entry in run(over) if entry[2] == "cancelled"]
        return bool(cancelled) and cancelled[0] >= now - rule.cancelled_within
    return True


def _offered(rule: Offered, person: Person, now: datetime) -> bool:
    return any(
        told.what.startswith("offer_")
        and told.sku == rule.product
        and (rule.outcome == "shown" or told.what == f"offer_{rule.outcome}")
        and _in_time(rule, told.at, now)
        for told in person.funnel
    )


def _received(rule: Received, person: Person, now: datetime) -> bool:
    return any(
        mail.status == "accepted"
        and mail.campaign == rule.campaign
        and rule.step in (None, mail.step)
        and _in_time(rule, mail.at, now)
        for mail in person.mails
    )


def _opened(rule: Opened, person: Person, now: datetime) -> bool:
    return any(
        event.kind == "opened"
        and (rule.machines or not event.machine)
        and (rule.campaign, rule.step or event.step) == (event.campaign, event.step)
        and _in_time(rule, event.at, now)
        for event in person.events
    )


def _clicked(rule: Clicked, person: Person, now: datetime) -> bool:
    return any(
        event.kind == "clicked"
        and (rule.campaign, rule.step or event.step) == (event.campaign, event.step)
        and _in_time(rule, event.at, now)
        for event in person.events
    )


def _attribute(rule: Attribute, person: Person, now: datetime) -> bool:
    had = sorted((a for a in person.attributes if a.name == rule.name and a.at <= now), key=lambda a: a.at)
    if rule.exists is not None:
        return (bool(had) and had[-1].value != "") is rule.exists
    if not had:
        return False
    value, number = had[-1].value, had[-1].number
    if rule.is_ is not None:
        return value == rule.is_
    if rule.in_ is not None:
        return value in rule.in_
    if rule.contains is not None:
        return rule.contains in value
    return (
        number is not None
        and (rule.at_least is None or number >= float(rule.at_least))
        and (rule.at_most is None or number <= float(rule.at_most))
    )


_JUDGES: dict[type, Any] = {
    Bought: _bought,
    Ordered: _ordered,
    Spent: _spent,
    FirstOrder: _first_order,
    LastOrder: _last_order,
    Then: _then,
    Started: _started,
    Source: _source,
    Consumed: _consumed,
    Subscribed: _subscribed,
    Offered: _offered,
    Received: _received,
    Opened: _opened,
    Clicked: _clicked,
    Attribute: _attribute,
}
