"""The plan: what is decided at one instant, worked out on temporary tables only.

`run` merges it into the store, `preview` reads it and lets it go; both call this very function.
"""

from datetime import datetime

from sqlalchemy import Connection, true

from engine.audience.look import look, look_at_one
from engine.campaigns.model import BACK_END
from engine.planning import runs as due
from engine.planning.arbitration import arbitrate
from engine.planning.book import Book
from engine.planning.desk import Desk, set_desk
from engine.planning.early import EarlyGoals, end_early
from engine.planning.enroll import enroll
from engine.planning.expiry import give_up
from engine.planning.inside import begin_inside, close_with_it, end_at_close
from engine.planning.local_days import entries_fall_due, next_steps_fall_due
from engine.planning.occasions import begin_on_occasions
from engine.planning.policies import CONTESTS, POLICIES
from engine.planning.prepared import prepared
from engine.planning.reasons import Reason, Verdict
from engine.planning.removed import take_in_removed
from engine.planning.state import State
from engine.planning.timing import keep_to_hours
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
    ready = prepared(book, desk, state, connection.dialect.name)
    if look_for_entries and only is not None:
        look_at_one(connection, ready.questions, now, only)
    elif look_for_entries:
        look(connection, ready.questions, book.digests, now, (state.looks, state.changes))
    if look_for_entries:
        enroll(connection, desk, state, now)
        begin_inside(connection, desk, state, now)
        begin_on_occasions(connection, book, desk, state, scope, only)
        entries_fall_due(connection, book, desk)
    due.gather(connection, book, desk, state, now)
    end_vanished(connection, book.files.ids, desk, state, now)
    state.lock(connection, desk.runs)
    due.forget_taken(connection, desk, state)
    ready.at(now)
    _end_and_skip(connection, book, desk, ready.goals, scope)
    for policy in POLICIES:
        caught = policy.catches(desk, book, scope)
        bound = [] if policy.owed_too else [~due.owed(desk)]
        bound += [due.of_track(desk, BACK_END)] if policy.back_end_only else []
        due.decide(connection, desk.runs, policy.verdict, policy.reason, caught, *bound)
    for contest in CONTESTS:
        contest.hold(connection, desk, state, scope)
    arbitrate(connection, desk, state, book, scope)
    give_up(connection, desk, now)
    close_with_it(connection, desk)
    due.decide(connection, desk.runs, Verdict.SKIP, Reason.HELD_OUT, desk.runs.c.held_out)
    due.decide(connection, desk.runs, Verdict.SEND, Reason.REVIEW, due.may_have_left_before(desk))
    due.decide(connection, desk.runs, Verdict.SEND, Reason.DUE, true())
    next_steps_fall_due(connection, book, desk, now)
    return desk


def _end_and_skip(connection: Connection, book: Book, desk: Desk, goals: EarlyGoals, scope: Scope) -> None:
    take_in_removed(connection, book, desk)
    due.pass_over_removed(connection, desk)
    at_hand = due.campaigns_of(connection, desk)
    for campaign in book.campaigns:
        if campaign.id in at_hand:
            due.end_at_goal(connection, desk, campaign, scope)
            end_at_close(connection, desk, campaign, scope.now)
            due.end_unless_while(connection, desk, campaign, scope)
    keep_to_hours(connection, book, desk, scope.now)
    for campaign in book.campaigns:
        if campaign.id in at_hand:
            due.skip_unless_when(connection, desk, campaign, scope)
    end_early(connection, goals)
