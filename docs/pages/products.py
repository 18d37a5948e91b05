"""products.md: the catalogue, and the file of named segments beside it."""

from engine.facts.catalogue import Product
from pages.markdown import code, field_rows, page, table

INTRO = """\
`campaigns/products.yaml` lists what the shop sells. Rules, offers and mails name a product by its sku,
which is the key it stands under:
"""
EXAMPLE = """\
products:
  starter-guide:
    name: The Seven-Day Starter
    kind: tripwire
    price: 7.00
    url: https://slowloaf.example/read/seven-day-starter
    units:
      chapter-1: Flour, water and a jar
      chapter-2: The quiet second day
"""
MEANING = {
    "name": "as mails say it",
    "kind": "what role it plays in the shop",
    "price": "in the shop's currency, with no more decimals than it has",
    "unit_cost": "what one piece costs you, where you know it",
    "category": "a word of your own, for rules",
    "tags": "words of your own, for rules; a product may carry several",
    "url": "where mails link to",
    "image": "the address of a picture, for product cards in mails",
    "units": "its chapters or lessons, in their order: ids alone, or each with its name",
}
SEGMENTS_INTRO = """\
## segments.yaml

`campaigns/segments.yaml` gives [rules](conditions.md) a name. A campaign uses one as `segment: lapsed`, and
`aftersale segment lapsed` shows who is in it. Segments may name each other, but not in a circle.
"""
SEGMENTS = """\
segments:
  lapsed:
    last_order: {older_than: 120d, within: 365d}
  regulars:
    all:
      - ordered: {at_least: 3, within: 365d}
      - spent: {at_least: 100}
"""


def pages() -> dict[str, str]:
    rows = [
        [f"`{name}`", *row[1:3], meaning]
        for (name, meaning), row in zip(MEANING.items(), field_rows(Product, MEANING), strict=True)
    ]
    keys = table(("key", "type", "default", "meaning"), rows)
    parts = [INTRO, code(EXAMPLE), keys, SEGMENTS_INTRO, code(SEGMENTS)]
    return {"products.md": page("Products and segments", *parts)}
