"""Its lists of suppressed addresses, as the published contract describes them, and no word more."""

import re
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, NamedTuple

from tests.fake_sendgrid.judging import ADDRESS, Wrong

LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports", "unsubscribes")
PAGE, MOST = 500, 1000
EXTRA = {
    "bounces": {"reason": "550 5.1.1 unknown", "status": "5.1.1"},
    "blocks": {"reason": "no route to host", "status": "4.0.0"},
    "invalid_emails": {"reason": "Mail domain mentioned in email address is unknown"},
    "spam_reports": {"ip": "10.63.202.100"},
    "unsubscribes": {},
}
NOT_FOUND = [Wrong("not found", None)]


class Said(NamedTuple):
    """What it answers: a status, and JSON or mistakes."""

    status: int
    body: Any = None
    wrong: tuple[Wrong, ...] = ()


class Lists:
    """All of them, each address with the second since which it is there. `clock` tells that of now."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lock = Lock()
        self.entries: dict[str, dict[str, int]] = {name: {} for name in LISTS}
        self.groups: dict[int, dict[str, int]] = {}

    def set(self, told: dict[str, Any]) -> None:
        """What a test wants to stand there: lists by their names, groups as `group 7`."""
        with self._lock:
            for name, entries in told.items():
                if name.startswith("group "):
                    self.groups[int(name[6:])] = dict(entries)
                else:
                    self.entries[name] = dict(entries)

    def shown(self) -> dict[str, Any]:
        with self._lock:
            return {**self.entries, **{f"group {n}": dict(each) for n, each in self.groups.items()}}

    def get(self, path: str, query: dict[str, str], headers: Any) -> Said:
        with self._lock:
            if named := re.fullmatch(r"/v3/suppression/(\w+)", path):
                return self._page(named[1], query, headers)
            if named := re.fullmatch(r"/v3/asm/groups/(\d+)", path):
                return self._group(int(named[1]), query)
            if path == "/v3/asm/suppressions" and not query:
                return Said(200, [row for number in sorted(self.groups) for row in self._members(number)])
        return Said(404, wrong=tuple(NOT_FOUND))

    def post(self, path: str, body: Any) -> Said:
        """An address is put there once, and keeps its date. A group that is not there means the account."""
        group = re.fullmatch(r"/v3/asm/groups/(\d+)/suppressions", path)
        if not group and path != "/v3/asm/suppressions/global":
            return Said(404, wrong=tuple(NOT_FOUND))
        if wrong := tuple(_wrong(body)):
            return Said(400, wrong=wrong)
        with self._lock:
            everybodys = self.entries["unsubscribes"]
            target = self.groups.get(int(group[1]), everybodys) if group else everybodys
            for address in body["recipient_emails"]:
                target.setdefault(address.lower(), self._clock())
        return Said(201, {"recipient_emails": body["recipient_emails"]})

    def _page(self, name: str, query: dict[str, str], headers: Any) -> Said:
        if name not in self.entries:
            return Said(404, wrong=tuple(NOT_FOUND))
        if wrong := tuple(_wrong_query(query)):
            return Said(400, wrong=wrong)
        if name == "bounces" and headers.get("Accept") != "application/json":
            return Said(406, wrong=(Wrong("Not Acceptable", None),))
        first, last = int(query.get("start_time", 0)), int(query.get("end_time", 1 << 62))
        found = sorted((at, address) for address, at in self.entries[name].items() if first <= at <= last)
        start = int(query.get("offset", 0))
        rows = found[::-1][start : start + int(query.get("limit", PAGE))]  # the latest first
        return Said(200, [{"created": at, "email": address, **EXTRA[name]} for at, address in rows])

    def _group(self, number: int, query: dict[str, str]) -> Said:
        if number not in self.groups or query:
            return Said(404, wrong=tuple(NOT_FOUND))
        group = {"id": number, "name": "News", "description": "of the shop", "is_default": False}
        return Said(200, {**group, "unsubscribes": len(self.groups[number])})

    def _members(self, number: int) -> Iterator[dict[str, Any]]:
        for address, at in self.groups[number].items():
            yield {"email": address, "group_id": number, "group_name": "News", "created_at": at}


def _wrong_query(query: dict[str, str]) -> Iterator[Wrong]:
    for name, value in query.items():
        if name == "email":
            continue
        if name not in ("start_time", "end_time", "limit", "offset"):
            yield Wrong("Unknown parameter", name)
        elif not value.isdigit():
            yield Wrong("Bad type: an integer is expected.", name)
        elif name == "limit" and not 1 <= int(value) <= PAGE:
            yield Wrong("The limit must be from 1 to 500.", name)


def _wrong(body: Any) -> Iterator[Wrong]:
    addresses = body.get("recipient_emails") if isinstance(body, dict) else None
    if not isinstance(addresses, list) or not addresses or len(addresses) > MOST:
        yield Wrong("recipient_emails must be a list of 1 to 1000 addresses.", "recipient_emails")
        return
    for number, address in enumerate(addresses):
        if not isinstance(address, str) or not ADDRESS.fullmatch(address) or address.startswith("refused"):
            yield Wrong("Does not contain a valid address.", f"recipient_emails.{number}")
