"""aftersale import"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from engine.app.importing import import_into
from engine.app.project import Project
from engine.app.watching import Taken, keep_taking, take_once, watched
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened
from engine.errors import UsageError, relative
from engine.facts.importers import IMPORTERS
from engine.facts.importing import ImportProgress, ImportSummary
from engine.facts.sources.database import Query
from engine.rules.words import times


def command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="CSV, JSON Lines or Parquet, also with gzip; in any order"),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--as", help=f"what the files hold: {', '.join(IMPORTERS)}")
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--map", help="how to read the columns")] = None,
    url: Annotated[
        str | None,
        typer.Option("--from", help="the URL of a database, or env:NAME of a variable with it"),
    ] = None,
    query: Annotated[str | None, typer.Option("--query", help="what to ask it: SELECT …")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="take FILE for a folder, and import its files as they come")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="with --watch: look at the folder once")] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Read facts about customers. Bad rows go to a file with reasons, the rest lands."""
    if once and not watch:
        msg = "--once belongs to --watch"
        raise UsageError(msg)
    with opened(project) as shop:
        if watch:
            _watch(shop, _folder(files or [], url, kind), mapping, once=once, as_json=as_json)
            return
        given = _given(files or [], url, query)
        with _bars() as bars:
            at, tell = instant(shop, None), _teller(bars)
            done = import_into(shop, given, now=at, kind=kind, mapping=mapping, progress=tell)
    if as_json:
        show.document({"files": [_as_json(summary) for summary in done]})
    else:
        print_summaries(done)
    raise typer.Exit(int(any(nothing_landed(summary) for summary in done)))


def nothing_landed(summary: ImportSummary) -> bool:
    """Whether every row of a file was rejected: then something is wrong with how it is read."""
    return 0 < summary.rejected == summary.read


def _teller(bars: Progress) -> Callable[[ImportProgress], None]:
    tasks: dict[str, TaskID] = {}

    def progress(now: ImportProgress) -> None:
        if now.file not in tasks:
            tasks[now.file] = bars.add_task(Path(now.file).name, total=now.total)
        bars.update(tasks[now.file], completed=now.done)

    return progress


def _folder(files: list[Path], url: str | None, kind: str | None) -> Path | None:
    if len(files) > 1 or url is not None or kind is not None:
        msg = "--watch takes one folder, and neither --from nor --as"
        raise UsageError(msg)
    return files[0] if files else None


def _watch(shop: Project, named: Path | None, mapping: Path | None, *, once: bool, as_json: bool) -> None:
    if as_json and not once:
        msg = "--json with --watch needs --once: it is one document"
        raise UsageError(msg)
    folder = watched(shop, named)
    if once:
        taken = take_once(shop, folder, wait=time.sleep, mapping=mapping)
        _tell_taken(taken, as_json=as_json)
        raise typer.Exit(int(any(each.error for each in taken)))
    with suppress(KeyboardInterrupt):
        for taken in keep_taking(shop, folder, wait=time.sleep, mapping=mapping):
            _tell_taken(taken, as_json=False)


def _tell_taken(taken: list[Taken], *, as_json: bool) -> None:
    failed = [each for each in taken if each.error]
    for each in (each for each in taken if each.again):
        show.talk().print(Text(f"{each.file} had changed since it was imported, and was imported again"))
    done = [each.summary for each in taken if each.summary]
    if as_json:
        told = [{"file": each.file, "now_at": relative(each.now_at), "error": each.error} for each in failed]
        show.document({"files": [_as_json(summary) for summary in done], "failed": told})
        return
    if done:
        print_summaries(done)
    for each in failed:
        text = f"{each.file} cannot be read, and is now {relative(each.now_at)}: {each.error}"
        show.out().print(Text(text, style="red"))


def _given(files: list[Path], url: str | None, query: str | None) -> list[Path | Query]:
    if (url is None) != (query is None):
        msg = "--from and --query belong together"
        raise UsageError(msg)
    asked = [] if url is None or query is None else [Query(url, query)]
    if not files and not asked:
        msg = "give files to import, or a database with --from and --query"
        raise UsageError(msg)
    return [*files, *asked]


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
        if summary.other_reasons:
            left = summary.rejected - sum(count for _, count in summary.reasons)
            others = times(summary.other_reasons, "other reason")
            console.print(Text(f"{summary.file}: rejected {left:,} for {others}", style="yellow"))
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
