"""The command: which questions, at what size, and one table of all that was found."""

import argparse
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.bench import Bench
from benchmarks.child import Failed
from benchmarks.findings import COLUMNS, Finding
from benchmarks.questions import QUESTIONS
from benchmarks.shop import Size
from engine.errors import AftersaleError

CUSTOMERS, LINES = 200_000, 2_000_000
SMALLER = 10  # memory is also measured at a tenth of the size
QUICK = Size(400, 4_000)


def main(words: Sequence[str] | None = None) -> int:
    """Ask, print each finding as it comes and a table at the end. 1 where a question could not be asked."""
    asked = _parser().parse_args(words)
    _forget_settings()
    size = QUICK if asked.quick else Size(asked.customers, asked.lines)
    small = Size(size.customers // SMALLER, size.lines // SMALLER)
    print(f"{size}; {_machine()}", flush=True)
    if asked.folder:
        asked.folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="aftersale-bench-", dir=asked.folder) as folder:
            bench = Bench(Path(folder), size, small)
            if asked.quick:
                bench.short = bench.long = 1
            findings = _ask(bench, asked.names or list(QUESTIONS))
    except (Failed, AftersaleError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    _print_table(findings)
    return 0


def _forget_settings() -> None:
    """Nobody's own database is to be measured, or written to."""
    for name in [name for name in os.environ if name.startswith("AFTERSALE_")]:
        del os.environ[name]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios, each within one run.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", choices=[[], *QUESTIONS], help=", ".join(QUESTIONS)
    )
    parser.add_argument("--customers", type=_many, default=CUSTOMERS, help=f"default: {CUSTOMERS}")
    parser.add_argument("--lines", type=_many, default=LINES, help=f"order lines; default: {LINES}")
    parser.add_argument("--quick", action="store_true", help="a small shop, once: to see that it works")
    parser.add_argument("--folder", type=Path, help="where to work; default: the system's temporary folder")
    return parser


def _many(text: str) -> int:
    number = int(text)
    if number < SMALLER**2:
        msg = f"{number} are too few to measure anything"
        raise argparse.ArgumentTypeError(msg)
    return number


def _ask(bench: Bench, names: Sequence[str]) -> list[Finding]:
    findings = []
    for name in names:
        print(f"\n{name}", flush=True)
        for finding in QUESTIONS[name](bench):
            print(f"  {finding}", flush=True)
            findings.append(finding)
    return findings


def _print_table(findings: Sequence[Finding]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in ("ours", "baseline", "ratio") else "left")
    for finding in findings:
        table.add_row(*finding.cells())
    print()
    Console(width=None if sys.stdout.isatty() else 140, highlight=False).print(table)


def _machine() -> str:
    python, sqlite = platform.python_version(), sqlite3.sqlite_version
    return f"{os.cpu_count()} cores, {platform.system()}, Python {python}, SQLite {sqlite}"


if __name__ == "__main__":
    sys.exit(main())
