"""Compiled rules over everybody against a loop over customers, each judged by an ORM's objects."""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from benchmarks.asked import Answer, questions
from benchmarks.bench import Bench
from benchmarks.child import Failed
from benchmarks.findings import Aim, Finding
from benchmarks.one_by_one import JUDGES, Customer
from engine.store.tables import customers

SAMPLE = 400
AIM = Aim(100, at_least=True)


def ask(bench: Bench) -> Iterator[Finding]:
    """The loop is measured on a sample and told for everybody: its time grows with the customers."""
    project = bench.opened(bench.large)
    with project.store.reading() as connection:
        everybody = connection.scalars(
            select(customers.c.customer_id).order_by(customers.c.customer_id)
        ).all()
        sample = everybody[:: max(len(everybody) // SAMPLE, 1)]
        share = len(everybody) / len(sample)
        times = [
            _compared(bench, connection, sample, each.compiled, JUDGES[each.name])
            for each in questions(project)
        ]
    project.close()
    ratios = [loop * share / ours for ours, loop in times]
    note = f"loop over {len(sample):,}, times {share:,.0f}; each {min(ratios):,.0f}x to {max(ratios):,.0f}x"
    ours, loop = map(sum, zip(*times, strict=True))
    yield Finding(f"all {len(times)} rules", ours, "s", loop * share, AIM, note)


def _compared(
    bench: Bench,
    connection: Connection,
    sample: Sequence[int],
    compiled: Answer,
    judge: Callable[[Customer], bool],
) -> tuple[float, float]:
    """Seconds for everybody, and for the sample one by one. Raises Failed where they do not agree."""
    ours, theirs = [], []
    for _ in range(bench.short):
        start = time.perf_counter()
        held = set(compiled(connection))
        middle = time.perf_counter()
        judged = _loop(connection, sample, judge)
        theirs.append(time.perf_counter() - middle)
        ours.append(middle - start)
        if judged != held.intersection(sample):
            msg = f"{judge.__name__}: the loop and the rule do not hold the same customers"
            raise Failed(msg)
    return median(ours), median(theirs)


def _loop(connection: Connection, sample: Sequence[int], judge: Callable[[Customer], bool]) -> set[int]:
    with Session(connection) as session:
        found = session.scalars(select(Customer).where(Customer.customer_id.in_(sample)))
        return {customer.customer_id for customer in found if judge(customer)}
