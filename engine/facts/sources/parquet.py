"""Parquet files, by the library pyarrow, which is installed where it is wanted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import ImportFailed, relative
from engine.facts.sources.cells import cell
from engine.facts.sources.scratch import Scratch

SIGN = b"PAR1"
AT_ONCE = 10_000  # rows


def as_table(path: Path, scratch: Scratch) -> Path:
    """The rows of the file as CSV. Raises ImportFailed without pyarrow, or where the file is damaged."""
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an extra that few need
    except ImportError as error:
        msg = f"{relative(path)} is a Parquet file, and pyarrow is not installed"
        raise ImportFailed(msg, hint="install it with: pip install 'aftersale[parquet]'") from error
    try:
        with parquet.ParquetFile(path) as file:
            return scratch.table(file.schema_arrow.names, _rows(file))
    except ArrowException as error:
        msg = f"{relative(path)} cannot be read as Parquet: {str(error).splitlines()[0]}"
        raise ImportFailed(msg) from error


def _rows(file: Any) -> Iterator[list[str]]:
    for batch in file.iter_batches(AT_ONCE):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield list(map(cell, row))
