"""run --once: see to what earlier runs left, plan this instant, write it down, and deliver what is due."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import sleep
from uuid import uuid4

from sqlalchemy import Connection

from engine.app.hearing import take_up
from engine.app.project import Project
from engine.delivery.deliver import Delivered, Way, clear_up, deliver
from engine.delivery.leases import wait_for_others
from engine.delivery.transports.base import Transport
from engine.delivery.transports.one_by_one import together
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


Turn = Callable[[Connection], None]  # makes the transaction the only one that plans, or raises


def own_name() -> str:
    """What this run of this process is called, and nothing else: host, process, and some chance."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid4().hex[:8]}"


def plan_now(project: Project, now: datetime, turn: Turn) -> tuple[list[Count], int]:
    """Decide about everything due, and keep the decisions. Returns the counts and the new mails."""
    with project.store.writing() as connection:
        turn(connection)
        state = kept()
        desk = make_plan(connection, project.book, state, now)
        counts = [project.files.names.shown(count) for count in decided(connection, desk)]
        record_versions(connection, project.book, now)
        planned = merge(connection, project.book, desk, state, now)
        turn(connection)  # a plan that took long has not used up its own lease
    return counts, planned


def run_once(
    project: Project, now: datetime, progress: Callable[[str], None], *, wait: Callable[[float], None] = sleep
) -> Ran:
    """One tick: plan and deliver.

    Mails that an earlier run left half done are looked up first, and those that have not left are
    decided anew. Where one may still be with a live process, it is waited for, and then seen to. What
    providers told is taken up before all of it.
    """
    project.guard.check()
    heard = take_up(project, now)
    if heard.drained.torn:
        progress(str(heard.drained))
    if heard.made:
        progress(str(heard.made))
    if heard.received:
        progress(str(heard.received))
    for fuse in heard.paused:
        progress(f"paused: {fuse}")
    transport = project.transport()
    try:
        way = way_out(project, transport, own_name(), progress)
        ran = _tick(project, now, way, wait)
        if wait_for_others(project.store, wait, progress):
            ran = ran.then(_tick(project, now, way, wait))
        return ran
    finally:
        transport.close()


def way_out(project: Project, transport: Transport, owner: str, progress: Callable[[str], None]) -> Way:
    """How the mails of this project go out. Raises SettingsError where they could not, as it is set up."""
    together(transport).ready()
    return Way(
        project.store,
        project.studio,
        transport,
        project.settings,
        owner,
        progress,
        versions={campaign.id: campaign.version for campaign in project.book.campaigns},
        guard=project.guard,
        clock=project.clock.now,
        wishes=project.wishes,
    )


def _tick(project: Project, now: datetime, way: Way, wait: Callable[[float], None]) -> Ran:
    found = clear_up(project.store, way.transport, now, way.progress)
    counts, planned = plan_now(project, now, partial(be_the_planner, owner=way.owner))
    delivered = deliver(way, now, wait_for_rate=wait)
    return Ran(now, counts, planned, Delivered(found=found).then(delivered))
