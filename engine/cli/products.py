"""aftersale products"""

from pathlib import Path
from typing import Annotated

import typer

from engine.app.cataloguing import Listed, listing, write_missing
from engine.app.importing import import_into
from engine.cli import show
from engine.cli.import_ import print_summaries
from engine.cli.options import HERE, AsJson, At, ProjectFolder, instant, opened
from engine.errors import UsageError


def command(
    write: Annotated[
        bool, typer.Option("--write", help="add what is missing to campaigns/products.yaml")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--from", help="with --write: a file of products, read as `import` does")
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--map", help="how to read the columns of --from")] = None,
    at: At = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """The catalogue beside what was sold: how much of each product, and what the catalogue lacks."""
    if (file is not None and not write) or (mapping is not None and file is None):
        msg = "--map belongs to --from, and --from to --write"
        raise UsageError(msg)
    if write and at is not None:
        msg = "--at belongs to the list alone: --write adds whatever was ever sold"
        raise UsageError(msg)
    with opened(project) as shop:
        if file is not None:
            done = import_into(shop, [file], now=instant(shop, None), kind="products", mapping=mapping)
            if not as_json:
                print_summaries(done)
        added = write_missing(shop) if write else []
        found = listing(shop, instant(shop, at)) if at else listing(shop)
    if as_json:
        show.document({"added": added, "products": [_as_json(each) for each in found]})
        return
    _print(found)
    if added:
        typer.echo(f"added to campaigns/products.yaml, to be named by you: {', '.join(added)}")


def _print(found: list[Listed]) -> None:
    rows = [
        (each.sku, each.name or "missing", *((each.sold.pieces, each.sold.orders) if each.sold else (0, 0)))
        for each in found
    ]
    show.out().print(show.table("", ("sku", "in the catalogue", "pieces sold", "orders"), rows))


def _as_json(each: Listed) -> dict[str, object]:
    told: dict[str, object] = {"sku": each.sku, "name": each.name or None, "sold": None}
    if each.sold is None:
        return told
    sold = each.sold._asdict() | {"last_at": each.sold.last_at.isoformat().replace("+00:00", "Z")}
    return told | {"sold": {name: value for name, value in sold.items() if name != "sku"}}
