"""aftersale status"""

from collections.abc import Iterator, Sequence
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from engine.app.reporting import CameBack, Status, Trouble, status
from engine.app.vanished import vanished_campaigns, vanished_problems
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, opened
from engine.rules.words import heads, times

MOST_FAILURES = 10


def command(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """What was sent, what waits, and what is stuck."""
    with opened(project, asks=True) as shop:
        found, gone = status(shop), vanished_campaigns(shop)
        show.problems(vanished_problems(gone))
    if as_json:
        parts = {"people": found.people, "orders": found.orders, "active_runs": found.active_runs}
        lists = {
            "mails": [each.as_json() for each in found.mails],
            "came_back": [each.as_json() for each in found.came_back],
            "troubles": [each.as_json() for each in found.troubles],
            "silent": [each.as_json() for each in found.silent],
            "vanished": gone,
        }
        show.document({**parts, "next_due": found.next_due, **_at_work(found), **lists})
    else:
        _print(found)
    raise typer.Exit(1 if gone else 0)


def _print(found: Status) -> None:
    console = show.out()
    due = f", the next step due {found.next_due:%Y-%m-%d %H:%M}Z" if found.next_due else ""
    runs = f"{times(found.active_runs, 'run')} in progress"
    console.print(f"{heads(found.people)}, {times(found.orders, 'order')}, {runs}{due}")
    for line in _told(found):
        console.print(Text(line), soft_wrap=True)
    rows = [
        (m.campaign, m.status.replace("_", " "), m.mails, f"{m.oldest:%Y-%m-%d %H:%M}Z") for m in found.mails
    ]
    console.print(show.table("\nMails", ("campaign", "state", "mails", "first planned"), rows))
    if found.came_back:
        console.print(_came_back(found.came_back))
    if found.troubles:
        console.print(not_sent(found))


def _at_work(found: Status) -> dict[str, Any]:
    return {
        "last_plan": found.last_plan,
        "daemons": [each.as_json() for each in found.daemons],
        "failures": [each.as_json() for each in found.failures],
        "due": found.due,
        "stuck": found.stuck,
        "held": found.held,
        "in_vain": found.in_vain.as_json() if found.in_vain else None,
        "paused": show.paused(found.paused, found.why_paused),
        "today": {"used": found.today[0], "of": found.today[1]} if found.today else None,
        "not_adopted": found.not_adopted,
        "not_sending": found.not_sending,
    }


def _told(found: Status) -> Iterator[str]:
    """Who is at work, and what a person may have to do something about."""
    if found.last_plan:
        yield f"last plan {found.last_plan:%Y-%m-%d %H:%M}Z; {times(found.due, 'mail')} due now"
    for daemon in found.daemons:
        does = ("plans and sends" if daemon.leads else "sends, stands by to plan") if daemon.alive else "died"
        yield f"daemon {daemon.owner} {does}, last sign good until {daemon.until:%Y-%m-%d %H:%M:%S}Z"
    yield from map(str, found.failures[:MOST_FAILURES])
    if more := found.failures[MOST_FAILURES:]:
        yield f"and {times(len(more), 'failure')} more within a day; --json tells all of them"
    for campaign_id, at in found.paused.items():
        why = found.why_paused.get(campaign_id)
        yield f"paused since {at:%Y-%m-%d %H:%M}Z: {campaign_id or 'everything'}" + (
            f"; {why}" if why else ""
        )
    yield from _mails(found)
    yield from map(str, found.silent)
    yield from show.in_the_way(found.not_adopted, found.not_sending)


def _mails(found: Status) -> Iterator[str]:
    """What holds up mails that are due, or might have left."""
    if found.today:
        yield f"a new sender: {found.today[0]:,} of today's {times(found.today[1], 'mail')} used up"
    if found.stuck:
        yield f"stuck: {times(found.stuck, 'mail')}; see aftersale outbox --status unknown"
    if found.held:
        yield f"held for a look: {times(found.held, 'mail')}; see aftersale outbox --status held"
    if vain := found.in_vain:
        told = f"tried in vain since {vain.since:%Y-%m-%d %H:%M}Z: {times(vain.mails, 'mail')}"
        yield f"{told}; {vain.said}"


def _came_back(found: Sequence[CameBack]) -> Table:
    rows = [(each.campaign, each.delivered, each.bounced, each.complaints) for each in found]
    return show.table("\nWhat came back", ("campaign", "delivered", "bounced", "complaints"), rows)


def not_sent(found: Status) -> Table:
    """What became of mails that did not leave, and when those that wait are tried anew."""
    troubles = found.troubles
    rows = [(t.campaign, t.step, str(t.customer_id), t.status, t.error, _again(t)) for t in troubles]
    title = "Not sent" if len(rows) == found.troubled else f"Not sent, {len(rows):,} of {found.troubled:,}"
    return show.table(
        f"\n{title}", ("campaign", "step", "customer", "state", "what happened", "tried again"), rows
    )


def _again(trouble: Trouble) -> str:
    return f"{trouble.again_at:%Y-%m-%d %H:%M}Z" if trouble.again_at else ""
