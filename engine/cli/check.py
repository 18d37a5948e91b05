"""aftersale check"""

import typer

from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, opened


def command(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """Everything wrong with settings, campaigns and templates, all at once; no database is needed."""
    with opened(project) as shop:
        found = shop.problems
        if as_json:
            show.document({"problems": [problem.as_json() for problem in found]})
        else:
            show.problems(found)
            count = len(shop.files.campaigns)
            verdict = f"{len(found)} problem{'s' if len(found) != 1 else ''}" if found else "all is well"
            typer.echo(
                f"{verdict}: {count} sound campaign{'s' if count != 1 else ''}, {len(shop.files.catalogue)} products, {len(shop.files.segments)} segments"
            )
    raise typer.Exit(1 if found else 0)
