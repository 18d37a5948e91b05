"""What may become of a mail once it has left: its provider tells it piece by piece, in any order.

Nothing told is ever taken back, and how a mail stands is the furthest of all that was told of it. So it
does not matter in which order, how often, or in how many parts it comes.
"""

from collections.abc import Iterable
from enum import StrEnum


class Kind(StrEnum):
    """One thing that happened to a mail, from the least telling to the most."""

    PROCESSED = "processed"  # the provider means to deliver it
    DEFERRED = "deferred"  # not for the moment; the provider tries again
    BLOCKED = "blocked"  # refused this time, for a reason that is not the address
    SOFT_BOUNCE = "soft_bounce"  # could not be delivered this time
    DROPPED = "dropped"  # the provider did not even try
    REFUSED = "refused"  # there is no such mailbox, said the server that it was to be handed to
    DELIVERED = "delivered"  # the receiving server took it
    RESUBSCRIBED = "resubscribed"  # wants mail of a group again
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"  # there is no such mailbox
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"  # called it spam


_RANK = {kind: rank for rank, kind in enumerate(Kind)}

# what is told only of mails that the provider took and kept
LEFT = frozenset(Kind) - {
    Kind.DROPPED,
    Kind.REFUSED,
}
OF_THE_ADDRESS = frozenset(  # what concerns an address, whichever mail it came of
    (Kind.BOUNCED, Kind.SOFT_BOUNCE, Kind.UNSUBSCRIBED, Kind.COMPLAINED)
)
ENGAGED = frozenset((Kind.OPENED, Kind.CLICKED))  # what rules ask about


def furthest(told: Iterable[str]) -> Kind | None:
    """How a mail stands of which all this was told; None where nothing was."""
    return max((Kind(kind) for kind in told), key=_RANK.__getitem__, default=None)
