"""How a subscription of Stripe's stands, item by item."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from engine.clock import EPOCH
from engine.facts.receiving.parts import filled, first, items, needed, part, seconds, text, written
from engine.facts.receiving.saying import Fact, Fields, Said
from engine.facts.receiving.sources.stripe_words import BEFORE, UNNAMED, Thing, of_price, sku_of, who_is

STATUS = {
    "active": "active",
    "trialing": "active",
    "past_due": "past_due",
    "unpaid": "past_due",
    "paused": "past_due",
    "canceled": "expired",
}
STANDINGS = ("active", "past_due", "cancelled", "expired")


def read_subscription(subscription: Thing, at: datetime) -> Said:
    """Each item is one to its product. Of several words in one second the one that goes furthest holds."""
    status = STATUS.get(text(subscription.get("status")), "")
    if not status:
        return []
    ref = needed(subscription, "id")
    now = _numbered(ref, items(part(subscription, "items").get("data")) or [{}])
    ends = seconds(subscription.get("ended_at")) or seconds(subscription.get("cancel_at"))
    stopping = subscription.get("cancel_at_period_end") is True or subscription.get("cancel_at") is not None
    if status == "active" and stopping:
        status = "cancelled"
    since = at + timedelta(microseconds=STANDINGS.index(status))
    if ends and ends < since:
        ends = None

    def stands(number: str, item: Thing) -> Fact:
        until = seconds(subscription.get("current_period_end", item.get("current_period_end")))
        return _standing(subscription, number, item, {
            "at": written(since),
            "status": status,
            "renews_at": written(until) if status in ("active", "past_due") else "",
            "ends_at": written(ends or (until if status == "cancelled" else None)),
        })  # fmt: skip

    return [*(stands(*each) for each in now.items()), *_left(subscription, now, at)]


def _left(subscription: Thing, now: Mapping[str, Thing], at: datetime) -> Iterator[Fact]:
    """Items that were taken out: what had a number that nothing has any more has run out."""
    before = items(part(subscription, BEFORE, "items").get("data"))
    kept = {first(each, "id") for each in now.values()}
    gone = {
        ref: each for ref, each in _numbered(needed(subscription, "id"), before).items() if ref not in now
    }
    out = [each for each in before if first(each, "id") not in kept]
    of_another = iter(each for each in out if each not in gone.values())
    since = written(at + timedelta(microseconds=STANDINGS.index("expired")))
    for ref, item in gone.items():
        which = item if item in out else next(of_another, item)  # it has the number of one that is out
        yield _standing(subscription, ref, which, {"at": since, "status": "expired", "ends_at": since})


def _numbered(ref: str, listed: Sequence[Thing]) -> dict[str, Thing]:
    """The oldest item has the number of the subscription, so that a single one has no other."""
    oldest = sorted(listed, key=lambda each: (seconds(each.get("created")) or EPOCH, first(each, "id")))
    return {f"{ref}/{first(each, 'id')}" if n else ref: each for n, each in enumerate(oldest)}


def _standing(subscription: Thing, number: str, item: Thing, fields: Fields) -> Fact:
    whole = number == first(subscription, "id")
    sku = (whole and sku_of(subscription)) or sku_of(item) or of_price(part(item, "price")) or UNNAMED
    said = {**who_is(subscription), "subscription_id": number, "sku": sku, **fields}
    return Fact("subscriptions", filled(said))
