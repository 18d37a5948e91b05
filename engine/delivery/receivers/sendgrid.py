"""One event of SendGrid in our words.

What came back is judged as `fault` judges what mail servers say, where SendGrid has not judged it itself.
What it calls blocked is no bounce: the mail was refused, and not the address.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.clock import EPOCH
from engine.delivery.fault import came_back, telling_code
from engine.delivery.receivers.heard import Heard
from engine.delivery.transports.sendgrid.payload import ATTEMPT, CUSTOMER, MESSAGE
from engine.facts.mail_events import Kind
from engine.facts.receiving.saying import NotUnderstood
from engine.facts.suppression import BOUNCED, COMPLAINED, UNSUBSCRIBED
from engine.facts.values.addresses import as_compared

SOURCE = "sendgrid"
EVENT_ID = "sg_event_id"

KINDS: Mapping[str, Kind] = {
    "processed": Kind.PROCESSED,
    "dropped": Kind.DROPPED,
    "deferred": Kind.DEFERRED,
    "delivered": Kind.DELIVERED,
    "open": Kind.OPENED,
    "click": Kind.CLICKED,
    "spamreport": Kind.COMPLAINED,
    "unsubscribe": Kind.UNSUBSCRIBED,
    "group_unsubscribe": Kind.UNSUBSCRIBED,
    "group_resubscribe": Kind.RESUBSCRIBED,
}
SORTED: Mapping[str, Kind] = {  # bounces, by what it says is to blame
    "Invalid Address": Kind.BOUNCED,
    "Content": Kind.BLOCKED,
    "Frequency or Volume Too High": Kind.BLOCKED,
    "Reputation": Kind.BLOCKED,
}
PASSING = ("Mailbox Unavailable", "Technical")  # it says so of what may pass as well
A_WISH = "unsubscribed address"
ON_ITS_LISTS: Mapping[str, str] = {  # why it drops a mail, in its words, where that is about the address
    "bounced address": BOUNCED,
    "invalid": BOUNCED,
    "spam reporting address": COMPLAINED,
    A_WISH: UNSUBSCRIBED,
}
LONGEST_ADDRESS = 320
LONGEST_DETAIL = 400
MOST, MOST_ATTEMPTS = 1 << 63, 1_000_000
LAST = 4_102_444_800  # the year 2100, in seconds
_CODE = re.compile(r"\s*([245])(\d\d\b|\.\d)")


def heard(event: Any, received_at: datetime) -> Heard | None:
    """The event; None where it is of a kind that we do not know. Raises NotUnderstood.

    Nothing happened later than we were told of it.
    """
    if not isinstance(event, Mapping):
        msg = "it is no event"
        raise NotUnderstood(msg)
    kind = _kind(event)
    if kind is None:
        return None
    return Heard(
        kind=kind,
        at=min(_at(event.get("timestamp")), received_at),
        address=as_compared(_text(event, "email", LONGEST_ADDRESS)),
        customer_id=_number(event.get(CUSTOMER)),
        message_id=_message(event),
        attempt=_attempt(event.get(ATTEMPT)),
        machine=kind is Kind.OPENED and event.get("sg_machine_open") in (True, "true"),
        detail=_detail(event),
    )


def _kind(event: Mapping[str, Any]) -> Kind | None:
    name = event.get("event")
    if not isinstance(name, str):
        msg = "it does not say what happened"
        raise NotUnderstood(msg)
    return _bounce(event) if name in ("bounce", "blocked") else KINDS.get(name)


def _bounce(event: Mapping[str, Any]) -> Kind:
    """SendGrid sorts what came back; where it does not say how, the server's code and words are judged."""
    if "blocked" in (event.get("type"), event.get("event")):
        return Kind.BLOCKED
    sort = _text(event, "bounce_classification", LONGEST_DETAIL)
    if sort in SORTED:
        return SORTED[sort]
    status, reason = (_text(event, name, LONGEST_DETAIL) for name in ("status", "reason"))
    return came_back(telling_code(status, reason), reason) or _by_number(status, reason, sort)


def _by_number(status: str, reason: str, sort: str) -> Kind:
    """What is left: SendGrid calls it a bounce and no block, so for good means that the address is dead."""
    found = (_CODE.match(said) for said in (status, reason))
    first = next((code[1] for code in found if code), "")
    return Kind.BOUNCED if first == "5" and sort not in PASSING else Kind.SOFT_BOUNCE


def _at(timestamp: Any) -> datetime:
    seconds = _number(timestamp)
    if seconds is None or not 0 < seconds < LAST:
        msg = "it does not say when it happened"
        raise NotUnderstood(msg)
    return EPOCH + timedelta(seconds=seconds)


def _number(value: Any) -> int | None:
    """A whole number, or one written as text; no larger than a database keeps."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    return int(text) if int(text) < MOST else None


def _attempt(value: Any) -> int:
    number = _number(value) or 0
    return number if number <= MOST_ATTEMPTS else 0


def _message(event: Mapping[str, Any]) -> str:
    named = _text(event, MESSAGE, 40)
    return named if len(named) == 36 else ""


def _text(event: Mapping[str, Any], name: str, longest: int) -> str:
    """What is said there in plain characters, whoever wrote it."""
    value = event.get(name)
    said = value if isinstance(value, str) else ""
    return "".join(c if c.isprintable() else " " for c in said[:longest])


def _detail(event: Mapping[str, Any]) -> str:
    """Why it happened, or what was clicked."""
    return next(filter(None, (_text(event, n, LONGEST_DETAIL) for n in ("reason", "response", "url"))), "")
