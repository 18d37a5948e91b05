"""Steps that a campaign's file once had, and that somebody still stands at.

The run goes on with the step that came after it, as the version tells that held it last. The
removed step itself is passed over when it falls due, so that the waits stay as they were meant.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, exists, select

from engine.campaigns.model import Campaign, Step
from engine.clock import span
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.versions import steps_of_versions


def take_in_removed(connection: Connection, book: Book, desk: Desk) -> None:
    """Put the removed steps at which something is due beside those of the files."""
    runs, step = desk.runs, desk.steps
    known = exists().where(step.c.campaign_id == runs.c.campaign_id, step.c.step_id == runs.c.step_id)
    of_book = runs.c.campaign_id.in_(select(desk.campaigns.c.campaign_id))
    lost = select(runs.c.campaign_id, runs.c.step_id).where(of_book, ~known).distinct()
    rows = [
        _row(campaign_id, step_id, _following(connection, book.files.campaign(campaign_id), step_id))
        for campaign_id, step_id in connection.execute(lost).all()
    ]
    if rows:
        connection.execute(step.insert(), rows)


def _row(campaign_id: str, step_id: str, following: Step | None) -> Mapping[str, Any]:
    return {
        "campaign_id": campaign_id,
        "step_id": step_id,
        "next_step": following.id if following else None,
        "next_after": span(following.after) if following else None,
        "next_days": following.local_days if following else None,
        "schedule": "",
        "asks_country": False,
        "hold_at_most": None,
        "hold_exits": False,
        "removed": True,
    }


def _following(connection: Connection, campaign: Campaign | None, step_id: str) -> Step | None:
    """The first step after it that the file still has."""
    if campaign is None:
        return None
    left = {step.id: step for step in campaign.steps}
    for ids in steps_of_versions(connection, campaign.id):
        if step_id in ids:
            after = ids[ids.index(step_id) + 1 :]
            return next((left[each] for each in after if each in left), None)
    return None
