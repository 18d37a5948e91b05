"""aftersale check"""

from typing import Annotated

import typer

from engine.app.project import Project
from engine.app.vanished import vanished_if_known
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, opened
from engine.rules.words import times


def command(
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for warnings, too.")] = False,
) -> None:
    """Everything wrong with settings, campaigns and templates, all at once; no database is needed.

    Where there is one, it is asked which campaigns have sent, for those must not vanish. A warning is
    about a mail that would go out, and might be better: a picture without alt text, no way to
    unsubscribe. Warnings alone exit with 0.
    """
    with opened(project) as shop:
        found = [*vanished_if_known(shop, show.talk().print), *shop.problems]
        warnings = shop.warnings
        if as_json:
            told = {"problems": found, "warnings": warnings}
            show.document({name: [problem.as_json() for problem in each] for name, each in told.items()})
        else:
            show.problems(found)
            show.problems(warnings, "warning: ")
            typer.echo(_verdict(shop, len(found), len(warnings)))
    raise typer.Exit(1 if found or (strict and warnings) else 0)


def _verdict(shop: Project, wrong: int, warnings: int) -> str:
    files = shop.files
    said = times(wrong, "problem") if wrong else "no mistakes" if warnings else "all is well"
    said += f", {times(warnings, 'warning')}" if warnings else ""
    sound = f"{times(len(files.campaigns), 'sound campaign')}, {times(len(files.catalogue), 'product')}"
    return f"{said}: {sound}, {times(len(files.segments), 'segment')}"
