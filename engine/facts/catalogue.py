"""The things a shop sells: `campaigns/products.yaml` as a Catalogue."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from babel.numbers import get_currency_precision
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from engine.documents import Document, skim_document, validate
from engine.errors import Problem, Problems, UnknownName
from engine.registry import did_you_mean

Kind = Literal["tripwire", "core", "upsell", "subscription", "bundle", "physical", "digital", "service"]


def _units(value: Any) -> Any:
    """`[lesson-1, lesson-2]` or `{lesson-1: Start here}`; the first form names units by their ids."""
    if isinstance(value, list):
        if len(set(map(str, value))) != len(value):
            msg = "a unit is named twice"
            raise ValueError(msg)
        return {str(unit): str(unit) for unit in value}
    return value


def _web_address(url: str) -> str:
    if url and not url.lower().startswith(("https://", "http://")):
        msg = f"{url!r} is not a web address; write https://…"
        raise ValueError(msg)
    return url


Price = Annotated[Decimal, Field(ge=0, le=1_000_000_000)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Product(BaseModel):
    """A thing sold. `price` and `unit_cost` are in the shop's currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sku: str
    name: str = Field(min_length=1)
    kind: Kind = "core"
    price: Price | None = None
    unit_cost: Price | None = None
    category: str = ""
    tags: tuple[str, ...] = ()
    url: WebAddress = ""
    image: WebAddress = ""
    units: Annotated[Mapping[str, str], BeforeValidator(_units)] = Field(default_factory=dict)


class Catalogue(Mapping[str, Product]):
    """Every product by its sku."""

    def __init__(self, products: Iterable[Product] = ()) -> None:
        self._products = {product.sku: product for product in products}

    def __getitem__(self, sku: str) -> Product:
        return self._products[sku]

    def __iter__(self) -> Any:
        return iter(self._products)

    def __len__(self) -> int:
        return len(self._products)

    def choose(self, sku: str) -> Product:
        """The product, or UnknownName with the nearest."""
        if sku not in self._products:
            msg = f"unknown product {sku!r}"
            raise UnknownName(msg, hint=did_you_mean(sku, self._products))
        return self._products[sku]


def load_catalogue(path: Path, currency: str | None = None) -> Catalogue:
    """Read `products.yaml`; an absent file is an empty catalogue. Raises Problems with all mistakes.

    With the shop's currency its amounts are held to the decimals that it has.
    """
    if not path.exists():
        return Catalogue()
    return catalogue_of(skim_document(path, path.parent.parent), currency)


def catalogue_of(document: Document, currency: str | None = None) -> Catalogue:
    """The same from a document that was read. Raises Problems with all mistakes."""
    entries, problems = _entries(document)
    products: list[Product] = []
    for sku, entry in entries.items():
        found = validate(document, Product, ("products", sku), {"sku": sku, **entry})
        if isinstance(found, Product):
            products.append(found)
            problems += _too_fine(document, found, currency) if currency else ()
        else:
            problems += found
    if problems:
        raise Problems(problems)
    return Catalogue(products)


def _too_fine(document: Document, product: Product, currency: str) -> Iterator[Problem]:
    """Amounts of which a part is smaller than the smallest coin."""
    digits = get_currency_precision(currency)
    for name in ("price", "unit_cost"):
        amount = getattr(product, name)
        if amount is not None and (coins := amount.scaleb(digits)) != coins.to_integral_value():
            told = f"{name}: {amount} has more decimals than {currency}, which has {digits or 'none'}"
            yield document.problem(("products", product.sku, name), told)


def _unknown(document: Document, key: str) -> Problem:
    return document.problem((key,), f"unknown key {key!r}", "list products under `products:`")


def _entries(document: Document) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    data = document.data if isinstance(document.data, dict) else {}
    problems = [
        *document.problems,
        *(_unknown(document, key) for key in data if key != "products"),
    ]
    entries = data.get("products") or {}
    if not isinstance(entries, dict):
        problems.append(document.problem(("products",), "write products as `sku: {name: …}`"))
        return {}, problems
    good = {}
    for sku, entry in entries.items():
        if isinstance(entry, dict) and "sku" not in entry:
            good[str(sku)] = entry
        else:
            problems.append(document.problem(("products", sku), "write a product as `sku: {name: …}`"))
    return good, problems
