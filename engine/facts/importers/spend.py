"""Spend: what advertising cost, by day, source, campaign and ad."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from babel.numbers import get_currency_precision
from sqlalchemy import Connection, select

from engine.facts.batches import batched
from engine.facts.columns import Column, Manner, plain
from engine.facts.exchange import Exchange
from engine.facts.importers.importer import Importer, Landing, Outcome
from engine.facts.model import Place, SpendRow
from engine.facts.refusal import Refused
from engine.facts.values import Parse
from engine.facts.values.numbers import minor
from engine.facts.values.words import currency, day, text
from engine.store.dialect import upsert
from engine.store.tables import spend


class Cost(NamedTuple):
    """What a day of an ad cost: in the shop's currency, and as it was charged, both in minor units."""

    amount: int
    currency: str
    charged: int


def _cost(manner: Manner) -> Parse:
    def parse(value: str) -> str:
        amount: Decimal = manner.amounts(value)
        if amount < 0:
            msg = "is negative"
            raise Refused(msg, value[:40])
        return f"{amount:f}"

    return parse


COLUMNS = (
    Column("day", plain(day), required=True),
    Column("source", plain(text(200)), required=True),
    Column("campaign", plain(text(200))),
    Column("ad", plain(text(200))),
    Column("amount", _cost, required=True),
    Column("currency", plain(currency)),
)
Key = tuple[date, str, str, str]  # day, source, campaign, ad


def _row(values: Sequence[Any], place: Place, _: bool) -> SpendRow:  # noqa: FBT001 - no credits here
    return SpendRow._make((*values, place))


def _land(connection: Connection, rows: Sequence[SpendRow], landing: Landing) -> Outcome:
    outcome = Outcome()
    said = _said(connection, rows, landing, outcome)
    stored = _stored(connection, {key[0] for key in said})
    for key, theirs in said.items():
        outcome.count(stored.get(key), theirs[0], len(theirs))
    news = sorted((key, theirs[0]) for key, theirs in said.items() if stored.get(key) != theirs[0])
    names = spend.columns.keys()
    written = [dict(zip(names, (*key, *cost, landing.now), strict=True)) for key, cost in news]
    upsert(connection, spend, written)
    return outcome


def _said(
    connection: Connection, rows: Iterable[SpendRow], landing: Landing, outcome: Outcome
) -> Mapping[Key, list[Cost]]:
    """What the rows say; an equal row says it once more, and one that says otherwise is refused.

    Two amounts for one ad and day may be a mistake or two parts of a whole; neither may vanish.
    """
    exchange = Exchange(landing.money, landing.zone)
    exchange.load(connection, {row.currency for row in rows} - {""})
    found: dict[Key, list[Cost]] = {}
    for row in rows:
        key = (date.fromisoformat(row.day), row.source, row.campaign, row.ad)
        try:
            cost = _costs(row, key[0], exchange, landing)
            if key in found and found[key][0] != cost:
                raise Refused(_TWO, " ".join(_said_key(row)))
        except Refused as refused:
            outcome.refuse([row.place], refused)
        else:
            found.setdefault(key, []).append(cost)
    return found


_TWO = "is another amount for the same day, source, campaign and ad; add them up, or tell them apart"


def _said_key(row: SpendRow) -> Iterator[str]:
    return (word for word in (row.day, row.source, row.campaign, row.ad) if word)


def _costs(row: SpendRow, on: date, exchange: Exchange, landing: Landing) -> Cost:
    code = row.currency or landing.money.currency
    try:
        charged = minor(Decimal(row.amount), get_currency_precision(code))
    except Refused as refused:
        raise refused.within("amount") from refused
    return Cost(exchange.on(on, charged, code), code, charged)


def _stored(connection: Connection, days: Iterable[date]) -> dict[Key, Cost]:
    found: dict[Key, Cost] = {}
    column = spend.c
    asked = select(
        *(column.day, column.source, column.campaign, column.ad),
        *(column.amount, column.currency, column.charged),
    )
    for part in batched(sorted(days)):
        for row in connection.execute(asked.where(column.day.in_(part))):
            found[row[0], row[1], row[2], row[3]] = Cost(row[4], row[5], row[6])
    return found


SPEND = Importer(
    "spend",
    COLUMNS,
    _row,
    SpendRow._make,
    _land,
    either=(),
    who=lambda _: (),
    bundle=lambda row: "\n".join((row.day, row.source, row.campaign, row.ad)),
)
