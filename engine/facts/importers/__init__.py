"""The kinds of files that can be imported: one file each, one line each."""

from typing import Any

from engine.facts.importers.consent import CONSENT
from engine.facts.importers.consumption import CONSUMPTION
from engine.facts.importers.customers import CUSTOMERS
from engine.facts.importers.importer import Importer
from engine.facts.importers.orders import ORDERS
from engine.facts.importers.subscriptions import SUBSCRIPTIONS
from engine.registry import Menu

IMPORTERS: Menu[Importer[Any]] = Menu(
    "kind of file", {each.kind: each for each in (CUSTOMERS, CONSENT, ORDERS, SUBSCRIPTIONS, CONSUMPTION)}
)
