"""What a template may speak of: one customer, the shop, the catalogue, and proven claims.

Everything about a customer is text that somebody else wrote. It is one line each, is never read
as a template, and is escaped where it stands in HTML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any
from urllib.parse import quote

from engine.campaigns.model import Campaign
from engine.facts.catalogue import Catalogue, Product
from engine.links import Purpose
from engine.rendering.addresses import Untouched
from engine.rendering.eml import ascii_domain
from engine.rendering.environment import CLAIM
from engine.rendering.evidence import ConsumedFacts, NotConsumedFacts, OwnedFacts, Proof
from engine.rendering.mail import MailOrder
from engine.rendering.targets import WAYS_OUT, Shopfront
from engine.rendering.unproven import unproven
from engine.settings.model import Settings


@dataclass(frozen=True)
class CustomerCard:
    """A customer as templates see one: text only, empty where nothing is known."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    country: str = ""
    locale: str = ""
    timezone: str = ""
    _attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def attribute(self, name: str, *, default: str) -> str:
        """The value of an attribute in force, else the default."""
        return self._attributes.get(name, default)


@dataclass(frozen=True)
class ShopCard:
    name: str
    url: str
    currency: str
    postal_address: str
    locale: str


@dataclass(frozen=True)
class SenderCard:
    name: str
    email: str


@dataclass(frozen=True)
class Named:
    """A campaign or a step."""

    id: str


PRODUCT_WORDS = ("sku", "name", "price", "url", "image", "units", "kind", "category", "tags")


def _words(card: type[Any], *more: str) -> frozenset[str]:
    return frozenset(f.name for f in fields(card) if not f.name.startswith("_")) | set(more)


PLAIN = (CustomerCard, ShopCard, SenderCard, Named, OwnedFacts, ConsumedFacts, NotConsumedFacts)

# What may follow the dot after each name, and after the call of each function.
ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "customer": _words(CustomerCard, "full_name", "attribute"),
    "shop": _words(ShopCard),
    "sender": _words(SenderCard),
    "campaign": _words(Named),
    "step": _words(Named),
}
RESULTS: Mapping[str, frozenset[str]] = {
    "product": frozenset(PRODUCT_WORDS),
    "owned": _words(OwnedFacts, "renews_at"),
    "consumed": _words(ConsumedFacts, "share", "last_unit", "unit"),
    "not_consumed": _words(NotConsumedFacts),
}
THEIR_LINK = "[aftersale_unsubscribe]"  # as the provider is told to look for it
NAMES = frozenset((*ATTRIBUTES, *RESULTS, "offers", *WAYS_OUT, "now", "locale", "preheader"))


class Surroundings:
    """What is the same in every mail of a shop."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.shopfront = Shopfront.of(settings)
        shop, sender = settings.shop, settings.sender
        way_out = quote(ascii_domain(sender.unsubscribe), safe="@!$'*+=~")
        self._unsubscribe = f"mailto:{way_out}?subject={quote('unsubscribe ')}"
        self._same: dict[str, Any] = {
            "shop": ShopCard(shop.name, shop.url, shop.currency, shop.postal_address, shop.locale),
            "sender": SenderCard(sender.name, sender.email),
            "product": self._product,
        }

    def same(self, locale: str) -> Mapping[str, Any]:
        """What every mail in that language can name, whoever gets it."""
        return {**self._same, "locale": locale}

    def _product(self, sku: str) -> Product:
        return self.catalogue.choose(sku)

    def their_link(self, campaign: Campaign) -> str:
        """What the provider puts its own link in the place of; empty where the mail has ours."""
        theirs = self.settings.unsubscribe != "ours" and not campaign.transactional
        return THEIR_LINK if theirs else ""

    def unsubscribe_url(self, message_id: str) -> str:
        """To the page where its reader chooses what to get; where there is no web server, by mail."""
        links = self.settings.links
        return links.to(Purpose.UNSUBSCRIBE, message_id) if links else self.unsubscribe_mailto(message_id)

    def view_in_browser_url(self, message_id: str) -> str:
        """To the mail as a page; empty where there is no web server."""
        links = self.settings.links
        return links.to(Purpose.VIEW, message_id) if links else ""

    def unsubscribe_mailto(self, message_id: str) -> str:
        """In ASCII, since it stands in a header, where mail programs read no encoded words."""
        return f"{self._unsubscribe}{message_id}"

    def context(
        self, campaign: Campaign, order: MailOrder, customer: CustomerCard, claims: "ClaimBook"
    ) -> dict[str, Any]:
        """Everything that one mail's templates can name."""
        return {
            **self._same,
            CLAIM: claims.claim,
            "customer": customer,
            "campaign": Named(campaign.id),
            "step": Named(order.key.step_id),
            "offers": tuple(map(self._product, campaign.offers)),
            "unsubscribe_url": Untouched(
                self.their_link(campaign) or self.unsubscribe_url(order.key.message_id)
            ),
            "view_in_browser_url": Untouched(self.view_in_browser_url(order.key.message_id)),
            "now": order.planned_at.astimezone(self.zone),
        }

    @cached_property
    def zone(self) -> Any:
        return self.settings.zone


class ClaimBook:
    """The claims of one mail that are proven, and those of them that it made."""

    def __init__(self, proofs: Mapping[str, Proof]) -> None:
        self._proofs = proofs
        self.made: dict[str, Proof] = {}

    def claim(self, said: str) -> Any:
        """What a claim comes to by the time a template runs: see `spell_out` in `claims`."""
        proof = self._proofs.get(said)
        if proof is None:
            return unproven(said)
        self.made[said] = proof
        return proof.facts

    def evidence(self) -> tuple[dict[str, Any], ...]:
        """The facts behind each claim that was made, for keeping."""
        return tuple(self.made[said].record for said in sorted(self.made))
