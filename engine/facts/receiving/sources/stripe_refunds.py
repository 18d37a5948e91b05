"""What went back by Stripe: refunds one by one, or their sum so far, and what disputes took."""

from datetime import datetime, timedelta

from engine.facts.receiving.parts import first, items, needed, part, seconds, text, written
from engine.facts.receiving.saying import APART, VOID, NotUnderstood, OfOrder, Said
from engine.facts.receiving.sources.stripe_words import Thing, in_major, payment_ref

SUCCEEDED = "succeeded"
REFUNDS = ("pending", "requires_action", SUCCEEDED, "failed", "canceled")  # in one second the last holds
GONE = ("needs_response", "under_review", "lost")  # disputes that took the money; inquiries take none


def read_refund(refund: Thing, at: datetime) -> Said:
    """Only one that succeeded is one, and no longer where it failed after that."""
    status = text(refund.get("status"))
    if status not in REFUNDS:
        return []
    currency = first(refund, "currency")
    when = written(seconds(refund.get("created")) or at)
    back = {"at": when, "amount": in_major(refund.get("amount"), currency), "currency": currency}
    if status != SUCCEEDED:
        back[VOID] = "yes"
    since = at + timedelta(microseconds=REFUNDS.index(status))
    return [OfOrder(payment_ref(refund), written(since), refunds={needed(refund, "id"): back})]


def read_refunded(charge: Thing, at: datetime) -> Said:
    """Newer versions name no refunds here, but how much went back by all of them so far."""
    if listed := items(part(charge, "refunds").get("data")):
        return [each for refund in listed for each in read_refund(refund, at)]
    currency = first(charge, "currency")
    amount = in_major(charge.get("amount_refunded"), currency)
    if not amount:
        msg = "amount_refunded is missing"
        raise NotUnderstood(msg)
    back = {"at": written(at), "amount": amount, "currency": currency}
    return [OfOrder(payment_ref(charge), written(at), returned=back)]


def read_dispute(dispute: Thing, at: datetime) -> Said:
    """A chargeback takes the money at once. What is won comes back, and so may a part of what is lost."""
    status, currency, minor = text(dispute.get("status")), first(dispute, "currency"), dispute.get("amount")
    if not isinstance(minor, int):
        msg = "amount is missing"
        raise NotUnderstood(msg)
    back = sum(_came_back(each, currency) for each in items(dispute.get("balance_transactions")))
    gone = {
        "at": written(seconds(dispute.get("created")) or at),
        "amount": in_major(max(minor - back, 0), currency),
        "currency": currency,
        APART: "yes",
    }
    if status not in GONE or back >= minor:
        gone[VOID] = "yes"
    since = at + timedelta(microseconds=0 if status.endswith(("response", "review")) else 1)
    return [OfOrder(payment_ref(dispute), written(since), refunds={needed(dispute, "id"): gone})]


def read_reinstated(dispute: Thing, at: datetime) -> Said:
    """Where nothing says how much came back, all of it did."""
    moved = items(dispute.get("balance_transactions"))
    if not any(_came_back(each, first(dispute, "currency")) for each in moved):
        dispute = {**dispute, "status": "won"}
    return read_dispute(dispute, at)


def _came_back(moved: Thing, currency: str) -> int:
    """Of what moved for a dispute, in its own currency: what was taken stands there below zero."""
    amount = moved.get("amount")
    return max(amount, 0) if isinstance(amount, int) and first(moved, "currency") == currency else 0
