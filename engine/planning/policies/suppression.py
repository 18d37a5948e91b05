"""No mail without an address, and none to an address that is suppressed, whoever's it is."""

from sqlalchemy import ColumnElement, exists, or_

from engine.facts.suppression import UNSUBSCRIBED
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.planning.runs import owed
from engine.rules.model import Scope
from engine.store.dialect import address_hash
from engine.store.tables import customers, suppressions


def no_address(desk: Desk, _: Book, __: Scope) -> ColumnElement[bool]:
    known = exists().where(customers.c.customer_id == desk.runs.c.customer_id, customers.c.email.is_not(None))
    return ~known


def suppressed(desk: Desk, _: Book, scope: Scope) -> ColumnElement[bool]:
    """Who wants no more marketing is still told what is owed; a bounce or a complaint ends that, too."""
    return exists().where(
        customers.c.customer_id == desk.runs.c.customer_id,
        suppressions.c.address_hash == address_hash(customers.c.email),
        suppressions.c.at <= scope.now,
        or_(suppressions.c.reason != UNSUBSCRIBED, ~owed(desk)),
    )


ADDRESS = Policy(Reason.NO_ADDRESS, Verdict.SKIP, no_address, owed_too=True)
SUPPRESSION = Policy(Reason.SUPPRESSED, Verdict.SKIP, suppressed, owed_too=True)
