"""What was accepted, a line of JSON for each mail, in a file that outlives a killed process."""

import json
import os
from pathlib import Path
from threading import Lock
from typing import Any


class Records:
    """Appends, all of a request in one write."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = Lock()
        self.file.touch()

    def keep(self, mails: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(mail) + "\n" for mail in mails).encode()
        with self._lock:
            descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(descriptor, lines)
            finally:
                os.close(descriptor)


def accepted(file: Path) -> list[dict[str, Any]]:
    """Every mail that was ever accepted, in that order."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
