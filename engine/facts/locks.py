"""Files that one process at a time has: by a lock that goes with the process that holds it."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path


def locked(handle: int) -> bool:
    """Lock an open file until it is closed; False where another has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(handle: int) -> None:
    """Others may lock it again."""
    fcntl.flock(handle, fcntl.LOCK_UN)


def stands(handle: int, path: Path) -> bool:
    """Whether the open file is still the one of that name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.stat())
    return False
