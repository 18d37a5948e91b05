"""aftersale status"""

from collections.abc import Sequence

import typer
from rich.table import Table

from engine.app.reporting import Status, Trouble, status
from engine.app.vanished import vanished_campaigns, vanished_problems
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, opened


def command(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """What was sent, what waits, and what is stuck."""
    with opened(project) as shop:
        found, gone = status(shop), vanished_campaigns(shop)
        show.problems(vanished_problems(gone))
    if as_json:
        parts = {"people": found.people, "orders": found.orders, "active_runs": found.active_runs}
        lists = {
            "mails": [each.as_json() for each in found.mails],
            "troubles": [each.as_json() for each in found.troubles],
            "vanished": gone,
        }
        show.document({**parts, "next_due": found.next_due, **lists})
    else:
        _print(found)
    raise typer.Exit(1 if gone else 0)


def _print(found: Status) -> None:
    console = show.out()
    due = f", the next step due {found.next_due:%Y-%m-%d %H:%M}Z" if found.next_due else ""
    console.print(
        f"{found.people:,} people, {found.orders:,} orders, {found.active_runs:,} runs in progress{due}"
    )
    rows = [
        (m.campaign, m.status.replace("_", " "), m.mails, f"{m.oldest:%Y-%m-%d %H:%M}Z") for m in found.mails
    ]
    console.print(show.table("\nMails", ("campaign", "", "mails", "first planned"), rows))
    if found.troubles:
        console.print(not_sent(found.troubles))


def not_sent(troubles: Sequence[Trouble]) -> Table:
    """What became of mails that did not leave, and when those that wait are tried anew."""
    rows = [(t.campaign, t.step, str(t.customer_id), t.status, t.error, _again(t)) for t in troubles]
    return show.table(
        "\nNot sent", ("campaign", "step", "customer", "", "what happened", "tried again"), rows
    )


def _again(trouble: Trouble) -> str:
    return f"{trouble.again_at:%Y-%m-%d %H:%M}Z" if trouble.again_at else ""
