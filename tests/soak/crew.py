"""The processes at work: killed, frozen and thawed, and begun again."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.worker import GAVE_UP, STOPPED, work

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.soak.worker", "engine.web.server"])
ENDS = 60.0  # seconds that one may take to end when it is told to


@dataclass
class Member:
    """One place in the crew, and the process that fills it now."""

    name: str
    shop: Path
    environment: dict[str, str]
    once: bool = False
    process: Any = None
    thaws_at: float | None = None

    @property
    def log(self) -> Path:
        return self.shop / f"{self.name}.log"

    def start(self) -> None:
        words = (self.shop, self.environment, self.log, self.once)
        self.process = _PROCESSES.Process(target=work, args=words)
        self.process.start()
        self.thaws_at = None

    def alive(self) -> bool:
        return self.process is not None and self.process.is_alive()

    def signal(self, number: int) -> None:
        if self.alive():
            os.kill(self.process.pid, number)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)
        self.thaws_at = None


@dataclass
class Crew:
    """All of them. `did` counts what befell them; `wrong` are ends that nobody asked for."""

    members: list[Member]
    chance: random.Random
    freeze: float
    did: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def keep_up(self) -> None:
        """Thaw who was frozen long enough, and begin anew who has ended."""
        for one in self.members:
            if one.thaws_at is not None and time.monotonic() > one.thaws_at:
                one.thaw()
            if not one.alive() and (not one.once or self.chance.random() < 0.1):
                self._note_the_end(one)
                one.start()
                self.did["started"] += 1

    def kill_one(self) -> None:
        self._one().signal(signal.SIGKILL)
        self.did["killed"] += 1

    def freeze_one(self) -> None:
        one = self._one()
        one.signal(signal.SIGSTOP)
        one.thaws_at = time.monotonic() + self.freeze * self.chance.random() ** 3  # mostly short
        self.did["frozen"] += 1

    def thaw_all(self) -> None:
        for one in self.members:
            one.thaw()

    def stop_all(self) -> None:
        """As an operator does; each must end by itself."""
        self.thaw_all()
        for one in self.members:
            if not one.once:
                one.signal(signal.SIGTERM)
        for one in self.members:
            if one.process is not None:
                one.process.join(ENDS)
                if one.alive():
                    self.wrong.append(f"{one.name} did not end")
            self._note_the_end(one)

    def kill_all(self) -> None:
        for one in self.members:
            if one.process is not None:
                one.process.kill()
                one.process.join()

    def _one(self) -> Member:
        return self.chance.choice(self.members)

    def _note_the_end(self, one: Member) -> None:
        code = None if one.process is None else one.process.exitcode
        if code not in (None, STOPPED, GAVE_UP, -signal.SIGKILL):
            self.wrong.append(f"{one.name} ended with {code}: see {one.log}")


def wait_until(
    true: Callable[[], bool], seconds: float, meanwhile: Callable[[], None], often: float = 0.2
) -> bool:
    """Whether it became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        meanwhile()
        if true():
            return True
        time.sleep(often)
    return False
