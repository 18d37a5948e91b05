"""What several commands ask for in the same words."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from engine.app.project import Project
from engine.cli import show
from engine.clock import parse_instant
from engine.errors import UsageError
from engine.store.connect import require_database

ProjectFolder = Annotated[
    Path,
    typer.Option("--project", help="the project's folder", envvar="AFTERSALE_PROJECT", show_default="here"),
]
At = Annotated[str | None, typer.Option("--at", help="an instant, such as 2026-12-24T09:00Z; default: now")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document on standard output")]
Yes = Annotated[bool, typer.Option("--yes", help="do it without asking")]
HERE = Path()


@contextmanager
def opened(folder: Path, *, asks: bool = False) -> Iterator[Project]:
    """The project, closed again at the end. Who only `asks` needs a database that is there."""
    project = Project(folder)
    if asks:
        if gone := project.lost():
            raise gone
        require_database(project.settings.database, project.folder)
    project.say = show.talk().print
    try:
        yield project
    finally:
        project.close()


def confirmed(question: str, yes: bool) -> None:
    """Go on only where a person says yes. Raises UsageError where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(question, hint="nobody can be asked here: say --yes")
    typer.confirm(question, abort=True, err=True)


def instant(project: Project, at: str | None, option: str = "--at") -> datetime:
    """The instant asked about by that option, or the time of the database."""
    if at is None:
        return project.clock.now()
    try:
        return parse_instant(at)
    except ValueError as error:
        msg = f"{option}: {error}"
        raise UsageError(msg) from error
