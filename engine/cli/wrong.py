"""What is wrong with a project's files, told beside the result; whoever tells it ends with exit code 1."""

import typer

from engine.app.project import Project
from engine.app.vanished import everything_wrong
from engine.cli import show
from engine.errors import Problems


def tell_what_is_wrong(shop: Project) -> typer.Exit:
    """Tell it on standard error; the end of the command that goes on without what is wrong.

    Raises Problems where products or segments are wrong, for then there is nothing to go on with.
    """
    found = everything_wrong(shop)
    if shop.files.shared_trouble:
        raise Problems(found)
    show.problems(found)
    return typer.Exit(1 if found else 0)
