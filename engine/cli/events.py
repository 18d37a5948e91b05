"""aftersale events"""

from typing import Annotated

import typer

from engine.app.replaying import count_put_aside, list_parked, replay
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened
from engine.rules.words import times

app = typer.Typer(add_completion=False, invoke_without_command=True)
ASIDE = {
    "nobody": "told of people without a name, such as at a till: of no customer",
    "test": "told of a test, and not of a sale: receiving.test_sales takes such as well",
}
FromSource = Annotated[
    str | None, typer.Option("--source", help="only events of that source, such as stripe; default: all")
]


@app.callback()
def command(
    context: typer.Context,
    source: FromSource = None,
    most: Annotated[int, typer.Option("--most", help="how many to list", min=1, max=100_000)] = 50,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List events that were told and could not be taken up, each with the reason, the latest first."""
    if context.invoked_subcommand:
        return
    with opened(project, asks=True) as shop:
        found, count = list_parked(shop, source, most)
        aside = count_put_aside(shop, source)
    if as_json:
        parked = [each._asdict() for each in found]
        show.document({"count": count, "parked": parked, **aside})
        return
    for what, number in aside.items():
        if number:
            show.talk().print(f"{times(number, 'event')} {ASIDE[what]}.")
    if not count:
        show.out().print("No event is parked.")
        return
    rows = [(each.source, each.event_id, f"{each.received_at:%Y-%m-%d %H:%M}Z", each.error) for each in found]
    title = f"{len(found):,} of {times(count, 'parked event')}"
    show.out().print(show.table(title, ("source", "event", "came", "why"), rows, unbroken=("event", "came")))


@app.command("replay", help="Take up parked events once more, or all that are still kept.")
def replay_some(
    source: FromSource = None,
    all_kept: Annotated[
        bool, typer.Option("--all", help="those that were applied or ignored as well")
    ] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Take up parked events once more, after what they lacked has come; what was applied before stays so."""
    with opened(project) as shop:
        count, heard = replay(shop, source, instant(shop, None), whole=all_kept)
    if as_json:
        facts, mails = heard.received.as_json(), heard.made.as_json()
        made = {name: number + mails.get(name, 0) for name, number in facts.items()}
        show.document({"replayed": count, **made})
        return
    for fuse in heard.paused:
        show.talk().print(f"paused: {fuse}")
    show.out().print(f"{times(count, 'event')} taken up anew; {heard.parked:,} parked again")
