"""Template files: read below `templates/` and nowhere else, each mistake with its file and line."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from engine.campaigns.model import Campaign
from engine.documents import KeyPath
from engine.errors import Problem, relative
from engine.registry import did_you_mean_one_of

MAX_BYTES = 1_000_000
_NO_CHARACTER = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True)
class Source(ABC):
    """A piece of template text, and where mistakes in it are to be shown."""

    name: str
    text: str

    @abstractmethod
    def problem(self, line: int, message: str, hint: str | None = None, word: str = "") -> Problem:
        """A problem at a line of the text, or nearer still where `word` stands in that line."""


@dataclass(frozen=True)
class FileSource(Source):
    """The text of a file below `templates/`."""

    file: str = ""

    def problem(self, line: int, message: str, hint: str | None = None, word: str = "") -> Problem:
        lines = self.text.split("\n")
        written = lines[line - 1] if 0 < line <= len(lines) else ""
        return Problem(self.file, line, written.find(word) + 1 or 1 if line else 0, message, hint)


@dataclass(frozen=True)
class LineSource(Source):
    """A subject or a preheader, which stands in the campaign's file."""

    campaign: Campaign
    path: KeyPath
    kind: str = "subject"

    def problem(self, line: int, message: str, hint: str | None = None, word: str = "") -> Problem:
        return self.campaign.problem(self.path, f"{self.kind}: {message}", hint)


class Unreadable(Exception):
    """A template that cannot be read: why, the line where it is broken (0: unknown), a hint."""

    def __init__(self, message: str, hint: str | None = None, *, missing: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.missing = missing


class Library:
    """The files below one folder, by their path from it with `/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, FileSource] = {}

    def read(self, name: str, askers: Collection[str] = ()) -> FileSource:
        """The file of that name. Raises Unreadable, and never looks outside the folder.

        `askers` are the files that ask for it: a hint must not name one of them.
        """
        if name not in self._read:
            path = self._path(name, askers)
            self._read[name] = FileSource(name, _text(path, name), relative(self.folder / name))
        return self._read[name]

    def has(self, name: str) -> bool:
        try:
            self.read(name)
        except Unreadable as unreadable:
            return not unreadable.missing
        return True

    def _path(self, name: str, askers: Collection[str]) -> Path:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not name or "\0" in name or ":" in name or name.startswith(("/", "\\")) or ".." in parts:
            msg = f"the template path {name!r} leaves templates/"
            raise Unreadable(msg, "write the path below templates/")
        path = self.folder.joinpath(*parts)
        if not path.exists():
            msg = f"there is no template {name!r}"
            others = [other for other in self.names if other not in askers]
            raise Unreadable(msg, did_you_mean_one_of(name, others), missing=True)
        if not path.is_file():  # a pipe would be waited for, for ever
            msg = f"the template {name!r} is not a file"
            raise Unreadable(msg)
        if not path.resolve().is_relative_to(self.folder.resolve()):
            msg = f"the template {name!r} leaves templates/ by a link"
            raise Unreadable(msg, "put the file itself below templates/")
        return path

    @cached_property
    def names(self) -> Sequence[str]:
        """Every file there is, for hints."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found)


def _text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            msg = f"the template {name!r} is larger than {MAX_BYTES:,} bytes"
            raise Unreadable(msg)
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"the template {name!r} is not text in UTF-8 (byte {error.start})"
        raise Unreadable(msg, "save it as UTF-8") from error
    except OSError as error:
        msg = f"the template {name!r} cannot be read: {error.strerror}"
        raise Unreadable(msg) from error
    if "\0" in text:
        msg = f"the template {name!r} is not text"
        raise Unreadable(msg)
    if none := _NO_CHARACTER.search(text):
        msg = f"the template {name!r} holds U+{ord(none[0]):04X}, which is no character"
        raise Unreadable(msg)
    return text.replace("\r\n", "\n")
