"""What have mails told people about themselves, and by which facts?"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from engine.delivery.states import Status
from engine.store.dialect import array_length
from engine.store.tables import customer_aliases, messages

LEFT = (Status.ACCEPTED, Status.UNKNOWN)
NONE = "[]"  # the evidence of a mail that claims nothing


@dataclass(frozen=True)
class AskedClaims:
    """Which claims: those made until an instant, to one customer, by one campaign; at most so many."""

    until: datetime
    customer_id: int | None = None
    campaign_id: str | None = None
    most: int = 50


@dataclass(frozen=True)
class MadeClaim:
    """What one mail said of its reader, and the fact behind it. `unknown`: it may not have left."""

    at: datetime
    customer_id: int  # as known now
    address: str
    campaign: str
    step: str
    message_id: str
    status: str
    claim: str
    fact: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return self.__dict__ | {}


def claims_made(connection: Connection, asked: AskedClaims) -> tuple[list[MadeClaim], int]:
    """The claims asked for, those of the latest mail first, and how many there are in all."""
    where, made = _where(asked), messages.c
    known_as = func.coalesce(customer_aliases.c.merged_into, made.customer_id).label("known_as")
    same = customer_aliases.c.customer_id == made.customer_id
    rows = (
        select(messages, known_as)
        .select_from(messages.outerjoin(customer_aliases, same))
        .where(where)
        .order_by(made.settled_at.desc(), made.customer_id, made.campaign_id, made.step_id, made.spell)
        .limit(asked.most)  # each of them makes one claim at least
    )
    found = [claim for row in connection.execute(rows) for claim in _of_mail(row)]
    count = connection.scalar(select(func.sum(array_length(made.evidence))).where(where))
    return found[: asked.most], count or 0


def _where(asked: AskedClaims) -> ColumnElement[bool]:
    made, alias = messages.c, customer_aliases.c
    tests = [made.status.in_(LEFT), made.settled_at <= asked.until]
    tests += [made.evidence.is_not(None), made.evidence != NONE]
    if asked.customer_id is not None:
        merged = select(alias.customer_id).where(alias.merged_into == asked.customer_id)
        tests.append(or_(made.customer_id == asked.customer_id, made.customer_id.in_(merged)))
    if asked.campaign_id is not None:
        tests.append(made.campaign_id == asked.campaign_id)
    return and_(*tests)


def _of_mail(row: Row[Any]) -> Iterator[MadeClaim]:
    for record in json.loads(row.evidence):
        said = record.pop("claim")
        yield MadeClaim(
            row.settled_at,
            row.known_as,
            row.address or "",
            row.campaign_id,
            row.step_id,
            row.message_id,
            row.status,
            said,
            record,
        )
