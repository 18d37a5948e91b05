"""Printing: tables and talk for people, one JSON document for programs. Results go to standard output."""

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.errors import Problem


def talk() -> Console:
    """For what is said beside the result: standard error."""
    return Console(stderr=True, highlight=False)


def out() -> Console:
    """For the result: standard output, as wide as it needs where nobody looks at a screen."""
    return Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else 120)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], unbroken: Collection[str] = ()
) -> Table:
    """A plain table; whole numbers stand to the right. Values are text, never markup.

    The values of the `unbroken` columns stay on one line, so that they can be copied.
    """
    shown = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    every = [list(row) for row in rows]
    for number, name in enumerate(columns):
        whole = bool(every) and all(isinstance(row[number], int) for row in every)
        side: Literal["left", "right"] = "right" if whole else "left"
        shown.add_column(name, justify=side, overflow="fold", header_style="dim", no_wrap=name in unbroken)
    for row in every:
        shown.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    return shown


def problems(found: Sequence[Problem], kind: str = "") -> None:
    """Every problem on its own line, as editors read them."""
    for problem in found:
        sys.stderr.write(f"{kind}{problem}\n")


def document(parts: Mapping[str, Any]) -> None:
    """One JSON document; an iterator among the parts is written as it comes, so memory stays flat."""
    write = sys.stdout.write
    write("{")
    for number, (name, part) in enumerate(parts.items()):
        write(f"{',' if number else ''}\n  {json.dumps(name)}: ")
        if isinstance(part, Iterator):
            _array(part)
        else:
            write(plain(part))
    write("\n}\n")


def not_mailing(why: str) -> str:
    """What is said of a database that a run refuses."""
    return f"NOT MAILING: {why}; see aftersale adopt"


def not_sending(why: str) -> str:
    """What is said of a way out that takes no mail."""
    return f"NOT SENDING: {why}"


def in_the_way(not_adopted: str | None, unusable: str | None) -> Iterator[str]:
    """What keeps all mails from leaving."""
    if not_adopted:
        yield not_mailing(not_adopted)
    if unusable:
        yield not_sending(unusable)


def paused(
    since: Mapping[str, datetime], why: Mapping[str, str] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """What is paused, for a program: `campaign` is null where everything is, `why` where a person asked."""
    return [{"campaign": name or None, "since": at, "why": why.get(name)} for name, at in since.items()]


def plain(value: Any) -> str:
    """One value as JSON; instants in ISO 8601. What the output has no sign for is escaped."""
    every_letter = (sys.stdout.encoding or "").lower().startswith("utf")
    return json.dumps(value, ensure_ascii=not every_letter, default=_other)


def _array(items: Iterator[Any]) -> None:
    sys.stdout.write("[")
    for number, item in enumerate(items):
        sys.stdout.write(f"{',' if number else ''}\n    {plain(item)}")
    sys.stdout.write("]")


def _other(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
