"""aftersale demo"""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from engine.app import demo, measuring
from engine.app.preview_pages import write_pages
from engine.app.previewing import previewing
from engine.app.project import Project
from engine.cli import show
from engine.cli.import_ import print_summaries
from engine.cli.worth import print_constraint, verdicts
from engine.clock import SystemClock, format_duration
from engine.errors import relative
from engine.planning.reasons import Reason
from engine.reports.sources import Verdict


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="where to make the shop")] = Path("demo-shop"),
    customers: Annotated[int, typer.Option("--customers", min=12, max=100_000, help="how many")] = 2000,
) -> None:
    """A bundled shop, previewed and run over one week of a virtual clock, with all its mails."""
    now = SystemClock().now().replace(minute=0, second=0, microsecond=0)
    _say(f"1. A bakery school with {customers:,} customers")
    project = demo.make_shop(folder, now, customers)
    print_summaries(demo.import_shop(project))
    _say("2. Its campaigns are checked and previewed, as of a week ago")
    show.problems(project.problems)
    pages = _preview(project, project.clock.now())
    _say("3. The week goes by: a run every two hours, and minutes after each order")
    week = _run(project)
    index = demo.show_mails(project)
    _summary(week)
    _both_tracks(project)
    _say("4. Where visitors are lost before they buy, and what advertising brought")
    _worth(project)
    project.close()
    _next(folder, pages, index)


def _say(what: str) -> None:
    show.out().print(Text(f"\n{what}", style="bold"))


def _preview(project: Project, start: datetime) -> Path:
    with previewing(project, start) as preview:
        pages = write_pages(preview, project.folder / "preview", 7, None)
    show.out().print(f"what the first run will do, and the days after it: {relative(pages)}")
    return pages


def _run(project: Project) -> demo.Week:
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=show.talk()) as progress:
        instants = demo.ticks(project)
        task = progress.add_task("", total=len(instants))

        def tick(at: datetime) -> None:
            progress.update(task, advance=1, description=f"{at:%a %d %b, %H:%M}")

        return demo.run_week(project, instants, tick)


def _summary(week: demo.Week) -> None:
    console = show.out()
    mails = [(campaign, step, number) for (campaign, step), number in sorted(week.mails.items())]
    console.print(
        show.table(f"Mails of the week: {sum(week.mails.values()):,}", ("campaign", "step", "mails"), mails)
    )
    others = [(number, Reason(reason).sentence) for (_, reason), number in week.others.most_common()]
    console.print(show.table("\nSteps passed over, and why", ("steps", "because"), others))


def _both_tracks(project: Project) -> None:
    """Who was offered the same product while their order was open, and who was later."""
    quiet = format_duration(project.settings.front_end.quiet)
    for each in demo.in_both(project):
        name = project.files.catalogue[each.sku].name
        show.out().print(
            f"\n{name}, in both tracks: offered to {each.front:,} while their order was open, to "
            f"{each.back:,} later.\nOffered in both: to {_few(each.both)}; within {quiet} of that order: "
            f"to {_few(each.too_soon)}.",
            markup=False,
        )


def _few(number: int) -> str:
    return f"{number:,}" if number else "nobody"


def _worth(project: Project) -> None:
    """The constraint of the funnel, and which sources to scale, hold and stop."""
    now, shop = project.clock.now(), project.settings.shop
    print_constraint(measuring.funnel(project, None, None, now).constraint, shop)
    found = measuring.sources(project, None, None, now)
    for verdict in (Verdict.SCALE, Verdict.HOLD, Verdict.STOP):
        if names := verdicts(found, verdict):
            show.out().print(f"{verdict}: {', '.join(names)}", markup=False)


def _activation() -> str:
    """How to make `aftersale` known to the shell, where it stands in a virtual environment."""
    script = Path(sys.prefix) / "bin" / "activate"
    inactive = script.exists() and "VIRTUAL_ENV" not in os.environ
    return f". {relative(script)}\n          " if inactive else ""


def _next(folder: Path, pages: Path, index: Path) -> None:
    name = relative(folder)
    typer.echo(
        f"""
See it:   open {relative(index)}    (every mail, as it left)
          open {relative(pages)}   (the preview before the week)
Try next: {_activation()}cd {name}
          aftersale status
          aftersale explain ann@example.com
          aftersale preview --days 14
          aftersale segment lapsed
          aftersale report funnel --by source
          aftersale report sources
          then change a number in campaigns/win-back.yaml, and preview again
"""
    )
