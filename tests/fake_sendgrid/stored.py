"""What can be asked of the mails that it accepted: the Email Activity Feed and the Email Logs.

Both as their published OpenAPI describes them, `tsg_email_activity_v3` and `tsg_logs_v3`: no field, operator
or value that is not named there.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.fake_sendgrid.judging import Wrong
from tests.fake_sendgrid.lists import NOT_FOUND, Said
from tests.fake_sendgrid.records import accepted

STORED = ("/v3/messages", "/v3/logs")
MOST, USUAL = 1000, 10
FEED = re.compile(
    r"\(?unique_args\['([\w-]+)'\]\s*=\s*\"([^\"]*)\"\)?|(to_email|msg_id|subject)=\"([^\"]*)\""
)
TERM = re.compile(
    r"(?P<field>sg_message_id|subject|to_email|reason) = \"(?P<value>[^\"]*)\""
    r"|sg_message_id_created_at (?P<operator>>=|<=|>|<) TIMESTAMP \"(?P<at>[\dT:Z-]+)\""
)
COMPARED: dict[str, Callable[[int, int], bool]] = {
    ">=": lambda one, other: one >= other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    "<": lambda one, other: one < other,
}


class Stored:
    """The mails in the file of what was accepted, each under an id of its own."""

    def __init__(self, records: Path) -> None:
        self._records = records

    def get(self, path: str, query: dict[str, str]) -> Said:
        if path == "/v3/messages":
            return self._feed(query)
        for place, detail in (("/v3/messages/", _activity), ("/v3/logs/", _logged)):
            if path.startswith(place) and not query:
                found = self._mails().get(unquote(path.removeprefix(place)))
                return Said(200, detail(*found)) if found else Said(404, wrong=tuple(NOT_FOUND))
        return Said(404, wrong=tuple(NOT_FOUND))

    def post(self, path: str, body: Any) -> Said:
        if path != "/v3/logs":
            return Said(404, wrong=tuple(NOT_FOUND))
        if not isinstance(body, dict) or body.keys() - {"query", "limit"}:
            return _refused("Bad Request")
        limit, query = body.get("limit", USUAL), body.get("query", "")
        terms = [TERM.fullmatch(part) for part in query.split(" AND ")] if query else []
        if None in terms or not _sound(limit):
            return _refused(f"invalid query: {query!r}, limit {limit!r}")
        found = [row for row in self._mails().values() if all(_meets(term, *row) for term in terms)]
        return Said(200, {"messages": [_log(*row) for row in found[:limit]]})

    def _feed(self, query: dict[str, str]) -> Said:
        asked = FEED.fullmatch(query.get("query", ""))
        limit = query.get("limit", str(USUAL))
        if (
            asked is None
            or query.keys() - {"query", "limit"}
            or not limit.isdigit()
            or not _sound(int(limit))
        ):
            return _refused(f"invalid syntax: {query}")
        found = [_activity(*row) for row in self._mails().values()]
        name, value = asked[1] or asked[3], asked[2] or asked[4]
        args = (lambda row: json.loads(row["unique_args"])) if asked[1] else (lambda row: row)
        rows = [row for row in found if args(row).get(name) == value]
        return Said(200, {"messages": [_short(row) for row in rows[: int(limit)]]})

    def _mails(self) -> dict[str, tuple[str, dict[str, Any]]]:
        return {name: (name, mail) for name, mail in _named(accepted(self._records))}


def _named(mails: Iterable[dict[str, Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    return ((f"{mail['x_message_id']}.recvd-1-{n:X}.0", mail) for n, mail in enumerate(mails))


def _refused(why: str) -> Said:
    return Said(400, wrong=(Wrong(why, None),))


def _sound(limit: Any) -> bool:
    return isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= MOST


def _meets(term: re.Match[str] | None, name: str, mail: dict[str, Any]) -> bool:
    assert term is not None
    if term["field"]:
        return bool(_log(name, mail)[term["field"]] == term["value"])
    at = datetime.strptime(term["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return COMPARED[term["operator"]](mail["at"], int(at.timestamp()))


def _log(name: str, mail: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(mail["at"], UTC)
    told = {"sg_message_id": name, "sg_message_id_created_at": at.isoformat(), "reason": ""}
    return told | _common(mail)


def _common(mail: dict[str, Any]) -> dict[str, Any]:
    return {
        "from_email": mail["from"]["email"], "to_email": mail["to"], "subject": mail["subject"],
        "status": "processed",
    }  # fmt: skip


def _logged(name: str, mail: dict[str, Any]) -> dict[str, Any]:
    told = {"sg_message_id": name, "api_key_id": "fake", "client_ip": "127.0.0.1", "events": []}
    return told | _common(mail) | {"custom_args": mail["custom_args"], "category": mail["categories"]}


def _short(detail: dict[str, Any]) -> dict[str, Any]:
    known = ("from_email", "msg_id", "subject", "to_email", "status")
    counts = {"opens_count": 0, "clicks_count": 0, "last_event_time": "2026-01-01T00:00:00Z"}
    return {name: detail[name] for name in known} | counts


def _activity(name: str, mail: dict[str, Any]) -> dict[str, Any]:
    more = {
        "asm_group_id": 0, "events": [], "template_id": "", "outbound_ip": "127.0.0.1",
        "unique_args": json.dumps(mail["custom_args"]), "categories": mail["categories"], "teammate": "",
        "originating_ip": "127.0.0.1", "api_key_id": "fake", "outbound_ip_type": "dedicated",
    }  # fmt: skip
    return {"msg_id": name} | _common(mail) | more
