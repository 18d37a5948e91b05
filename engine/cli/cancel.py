"""aftersale cancel"""

from typing import Annotated

import typer

from engine.app.controlling import CANCELLABLE, cancel, meant, require_some
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, Yes, confirmed, instant, opened
from engine.rules.words import them, times


def command(
    what: Annotated[str, typer.Argument(help="a campaign's id, or the id of one mail")],
    yes: Yes = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Cancel the mails of a campaign that have not left yet, or one mail.

    Only what is in the outbox now is cancelled, mails that are held included. To keep a campaign from
    planning others, pause it.
    """
    with opened(project) as shop:
        mails = meant(shop, what, CANCELLABLE)
        require_some(mails, f"of {what} waits to leave")
        told = times(len(mails), "mail")
        confirmed(f"{told} of {what} will never leave. Cancel {them(len(mails))}?", yes)
        done = cancel(shop, mails, instant(shop, None))
    left = len(mails) - done
    if as_json:
        show.document({"cancelled": done, "left_meanwhile": left})
    else:
        show.out().print(f"{done:,} cancelled" + (f"; {left:,} had left meanwhile" if left else ""))
