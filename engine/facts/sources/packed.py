"""Files packed with gzip."""

import gzip
import shutil
import zlib
from pathlib import Path

from engine.errors import ImportFailed, relative
from engine.facts.sources.scratch import Scratch, room_on_disk

SIGN = b"\x1f\x8b"


def unpacked(path: Path, scratch: Scratch) -> Path:
    """The file that is packed in another. Raises ImportFailed where that is damaged."""
    with room_on_disk():
        target = scratch.file()
        try:
            with gzip.open(path) as packed:
                shutil.copyfileobj(packed, target)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            msg = f"{relative(path)} cannot be unpacked: {error}"
            raise ImportFailed(msg, hint="was it copied to its end?") from error
        target.flush()
    return Path(target.name)
