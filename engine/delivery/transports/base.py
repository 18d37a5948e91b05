"""What a way out must be able to do.

A transport is one file in this folder and one line in its menu. `send` either returns a receipt or
raises one of three answers: Refused and TryAgain promise that the mail has *not* left,
OutcomeUnknown that nobody can say. Any other exception counts as OutcomeUnknown too, save
TransportError: the way out itself is unusable, and the mail has not left.

One that can take several mails at once is `Together` as well, and is then asked that way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

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


class NoSuchAddress(Refused):
    """Refused, for there is no such mailbox, and no other mail will be taken to it either."""


class TryAgain(Exception):
    """Known not to have been accepted; later it may be."""


class NotNow(TryAgain):
    """The way out takes nothing for as long as its `rest` says, then this mail as any other."""


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


Answer = Receipt | Exception  # what `send` would have returned or raised


@dataclass(frozen=True)
class Parcel:
    """Mails that are handed over in one go, so that they share the fate of one call."""

    mails: Sequence[Mail]


Door = Callable[[Sequence[Mail]], Sequence[Mail]]  # those of the mails that nothing stands against by now


def open_door(mails: Sequence[Mail]) -> Sequence[Mail]:
    """Stops nobody."""
    return mails


@runtime_checkable
class Examined(Protocol):
    """A way out that can tell, without sending, that nothing would leave by it."""

    def examine(self) -> None:
        """Raises TransportError. Nothing is made or changed."""


@runtime_checkable
class Together(Transport, Protocol):
    """A way out that takes several mails at once, and answers for each on its own."""

    def ready(self) -> None:
        """Raises SettingsError where it could not send, as it is set up."""

    def parcels(self, mails: Sequence[Mail]) -> Iterator[Parcel]:
        """All these mails, in parcels. The next one is asked for when the last one is settled."""

    def send_parcel(self, parcel: Parcel, door: Door = open_door) -> Iterator[tuple[Mail, Answer]]:
        """Hand them over, and tell of each mail what became of it as soon as that is known.

        Before some of them are handed over once more, the door is asked: nothing is told of whom it stops.
        Raises TransportError: of which nothing was told yet has not left. After any other exception
        nobody can say what became of those.
        """

    def rest(self) -> timedelta:
        """For how long it is to be left alone from now on; nothing else is handed over meanwhile."""
