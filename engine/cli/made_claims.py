"""aftersale report claims"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from engine.app import measuring
from engine.cli import show
from engine.cli.options import HERE, AsJson, At, ProjectFolder, instant, opened
from engine.reports.claims import MadeClaim
from engine.rules.words import times

SHOWN = 3


def claims(
    customer: Annotated[
        str | None, typer.Argument(help="only those made to one: address, shop id or id")
    ] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="only those of that campaign")] = None,
    most: Annotated[int, typer.Option("--most", help="how many to list", min=1, max=100_000)] = 50,
    at: At = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Each claim that a mail made of its reader, with the fact that proved it; the latest mail first."""
    with opened(project, asks=True) as shop:
        now = instant(shop, at)
        made, count = measuring.claims(shop, now, customer, campaign, most)
    if as_json:
        show.document({"at": now, "count": count, "claims": [claim.as_json() for claim in made]})
    else:
        _print(made, count)


def _print(made: Sequence[MadeClaim], count: int) -> None:
    columns = ("left", "to", "campaign", "step", "claim", "fact")
    rows = [
        (f"{c.at:%Y-%m-%d %H:%M}Z", c.address, c.campaign, _step(c), c.claim, in_words(c.fact)) for c in made
    ]
    show.out().print(
        show.table(f"{len(made):,} of {times(count, 'claim')}", columns, rows, unbroken=("left",))
    )
    if count > len(made):
        show.out().print(f"{count - len(made):,} more: --most {count}")


def _step(claim: MadeClaim) -> str:
    return claim.step + (" (not sure that it left)" if claim.status == "unknown" else "")


def in_words(fact: Mapping[str, Any]) -> str:
    """The evidence in short: its first rows, and how many more there are; `--json` has them all."""
    said = [_order_line(row) for row in fact.get("order_lines", ())]
    said += [_subscription(row) for row in fact.get("subscriptions", ())]
    said += [f"{row['unit'] or 'all'} {row['kind']} {_day(row)}" for row in fact.get("consumption", ())]
    if "query" in fact:
        said.append(f"{fact['query']} (asked {fact['asked_at'][:10]})")
    more = [f"and {len(said) - SHOWN:,} more"] if len(said) > SHOWN else []
    return ", ".join([*said[:SHOWN], *more])


def _order_line(row: Mapping[str, Any]) -> str:
    pieces = f"{row['quantity']} x " if row["quantity"] != 1 else ""
    return f"{pieces}{row['line']} of order {row['order']} {_day(row)}"


def _subscription(row: Mapping[str, Any]) -> str:
    renews = f", renews {row['renews_at'][:10]}" if "renews_at" in row else ""
    return f"subscription {row['subscription']} {row['status']} since {row['began'][:10]}{renews}"


def _day(row: Mapping[str, Any]) -> str:
    return str(row["at"][:10])
