"""Nothing goes while a person has paused the campaign, or all of them."""

from sqlalchemy import ColumnElement

from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.pauses import paused
from engine.planning.policies.base import Policy
from engine.planning.reasons import Reason, Verdict
from engine.rules.model import Scope


def catches(desk: Desk, _: Book, __: Scope) -> ColumnElement[bool]:
    return paused(desk.runs.c.campaign_id)


PAUSED = Policy(Reason.PAUSED, Verdict.HOLD, catches, owed_too=True)
