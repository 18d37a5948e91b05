"""aftersale run"""

from typing import Annotated

import typer

from engine.app.project import Project
from engine.app.reporting import status
from engine.app.running import Ran, run_once
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened
from engine.cli.status import not_sent
from engine.cli.wrong import tell_what_is_wrong
from engine.errors import NotAdopted, UsageError, relative
from engine.planning.reasons import Reason


def command(
    once: Annotated[bool, typer.Option("--once", help="one tick, then end")] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Plan and deliver until told to stop, or with `--once` a single time.

    The daemon plans every `run.every`, sends as mails become due, and takes changed campaigns and
    templates where they check clean. SIGTERM or Ctrl+C ends it within `run.stop_within`. Of several
    daemons on one database one plans, and all send.
    """
    if as_json and not once:
        msg = "--json needs --once: it is one document"
        raise UsageError(msg, hint="for a log of JSON lines set run.log: json")
    with opened(project) as shop:
        if gone := shop.lost():  # a new one would be made in its place
            raise NotAdopted(gone.message, hint=gone.hint)
        if as_json and shop.settings.delivery.transport == "console":
            msg = "--json is one document, and the transport 'console' prints mails to standard output, too"
            raise UsageError(msg, hint="leave --json out, or set delivery.transport")
        end = tell_what_is_wrong(shop)
        if not once:
            raise typer.Exit(_serve(shop))
        now = instant(shop, None)
        ran = run_once(shop, now, progress=show.talk().print)
        if as_json:
            show.document(_as_json(ran))
        else:
            _print(ran)
            if ran.delivered.postponed or ran.delivered.rejected:
                show.out().print(not_sent(status(shop, most=5)))
            if shop.settings.delivery.transport == "folder" and ran.delivered.accepted:
                show.out().print(f"They are in {relative(shop.folder / shop.settings.delivery.folder)}/mails")
    raise end


def _serve(shop: Project) -> int:
    from engine.daemon.serve import serve  # noqa: PLC0415 - a single run needs no scheduler

    return serve(shop)


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
