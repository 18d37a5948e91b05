"""What a way out must be able to do.

A transport is one file in this folder and one line in its menu. `send` either returns a receipt or
raises one of three answers: Refused and TryAgain promise that the mail has *not* left,
OutcomeUnknown that nobody can say. Any other exception counts as OutcomeUnknown too, save
TransportError: the way out itself is unusable, and the mail has not left.
"""

from datetime import datetime
from enum import Enum, auto
from typing import ClassVar, NamedTuple, Protocol

from engine.rendering.mail import Mail


class Receipt(NamedTuple):
    """The transport has the mail, under this name of its own."""

    provider_id: str | None = None


class Trace(Enum):
    """What a look-up found of a mail that may have left."""

    FOUND = auto()
    MISSING = auto()
    CANNOT_TELL = auto()


class Refused(Exception):
    """Known not to have been accepted, and never will be."""


class TryAgain(Exception):
    """Known not to have been accepted; later it may be."""


class OutcomeUnknown(Exception):
    """It may have been accepted or not."""


class Transport(Protocol):
    """A way out. `exactly_once` promises that one message id can never leave twice."""

    name: ClassVar[str]
    exactly_once: ClassVar[bool]

    def send(self, mail: Mail) -> Receipt:
        """Hand one mail over. Raises Refused, TryAgain, OutcomeUnknown or TransportError."""

    def flush(self) -> None:
        """Make lasting what was sent so far; only then is it recorded as accepted. Raises TransportError."""

    def look_up(self, message_id: str, planned_at: datetime) -> Trace:
        """Whether that mail has left."""

    def close(self) -> None:
        """Let go of what it holds."""
