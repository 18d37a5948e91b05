"""The kinds of files that can be imported: one file each, one line each."""

from typing import Any

from engine.facts.importers.consent import CONSENT
from engine.facts.importers.consumption import CONSUMPTION
from engine.facts.importers.customers import CUSTOMERS
from engine.facts.importers.funnel import FUNNEL
from engine.facts.importers.importer import Importer
from engine.facts.importers.orders import ORDERS
from engine.facts.importers.products import PRODUCTS
from engine.facts.importers.rates import RATES
from engine.facts.importers.refunds import REFUNDS
from engine.facts.importers.spend import SPEND
from engine.facts.importers.subscriptions import SUBSCRIPTIONS
from engine.registry import Menu

_IN_TURN = (
    *(RATES, PRODUCTS, CUSTOMERS, CONSENT, ORDERS, REFUNDS, SUBSCRIPTIONS, CONSUMPTION),
    *(FUNNEL, SPEND),
)
IMPORTERS: Menu[Importer[Any]] = Menu(  # in the order in which files land, since an order needs its rates
    "kind of file", {each.kind: each for each in _IN_TURN}
)
