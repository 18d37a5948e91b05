"""Fifty campaigns over the large shop, as ten kinds of question, each about five products."""

from decimal import Decimal
from string import Template

from benchmarks.crowd import PRODUCTS, SUBSCRIPTION, UNITS
from engine.campaigns.load import read_campaign
from engine.campaigns.model import Campaign, Files
from engine.documents import parse_document
from engine.facts.catalogue import Catalogue, Product
from engine.planning.book import Book
from engine.settings.model import Settings

KINDS = (
    (
        "{all: [{bought: {product: $sku, older_than: 3d, within: 60d}}, {not: {bought: {product: $next}}},"
        " {consumed: {product: $used, at_least: 20%}}]}"
    ),
    (
        "{all: [{consumed: {product: $used, unit: u1, within: 30d}},"
        " {not: {consumed: {product: $used, unit: u2}}}]}"
    ),
    "{all: [{last_order: {older_than: ${days}d, within: 365d}}, {bought: {product: $sku}}]}",
    "{all: [{bought: {product: $sku, within: 90d}}, {spent: {at_least: 300, within: 365d}}]}",
    "{then: {first: {bought: {product: $sku}}, next: {bought: {product: $next}}, within: 14d}}",
    "{all: [{subscribed: {product: $club, renews_within: ${few}d}}, {bought: {product: $sku}}]}",
    "{all: [{first_order: {within: ${days}d}}, {not: {bought: {product: $sku}}}]}",
    "{all: [{ordered: {at_least: 3, within: 90d}}, {not: {bought: {product: $sku, within: 180d}}}]}",
    "{all: [{started: {product: $used, within: 30d}}, {not: {consumed: {product: $used}}}]}",
    "{all: [{bought: {product: $sku, at_least: 2}}, {not: {ordered: {within: 60d}}}]}",
)
CAMPAIGN = """
campaign: c$number
audience: $audience
goal: {bought: {product: $next}}
holdout: 10%
steps:
  - {id: one, after: 30d, email: {subject: Hello, template: a.html}}
"""


def catalogue() -> Catalogue:
    units = {f"u{n}": f"Unit {n}" for n in range(UNITS)}
    kinds = {SUBSCRIPTION: "subscription"}
    return Catalogue(
        Product(sku=sku, name=sku, kind=kinds.get(sku, "core"), units=units)
        for sku in (f"p{n}" for n in range(PRODUCTS))
    )


def fifty() -> Book:
    """The campaigns as a plan uses them. Their first mail is a month away, so that a tick sends nothing."""
    products = catalogue()
    return Book(Files(products, {}, [_campaign(n, products) for n in range(50)]), Settings())


def _campaign(number: int, products: Catalogue) -> Campaign:
    words = {
        "sku": f"p{40 + number}",
        "next": f"p{100 + number}",
        "used": f"p{number % 40}",
        "club": SUBSCRIPTION,
        "days": str(60 + number),
        "few": str(2 + number % 5),
    }
    audience = Template(KINDS[number % len(KINDS)]).substitute(words)
    text = Template(CAMPAIGN).substitute(words, number=number, audience=audience)
    return read_campaign(parse_document(f"c{number}.yaml", text), products, {}, Decimal(0), {})
