"""conditions.md, and a page for each condition: its words, then its cases."""

from collections.abc import Iterator
from inspect import getdoc

from engine.rules.conditions import CONDITIONS, LATER
from engine.rules.model import Condition
from engine.rules.words import Bounds, CountWords, ProductWords, TimeWords
from pages.cases import assumed, examples
from pages.markdown import code, field_rows, fields, page, table

ORDER: list[type] = [ProductWords, Condition, CountWords, Bounds, TimeWords]  # Condition: its own words
COLUMNS = ("word", "type", "default", "meaning")
GROUPS = "groups"
MONEY = "Amounts are in the shop's currency, `shop.currency` of the [settings](../settings.md)."
RECEIVED = """\
The time of a mail is when the way out accepted it, moments after it was planned. A preview of coming days
counts the mails that it imagines, each at the instant it would be planned.
"""
TOLD = """\
It is asked of what the provider told by [its webhook](../../events.md), and when it happened. A preview of
coming days imagines nobody who opens or clicks.
"""
NOTES = {"ordered": MONEY, "spent": MONEY, "received": RECEIVED, "opened": TOLD, "clicked": TOLD}
BARE = {"segment": "Written as the name alone: `segment: lapsed`."}

INTRO = """\
A rule asks a yes-or-no question about one person at one instant. It is one condition, or several joined
by `all`, `any` and `not`. Rules stand in campaigns (`audience`, `while`, `goal`, and `when` of a step), in
`campaigns/segments.yaml`, and in files of their own for `aftersale segment --rule`.
"""
EXAMPLE = """\
all:
  - bought: {product: starter-guide, older_than: 3d}
  - any:
      - consumed: {product: starter-guide, at_least: 50%}
      - ordered: {at_least: 3}
  - not: {bought: {product: flagship}}
"""
GROUPS_INTRO = """\
`all` and `any` take a list of rules, each with a dash; `not` takes one rule. They may stand within each
other to any depth.
"""
TIME = """\
## Time

Each condition about something that happened can say when, with four words that may stand together.
Both ends of a span belong to it, and where two words set the same end, the stricter one counts.
"""
TIME_MORE = """\
Durations are whole numbers with a unit: `90m`, `12h`, `30d`, `2w`. They are elapsed time: a day is 24 hours,
whatever the clocks do. Instants are written with their zone, as `2026-12-24T09:00Z`. They are exact to
the microsecond.

What lies after the instant asked about has not happened yet. So `--at` in the past shows what was true
then, by the facts that had happened by then.
"""
COUNTS = """\
## Counts

Conditions about orders count them. Where nothing is said, one is enough.
"""
PRODUCTS = """\
## Products

Where a condition speaks of products, one of these words says which. Several of them mean the products
that fit them all. Products stand in `campaigns/products.yaml`.
"""
PEOPLE = """\
## People and customers

A rule speaks of everybody known at that instant. A customer is a person with a paid order above zero
that was not wholly refunded; anybody else is a prospect. The audience of a back-end campaign holds
customers only, whatever its rule says. Named segments may hold prospects as well.
"""
LATER_INTRO = """\
## Not in this version

These conditions are known by name. A file that uses one is told so, with what to do instead.
"""
READING = """\
## How to read the cases

Each page shows its cases: what is known of one person (`given`), a rule, and whether it holds. They are
the very cases that the tests judge, on SQLite and on PostgreSQL.

* An age such as `3d` is that long before the instant asked about, and `0` is that instant itself. It is
  2026-03-10 09:00 UTC, unless the case has a `now` of its own.
* An order is paid unless it says `paid: false`, and each of its lines is one piece for 7.00 unless it says
  otherwise. An order of a single line is written without `lines`.
* A line with `refunded_at` went back whole at that time. With `refund` only so much of its price did.
* Credits are money that went back without naming an order.
* A use is `started`, `progressed` or `completed`; where nothing is said, it is completed. Without a `unit` it
  speaks of the product as a whole.
* A subscription stands as its last change says: active unless the change has another `status`. Changes with
  the same `id`, or with none, are of one. It expires at `ends_at`, unless a change comes before.
* A mail is accepted at its time, unless it has another `status`. Its step is `one` where none is said.
* An event is what the provider told of a mail of that campaign and step.
* The person has been known for a year, unless `known_at` says otherwise.
"""
SHOP = """\
The shop of the cases sells six things:

| product | kind | category | tags | units |
| --- | --- | --- | --- | --- |
| `guide` | tripwire | | start | `c1`, `c2`, `c3` |
| `course` | core | learn | | `l1`, `l2`, `l3`, `l4` |
| `mug` | physical | goods | gift | |
| `towel` | physical | goods | gift | |
| `club` | subscription | club | | |
| `patron` | subscription | club | | |
"""


def pages() -> dict[str, str]:
    each = {f"conditions/{key}.md": _condition(key) for key in CONDITIONS}
    return {"conditions.md": _overview(), **each, f"conditions/{GROUPS}.md": _groups()}


def _overview() -> str:
    asks = ([f"[`{key}`](conditions/{key}.md)", kind.summary] for key, kind in CONDITIONS.items())
    group = [f"[`all`, `any`, `not`](conditions/{GROUPS}.md)", "joins rules, or turns one round"]
    later = ([f"`{key}`", hint] for key, hint in LATER.items())
    return page(
        "Rules and conditions",
        *(INTRO, code(EXAMPLE), table(("condition", "holds for whoever"), [*asks, group])),
        *(TIME, table(COLUMNS, field_rows(TimeWords)), TIME_MORE),
        *(COUNTS, table(COLUMNS, field_rows(CountWords))),
        *(PRODUCTS, table(COLUMNS, field_rows(ProductWords)), PEOPLE),
        *(LATER_INTRO, table(("condition", "meanwhile"), later)),
        *(READING, SHOP),
    )


def _condition(key: str) -> str:
    kind = CONDITIONS[key]
    words = [BARE[key]] if key in BARE else [table(COLUMNS, field_rows(kind, _words(kind)))]
    notes = [NOTES[key]] if key in NOTES else []
    return page(f"`{key}`", getdoc(kind) or kind.summary, "## Words", *words, *notes, *_cases(key), BACK)


def _groups() -> str:
    return page("`all`, `any` and `not`", GROUPS_INTRO, *_cases(GROUPS), BACK)


BACK = "[All conditions](../conditions.md)"


def _words(kind: type[Condition]) -> list[str]:
    """What it is about, its own words, how much, when."""
    return sorted(fields(kind), key=lambda word: ORDER.index(_home(kind, word)))


def _home(kind: type[Condition], word: str) -> type:
    shared = (home for home in ORDER if home is not Condition and issubclass(kind, home))
    return next((home for home in shared if word in fields(home)), Condition)


def _cases(name: str) -> Iterator[str]:
    yield "## Cases\n\n[How to read them](../conditions.md#how-to-read-the-cases)"
    if given := assumed(name):
        yield code(given)
    yield from map(str, examples(name))
