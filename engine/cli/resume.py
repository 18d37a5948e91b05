"""aftersale resume"""

from typing import Annotated

import typer

from engine.app.controlling import paused, resume
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened


def command(
    campaign: Annotated[
        str | None, typer.Argument(help="the campaign's id; none: what was paused as a whole")
    ] = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """End a pause. What waited for it is decided anew by the next plan."""
    with opened(project) as shop:
        was, rest = resume(shop, campaign, instant(shop, None))
        now = paused(shop)
    if as_json:
        show.document({"resumed": was, "paused": show.paused(now)})
        return
    not_paused = f"{campaign} was not paused" if campaign else "there was no pause of everything"
    show.out().print(f"{campaign or 'Everything'} is resumed" if was else not_paused)
    if rest:
        show.out().print(f"still paused: {', '.join(each or 'everything' for each in rest)}")
