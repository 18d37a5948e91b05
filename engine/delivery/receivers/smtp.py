"""What mail servers report of mails that left by SMTP, so that it is kept and taken up like any event.

A mail fails once, so what reports say of it is told apart by that alone, and the same again changes nothing.
Where a report names no mail of ours, it is told from others by its own id and dates.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.delivery.receivers.heard import Heard
from engine.delivery.reports import Report
from engine.delivery.rows import Attempt
from engine.facts.mail_events import Kind
from engine.facts.values.addresses import as_compared

SOURCE = "smtp"
EVENT_ID = "id"  # a report has none: the id follows from all that is said


def told(report: Report, address: str, customer_id: int | None) -> Mapping[str, Any]:
    """A report about a mail of ours, to be kept; whose it is, where it names more than an address."""
    return {
        "kind": report.kind.value,
        "address": address,
        "customer_id": customer_id,
        "message_id": report.message_id if customer_id is not None else "",
        "status": report.status,
        "report": report.own_id if customer_id is None else "",
    }


def refused(attempt: Attempt, address: str, said: str) -> Mapping[str, Any]:
    """A server would not take this mail, for there is no such mailbox. It is kept like what is reported."""
    return {
        "id": f"refused {attempt.key.message_id} {attempt.number}",
        "kind": Kind.REFUSED.value,
        "address": address,
        "customer_id": attempt.key.customer_id,
        "message_id": attempt.key.message_id,
        "status": said,
    }


def heard(event: Any, received_at: datetime) -> Heard:
    """What was kept, as an event. Reports do not say when it happened, so that is when they came."""
    return Heard(
        kind=Kind(event["kind"]),
        at=received_at,
        address=as_compared(event["address"]),
        customer_id=event["customer_id"],
        message_id=event["message_id"],
        detail=event["status"],
    )
