"""A server over the project of a test, on a port of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from engine.app.hearing import drain
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.settings.model import Settings
from engine.web.server import Server
from tests.conftest import NOW


class Still:
    """In the place of what brings in by itself."""

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


class Door:
    """What is posted to it is kept in the folder's database, or in the one of the settings.

    What is spooled is brought in when the test looks, and not by itself.
    """

    def __init__(self, folder: Path, chosen: Settings) -> None:
        (folder / "campaigns").mkdir(exist_ok=True)
        (folder / "config.yaml").write_text("{}")
        self.project = Project(folder, VirtualClock(NOW), chosen)
        self.server = Server(self.project)
        self.server._drainer = Still()  # type: ignore[assignment]
        self.server.start()

    def close(self) -> None:
        self.server.stop()
        self.project.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The database, with all that was told by now."""
        drain(self.project)
        with self.project.store.reading() as connection:
            yield connection
