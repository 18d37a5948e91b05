"""aftersale report"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, get_args

import typer

from engine.app import measuring
from engine.app.project import Project
from engine.cli import made_claims, show
from engine.cli.options import HERE, AsJson, At, ProjectFolder, instant, opened
from engine.cli.worth import print_funnel, print_sources
from engine.errors import UsageError
from engine.registry import did_you_mean
from engine.reports.cohorts import By as SourcesBy
from engine.reports.funnel import By

app = typer.Typer(add_completion=False, no_args_is_help=True)
Since = Annotated[str | None, typer.Option("--since", help="from that instant on; default: from the first")]
Until = Annotated[str | None, typer.Option("--until", help="up to that instant; default: that of --at")]


@app.callback()
def command() -> None:
    """Tell what it was worth. The commands below it say what."""


@app.command("funnel", help="Where visitors are lost on the way to the first order, and what that costs.")
def funnel(
    by: Annotated[
        str | None, typer.Option("--by", help=f"beside all of it: {', '.join(get_args(By))}")
    ] = None,
    at: At = None,
    since: Since = None,
    until: Until = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Unique visitors at each stage, the rates between stages, and the constraint."""
    chosen: By | None = _chosen(by, get_args(By)) if by else None
    with opened(project, asks=True) as shop:
        now = instant(shop, at)
        found = measuring.funnel(shop, *_span(shop, since, until), now, chosen)
        currency = shop.settings.shop
    if as_json:
        show.document({"at": now, "by": by, "currency": currency.currency, **found.as_json()})
    else:
        print_funnel(found, currency, by)


@app.command("sources", help="What advertising cost, and what the customers it brought have paid since.")
def sources(
    by: Annotated[
        str, typer.Option("--by", help=f"a line for each: {', '.join(get_args(SourcesBy))}")
    ] = "source",
    at: At = None,
    since: Since = None,
    until: Until = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Spend against net revenue by first touch, at several ages of customers; what to scale, what to stop."""
    chosen: SourcesBy = _chosen(by, get_args(SourcesBy))
    with opened(project, asks=True) as shop:
        now = instant(shop, at)
        found = measuring.sources(shop, *_span(shop, since, until), now, chosen)
        currency = shop.settings.shop
    if as_json:
        show.document({"at": now, "currency": currency.currency, **found.as_json()})
    else:
        print_sources(found, currency)


app.command("claims", help="What mails have said of their readers, and which fact proved it.")(
    made_claims.claims
)


def _chosen(by: str, choices: Sequence[Any]) -> Any:
    if by not in choices:
        msg = f"--by: there is no {by!r}"
        raise UsageError(msg, hint=did_you_mean(by, choices) or f"one of {', '.join(choices)}")
    return by


def _span(project: Project, since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    return (
        instant(project, since, "--since") if since else None,
        instant(project, until, "--until") if until else None,
    )
