"""aftersale doctor"""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from engine.app.doctoring import Finding, examine
from engine.app.project import Project
from engine.app.slowness import Scan, Timed, scans, timed
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, opened
from engine.rules.words import heads


def command(
    slow: Annotated[
        bool,
        typer.Option("--slow", help="time every rule, show its plan, and name missing indexes"),
    ] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Look at settings, campaigns, database and outbox; with `--slow` also at how rules are answered.

    Nothing is changed. Where something is not as it should be, the exit code is 1.
    """
    with opened(project) as shop:
        findings = examine(shop)
        slow = slow and all(each.sound for each in findings if each.about == "database")
        rules, read = _look_closely(shop) if slow else ([], [])
    if as_json:
        _document(findings, rules, read)
    else:
        _print(findings)
        _print_rules(rules)
        _print_scans(read, asked=slow)
    raise typer.Exit(0 if _sound(findings, read) else 1)


def _look_closely(shop: Project) -> tuple[list[Timed], list[Scan]]:
    now = shop.clock.now()
    return timed(shop, now), scans(shop, now)


def _sound(findings: Sequence[Finding], read: Sequence[Scan]) -> bool:
    return not read and all(each.sound for each in findings)


def _document(findings: Sequence[Finding], rules: Sequence[Timed], read: Sequence[Scan]) -> None:
    show.document(
        {
            "sound": _sound(findings, read),
            "findings": [each.as_json() for each in findings],
            "rules": [each.as_json() for each in rules],
            "scans": [each.as_json() for each in read],
        }
    )


def _print(findings: Sequence[Finding]) -> None:
    for each in findings:
        mark = Text("✓ ", style="green") if each.sound else Text("✗ ", style="red")
        hint = f" ({each.hint})" if each.hint else ""
        show.out().print(mark + Text(f"{each.about}: {each.said}{hint}"), soft_wrap=True)


def _print_rules(rules: Sequence[Timed]) -> None:
    for each in rules:
        show.out().print(Text(f"\n{each.rule}: {heads(each.people)} in {each.seconds:.3f} s", style="bold"))
        for line in each.plan:
            show.out().print(Text(f"  {line}"), soft_wrap=True)


def _print_scans(read: Sequence[Scan], *, asked: bool) -> None:
    if asked and not read:
        show.out().print("\nNo query of a run reads a large table from end to end")
    for each in read:
        told = f"{each.table} is read from end to end for {each.asks}, by {', '.join(each.columns)}"
        show.out().print(Text(f"\n✗ {told}", style="red"), soft_wrap=True)
        show.out().print(Text(f"  asked by {', '.join(each.rules)}\n  {each.hint}"), soft_wrap=True)
