"""What the jobs of one daemon share: the project as it is now, who they are, and whether to stop."""

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress

from engine.app.project import Project
from engine.app.running import own_name
from engine.errors import AftersaleError

LOOKS_UP = 0.5  # seconds after which who rests looks whether to stop


class Stopped(Exception):
    """A rest was ended because the daemon ends; the next one goes on with what was begun."""


class Stopping:
    """Whether to stop. A signal may say so at any moment, so no lock is taken, and a pipe wakes who waits.

    `mouth` is the end to write to, which never blocks; whatever is written there makes who waits look again.
    """

    def __init__(self) -> None:
        self._said = False
        self._ear, self.mouth = os.pipe()
        os.set_blocking(self.mouth, False)

    def say(self) -> None:
        self._said = True
        with suppress(BlockingIOError):  # full: whoever waits is awake
            os.write(self.mouth, b".")

    def said(self) -> bool:
        return self._said

    def wait(self, at_most: float | None = None) -> bool:
        """Until it was said, or so many seconds; whether it was."""
        while not self._said:
            heard, _, _ = select.select([self._ear], [], [], at_most)
            if not heard:
                break
            os.read(self._ear, 4096)
        return self._said

    def rest(self, seconds: float) -> None:
        """So long, in a thread of its own. Raises Stopped where it was said before or meanwhile."""
        end = time.monotonic() + seconds
        while not self._said and (left := end - time.monotonic()) > 0:
            time.sleep(min(LOOKS_UP, left))
        if self._said:
            raise Stopped


class Post:
    """`project` is exchanged for a new one when files change; a job takes it once, and works with that."""

    def __init__(self, project: Project) -> None:
        self.project = project
        _ = project.book  # read now, whole: what changes later is judged before it is taken
        self.owner = own_name()
        self.stopping = Stopping()
        self.trouble: AftersaleError | None = None
        self.wake: Callable[[str], None] = lambda _: None  # start a job now, rather than at its time

    def end(self, trouble: AftersaleError) -> None:
        """Stop, because going on would do harm."""
        self.trouble = trouble
        self.stopping.say()
