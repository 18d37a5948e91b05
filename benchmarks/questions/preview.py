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
    for name, words in FORMS.items():
        small, large = (
            child.run("preview", "--project", str(bench.shop(size)), "--at", AT, *words)
            for size in (bench.small, bench.large)
        )
        of_small, of_large = f"{bench.small.customers:,}", f"{bench.large.customers:,} customers"
        yield Finding(f"{name}, memory, {of_large} against {of_small}", large.peak, "MB", small.peak)
        yield Finding(
            f"{name}, memory, {of_large} against {ALLOWED:.0f} MB", large.peak, "MB", ALLOWED, WITHIN
        )
        yield Finding(f"{name}, time, {of_large} against {of_small}", large.seconds, "s", small.seconds)
