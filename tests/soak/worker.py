"""What runs in each process of the soak: `aftersale run`, or `aftersale run --once`."""

import os
import sys
from datetime import timedelta
from pathlib import Path

from engine.app.project import Project
from engine.app.running import run_once
from engine.daemon.serve import serve
from engine.delivery.transports.sendgrid import transport
from engine.errors import AftersaleError
from tests.daemon.process import FileClock

STOPPED, GAVE_UP = 0, 2  # any other exit code is a mistake of ours


def work(shop: Path, environment: dict[str, str], log: Path, once: bool) -> None:
    """A whole life. Rests are short, for a soak has minutes where a shop has days."""
    for name in [name for name in os.environ if name.startswith("AFTERSALE_")]:
        del os.environ[name]
    os.environ.update(environment)
    transport.FIRST_REST, transport.LONGEST_REST = timedelta(milliseconds=200), timedelta(seconds=2)
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    try:
        sys.exit(_lived(Project(shop, FileClock(shop / ".clock")), once))
    except AftersaleError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(GAVE_UP)


def _lived(project: Project, once: bool) -> int:
    try:
        if not once:
            return serve(project)
        run_once(project, project.clock.now(), progress=print)
        return STOPPED
    finally:
        project.close()
