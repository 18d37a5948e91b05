"""Every error a person can meet, with its hint and its exit code.

::

    AftersaleError                     1   the root; never raised itself
    ├── Problems                       1   everything wrong with the files, all at once
    ├── UsageError                     2   the command was called wrongly
    ├── SettingsError                 10   config.yaml or AFTERSALE_* cannot be used
    ├── UnknownName                   11   a campaign, segment, product… that does not exist
    ├── UnknownCustomer               12   nobody by that address or id
    ├── NotInThisVersion              13   understood, but this version cannot do it
    ├── ImportFailed                  14   a file of facts cannot be read at all
    ├── TransportError                16   the way out does not work
    ├── NotAdopted                    17   the database is not the one that mailed from here
    ├── WebError                      18   the web server cannot do its work
    ├── OutputError                   19   what was to be printed cannot be written
    ├── StoreError                    20   the database cannot be used
    │   ├── StoreUnreachable          21   … because nothing answers
    │   ├── StoreLocked               22   … because another process holds it
    │   ├── StoreReadOnly             23   … because it may not be written
    │   ├── StoreTooNew               24   … because a newer version made it
    │   └── StoreClash                25   … because another process changed the same rows
    └── AlreadyThere                  30   something is already there
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar


class AftersaleError(Exception):
    """An error for a person: a sentence, perhaps a hint, and an exit code."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in one file. Lines and columns count from 1; 0 means the file as a whole."""

    file: str
    line: int
    column: int
    message: str
    hint: str | None = None

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f" ({self.hint})" if self.hint else "")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Problems(AftersaleError):
    """All the mistakes found in the files of a project."""

    exit_code = 1

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.message))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(AftersaleError):
    """The command was called wrongly."""

    exit_code = 2


class SettingsError(AftersaleError):
    """The settings cannot be used."""

    exit_code = 10


class UnknownName(AftersaleError):
    """A name that stands for nothing here."""

    exit_code = 11


class UnknownCustomer(AftersaleError):
    """Nobody is known by that address or id."""

    exit_code = 12


class NotInThisVersion(AftersaleError):
    """Understood, but this version cannot do it."""

    exit_code = 13


class ImportFailed(AftersaleError):
    """A file of facts cannot be read."""

    exit_code = 14


class TransportError(AftersaleError):
    """The way out does not work."""

    exit_code = 16


class NotAdopted(AftersaleError):
    """The database is a copy, or an older state of itself, or another one: it never mails by itself."""

    exit_code = 17


class WebError(AftersaleError):
    """The web server cannot do its work."""

    exit_code = 18


class OutputError(AftersaleError):
    """Standard output cannot be written."""

    exit_code = 19


class StoreError(AftersaleError):
    """The database cannot be used."""

    exit_code = 20


class StoreUnreachable(StoreError):
    """No database answers at that URL."""

    exit_code = 21


class StoreLocked(StoreError):
    """Another process holds the database."""

    exit_code = 22


class StoreReadOnly(StoreError):
    """The database may not be written."""

    exit_code = 23


class StoreTooNew(StoreError):
    """A newer version of Aftersale made this database."""

    exit_code = 24


class StoreClash(StoreError):
    """Another process changed the same rows at the same time."""

    exit_code = 25


class AlreadyThere(AftersaleError):
    """Something is there already, and is left as it is."""

    exit_code = 30


def relative(path: Path) -> str:
    """A path as people say it: from where they stand, if it lies below. A link keeps its own name."""
    for whole in (path.absolute(), path.resolve()):
        if ".." not in whole.parts and whole.is_relative_to(Path.cwd()):
            return str(whole.relative_to(Path.cwd()))
    return str(path)
