"""What the questions are asked of: shops of two sizes, built once and by the engine's own import."""

import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import child
from benchmarks.hours import at_any_hour
from benchmarks.shop import FILES, NOW, Size, write_shop
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.trials.starter import copy_starter

AT = f"{NOW:%Y-%m-%dT%H:%MZ}"


@dataclass
class Bench:
    """A folder to work in, the sizes to measure at, and how often to repeat what is short, or long."""

    folder: Path
    large: Size
    small: Size
    short: int = 5
    long: int = 2
    _shops: dict[Size, Path] = field(default_factory=dict)

    def files(self, size: Size) -> dict[str, Path]:
        """The shop's files of facts, by name."""
        folder = self.folder / f"{size.customers}-{size.lines}"
        if not folder.exists():
            self.say(f"inventing a shop: {size}")
            write_shop(folder, size)
        return {name: folder / name for name in FILES}

    def empty_project(self, name: str) -> Path:
        """The bundled campaigns, at any hour, their templates, and no customer yet."""
        folder = self.folder / name
        if folder.exists():
            shutil.rmtree(folder)
        copy_starter(folder, now=NOW)
        at_any_hour(folder)
        return folder

    def shop(self, size: Size) -> Path:
        """A project that has imported the shop's files. It is only to be read."""
        if size not in self._shops:
            files = self.files(size)
            folder = self.empty_project(f"shop-{size.customers}-{size.lines}")
            self.say(f"importing it: {size}")
            child.run("import", *map(str, files.values()), "--project", str(folder))
            self._shops[size] = folder
        return self._shops[size]

    def opened(self, size: Size) -> Project:
        """That project, opened at the instant of the benchmarks."""
        return Project(self.shop(size), VirtualClock(NOW))

    def say(self, what: str) -> None:
        sys.stderr.write(f"… {what}\n")
        sys.stderr.flush()
