"""`python -m tests.soak.events`: a million events in any order, with duplicates, end as they do in order.

One shop hears them in the order in which they happened, each once; another one hears them shuffled, some of them
twice, in messages and batches of any size, and takes them up at any time. Then every row of both is compared.
It prints the counts, and ends with 1 where they differ.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from engine.delivery.receivers.applying import apply_events
from engine.facts.receiving import inbound
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from engine.store.tables import customers, identities, mail_events, messages, suppressions
from engine.store.tables import inbound as inbound_table
from tests.delivery.post_office import NOW, address, key
from tests.soak.databases import database

EVENTS, OF_A_MAIL = 1_000_000, 8
TWICE = 0.2  # so many of them are told once more
SOFT_BOUNCES = 3
AT_ONCE = 10_000
STARTED = int(NOW.timestamp()) - 30 * 86_400
COMPARED = (mail_events, suppressions, inbound_table, messages)
HARD = {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such user"}
SOFT = {"event": "bounce", "type": "bounce", "status": "4.2.2", "reason": "452 mailbox full"}
KINDS: tuple[dict[str, Any], ...] = (
    *(
        {"event": name}
        for name in ("processed", "delivered", "delivered", "open", "open", "click", "deferred")
    ),
    *({"event": name} for name in ("spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe")),
    *(HARD, SOFT, SOFT, SOFT, {**HARD, "type": "blocked"}),
    *({"event": "open", "sg_machine_open": True}, {"event": "dreamt_of"}),
    *({"event": "dropped", "reason": reason} for reason in ("Spam Content", "Invalid", "")),
)
DROPS = tuple(each for each in KINDS if each["event"] == "dropped")
ONE_IN = 40  # mails was dropped, and nothing else is told of it
SILENT = 10  # of one in so many mails nothing is told at all


@dataclass
class Heard:
    """How one shop ended: a digest and the rows of each table, and what was counted on the way."""

    digests: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    did: Counter[str] = field(default_factory=Counter)
    states: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def story(number: int, chance: random.Random) -> list[dict[str, Any]]:
    """So many events in the order in which they happened; some do not say of which mail they are."""
    told = []
    for n in range(number):
        who = chance.randrange(2, max(number // OF_A_MAIL, 2) + 1)
        who -= who % SILENT == 1
        after = chance.randrange(20 * 86_400)
        each = {"timestamp": STARTED + after, "sg_event_id": f"e{n}", "email": address(who)}
        if chance.random() < 0.9:
            each |= {"aftersale_customer": str(who), "aftersale_message": key(who).message_id}
            each |= {"aftersale_attempt": str(chance.choice((1, 1, 2)))}
        told.append(each | chance.choice(KINDS if who % ONE_IN else DROPS))
    return sorted(told, key=lambda each: (each["timestamp"], each["sg_event_id"]))


def shuffled(told: Sequence[Any], chance: random.Random) -> list[Any]:
    """In any order, with duplicates."""
    more = [*told, *(each for each in told if chance.random() < TWICE)]
    chance.shuffle(more)
    return more


def parts(told: Sequence[Any], most: int, chance: random.Random | None) -> Iterator[Sequence[Any]]:
    """Messages of so many events, or of any number up to it."""
    start = 0
    while start < len(told):
        size = chance.randint(1, most) if chance else most
        yield told[start : start + size]
        start += size


def heard(store: Store, told: Sequence[Any], mails: int, chance: random.Random | None) -> Heard:
    """A shop with so many mails hears it all: by chance in its parts and times, or one after the other."""
    found, began = Heard(), time.monotonic()
    lay_out(store, mails)
    most = min(AT_ONCE, len(told) // 20 + 1)
    for part in parts(told, most, chance):
        found.did["events told"] += inbound.keep(store, "sendgrid", "sg_event_id", json.dumps(part), NOW)
        found.did["messages"] += 1
        if chance is None or chance.random() < 0.5:
            size = chance.randint(1, most) if chance else most
            apply_events(store, SOFT_BOUNCES, NOW, size=size)
    apply_events(store, SOFT_BOUNCES, NOW)
    for table in COMPARED:
        found.digests[table.name], found.rows[table.name] = digest(store, table)
    with store.reading() as connection:
        counted = select(messages.c.status, func.count()).group_by(messages.c.status)
        found.states = {row[0]: row[1] for row in connection.execute(counted)}
    found.seconds = time.monotonic() - began
    return found


def lay_out(store: Store, mails: int) -> None:
    """A customer for each mail; a third of the mails are accepted, the others of unknown fate, some tried twice."""
    ensure_current(store)
    for ids in parts(range(1, mails + 1), AT_ONCE, None):
        with store.writing() as connection:
            connection.execute(customers.insert(), [_person(n) for n in ids])
            connection.execute(messages.insert(), [_mail(n) for n in ids])
            named = [{"kind": "email", "value": address(n), "customer_id": n} for n in ids]
            connection.execute(identities.insert(), named)


def _person(n: int) -> dict[str, Any]:
    return {"customer_id": n, "email": address(n), "known_at": NOW, "lot": 0, "recorded_at": NOW}


def _mail(n: int) -> dict[str, Any]:
    status = "accepted" if n % 3 == 0 else "unknown"
    told = {"version": "v1", "track": "back-end", "status": status, "planned_at": NOW, "due_at": NOW}
    told |= {"attempt": 2 if n % 5 == 0 else 1}
    return key(n)._asdict() | told | {"message_id": key(n).message_id, "address": address(n)}


def digest(store: Store, table: Any) -> tuple[str, int]:
    """Of every row in its order, and how many there are."""
    hashed, number = sha256(), 0
    with store.reading() as connection:
        rows = connection.execution_options(yield_per=AT_ONCE).execute(
            select(table).order_by(*table.primary_key)
        )
        for row in rows:
            hashed.update(repr(tuple(row)).encode())
            number += 1
    return hashed.hexdigest(), number


def compared(number: int, kind: str, seed: str, folder: Path) -> tuple[Heard, Heard]:
    """How the same story ends in order, and in any order."""
    told = story(number, random.Random(seed))
    chance, mails = random.Random(f"{seed}/order"), max(number // OF_A_MAIL, 1)
    ends = []
    for name, events, by in (("in-order", told, None), ("any-order", shuffled(told, chance), chance)):
        place = folder / name
        place.mkdir()
        with database(kind, place) as (url, _), closing(Store(url)) as store:
            ends.append(heard(store, events, mails, by))
    return ends[0], ends[1]


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.soak.events", description=__doc__)
    options.add_argument("--events", type=int, default=EVENTS)
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--seed", default="1")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="aftersale-events-") as folder:
        ends = compared(given.events, given.database, given.seed, Path(folder))
    for name, end in zip(("in order", "in any order"), ends, strict=True):
        counts = {**end.did, **{f"rows of {table}": n for table, n in end.rows.items()}}
        states = {f"mails {status}": n for status, n in end.states.items()}
        told = ", ".join(f"{number:,} {what}" for what, number in (counts | states).items())
        sys.stdout.write(f"{name}: {told}; {end.seconds:.0f} s\n")
    same = ends[0].digests == ends[1].digests
    sys.stdout.write("both end the same, row by row\n" if same else "THEY DIFFER\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
