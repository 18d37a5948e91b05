"""The files of a project that people write, and whether they have changed."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from engine.app.project import Project
from engine.settings.load import CONFIG_FILE

FOLDERS = ("campaigns", "templates")
Look = Mapping[str, tuple[int, int]]  # size and time of each file


class UpToDate:
    """A project whose campaigns and templates are read anew where a file changed; for several threads."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._seen = looked_at(project.folder)
        self._turn = Lock()

    def project(self) -> Project:
        with self._turn:
            now = looked_at(self._project.folder)
            if now != self._seen:
                self._project, self._seen = self._project.read_anew(), now
            return self._project


def looked_at(folder: Path) -> Look:
    """Every file of a project that people write, as it is now."""
    return {name: state for name, state in _states(folder)}  # noqa: C416 - pairs are told apart


def _states(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    for path in (folder / CONFIG_FILE, *(file for name in FOLDERS for file in (folder / name).rglob("*"))):
        with suppress(OSError):  # gone meanwhile
            if not path.is_dir() and not path.name.startswith("."):
                state = path.stat() if path.exists() else path.lstat()  # a link to nothing is a mistake
                yield str(path.relative_to(folder)), (state.st_size, state.st_mtime_ns)
