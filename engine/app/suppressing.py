"""suppress: addresses that get nothing, put on the list, read from a file, written to one, or lifted."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from sqlalchemy import select

from engine.app.project import Project
from engine.errors import ImportFailed, relative
from engine.facts.batches import batched
from engine.facts.refusal import Refused
from engine.facts.rejects import harmless
from engine.facts.suppression import (
    BOUNCED,
    COMPLAINED,
    UNSUBSCRIBED,
    Cause,
    address_hash,
    lift,
    suppress_hashes,
)
from engine.facts.values.addresses import address as valid
from engine.store.dialect import address_hash as hash_in_sql
from engine.store.tables import identities, suppressions

COLUMNS = ("address_hash", "email", "reason", "at", "source")
ADDRESS_NAMES = ("email", "address", "e-mail")
AT_ONCE = 5_000
LONGEST_REASON = 40
_HEX = frozenset("0123456789abcdef")


class Wrong(NamedTuple):
    """A line of a file that names no address."""

    line: int
    why: str


@dataclass
class Read:
    """What became of a file of addresses."""

    new: int = 0
    known: int = 0
    wrong: list[Wrong] = field(default_factory=list)


def suppress_file(project: Project, file: Path, reason: str, now: datetime) -> Read:
    """Suppress every address of a CSV file, or of one with an address in each line.

    Columns are found by their names: `email` or `address_hash`, and perhaps `reason`; what else an export
    of ours has is passed over. A line that names no address takes no other with it. Raises ImportFailed.
    """
    done = Read()
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            entries = _entries(source, reason, done.wrong)
            for part in batched(entries, AT_ONCE):
                causes = {hashed: Cause(why, now) for hashed, why in part}
                with project.store.writing() as connection:
                    new = suppress_hashes(connection, causes, file.name[:200])
                done.new += len(new)
                done.known += len(causes) - len(new)
    except (OSError, UnicodeError, csv.Error) as error:
        msg = f"{relative(file)} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ImportFailed(msg, hint="it must be text in UTF-8, with an address in each line") from error
    return done


def _entries(source: Iterable[str], reason: str, wrong: list[Wrong]) -> Iterator[tuple[str, str]]:
    """Each address by its hash, with the reason."""
    rows = csv.reader(source)
    names: list[str] | None = None
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if names is None:
            lower = [cell.lower() for cell in cells]
            if "address_hash" in lower or set(lower) & set(ADDRESS_NAMES):
                names = lower
                continue
            names = ["email"]
        told = dict(zip(names, cells, strict=False))
        try:
            yield _hash(told), _reason(told.get("reason") or reason)
        except Refused as refused:
            wrong.append(Wrong(rows.line_num, str(refused)))


def _reason(said: str) -> str:
    """A word of ours however it is written: `Unsubscribed` is no graver than `unsubscribed`."""
    word = said.casefold()
    return word if word in (UNSUBSCRIBED, BOUNCED, COMPLAINED) else said[:LONGEST_REASON]


def _hash(told: dict[str, str]) -> str:
    """Raises Refused."""
    hashed = told.get("address_hash", "").lower()
    if len(hashed) == 64 and set(hashed) <= _HEX:
        return hashed
    written = next((told[name] for name in ADDRESS_NAMES if told.get(name)), "")
    if not written:
        msg = "names no address"
        raise Refused(msg)
    return address_hash(valid(written))


def lift_all(project: Project, addresses: Iterable[str], now: datetime) -> dict[str, bool]:
    """The addresses may get mail again, where consent says so; whether each of them was suppressed."""
    with project.store.writing() as connection:
        return {address: lift(connection, address, now) for address in addresses}


def every(project: Project) -> Iterator[dict[str, Any]]:
    """The whole list, the oldest first; an address stands beside its hash where it is known."""
    hashes = select(hash_in_sql(identities.c.value).label("hash"), identities.c.value.label("email"))
    known = hashes.where(identities.c.kind == "email").subquery()
    asked = (
        select(suppressions, known.c.email)
        .outerjoin(known, known.c.hash == suppressions.c.address_hash)
        .order_by(suppressions.c.at, suppressions.c.address_hash)
    )
    with project.store.reading() as connection:
        for row in connection.execution_options(yield_per=AT_ONCE).execute(asked).mappings():
            yield {name: row[name] for name in COLUMNS}


def write_list(project: Project, target: IO[str]) -> int:
    """The same as CSV, no cell a formula; how many lines that makes."""
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for count, row in enumerate(every(project), start=1):  # noqa: B007 - the last one is the answer
        at = row["at"].isoformat().replace("+00:00", "Z")
        writer.writerow([harmless(cell) for cell in {**row, "email": row["email"] or "", "at": at}.values()])
    return count
