"""Private files for what cannot be read in place; they are gone when the import ends."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from engine.errors import ImportFailed


class Scratch(ExitStack):
    """Files that only their owner can read."""

    def file(self) -> BinaryIO:
        """A new file, open for writing; flush it before its name is read from."""
        return cast("BinaryIO", self.enter_context(tempfile.NamedTemporaryFile(prefix="aftersale-")))

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
        """The rows as a CSV file."""
        with room_on_disk():
            path = Path(self.file().name)
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(header)
                writer.writerows(rows)
        return path


@contextmanager
def room_on_disk() -> Iterator[None]:
    """Raise ImportFailed where a scratch file cannot be written."""
    try:
        yield
    except OSError as error:
        msg = f"the rows cannot be kept for sorting: {error.strerror or error}"
        raise ImportFailed(msg, hint="is there room in the folder for temporary files?") from error
