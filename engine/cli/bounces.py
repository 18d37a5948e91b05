"""aftersale bounces"""

from pathlib import Path
from typing import Annotated

import typer

from engine.app.bouncing import bounces_folder, take_bounces
from engine.app.hearing import take_up
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened


def command(
    folder: Annotated[
        Path | None, typer.Argument(help="a Maildir, or a folder of .eml files; default: smtp.bounces_folder")
    ] = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Read reports of mails that came back, and suppress the addresses that are no more.

    What was read goes to `done/` in that folder, anything else to `parked/`, with the reason beside it.
    """
    with opened(project) as shop:
        now = instant(shop, None)
        found = list(take_bounces(shop, bounces_folder(shop, folder), now))
        heard = take_up(shop, now)
    for fuse in heard.paused:
        show.talk().print(f"paused: {fuse}")
    if as_json:
        show.document({"files": [{"file": each.file, "means": each.told} for each in found]})
    elif found:
        show.out().print(show.table("", ("file", "means"), [(each.file, each.told) for each in found]))
    else:
        show.talk().print("no mail came back")
