"""Who tells facts: one file and one line each."""

from engine.facts.receiving.sources import (
    gumroad,
    segment,
    shopify,
    stripe,
    teachable,
    thinkific,
    woocommerce,
    xapi,
)
from engine.facts.receiving.sources.source import Hook, Source
from engine.registry import Menu

_ALL: tuple[Source, ...] = (
    segment.SOURCE,
    xapi.SOURCE,
    stripe.SOURCE,
    shopify.SOURCE,
    woocommerce.SOURCE,
    gumroad.SOURCE,
    thinkific.SOURCE,
    teachable.SOURCE,
)
SOURCES: Menu[Source] = Menu("source", {each.name: each for each in _ALL})
HOOKS: Menu[Hook] = Menu("source", {name: each for name, each in SOURCES.items() if isinstance(each, Hook)})
