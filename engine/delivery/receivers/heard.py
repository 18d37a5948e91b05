"""One event in our words, whichever provider told it."""

from dataclasses import dataclass
from datetime import datetime

from engine.facts.mail_events import Kind


@dataclass(frozen=True)
class Heard:
    """What happened, when, and to which mail, as far as the provider tells."""

    kind: Kind
    at: datetime
    address: str  # as addresses are compared; '' where it is not told
    customer_id: int | None = None  # as the mail carried it
    message_id: str = ""
    attempt: int = 0  # at that mail; 0 where it is not told
    machine: bool = False
    detail: str = ""
