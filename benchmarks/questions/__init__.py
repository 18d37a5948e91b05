"""The menu of questions: one file and one line each."""

from collections.abc import Callable, Iterator, Mapping

from benchmarks.bench import Bench
from benchmarks.findings import Finding
from benchmarks.questions import (
    batched,
    day,
    deciding,
    drip,
    hearing,
    importing,
    orm,
    preview,
    rules,
    sending,
    starting,
    tick,
    year,
)

QUESTIONS: Mapping[str, Callable[[Bench], Iterator[Finding]]] = {
    "rules": rules.ask,
    "orm": orm.ask,
    "tick": tick.ask,
    "due": deciding.ask,
    "import": importing.ask,
    "preview": preview.ask,
    "help": starting.ask,
    "sending": sending.ask,
    "batched": batched.ask,
    "drip": drip.ask,
    "day": day.ask,
    "hearing": hearing.ask,
    "year": year.ask,
}
