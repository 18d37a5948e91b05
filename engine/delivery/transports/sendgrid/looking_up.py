"""Whether SendGrid has a mail, by its Email Activity or its Email Logs; both know our ids.

A mail counts as found where what is stored of it holds its id, whatever the search was by. That nothing is
found proves nothing: both are filled late, and keep what they know for days.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from engine.delivery.transports.sendgrid.account import Account, Unanswerable
from engine.delivery.transports.sendgrid.payload import MESSAGE
from engine.errors import TransportError
from engine.registry import Menu
from engine.rendering.eml import ascii_domain

BEFORE, AFTER = timedelta(hours=1), timedelta(days=1)  # around the run that handed it over
LOOKED_AT = 20  # of the mails that a search finds; there is hardly ever more than one


class Wanted(NamedTuple):
    """A mail, to whom it went, and when the run was that handed it over."""

    message_id: str
    address: str
    at: datetime


class LookUp(Protocol):
    """A way to ask. Between two of its questions lie `apart` seconds at least."""

    apart: float

    def has(self, account: Account, wanted: Wanted) -> bool:
        """Raises TransportError where no answer is to be had."""


class EmailActivity:
    """The Email Activity Feed: it is asked for our id, six times a minute at most."""

    apart = 10.5
    right = "Email Activity, which is an add-on of the account"

    def has(self, account: Account, wanted: Wanted) -> bool:
        query = {"query": f"unique_args['{MESSAGE}']=\"{wanted.message_id}\"", "limit": LOOKED_AT}
        found = _messages(account.get("/v3/messages", query, self.right))
        return any(self._is(account, row.get("msg_id"), wanted) for row in found)

    def _is(self, account: Account, name: Any, wanted: Wanted) -> bool:
        told = _one(account, "/v3/messages", name, self.right)
        return wanted.message_id in str(told.get("unique_args"))


class Logs:
    """The Email Logs: they are asked for an address and a time, and each mail they find for our id."""

    apart = 0.0
    right = "Email Logs"

    def has(self, account: Account, wanted: Wanted) -> bool:
        address = ascii_domain(wanted.address)
        if '"' in address or "\\" in address:  # no query can name it
            return False
        terms = (
            f'to_email = "{address}"',
            f"sg_message_id_created_at >= TIMESTAMP {_stamp(wanted.at - BEFORE)}",
            f"sg_message_id_created_at <= TIMESTAMP {_stamp(wanted.at + AFTER)}",
        )
        body = {"query": " AND ".join(terms), "limit": LOOKED_AT}
        found = _messages(account.post("/v3/logs", body, self.right))
        return any(self._is(account, row.get("sg_message_id"), wanted) for row in found)

    def _is(self, account: Account, name: Any, wanted: Wanted) -> bool:
        told = _one(account, "/v3/logs", name, self.right)
        return any(args.get(MESSAGE) == wanted.message_id for args in _custom_args(told))


LOOK_UPS: Menu[LookUp] = Menu("way to look up", {"email_activity": EmailActivity(), "logs": Logs()})


def _one(account: Account, path: str, name: Any, right: str) -> Mapping[str, Any]:
    """All that is stored of one mail; nothing where it is gone meanwhile."""
    try:
        told = account.get(f"{path}/{quote(str(name), safe='')}", {}, right)
    except Unanswerable:
        return {}
    return told if isinstance(told, dict) else {}


def _custom_args(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those of the mail, and of each of its events."""
    for holder in (told, *(told.get("events") or ())):
        args = holder.get("custom_args") if isinstance(holder, dict) else None
        if isinstance(args, dict):
            yield args


def _messages(told: Any) -> list[dict[str, Any]]:
    """Raises TransportError: that nothing was found must be said."""
    rows = told.get("messages") if isinstance(told, dict) else None
    if not isinstance(rows, list):
        msg = "SendGrid answered a look-up with something that is no list of mails"
        raise TransportError(msg, hint="the mails stay unknown, and are looked up again")
    return [row for row in rows if isinstance(row, dict)]


def _stamp(at: datetime) -> str:
    return json.dumps(f"{at:%Y-%m-%dT%H:%M:%SZ}")
