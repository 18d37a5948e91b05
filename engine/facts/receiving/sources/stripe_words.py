"""What all things of Stripe have in common: money, who it is of, and which product."""

from collections.abc import Mapping
from typing import Any

from engine.facts.receiving.parts import filled, first, major, needed, part, text
from engine.facts.receiving.saying import Fields

NAME = "stripe"
UNNAMED = "stripe"  # the product of a payment that names none
BEFORE = "previous_attributes"  # of an event, kept beside its thing
WHOLE = (
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
)  # told without minor units
THOUSANDTHS = ("BHD", "JOD", "KWD", "OMR", "TND")
Thing = Mapping[str, Any]


def in_major(minor: Any, currency: str) -> str:
    """Stripe tells all but a few currencies in hundredths, also those that have no hundredths any more."""
    code = currency.upper()
    return major(minor, currency, 0 if code in WHOLE else 3 if code in THOUSANDTHS else 2)


def who_is(thing: Thing, *addresses: str) -> Fields:
    """The first of the addresses, and Stripe's own number of a customer."""
    customer = thing.get("customer")
    ref = text(customer) or first(part(customer), "id")
    email = next(filter(None, addresses), "")
    return filled({"email": email, "anonymous_id": f"{NAME}:{ref}" if ref else ""})


def sku_of(thing: Thing) -> str:
    """What the shop itself wrote beside it."""
    return first(part(thing, "metadata"), "sku", "product")


def of_price(price: Thing) -> str:
    """The product of a price, by what the shop called it, else by Stripe's number."""
    product = price.get("product")
    named = sku_of(price) or sku_of(part(product)) or first(price, "lookup_key")
    return named or text(product) or first(part(product), "id")


def payment_ref(thing: Thing) -> str:
    """The number of the payment that it is of, or is."""
    return first(thing, "payment_intent", "charge") or needed(thing, "id")
