"""Which kind of file a header belongs to, where nobody says it."""

from collections.abc import Sequence
from typing import Any

from engine.errors import ImportFailed
from engine.facts.binding import ATTRIBUTE
from engine.facts.importers import IMPORTERS
from engine.facts.importers.importer import Importer
from engine.facts.sources.json_lines import LINES
from engine.registry import did_you_mean


def guess(file: str, header: Sequence[str]) -> Importer[Any]:
    """The one kind that has all these columns, and whose needs they meet. Raises ImportFailed."""
    fitting = kinds_of(header)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        kinds = " or ".join(each.kind for each in fitting)
        msg = f"{file}:1: this may be a file of {kinds}"
        raise ImportFailed(msg, hint=f"say which with --as {fitting[0].kind}")
    raise ImportFailed(f"{file}:1: {_misfit(header)}", hint=_advice(header))


def kinds_of(header: Sequence[str]) -> list[Importer[Any]]:
    """The kinds of files that may have this header."""
    return [
        each for each in IMPORTERS.values() if not _strangers(each, header) and not _lacking(each, header)
    ]


def _strangers(importer: Importer[Any], header: Sequence[str]) -> list[str]:
    known = set(importer.names)
    attribute = ATTRIBUTE if importer.attributes else "\n"
    return [name for name in header if name not in known and not name.startswith(attribute)]


def _lacking(importer: Importer[Any], header: Sequence[str]) -> list[str]:
    return [" or ".join(names) for names in importer.needs if not set(names) & set(header)]


def _nearest(header: Sequence[str]) -> Importer[Any]:
    """The kind of whose needs it meets most; of several the one that it differs from least."""

    def distance(each: Importer[Any]) -> tuple[int, int]:
        strangers, lacking = len(_strangers(each, header)), len(_lacking(each, header))
        return lacking - len(each.needs), strangers + 2 * lacking

    return min(IMPORTERS.values(), key=distance)


def _misfit(header: Sequence[str]) -> str:
    nearest = _nearest(header)
    strangers, lacking = _strangers(nearest, header), _lacking(nearest, header)
    said = [f"it has {', '.join(map(repr, strangers[:5]))}"] if strangers else []
    said += [f"it lacks {', '.join(lacking)}"] if lacking else []
    return f"the header fits no kind of file; for {nearest.kind} {' and '.join(said)}"


def _advice(header: Sequence[str]) -> str:
    nearest = _nearest(header)
    strangers = _strangers(nearest, header)
    if LINES in strangers:
        return f"write a row for each line of an order; only JSON Lines may have a list {LINES!r}"
    meant = did_you_mean(strangers[0], nearest.names) if strangers else None
    return meant or "write a map for it, and give it with --map"
