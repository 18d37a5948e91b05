"""aftersale import"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from engine.app.importing import import_into
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened
from engine.errors import relative
from engine.facts.importers import IMPORTERS
from engine.facts.importing import ImportProgress, ImportSummary


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV files, in any number")],
    kind: Annotated[
        str | None, typer.Option("--as", help=f"what the files hold: {', '.join(IMPORTERS)}")
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--map", help="how to read the columns")] = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Read facts about customers. Bad rows go to a file with reasons, the rest lands."""
    with opened(project) as shop, _bars() as bars:
        tasks: dict[str, TaskID] = {}

        def progress(now: ImportProgress) -> None:
            if now.file not in tasks:
                tasks[now.file] = bars.add_task(Path(now.file).name, total=now.total)
            bars.update(tasks[now.file], completed=now.done)

        at = instant(shop, None)
        done = import_into(shop, files, now=at, kind=kind, mapping=mapping, progress=progress)
    if as_json:
        show.document({"files": [_as_json(summary) for summary in done]})
    else:
        print_summaries(done)


def print_summaries(done: list[ImportSummary]) -> None:
    """What became of each file, and why rows were rejected."""
    console = show.out()
    counts = ("read", "inserted", "updated", "unchanged", "skipped", "rejected")
    rows = [(s.file, s.kind, *(getattr(s, count) for count in counts)) for s in done]
    console.print(show.table("", ("file", "as", *counts), rows))
    for summary in done:
        for note in summary.notes:
            console.print(Text(f"{summary.file}: {note}"))
        for what, told in (("merged", summary.merges), ("conflicts", summary.conflicts)):
            if told.count:
                console.print(Text(f"{summary.file}: {what} {told.count:,}: {'; '.join(told.first)}"))
        for reason, count in summary.reasons:
            console.print(Text(f"{summary.file}: rejected {count:,}: {reason}", style="yellow"))
        if summary.rejects_file is not None:
            console.print(
                Text(f"the rejected rows and their reasons are in {relative(summary.rejects_file)}")
            )


def _bars() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=show.talk(), transient=True)


def _as_json(summary: ImportSummary) -> dict[str, Any]:
    rejects = relative(summary.rejects_file) if summary.rejects_file else None
    reasons = {"rejects_file": rejects, "reasons": dict(summary.reasons)}
    identities = {"merges": asdict(summary.merges), "conflicts": asdict(summary.conflicts)}
    return summary.__dict__ | reasons | identities
