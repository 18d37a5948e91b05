"""Brings what was spooled into the database as soon as it is free, in a thread of its own.

So nothing waits for a daemon; nor does what another process left behind when it died.
"""

import logging
from threading import Thread

from engine.app.hearing import drain
from engine.app.project import Project
from engine.errors import AftersaleError

EVERY = 1.0  # seconds: what machines tell is brought in together; a wish is not kept waiting for that
AT_LAST = 1_000  # milliseconds that the end waits for another writer
LOGGER = logging.getLogger("aftersale")


class Drainer:
    """Works from `start` until `stop`, which brings in what it still can."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._filled = project.spool.wishes.filled
        self._ends = False
        self._told = ""
        self._thread = Thread(target=self._work, name="spool", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ends = True
        self._filled.set()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while not self._ends:
            self._filled.wait(EVERY)
            self._filled.clear()
            self._drain(AT_LAST if self._ends else None)

    def _drain(self, within: int | None) -> None:
        """What stands against it is told once."""
        trouble = self._trouble(within)
        if trouble and trouble != self._told:
            LOGGER.warning("spool waits", extra={"event_values": {"error": trouble}})
        self._told = trouble

    def _trouble(self, within: int | None) -> str:
        """What stands against it, or against what is told being written there; '' where nothing does."""
        try:
            drained = drain(self._project, within=within)
        except AftersaleError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, what was acknowledged is tried again
            return type(error).__name__
        if drained.torn:
            LOGGER.warning("torn lines dropped", extra={"event_values": {"lines": drained.torn}})
        return f"{drained.unread} files cannot be read" if drained.unread else self._project.spool.trouble
