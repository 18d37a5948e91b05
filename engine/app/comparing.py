"""segment --since: who entered a rule between two instants, who left it, and why."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Select,
    Table,
    except_,
    func,
    literal,
    select,
    union_all,
)

from engine.app.project import Project
from engine.app.segmenting import PAGE, Chosen
from engine.errors import UsageError
from engine.rules.people import people
from engine.rules.turning import Between, Turn
from engine.store.dialect import Sets, lay_out, memory_table
from engine.store.tables import customers


def _held_table(name: str) -> Table:
    return memory_table(name, [Column("customer_id", BigInteger, primary_key=True, autoincrement=False)])


BEFORE, AFTER = _held_table("held_before"), _held_table("held_after")


class Mover(NamedTuple):
    """Somebody whom the rule holds at one of the instants only."""

    change: str  # entered | left
    customer_id: int
    shop_id: str
    email: str


@dataclass(frozen=True)
class Difference:
    """Whom a rule holds at two instants, counted and open for reading."""

    chosen: Chosen
    since: datetime
    at: datetime
    before: int
    after: int
    entered: int
    between: Between

    @property
    def stayed(self) -> int:
        return self.after - self.entered

    @property
    def left(self) -> int:
        return self.before - self.stayed

    def movers(self, told: int | None = None) -> Iterator[tuple[Mover, Turn | None]]:
        """Those who entered or left, in the order they became known, with the clause that brought them
        in, or put them out; perhaps of so many only.
        """
        found = self.between.connection.execute(
            _movers(), execution_options={"stream_results": True, "yield_per": PAGE}
        )
        left = told
        for page in found.partitions(PAGE):
            movers = [Mover(row[0], row[1], row[2] or "", row[3] or "") for row in page]
            turns = self.between.turns(self.chosen.rule, [mover.customer_id for mover in movers[:left]])
            left = None if left is None else max(0, left - len(movers))
            yield from ((mover, turns.get(mover.customer_id)) for mover in movers)


@contextmanager
def compared(project: Project, chosen: Chosen, since: datetime, at: datetime) -> Iterator[Difference]:
    """The rule at both instants, each judged once over everybody."""
    if since > at:
        msg = f"--since {since:%Y-%m-%d %H:%M}Z is later than {at:%Y-%m-%d %H:%M}Z, the instant compared with"
        raise UsageError(msg, hint="--since is the earlier of the two, --at the later")
    with project.store.reading() as connection:
        scope = project.book.scope(at, connection.dialect.name)
        between = Between(connection, scope.at(since), scope)
        lay_out(connection, BEFORE, AFTER)
        for table, then in ((BEFORE, between.before), (AFTER, between.after)):
            who = people(chosen.rule, then, customers_only=chosen.customers_only)
            connection.execute(table.insert().from_select(["customer_id"], who))
        yield Difference(
            chosen,
            since,
            at,
            before=_count(connection, select(BEFORE)),
            after=_count(connection, select(AFTER)),
            entered=_count(connection, _less(AFTER, BEFORE)),
            between=between,
        )


def _count(connection: Connection, who: Select[Any] | Sets) -> int:
    return connection.scalar(select(func.count()).select_from(who.subquery())) or 0


def _less(these: Table, those: Table) -> Sets:
    return except_(select(these.c.customer_id), select(those.c.customer_id))


def _movers() -> Select[Any]:
    sides = (("entered", _less(AFTER, BEFORE).subquery()), ("left", _less(BEFORE, AFTER).subquery()))
    moved = union_all(
        *(select(side.c.customer_id, literal(change).label("change")) for change, side in sides)
    ).subquery()
    return (
        select(moved.c.change, customers.c.customer_id, customers.c.shop_id, customers.c.email)
        .join(customers, customers.c.customer_id == moved.c.customer_id)
        .order_by(customers.c.customer_id)
    )
