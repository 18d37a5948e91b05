"""aftersale check"""

import typer

from engine.app.project import Project
from engine.app.vanished import vanished_if_known
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, opened
from engine.rules.words import times


def command(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """Everything wrong with settings, campaigns and templates, all at once; no database is needed.

    Where there is one, it is asked which campaigns have sent, for those must not vanish.
    """
    with opened(project) as shop:
        found = [*vanished_if_known(shop, show.talk().print), *shop.problems]
        if as_json:
            show.document({"problems": [problem.as_json() for problem in found]})
        else:
            show.problems(found)
            typer.echo(_verdict(shop, len(found)))
    raise typer.Exit(1 if found else 0)


def _verdict(shop: Project, wrong: int) -> str:
    files = shop.files
    said = times(wrong, "problem") if wrong else "all is well"
    sound = f"{times(len(files.campaigns), 'sound campaign')}, {times(len(files.catalogue), 'product')}"
    return f"{said}: {sound}, {times(len(files.segments), 'segment')}"
