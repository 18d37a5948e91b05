"""E-mail addresses in the one form in which they are compared: composed, lower case, no DNS asked."""

import re
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from engine.facts.refusal import Refused, shown

_WORD = r"[a-z0-9_+-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = re.compile(rf"{_WORD}(?:\.{_WORD})*@(?:{_LABEL}\.)+([a-z]{{2,24}})", re.ASCII)
_SPECIAL = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)


def address(value: str) -> str:
    """The address in its normal form; one that cannot exist is refused.

    Nearly all addresses are plain, and for those the library would say the same a hundred times slower.
    """
    lower = value.lower()
    plain = _PLAIN.fullmatch(lower)
    if plain and plain[1] not in _SPECIAL and "--" not in lower and len(lower) <= 254:
        return lower
    return _judged(value)


def as_compared(told: str) -> str:
    """The address that somebody told, in its normal form; what cannot be one is left to be found nowhere."""
    said = told.strip()
    try:
        return address(said)
    except Refused:
        return said.lower()


@lru_cache(maxsize=4096)
def _judged(value: str) -> str:
    try:
        found = validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        msg = "is not an e-mail address"
        raise Refused(msg, f"{shown(value)} ({error})") from error
    return found.normalized.lower()
