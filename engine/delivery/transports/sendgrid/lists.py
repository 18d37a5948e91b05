"""The lists of addresses that the provider sends nothing to, read page by page, and added to.

What it calls blocks is none of them: it tells of single mails that a server refused, and the next one is
tried. A group is read whole, since it knows no pages.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

from engine.clock import EPOCH
from engine.delivery.transports.sendgrid.account import Account, Unanswerable
from engine.errors import SettingsError, TransportError
from engine.facts.suppression import BOUNCED, COMPLAINED, UNSUBSCRIBED
from engine.facts.values.addresses import as_compared
from engine.rendering.eml import ascii_domain

PAGE = 500  # the most that it gives at once
PUT_AT_ONCE = 500
LAST = 4_102_444_800  # the year 2100, in seconds
READ, WRITE = "Suppressions", "Suppressions, with full access"
GROUPS = "Unsubscribe Groups"


@dataclass(frozen=True)
class Listing:
    """One of its lists, and what it means for an address to be on it."""

    name: str
    reason: str
    group: int | None = None

    @property
    def source(self) -> str:
        """Who told of a suppression, as it is kept beside it."""
        return f"sendgrid {self.name}"


EVERYBODYS = Listing("unsubscribes", UNSUBSCRIBED)
OF_THE_ACCOUNT = (
    Listing("bounces", BOUNCED),
    Listing("invalid_emails", BOUNCED),
    Listing("spam_reports", COMPLAINED),
    EVERYBODYS,
)


class Entry(NamedTuple):
    """An address on a list, and since when."""

    address: str
    at: datetime


def listing_of_group(number: int) -> Listing:
    return Listing(f"group {number}", UNSUBSCRIBED, number)


def listings(group: int | None) -> tuple[Listing, ...]:
    """Those that concern mails from here."""
    return OF_THE_ACCOUNT + ((listing_of_group(group),) if group else ())


def pages(
    account: Account, listing: Listing, since: datetime | None, until: datetime
) -> Iterator[list[Entry | None]]:
    """Its entries from `since` to `until`; None stands for one that cannot be understood.

    Those that come meanwhile do not move the pages, for they are later than `until`.
    """
    if listing.group is not None:
        told = account.get("/v3/asm/suppressions", {}, GROUPS)
        theirs = [each for each in _rows(told) if _of_group(each, listing.group)]
        yield from (_entries(part, "created_at", until) for part in _parts(theirs))
        return
    span = {"end_time": _seconds(until) + 1} | ({"start_time": _seconds(since)} if since else {})
    offset = 0
    while True:
        query = {**span, "limit": PAGE, "offset": offset}
        told = _rows(account.get(f"/v3/suppression/{listing.name}", query, READ))
        if told:
            yield _entries(told, "created", until)
        if len(told) < PAGE:
            return
        offset += PAGE


def require_group(account: Account, number: int) -> None:
    """Raises SettingsError where it is not there: what is put into it goes on the list of the account."""
    try:
        account.get(f"/v3/asm/groups/{number}", {}, GROUPS)
    except Unanswerable as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        msg = f"there is no unsubscribe group {number} at SendGrid"
        raise SettingsError(msg, hint="set sendgrid.asm_group to the number of one that is there") from error


def put(account: Account, listing: Listing, addresses: Sequence[str]) -> Iterator[tuple[list[str], str]]:
    """Put the addresses on the list; parts of them as they are done, with why where they were refused.

    One that it does not take takes no other with it.
    """
    path = f"/v3/asm/groups/{listing.group}/suppressions" if listing.group else "/v3/asm/suppressions/global"
    right = GROUPS if listing.group else WRITE
    waiting = [list(part) for part in _parts(addresses, PUT_AT_ONCE)][::-1]
    while waiting:
        part = waiting.pop()
        try:
            account.post(path, {"recipient_emails": [ascii_domain(each) for each in part]}, right)
        except Unanswerable as error:
            if len(part) == 1:
                yield part, str(error)
            else:
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
        else:
            yield part, ""


def _rows(told: Any) -> list[Any]:
    """Raises TransportError for what is no list: that it is empty must be said."""
    if not isinstance(told, list):
        msg = "SendGrid answered with something that is no list"
        raise TransportError(msg, hint="it is read again next time; nothing was lost")
    return told


def _of_group(row: Any, number: int) -> bool:
    return isinstance(row, dict) and str(row.get("group_id")) == str(number)


def _entries(rows: Iterable[Any], date: str, until: datetime) -> list[Entry | None]:
    return [_entry(row, date, until) for row in rows]


def _entry(row: Any, date: str, until: datetime) -> Entry | None:
    """Nobody came on a list later than it was read."""
    address = row.get("email") if isinstance(row, dict) else None
    seconds = row.get(date) if isinstance(row, dict) else None
    if not isinstance(address, str) or "@" not in address or isinstance(seconds, bool):
        return None
    if not isinstance(seconds, int | float) or not 0 < seconds < LAST:
        return None
    return Entry(as_compared(address), min(EPOCH + timedelta(seconds=seconds), until))


def _parts(rows: Sequence[Any], size: int = PAGE) -> Iterator[Sequence[Any]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _seconds(at: datetime) -> int:
    return int((at - EPOCH).total_seconds())
