"""Which kind of source a file is: told by how it begins, not by its name."""

from pathlib import Path

from engine.errors import ImportFailed, relative
from engine.facts.reading import refuse_binary, start_of
from engine.facts.sources import database, packed, parquet
from engine.facts.sources.database import Query
from engine.facts.sources.scratch import Scratch
from engine.facts.sources.source import Source


def open_source(given: Path | Query, scratch: Scratch) -> Source:
    """The source as text that can be read. Raises ImportFailed for what cannot be."""
    if isinstance(given, Query):
        path, floats = database.as_table(given, scratch)
        return Source(given.name, "query", path, written_out=True, floats=floats)
    name = relative(given)
    start = start_of(given, name)
    path = given
    if start.startswith(packed.SIGN):
        path = packed.unpacked(given, scratch)
        start = start_of(path, name)
    stem = given.name.removesuffix(".gz").rpartition(".")[0] or given.name
    if start.startswith(parquet.SIGN):
        return Source(name, stem, parquet.as_table(path, scratch), written_out=True)
    refuse_binary(name, start)
    return Source(name, stem, path, json=_is_json(name, start))


def _is_json(name: str, start: bytes) -> bool:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        msg = f"{name} is a JSON array"
        raise ImportFailed(msg, hint="write JSON Lines: one object on each line")
    return text.startswith(b"{")
