"""The menu of policies, in the order they are asked: one file and one line each.

A policy is SQL over the runs that are still undecided; whom it catches gets its verdict and reason.
What a skipped customer misses is gone; what is held is asked again at the next tick.
"""

from engine.planning.policies.base import Policy
from engine.planning.policies.claims import CLAIMS
from engine.planning.policies.consent import CONSENT
from engine.planning.policies.customers_only import CUSTOMERS_ONLY
from engine.planning.policies.offers import OFFERS
from engine.planning.policies.paused import PAUSED
from engine.planning.policies.suppression import ADDRESS, SUPPRESSION
from engine.planning.policies.transaction import TRANSACTION

POLICIES: tuple[Policy, ...] = (
    PAUSED,
    CUSTOMERS_ONLY,
    ADDRESS,
    SUPPRESSION,
    CONSENT,
    OFFERS,
    TRANSACTION,
    CLAIMS,
)
