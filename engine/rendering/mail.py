"""A mail: what to write, what was written, or why it could not be."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from engine.planning.keys import MailKey

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_TURNS = re.compile(  # these make a text read backwards, or differently; the last are no characters
    r"[\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]"
)

WhyNot = Literal["claim_unproven", "render_failed", "no_address"]


class MailOrder(NamedTuple):
    """What to write: whose step of which campaign, and the instant of the plan that asked for it."""

    key: MailKey
    planned_at: datetime


@dataclass(frozen=True)
class Mail:
    """A mail ready to go. Its headers are beyond the usual ones; its evidence can be put into JSON.

    One that is `owed` goes to who unsubscribed as well. In the place of `their_link` its provider puts in the
    address of its own way out; where it is empty, the mail has ours. `attempt` is 0 where none is recorded.
    """

    key: MailKey
    message_id: str
    planned_at: datetime
    to_address: str
    to_name: str
    from_address: str
    from_name: str
    reply_to: str | None
    subject: str
    html: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()
    evidence: tuple[dict[str, Any], ...] = ()
    owed: bool = False
    their_link: str = ""
    attempt: int = 0


@dataclass(frozen=True)
class Unwritable:
    """A mail that could not be written, and why, in a word and in a sentence."""

    key: MailKey
    reason: WhyNot
    message: str


def one_line(text: str) -> str:
    """The text without line breaks and other control characters, each run of them a blank.

    Characters that turn the direction of what follows are left out: `moc.knab` must not read as a bank.
    """
    if text.isprintable():  # most are, and hold nothing of either kind
        return text.strip()
    return _BREAKS.sub(" ", _TURNS.sub("", text)).strip()
