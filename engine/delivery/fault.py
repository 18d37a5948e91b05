"""Whose fault a refusal is, as its enhanced status code tells (RFC 3463, and the list of codes at IANA).

The code tells more than the answer that it stands in: 550 is said to a mailbox that is not there as well as
to a sender that may not send.
"""

import re
from enum import Enum, auto

_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")


class Fault(Enum):
    """Whom or what a server refuses."""

    RECIPIENT = auto()  # the address, or its mailbox
    MAIL = auto()  # its size or its content
    US = auto()  # who sends, or the way there: it would be so for every mail
    UNTOLD = auto()  # there is no code, or it says nothing


_SUBJECTS = {
    "1": Fault.RECIPIENT,  # the address
    "2": Fault.RECIPIENT,  # its mailbox
    "3": Fault.US,  # the mail system
    "4": Fault.US,  # the network, and expired on the way
    "5": Fault.US,  # the protocol
    "6": Fault.MAIL,  # its content
    "7": Fault.US,  # policy, login, signature
}
_OTHERWISE = {
    "1.7": Fault.US,  # the address of the sender
    "1.8": Fault.US,  # its domain
    "1.9": Fault.US,  # passed on to what cannot do it
    "2.3": Fault.MAIL,  # too large for that mailbox
    "3.4": Fault.MAIL,  # too large for that server
}
_DEAD = frozenset(f"5.{rest}" for rest in ("1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1"))


def enhanced_code(words: str) -> str:
    """The first enhanced code in what was said; '' where there is none."""
    found = _CODE.search(words)
    return found[0] if found else ""


def fault(code: str) -> Fault:
    """Whom an enhanced code blames."""
    rest = code.partition(".")[2]
    return _OTHERWISE.get(rest) or _SUBJECTS.get(rest.partition(".")[0], Fault.UNTOLD)


def address_is_dead(code: str) -> bool:
    """Whether the code says for good that nothing ever arrives at that address, be it a mail of anybody's."""
    return code in _DEAD
