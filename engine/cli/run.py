"""aftersale run"""

from typing import Annotated

import typer

from engine.app.reporting import status
from engine.app.running import Ran, run_once
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened
from engine.cli.status import not_sent
from engine.cli.wrong import tell_what_is_wrong
from engine.errors import NotInThisVersion, relative
from engine.planning.reasons import Reason


def command(
    once: Annotated[bool, typer.Option("--once", help="one tick, then end")] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Plan this instant and deliver what is due."""
    if not once:
        msg = "the daemon is not in this version"
        raise NotInThisVersion(msg, hint="run one tick with: aftersale run --once")
    with opened(project) as shop:
        now = instant(shop, None)
        end = tell_what_is_wrong(shop)
        ran = run_once(shop, now, progress=show.talk().print)
        if as_json:
            show.document(_as_json(ran))
        else:
            _print(ran)
            if ran.delivered.postponed or ran.delivered.rejected:
                show.out().print(not_sent(status(shop, most=5).troubles))
            if shop.settings.delivery.transport == "folder" and ran.delivered.accepted:
                show.out().print(f"They are in {relative(shop.folder / shop.settings.delivery.folder)}/mails")
    raise end


def _as_json(ran: Ran) -> dict[str, object]:
    return {
        "at": ran.at,
        "planned": ran.planned,
        "decided": [count.as_json() for count in ran.decided],
        "delivered": ran.delivered.as_json(),
    }


def _print(ran: Ran) -> None:
    rows = [(c.campaign, c.step, c.people, c.verdict, Reason(c.reason).sentence) for c in ran.decided]
    console = show.out()
    console.print(
        show.table(f"Run at {ran.at:%Y-%m-%d %H:%M}Z", ("campaign", "step", "people", "", "because"), rows)
    )
    console.print(str(ran.delivered))
