"""outbox: mails by the state they are in, and one mail with all that is known of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from engine.app.controlling import find, is_mail
from engine.app.project import Project
from engine.delivery.states import Status
from engine.errors import UnknownName
from engine.facts.lookup import find_customer
from engine.facts.mail_events import furthest
from engine.planning.keys import MailKey
from engine.registry import did_you_mean
from engine.store.tables import customer_aliases, decisions, mail_events, messages

KEY = (messages.c.customer_id, messages.c.campaign_id, messages.c.step_id, messages.c.spell)
SHOWN = ("status", "planned_at", "due_at", "attempt", "error", "settled_at")
MORE = ("version", "track", "slot_at", "address", "transport", "provider_id", "owner", "lease_until")


@dataclass(frozen=True)
class Asked:
    """Which mails: of a state, a campaign, a customer; at most so many."""

    status: str | None = None
    campaign: str | None = None
    customer_id: int | None = None
    most: int = 50


@dataclass(frozen=True)
class Listed:
    """A mail in the list, and its id."""

    message_id: str
    campaign: str
    step: str
    customer_id: int
    status: str
    planned_at: datetime
    due_at: datetime
    attempt: int
    error: str | None
    settled_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        return self.__dict__ | {}


def known_status(name: str) -> str:
    """Raises UnknownName."""
    word = name.replace("-", "_")
    if word not in set(Status):
        msg = f"there is no state {name!r}"
        raise UnknownName(msg, hint=did_you_mean(word, list(Status)) or f"one of {', '.join(Status)}")
    return word


def listed(project: Project, asked: Asked) -> tuple[list[Listed], int]:
    """The mails asked for, those due first at the top, and how many there are in all."""
    columns = (*KEY, *(messages.c[name] for name in SHOWN))
    rows = _where(select(*columns), asked).order_by(messages.c.due_at.desc(), *KEY).limit(asked.most)
    with project.store.reading() as connection:
        found = [_listed(row) for row in connection.execute(rows)]
        count = connection.scalar(_where(select(func.count()).select_from(messages), asked)) or 0
    return found, count


def _where(query: Select[Any], asked: Asked) -> Select[Any]:
    for column, value in (
        (messages.c.status, asked.status),
        (messages.c.campaign_id, asked.campaign),
        (messages.c.customer_id, asked.customer_id),
    ):
        if value is not None:
            query = query.where(column == value)
    return query


def _listed(row: Any) -> Listed:
    key = MailKey(*row[:4])
    return Listed(key.message_id, key.campaign_id, key.step_id, key.customer_id, *row[4:])


def one(project: Project, message_id: str) -> dict[str, Any]:
    """Everything known of one mail: its row, why it was planned, the facts behind its claims."""
    mail = find(project, message_id)
    columns = (*KEY, *(messages.c[name] for name in (*SHOWN, *MORE)), messages.c.evidence)
    same = [decisions.c[name] == part for name, part in mail.key._asdict().items()]
    with project.store.reading() as connection:
        row = connection.execute(select(*columns).where(is_mail(mail))).mappings().one()
        why = select(decisions.c.verdict, decisions.c.reason, decisions.c.detail, decisions.c.at)
        decided = connection.execute(why.where(*same)).mappings().one_or_none()
        told_of_it = _came_back(connection, mail.key)
    told = {"message_id": mail.key.message_id, **row}
    told["evidence"] = json.loads(row["evidence"]) if row["evidence"] else []
    told |= {"outcome": furthest(event["kind"] for event in told_of_it), "came_back": told_of_it}
    return told | {"decision": dict(decided) if decided else None}


def _came_back(connection: Connection, key: MailKey) -> list[dict[str, Any]]:
    """What its provider told of it, in the order in which it happened."""
    merged = select(customer_aliases.c.merged_into).where(customer_aliases.c.customer_id == key.customer_id)
    owner = connection.scalar(merged) or key.customer_id
    event = mail_events.c
    rows = select(event.at, event.kind, event.machine, event.detail).where(
        event.customer_id == owner, event.message_id == key.message_id
    )
    ordered = rows.order_by(event.at, event.kind, event.event_id)
    return [dict(row) for row in connection.execute(ordered).mappings()]


def whom(project: Project, named: str) -> int:
    """The customer of that address, shop id or customer id. Raises UnknownCustomer."""
    with project.store.reading() as connection:
        return find_customer(connection, named)
