"""Products: they go to the catalogue, which is a file; what stands there already stays as it was written."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, get_args

from sqlalchemy import Connection

from engine.facts.catalogue import Kind, Product
from engine.facts.columns import Column, Manner, plain
from engine.facts.importers.importer import Importer, Landing, Outcome
from engine.facts.model import Place, ProductRow
from engine.facts.refusal import Refused
from engine.facts.shelf import amount
from engine.facts.values import Parse
from engine.facts.values.numbers import minor
from engine.facts.values.words import choice, text

BETWEEN = "|"


def _price(manner: Manner) -> Parse:
    def parse(value: str) -> str:
        price: Decimal = manner.amounts(value)
        if price < 0:
            msg = "is negative"
            raise Refused(msg, value[:40])
        minor(price, manner.money.digits)
        return f"{price:f}"

    return parse


def _several(limit: int) -> Parse:
    one = text(limit)

    def parse(value: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one(part.strip()) for part in value.split(BETWEEN) if part.strip()))

    return parse


COLUMNS = (
    Column("sku", plain(text(80)), required=True),
    Column("name", plain(text(200)), required=True),
    Column("kind", plain(choice(*get_args(Kind))), blank="core"),
    Column("price", _price),
    Column("unit_cost", _price),
    Column("category", plain(text(100))),
    Column("tags", plain(_several(100)), blank=()),
    Column("url", plain(text(2000))),
    Column("image", plain(text(2000))),
    Column("units", plain(_several(200)), blank=()),
)


def _row(values: Sequence[Any], place: Place, _: bool) -> ProductRow:  # noqa: FBT001 - no credits here
    return ProductRow._make((*values, place))


def _land(_: Connection, rows: Sequence[ProductRow], landing: Landing) -> Outcome:
    outcome = Outcome()
    known = landing.shelf.catalogue
    new: dict[str, ProductRow] = {}
    for row in rows:
        if row.sku in known:
            outcome.unchanged += 1
            if _differs(known[row.sku], row):
                outcome.differing.tell(row.sku)
        elif new.setdefault(row.sku, row) is row:
            outcome.inserted += 1
        else:
            outcome.refuse([row.place], Refused("sku stands twice in the file", row.sku))
    in_turn = sorted(new.values(), key=lambda row: row.place)
    landing.shelf.add(map(_fields, in_turn))
    return outcome


def _fields(row: ProductRow) -> dict[str, Any]:
    prices = {name: amount(said) for name in ("price", "unit_cost") if (said := getattr(row, name))}
    return {name: value for name, value in row._asdict().items() if name != "place"} | prices


def _differs(product: Product, row: ProductRow) -> bool:
    price = Decimal(row.price) if row.price else product.price
    return (product.name, product.price) != (row.name, price)


PRODUCTS = Importer(
    "products",
    COLUMNS,
    _row,
    ProductRow._make,
    _land,
    either=(),
    who=lambda _: (),
    bundle=lambda row: row.sku,
)
