"""aftersale export"""

from typing import Annotated

import typer

from engine.app.exporting import everything_of
from engine.cli import show
from engine.cli.options import HERE, ProjectFolder, opened

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def command() -> None:
    """Print what is stored, for others to read. The commands below it say what."""


@app.command("customer", help="Print everything stored of one person, as JSON.")
def customer(
    who: Annotated[str, typer.Argument(help="an e-mail address, a shop id or a customer id")],
    project: ProjectFolder = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="as it does anyway")] = True,  # noqa: ARG001
) -> None:
    """Print everything stored of one person, as JSON: rows by their table, and the files of their mails."""
    with opened(project) as shop:
        told = everything_of(shop, who)
    show.document(told)
