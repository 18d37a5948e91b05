"""aftersale adopt"""

from typing import Annotated

import typer

from engine.app.adopting import Stands, adopt, stands_adopted
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, Yes, confirmed, instant, opened
from engine.rules.words import times


def command(
    hold_nothing: Annotated[
        bool,
        typer.Option("--hold-nothing", help="the other one has stopped for good, or is this same database"),
    ] = False,
    yes: Yes = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Take over a database that was copied, restored or moved; until then it never mails.

    All that was due by now is held, for it may have left from the other one. Look at it with
    `aftersale outbox --status held`, then `aftersale outbox release` or `aftersale cancel` it.
    """
    with opened(project) as shop:
        before = stands_adopted(shop)
        held = 0
        if before.trouble:
            confirmed(_question(before, hold_nothing), yes)
            held = adopt(shop, instant(shop, None), hold=not hold_nothing)
    if as_json:
        show.document({"adopted": before.trouble is not None, "held": held})
    elif before.trouble is None:
        show.out().print("Nothing to adopt: this is the database that mails from here")
    else:
        later = "" if hold_nothing else "; what is due and waits for its window is held when that opens"
        show.out().print(f"Adopted, with {times(held, 'mail')} held until somebody has looked{later}")


def _question(before: Stands, hold_nothing: bool) -> str:
    last = f"; it last sent {before.last_sent_at:%Y-%m-%d %H:%M}Z" if before.last_sent_at else ""
    what = "and hold nothing" if hold_nothing else "and hold what was due"
    return f"{before.trouble.message if before.trouble else ''}{last}. Take it over, {what}?"
