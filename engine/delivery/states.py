"""The states of a mail in the outbox, and the only moves between them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """Where a mail stands. Delivered, opened and bounced are events, not states."""

    SCHEDULED = "scheduled"  # planned; nobody has taken it on
    SENDING = "sending"  # an owner means to send it: the intent is committed, the lease runs
    ACCEPTED = "accepted"  # the transport has it
    REJECTED = "rejected"  # known not to have left, and never will
    UNKNOWN = "unknown"  # it may have left or not; held and shown, never sent again blindly
    CANCELLED = "cancelled"  # it should no longer leave
    HELD = "held"  # waits for a person: it may have left from the database that this one was copied from
    HELD_OUT = "held_out"  # stands in a mail's place; never enters delivery


FINAL = frozenset({Status.ACCEPTED, Status.REJECTED, Status.CANCELLED, Status.HELD_OUT})

MOVES: Mapping[tuple[Status, Status], str] = MappingProxyType(
    {
        (Status.SCHEDULED, Status.SENDING): "an owner claimed it and committed the intent to send",
        (Status.SENDING, Status.ACCEPTED): "the transport took it",
        (Status.SENDING, Status.REJECTED): "it cannot be written, or the transport refused it for good",
        (
            Status.SENDING,
            Status.CANCELLED,
        ): "its reader unsubscribed or was suppressed meanwhile, or is not on the list of a rehearsal",
        (Status.SENDING, Status.SCHEDULED): "it is known not to have left, so it may be tried again",
        (Status.SENDING, Status.UNKNOWN): "the lease ran out, or the transport cannot say what became of it",
        (
            Status.SCHEDULED,
            Status.ACCEPTED,
        ): "it was to be tried again, and then its provider told of it: it had left",
        (Status.SCHEDULED, Status.CANCELLED): "a person cancelled it, or a later plan did",
        (
            Status.UNKNOWN,
            Status.ACCEPTED,
        ): "a look-up found that it had left, its provider told of it, or a person knows that it did",
        (Status.UNKNOWN, Status.REJECTED): "its provider told that it took it and dropped it",
        (
            Status.UNKNOWN,
            Status.SCHEDULED,
        ): "a look-up found that it had not left, and it cannot leave twice; "
        "or a person knows that it did not",
        (
            Status.REJECTED,
            Status.SCHEDULED,
        ): "its cause is mended, and a person lets it go again",
        (
            Status.REJECTED,
            Status.ACCEPTED,
        ): "its provider told of it as of one that had left, whatever it told before",
        (Status.SCHEDULED, Status.HELD): "the database was adopted, and the mail was due before",
        (Status.SENDING, Status.HELD): "the database was adopted, and the mail was on its way",
        (Status.UNKNOWN, Status.HELD): "the database was adopted, and nobody could say whether it had left",
        (Status.HELD, Status.SCHEDULED): "a person looked at it and released it",
        (Status.HELD, Status.CANCELLED): "a person looked at it and cancelled it",
    }
)


def move(origin: Status, target: Status) -> tuple[str, str]:
    """Both states as the database keeps them; ValueError where no such move is allowed."""
    if (origin, target) not in MOVES:
        msg = f"a mail never goes from {origin} to {target}"
        raise ValueError(msg)
    return origin.value, target.value
