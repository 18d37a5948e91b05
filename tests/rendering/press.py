"""A small shop whose copy tests make up: templates as text, customers as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import css_inline
from sqlalchemy import update

from engine.campaigns.load import read_campaign
from engine.campaigns.model import Files
from engine.documents import parse_document
from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.planning.keys import MailKey
from engine.rendering.environment import MailEnvironment
from engine.rendering.mail import Mail, MailOrder, Unwritable
from engine.rendering.preparing import Preparation, Ready
from engine.rendering.rendered import render
from engine.rendering.sources import Library
from engine.rendering.studio import Studio
from engine.rules.conditions.bought import Bought
from engine.rules.model import Not
from engine.settings.model import Settings
from engine.settings.shop import Sender, Shop
from engine.store import tables
from engine.store.connect import Store
from tests import world
from tests.world import Person, write

CATALOGUE = Catalogue(
    product.model_copy(update={"price": Decimal(15)}) for product in world.CATALOGUE.values()
)
SETTINGS = Settings(
    shop=Shop(
        name="Slow Loaf", timezone="Europe/Berlin", url="https://loaf.example", postal_address="1 Lane"
    ),
    sender=Sender(name="Ida", email="ida@loaf.example", unsubscribe="stop@loaf.example"),
)


def write_templates(folder: Path, templates: Mapping[str, str]) -> Path:
    for name, text in templates.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def campaign_text(subject: str = "Hello", template: str = "a.html", name: str = "c") -> str:
    return (
        f"campaign: {name}\n"
        "audience: {bought: {product: guide}}\n"
        "offers: [course]\n"
        "steps:\n"
        "  - id: one\n"
        "    after: 0\n"
        "    email:\n"
        f"      subject: {subject!r}\n"
        f"      template: {template}\n"
    )


class Trusted(Not):
    """A rule that proves whatever is said: for tests of a mail, rather than of who gets it."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = Not.__hash__


def studio(
    folder: Path, templates: Mapping[str, str], *campaigns: str, settings: Settings = SETTINGS
) -> Studio:
    """A studio over those templates and campaigns; without campaigns one with a plain subject."""
    read = [
        read_campaign(parse_document(f"campaigns/{n}.yaml", text), CATALOGUE, {}, Decimal(0), {})
        for n, text in enumerate(campaigns or [campaign_text()])
    ]
    files = [replace(campaign, while_=Trusted(Bought(product="guide"))) for campaign in read]
    return Studio(write_templates(folder, templates), Files(CATALOGUE, {}, files), settings)


def problems(folder: Path, templates: Mapping[str, str], subject: str = "Hello") -> list[Problem]:
    """What is wrong with the one campaign whose template is a.html."""
    return studio(folder, templates, campaign_text(subject)).problems().get("c", [])


@dataclass
class Shopfront:
    """A store with customers in it, and the mails a studio writes to them."""

    store: Store
    people: dict[int, Person]
    names: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        customer = tables.customers
        with self.store.writing() as connection:
            write(connection, self.people)
            for customer_id, values in self.names.items():
                row = update(customer).where(customer.c.customer_id == customer_id)
                connection.execute(row.values(**values))

    def mails(
        self, studio: Studio, now: datetime, ids: Sequence[int] | None = None
    ) -> list[Mail | Unwritable]:
        wanted = ids if ids is not None else list(self.people)
        orders = [MailOrder(MailKey(customer, "c", "one", 1), now) for customer in wanted]
        with self.store.reading() as connection:
            return studio.compose(connection, orders, now)


# ── templates on their own, without customers ───────────────────────────────────────────────────


@dataclass
class Prepared:
    """One template, as it is and made ready."""

    plain: Any
    html: Any
    text: Any
    ready: Mapping[str, Ready]

    def render(self, which: str, **context: Any) -> str:
        return render(getattr(self, which), context)

    def quick(self, which: str, **context: Any) -> str:
        """As mails are written."""
        return self.ready[which].write(context)


def prepared(
    folder: Path, templates: Mapping[str, str], name: str = "a.html", same: Mapping[str, Any] | None = None
) -> Prepared:
    """A template with whatever names it likes, untouched and with styles inlined and text derived."""
    library = Library(write_templates(folder, templates))
    html, text = (MailEnvironment(SETTINGS, html=html) for html in (True, False))
    preparation = Preparation(library, CATALOGUE, html, text, same or {})
    untouched = preparation.draft(library.read(name), ".html")
    trees = {file.source.name: file.tree for file in untouched.files}
    ready = preparation.as_html_and_text(preparation.draft(library.read(name), ".html"))
    plain = html.with_trees(trees).get_template(name)
    return Prepared(
        plain, ready[0].template, ready[1].template, dict(zip(("html", "text"), ready, strict=True))
    )


_PARSED = css_inline.CSSInliner(inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False)
_INLINED = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def parsed(html: str) -> str:
    """The document a browser would make of it, written out; nothing inlined."""
    return str(_PARSED.inline(html))


def inlined(html: str) -> str:
    """The same, with its styles inlined by css-inline."""
    return str(_INLINED.inline(html))
