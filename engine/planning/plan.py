"""The plan: what is decided at one instant, worked out on temporary tables only.

`run` merges it into the store, `preview` reads it and lets it go; both call this very function.
"""

from datetime import datetime

from sqlalchemy import Connection, true

from engine.audience.look import look, look_at_one
from engine.planning import runs as due
from engine.planning.arbitration import arbitrate
from engine.planning.book import Book
from engine.planning.desk import Desk, set_desk
from engine.planning.enroll import enroll
from engine.planning.policies import POLICIES
from engine.planning.reasons import Reason, Verdict
from engine.planning.state import State
from engine.planning.vanished import end_vanished
from engine.rules.model import Scope


def make_plan(
    connection: Connection,
    book: Book,
    state: State,
    now: datetime,
    *,
    only: int | None = None,
    look_for_entries: bool = True,
) -> Desk:
    """Decide about every step that is due at `now`; perhaps for one customer only.

    Without `look_for_entries` the audiences are not judged, and nobody begins a run: a forecast
    does so between its days.
    """
    desk = set_desk(connection, book)
    scope = book.scope(now, connection.dialect.name, state.messages)
    if look_for_entries:
        _look(connection, book, state, scope, only)
        enroll(connection, desk, state, now)
    due.gather(connection, desk, state, now)
    end_vanished(connection, book.files.ids, desk, state, now)
    state.lock(connection, desk.runs)
    _end_and_skip(connection, book, desk, state, scope)
    for policy in POLICIES:
        due.decide(connection, desk.runs, policy.verdict, policy.reason, policy.catches(desk, book, scope))
    arbitrate(connection, desk, state, book, scope)
    due.decide(connection, desk.runs, Verdict.SKIP, Reason.HELD_OUT, desk.runs.c.held_out)
    due.decide(connection, desk.runs, Verdict.SEND, Reason.DUE, true())
    return desk


def _look(connection: Connection, book: Book, state: State, scope: Scope, only: int | None) -> None:
    if only is not None:
        look_at_one(connection, book.campaigns, scope, only)
        return
    look(connection, book.campaigns, book.digests, scope, state)


def _end_and_skip(connection: Connection, book: Book, desk: Desk, state: State, scope: Scope) -> None:
    due.end_removed(connection, desk)
    for campaign in book.campaigns:
        due.end_at_goal(connection, desk, state, campaign, scope)
        due.end_unless_while(connection, desk, campaign, scope)
        due.skip_unless_when(connection, desk, campaign, scope)
