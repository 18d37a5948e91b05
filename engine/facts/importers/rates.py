"""Exchange rates: what one unit of a foreign currency was worth in the shop's, day by day."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from engine.facts.batches import batched
from engine.facts.columns import Column, Manner, plain
from engine.facts.importers.importer import Importer, Landing, Outcome
from engine.facts.model import Place, RateRow
from engine.facts.refusal import Refused
from engine.facts.values import Parse
from engine.facts.values.words import currency, day
from engine.store.dialect import upsert
from engine.store.tables import rates

HIGHEST = 10**9


def _foreign(manner: Manner) -> Parse:
    def parse(value: str) -> str:
        code = currency(value)
        if code == manner.money.currency:
            msg = "is the shop's own"
            raise Refused(msg, code)
        return code

    return parse


def _rate(manner: Manner) -> Parse:
    def parse(value: str) -> str:
        rate: Decimal = manner.rates(value)
        if not 0 < rate < HIGHEST:
            msg = f"is not above 0 and below {HIGHEST:,}"
            raise Refused(msg, value[:40])
        return f"{rate.normalize():f}"

    return parse


COLUMNS = (
    Column("currency", _foreign, required=True),
    Column("day", plain(day), required=True),
    Column("rate", _rate, required=True),
)
Key = tuple[str, str]  # currency, day


def _row(values: Sequence[Any], place: Place, _: bool) -> RateRow:  # noqa: FBT001 - no credits here
    return RateRow._make((*values, place))


def _land(connection: Connection, rows: Sequence[RateRow], landing: Landing) -> Outcome:
    """Land the rates of a chunk; of several for one day the last one counts."""
    said: dict[Key, list[str]] = {}
    for row in rows:
        said.setdefault((row.currency, row.day), []).append(row.rate)
    stored = _stored(connection, said)
    outcome = Outcome()
    for key, theirs in said.items():
        outcome.count(stored.get(key), theirs[-1], len(theirs))
    news = sorted((key, theirs[-1]) for key, theirs in said.items() if stored.get(key) != theirs[-1])
    upsert(
        connection,
        rates,
        [
            {"currency": key[0], "day": date.fromisoformat(key[1]), "rate": rate, "recorded_at": landing.now}
            for key, rate in news
        ],
    )
    return outcome


def _stored(connection: Connection, keys: Any) -> dict[Key, str]:
    found: dict[Key, str] = {}
    asked = select(rates.c.currency, rates.c.day, rates.c.rate)
    for part in batched(sorted({date.fromisoformat(key[1]) for key in keys})):
        for code, when, rate in connection.execute(asked.where(rates.c.day.in_(part))):
            found[code, when.isoformat()] = rate
    return found


RATES = Importer(
    "rates",
    COLUMNS,
    _row,
    RateRow._make,
    _land,
    either=(),
    who=lambda _: (),
    bundle=lambda row: f"{row.currency} {row.day[:4]}",
)
