"""The memory of a preview, at two sizes of the same shop, and the time it takes."""

from collections.abc import Iterator

from benchmarks import child
from benchmarks.bench import AT, Bench
from benchmarks.findings import Aim, Finding

ALLOWED = 300.0  # MB
WITHIN = Aim(1)
FORMS = {"preview": (), "preview --json": ("--json",)}  # the second writes every mail, the first a few


def ask(bench: Bench) -> Iterator[Finding]:
    """The bundled campaigns over everybody, with the forecast of the usual seven days."""
    small, large = f"{bench.small.customers:,}", f"{bench.large.customers:,} customers"
    for name, words in FORMS.items():
        of_small, of_large = (
            child.run("preview", "--project", str(bench.shop(size)), "--at", AT, *words)
            for size in (bench.small, bench.large)
        )
        beside = f"{of_small.peak:.0f} MB at {small}"
        yield Finding(f"{name}, memory at {large}, allowed", of_large.peak, "MB", ALLOWED, WITHIN, beside)
        yield Finding(f"{name}, time at {large}, at {small}", of_large.seconds, "s", of_small.seconds)
