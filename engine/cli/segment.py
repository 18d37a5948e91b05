"""aftersale segment"""

from pathlib import Path
from typing import Annotated

import typer

from engine.app.segmenting import Held, choose, held
from engine.cli import show
from engine.cli.options import HERE, AsJson, At, ProjectFolder, instant, opened


def command(
    name: Annotated[str | None, typer.Argument(help="a segment of campaigns/segments.yaml")] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="the audience of a campaign")] = None,
    rule: Annotated[Path | None, typer.Option("--rule", help="a file that holds one rule")] = None,
    ids: Annotated[bool, typer.Option("--ids", help="list them: customer id, shop id, e-mail")] = False,
    at: At = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Who a rule holds, before any policy."""
    with opened(project) as shop:
        chosen = choose(shop, name=name, campaign=campaign, rule=rule)
        now = instant(shop, at)
        with held(shop, chosen, now) as found:
            if as_json:
                _document(found, str(now.isoformat()).replace("+00:00", "Z"), ids)
            else:
                _print(found, f"{now:%Y-%m-%d %H:%M}Z", ids)


def _document(found: Held, at: str, ids: bool) -> None:
    parts = {"rule": found.chosen.name, "at": at, "count": found.count}
    people = ({"customer_id": i, "shop_id": shop_id, "email": email} for i, shop_id, email in found.ids())
    show.document(parts | ({"people": people} if ids else {}))


def _print(found: Held, at: str, ids: bool) -> None:
    if ids:
        for row in found.ids():
            typer.echo("\t".join(map(str, row)))
        return
    who = "customer" if found.chosen.customers_only else "person"
    many = {"customer": "customers", "person": "people"}[who]
    typer.echo(f"{found.chosen.name}: {found.count:,} {who if found.count == 1 else many} at {at}")
