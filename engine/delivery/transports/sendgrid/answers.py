"""What an answer of the provider means for the mails of the request: see the table in docs/sendgrid.md."""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

from engine.delivery.transports.sendgrid.wire import Response

TAKEN, CHECKED = HTTPStatus.ACCEPTED, HTTPStatus.OK
NOT_ITS_WORDS = "but not in SendGrid's words: something else answers at sendgrid.host"
LONGEST_PAUSE = timedelta(minutes=10)
OF_ALL = frozenset(
    ("from", "reply_to", "categories", "asm", "ip_pool_name", "mail_settings", "tracking_settings")
)
_NUMBER = re.compile(r"personalizations[.\[](\d+)")
_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"',;]+")


class Meaning(Enum):
    """What the answer says of the whole request."""

    ACCEPTED = auto()
    WRONG = auto()  # something in it is, and nothing of it was accepted
    TOO_LARGE = auto()
    BUSY = auto()
    USELESS = auto()  # no request from here would be accepted
    UNKNOWN = auto()


@dataclass(frozen=True)
class Verdict:
    """An answer, read. `wrong` holds what is said of single mails, by their number in the request."""

    meaning: Meaning
    said: str = ""
    wrong: Mapping[int, str] = field(default_factory=dict)
    pause: timedelta | None = None


def verdict(response: Response, *, sandbox: bool, now: Callable[[], float] = time.time) -> Verdict:
    """Be strict: accepted is what the provider says it accepted, and refused what it says it did not."""
    status, said = response.status, words(response)
    if status == (CHECKED if sandbox else TAKEN):
        return Verdict(Meaning.ACCEPTED)
    match status:
        case HTTPStatus.BAD_REQUEST:
            return _bad(response.body, said)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Verdict(Meaning.TOO_LARGE, said)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Verdict(Meaning.BUSY, said, pause=pause(response.headers, now()))
    useless = 300 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT
    return Verdict(Meaning.USELESS if useless else Meaning.UNKNOWN, said)


def _bad(body: Any, said: str) -> Verdict:
    """Something in the request is wrong, unless it is not SendGrid that says so."""
    if not _errors(body):
        return Verdict(Meaning.USELESS, f"{said}, {NOT_ITS_WORDS}")
    return Verdict(Meaning.USELESS if _of_all(body) else Meaning.WRONG, said, _by_mail(body))


# ── what went wrong ─────────────────────────────────────────────────────────────────────────────


def words(response: Response) -> str:
    """The status and the provider's own words, without the addresses that it quotes; else what it means."""
    messages = [str(error.get("message", "")) for error in _errors(response.body)]
    told = "; ".join(dict.fromkeys(filter(None, messages)))
    return f"{response.status} {without_addresses(told) or _means(response.status)}".strip()


def _means(status: int) -> str:
    """The status in words, by the list of those of HTTP."""
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def without_addresses(words: str) -> str:
    """What is said to operators and written to logs names nobody."""
    return _ADDRESS.sub("(an address)", words)


def _by_mail(body: Any) -> dict[int, str]:
    """The mistakes whose field names one mail, by its number."""
    found: dict[int, str] = {}
    for error in _errors(body):
        if named := _NUMBER.match(str(error.get("field") or "")):
            found.setdefault(int(named[1]), without_addresses(str(error.get("message", ""))))
    return found


def _of_all(body: Any) -> bool:
    """Whether the fault lies in what every mail from here says alike: no customer's mail is to blame."""
    return any(str(error.get("field") or "").partition(".")[0] in OF_ALL for error in _errors(body))


def _errors(body: Any) -> list[dict[str, Any]]:
    errors = body.get("errors") if isinstance(body, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


# ── how long to wait ────────────────────────────────────────────────────────────────────────────


def pause(headers: Mapping[str, str], now: float) -> timedelta | None:
    """As it is told: seconds or a date by Retry-After, or a second of all time by X-RateLimit-Reset."""
    seconds = _retry_after(headers.get("retry-after"), now)
    if seconds is None and (reset := _number(headers.get("x-ratelimit-reset"))) is not None:
        seconds = reset - now
    if seconds is None:
        return None
    return min(timedelta(seconds=max(seconds, 1)), LONGEST_PAUSE)


def _retry_after(text: str | None, now: float) -> float | None:
    seconds = _number(text)
    if seconds is None and text:
        with suppress(ValueError, OverflowError):
            return parsedate_to_datetime(text).timestamp() - now
    return seconds


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,12}(\.\d+)?", text.strip()) else None
