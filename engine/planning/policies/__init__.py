"""The menu of policies, in the order they are asked: one file and one line each.

The first are SQL over the runs that are still undecided; whom one catches gets its verdict and reason.
The contests and limits are about what else the same customer gets. What a skipped customer misses is
gone; what is held is asked again at the next tick, until it is given up.
"""

from engine.planning.policies.base import Contest, Limit, Policy
from engine.planning.policies.claims import CLAIMS
from engine.planning.policies.consent import CONSENT
from engine.planning.policies.cool_down import COOL_DOWN
from engine.planning.policies.customers_only import CUSTOMERS_ONLY
from engine.planning.policies.frequency_cap import FREQUENCY_CAP
from engine.planning.policies.minimum_gap import MINIMUM_GAP
from engine.planning.policies.offers import OFFERS
from engine.planning.policies.one_offer import ONE_OFFER
from engine.planning.policies.paused import PAUSED
from engine.planning.policies.refused import REFUSED_LATELY
from engine.planning.policies.suppression import ADDRESS, SUPPRESSION
from engine.planning.policies.transaction import TRANSACTION

POLICIES: tuple[Policy, ...] = (
    PAUSED,
    CUSTOMERS_ONLY,
    ADDRESS,
    SUPPRESSION,
    CONSENT,
    OFFERS,
    REFUSED_LATELY,
    TRANSACTION,
    COOL_DOWN,
    CLAIMS,
)
CONTESTS: tuple[Contest, ...] = (ONE_OFFER,)
LIMITS: tuple[Limit, ...] = (
    MINIMUM_GAP,
    FREQUENCY_CAP,
)
