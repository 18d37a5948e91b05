"""aftersale pause"""

from typing import Annotated

import typer

from engine.app.controlling import pause, paused
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened


def command(
    campaign: Annotated[str | None, typer.Argument(help="the campaign's id; none: everything")] = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Let no mail of a campaign leave, or none at all, until it is resumed.

    It holds at the next decision, and for mails that are planned already. People still enter.
    """
    with opened(project) as shop:
        pause(shop, campaign, instant(shop, None))
        now = paused(shop)
    if as_json:
        show.document({"paused": show.paused(now)})
    else:
        show.out().print(f"{campaign or 'Everything'} is paused")
