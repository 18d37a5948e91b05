"""aftersale init"""

from pathlib import Path
from typing import Annotated

import typer

from engine.clock import SystemClock
from engine.trials.starter import copy_starter, next_steps


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the project's folder, new or empty")],
) -> None:
    """Make a working project to start from: settings, seven campaigns, their mails, and sample data."""
    copy_starter(folder, now=SystemClock().now())
    typer.echo(next_steps(folder))
