"""Whose fault a refusal is, as its enhanced status code tells (RFC 3463, and the list of codes at IANA).

The code tells more than the answer that it stands in: 550 is said to a mailbox that is not there as well as
to a sender that may not send. What came back is judged here alone, whoever tells of it: a server to which a
mail is handed, a report that came by mail, or SendGrid.
"""

import re
from enum import Enum, auto

from engine.facts.mail_events import Kind

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
_ON_THE_WAY = ("3", "4")  # their system or the network: of an address that is no more it is told as well
_OF_OUR_NAME = re.compile(
    r"spam|reputation|(black|block|deny)[ -]?list|\b(rbl|dnsbl|spf|dkim|dmarc)\b|unsolicited|\bbulk\b|content"
    r"|policy|virus|phish|relay|authenticat|rate limit|too many|throttl|client host|your (ip|server|domain)",
    re.IGNORECASE,
)
_FULL = re.compile(r"\bfull\b|quota|storage|temporar|try again|\blater\b", re.IGNORECASE)
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


def telling_code(status: str, words: str) -> str:
    """The code that a status holds. Where that says nothing, the server's own words may hold a better one."""
    code = enhanced_code(status)
    if fault(code) is not Fault.UNTOLD:
        return code
    other = enhanced_code(words)
    return other if other[:1] == (code or other)[:1] else code


def came_back(code: str, words: str) -> Kind | None:
    """What it says of an address that a mail came back from it so; None where that cannot be told.

    Nobody is given up for what blames the sender or the mail. What was lost on the way may be an address
    that is no more, so that counts as one that could not be reached this time.
    """
    if address_is_dead(code):
        return Kind.BOUNCED
    blamed = fault(code)
    if blamed is Fault.UNTOLD:
        return _by_words(words)
    on_the_way = code.split(".")[1] in _ON_THE_WAY
    ours = blamed is Fault.MAIL or (blamed is Fault.US and not on_the_way)
    return Kind.BLOCKED if ours else Kind.SOFT_BOUNCE


def _by_words(words: str) -> Kind | None:
    if _OF_OUR_NAME.search(words):
        return Kind.BLOCKED
    return Kind.SOFT_BOUNCE if _FULL.search(words) else None
