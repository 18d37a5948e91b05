"""What stands on a provider's own lists of suppressed addresses, as far as it was read; hashes, as here.

It says what is news there, what was put there already, and where its word and ours differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, and_, delete, exists, func, not_, or_, select

from engine.facts.batches import batched
from engine.facts.suppression import UNREACHABLE, UNSUBSCRIBED
from engine.store.dialect import address_hash as hash_in_sql
from engine.store.dialect import upsert
from engine.store.tables import identities, listed_elsewhere, lists_read, suppressions

EMAIL = "email"


def read_until(connection: Connection, name: str) -> datetime | None:
    """Up to when the list was read to its end; None where it never was."""
    return connection.scalar(select(lists_read.c.until).where(lists_read.c.list == name))


def was_read(connection: Connection, name: str, until: datetime) -> None:
    """From now on it is read from there."""
    upsert(connection, lists_read, [{"list": name, "until": until}])


def news(connection: Connection, name: str, entries: Mapping[str, datetime]) -> dict[str, datetime]:
    """Those of the entries, by hash and date, that were not on the list when it was read before."""
    known: dict[str, datetime] = {}
    table = listed_elsewhere.c
    for part in batched(sorted(entries)):
        asked = select(table.address_hash, table.at).where(table.list == name, table.address_hash.in_(part))
        known.update((row[0], row[1]) for row in connection.execute(asked))
    return {hashed: at for hashed, at in entries.items() if known.get(hashed) != at}


def seen(connection: Connection, name: str, entries: Mapping[str, datetime], now: datetime) -> None:
    """These stand on the list."""
    rows = [{"list": name, "address_hash": h, "at": at, "seen_at": now} for h, at in sorted(entries.items())]
    upsert(connection, listed_elsewhere, rows)


def forget_unseen(connection: Connection, name: str, now: datetime) -> None:
    """The list was read whole at `now`: what was not on it is there no more."""
    gone = (listed_elsewhere.c.list == name, listed_elsewhere.c.seen_at < now)
    connection.execute(delete(listed_elsewhere).where(*gone))


def lifted(connection: Connection, names: Sequence[str]) -> int:
    """How many addresses stand on these lists and are suppressed here no more."""
    here = exists().where(suppressions.c.address_hash == listed_elsewhere.c.address_hash)
    there = and_(listed_elsewhere.c.list.in_(names), not_(here))
    distinct = func.count(listed_elsewhere.c.address_hash.distinct())
    return connection.scalar(select(distinct).where(there)) or 0


def came_from(connection: Connection, name: str) -> set[str]:
    """The hashes of those who are suppressed here because they stood on that list."""
    return set(connection.scalars(select(suppressions.c.address_hash).where(suppressions.c.source == name)))


def to_tell(
    connection: Connection, names: Sequence[str], told_by: Iterable[str], *, wish: bool | None
) -> list[str]:
    """Addresses that a person suppressed here and that stand on none of these lists.

    What the providers `told_by` told is no person's word. A mere `wish` to hear no more, all but that, or
    both where it is None.
    """
    theirs = _by_people(names, told_by)
    if wish is not None:
        mere = suppressions.c.reason == UNSUBSCRIBED
        theirs = theirs.where(mere if wish else not_(mere))
    asked = select(identities.c.value).where(
        identities.c.kind == EMAIL, hash_in_sql(identities.c.value).in_(theirs)
    )
    return list(connection.scalars(asked.order_by(identities.c.value)))


def by_hash_alone(connection: Connection, names: Sequence[str], told_by: Iterable[str]) -> int:
    """How many of people's suppressions cannot be told: no customer has the address any more, or yet."""
    owned = select(hash_in_sql(identities.c.value)).where(identities.c.kind == EMAIL)
    theirs = _by_people(names, told_by).where(suppressions.c.address_hash.not_in(owned))
    return connection.scalar(select(func.count()).select_from(theirs.subquery())) or 0


def _by_people(names: Sequence[str], told_by: Iterable[str]) -> Select[tuple[str]]:
    """The hashes that a person put on our list, and that stand on none of those."""
    there = exists().where(
        listed_elsewhere.c.address_hash == suppressions.c.address_hash, listed_elsewhere.c.list.in_(names)
    )
    from_a_list = suppressions.c.source.in_(select(lists_read.c.list))
    told = or_(suppressions.c.source.in_(sorted(told_by)), from_a_list)
    return select(suppressions.c.address_hash).where(
        not_(told), suppressions.c.reason != UNREACHABLE, not_(there)
    )
