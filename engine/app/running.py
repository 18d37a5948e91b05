"""run --once: see to what earlier runs left, plan this instant, write it down, and deliver what is due."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import sleep
from uuid import uuid4

from engine.app.project import Project
from engine.delivery.deliver import Delivered, clear_up, deliver
from engine.delivery.leases import wait_for_others
from engine.delivery.transports.base import Transport
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.readout import Count, decided
from engine.planning.state import be_the_planner, kept
from engine.planning.versions import record_versions


@dataclass(frozen=True)
class Ran:
    """What one run did."""

    at: datetime
    decided: list[Count]
    planned: int
    delivered: Delivered

    def then(self, later: "Ran") -> "Ran":
        """Both together. What was held before is not counted again."""
        sent = [count for count in later.decided if count.verdict == "send"]
        planned, delivered = self.planned + later.planned, self.delivered.then(later.delivered)
        return Ran(self.at, [*self.decided, *sent], planned, delivered)


def plan_now(project: Project, now: datetime, owner: str) -> tuple[list[Count], int]:
    """Decide about everything due, and keep the decisions. Returns the counts and the new mails."""
    with project.store.writing() as connection:
        be_the_planner(connection, owner)
        state = kept()
        desk = make_plan(connection, project.book, state, now)
        counts = [project.files.names.shown(count) for count in decided(connection, desk)]
        record_versions(connection, project.book, now)
        return counts, merge(connection, project.book, desk, state, now)


def run_once(
    project: Project, now: datetime, progress: Callable[[str], None], *, wait: Callable[[float], None] = sleep
) -> Ran:
    """One tick: plan and deliver.

    Mails that an earlier run left half done are looked up first, and those that have not left are
    decided anew. Where one may still be with a live process, it is waited for, and then seen to.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    transport = project.transport()
    try:
        ran = _tick(project, now, owner, transport, progress)
        if wait_for_others(project.store, wait, progress):
            ran = ran.then(_tick(project, now, owner, transport, progress))
        return ran
    finally:
        transport.close()


def _tick(
    project: Project, now: datetime, owner: str, transport: Transport, progress: Callable[[str], None]
) -> Ran:
    found = clear_up(project.store, transport, now, progress)
    counts, planned = plan_now(project, now, owner)
    delivered = deliver(
        project.store,
        project.studio,
        transport,
        project.settings,
        now,
        owner=owner,
        progress=progress,
        versions={campaign.id: campaign.version for campaign in project.book.campaigns},
    )
    return Ran(now, counts, planned, Delivered(found=found).then(delivered))
