"""A mail waits while something it says of the customer is not proven by a fact."""

from sqlalchemy import ColumnElement, and_, false, not_, or_

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.planning.runs import holds
from engine.rules.model import All, Scope


def unproven(desk: Desk, book: Book, scope: Scope) -> ColumnElement[bool]:
    runs = desk.runs
    return or_(
        false(),
        *(
            and_(
                runs.c.campaign_id == campaign_id,
                runs.c.step_id == step_id,
                not_(holds(All(tuple(claims)), scope, runs)),
            )
            for (campaign_id, step_id), claims in book.claims.items()
            if claims
        ),
    )


CLAIMS = Policy(Reason.CLAIM_UNPROVEN, Verdict.HOLD, unproven, owed_too=True)
