"""run --once: plan this instant, write it down, and deliver what is due."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import sleep
from uuid import uuid4

from engine.app.project import Project
from engine.delivery.deliver import Delivered, deliver
from engine.delivery.transports import TRANSPORTS
from engine.planning.merge import merge, record_versions
from engine.planning.plan import make_plan
from engine.planning.readout import Count, decided
from engine.planning.state import be_the_planner, kept


@dataclass(frozen=True)
class Ran:
    """What one run did."""

    at: datetime
    decided: list[Count]
    planned: int
    delivered: Delivered


def plan_now(project: Project, now: datetime, owner: str) -> tuple[list[Count], int]:
    """Decide about everything due, and keep the decisions. Returns the counts and the new mails."""
    with project.store.writing() as connection:
        be_the_planner(connection, owner)
        state = kept()
        desk = make_plan(connection, project.book, state, now)
        counts = decided(connection, desk)
        record_versions(connection, project.book, now)
        return counts, merge(connection, desk, state, now)


def run_once(
    project: Project, now: datetime, progress: Callable[[str], None], *, wait: Callable[[float], None] = sleep
) -> Ran:
    """One tick: plan and deliver. Mails that another run left half done are settled too."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    counts, planned = plan_now(project, now, owner)
    make = TRANSPORTS.choose(project.settings.delivery.transport)
    transport = make(project.settings, project.folder)
    try:
        delivered = deliver(
            project.store,
            project.studio,
            transport,
            project.settings,
            now,
            owner=owner,
            progress=progress,
            wait_for_leases=wait,
        )
    finally:
        transport.close()
    return Ran(now, counts, planned, delivered)
