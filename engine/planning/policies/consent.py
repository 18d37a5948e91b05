"""The last word on the campaign's topic must be a yes; opt-out wins in the same instant."""

from sqlalchemy import ColumnElement, and_, exists, or_, select

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope
from engine.store.tables import consents


def no_consent(desk: Desk, book: Book, scope: Scope) -> ColumnElement[bool]:
    """Nothing on record is a no, unless the settings write out `consent.default: soft_opt_in`."""
    topic = (
        select(desk.campaigns.c.topic)
        .where(desk.campaigns.c.campaign_id == desk.runs.c.campaign_id)
        .correlate(desk.runs)
        .scalar_subquery()
    )
    asked = and_(
        consents.c.customer_id == desk.runs.c.customer_id,
        consents.c.topic == topic,
        consents.c.at <= scope.now,
    )
    later = consents.alias("later")
    overruled = exists().where(
        later.c.customer_id == consents.c.customer_id,
        later.c.topic == consents.c.topic,
        later.c.at <= scope.now,
        or_(later.c.at > consents.c.at, and_(later.c.at == consents.c.at, ~later.c.granted)),
    )
    granted = exists().where(asked, consents.c.granted, ~overruled)
    if book.settings.consent.default == "soft_opt_in":
        return and_(~granted, exists().where(asked))
    return ~granted


CONSENT = Policy(Reason.NO_CONSENT, Verdict.SKIP, no_consent)
