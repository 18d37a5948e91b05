"""One soak from its beginning to its end."""

import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import select

from engine.app.controlling import resolve
from engine.app.project import Project
from engine.app.running import run_once
from engine.audience.looks import last_at
from engine.delivery.outbox import Outbox
from engine.delivery.rows import ATTEMPT, attempts, stands
from engine.delivery.states import Status
from engine.store.tables import looks, messages
from tests.conftest import NOW
from tests.daemon.process import FileClock, set_clock
from tests.soak.crew import Crew, Member, wait_until
from tests.soak.databases import Restart, database
from tests.soak.providers import PROVIDERS, Provider
from tests.soak.reckoning import Reckoning, reckon, states
from tests.soak.shop import make_shop

LEASE = timedelta(seconds=5)
SAY_EVERY = 30.0  # seconds
LULL = 10.0  # seconds
CALMS_DOWN = 60.0  # seconds in which something must come forward, once all trouble has ended
Say = Callable[[str], None]
COMMON = {
    "CONSENT__DEFAULT": "soft_opt_in",
    "DELIVERY__LEASE": f"{LEASE.seconds}s",
    "DELIVERY__BATCH": "20",
    "BREAKER__AT_LEAST": "1000000",
    "FREQUENCY": "[]",
    "RUN__EVERY": "1s",
    "RUN__LEAD": "10s",
    "RUN__LOG": "json",
    "SECRETS__SIGNING": "the same long text for the whole soak",
}


@dataclass(frozen=True)
class Chosen:
    """What was asked for."""

    seconds: float
    database: str = "sqlite"
    transport: str = "sendgrid"
    customers: int = 800
    seed: str = "1"
    freeze: float = 2 * LEASE.seconds  # the longest that a process is frozen: longer than its lease


@dataclass(frozen=True)
class Told:
    """The counts when trouble has ended, and when a person has settled what stayed unknown."""

    at_the_end: Reckoning
    settled: Reckoning
    did: Counter[str]
    wrong: list[str]

    def kept(self) -> bool:
        return self.at_the_end.kept() and self.settled.kept() and not self.wrong


def soak(chosen: Chosen, folder: Path, say: Say) -> Told:
    """Make a shop in `folder`, let trouble of every kind befall it for so many seconds, and count."""
    shop, ports = folder / "shop", [_free_port(), _free_port()]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    with ExitStack() as stack:
        url, restart = stack.enter_context(database(chosen.database, folder))
        provider = PROVIDERS[chosen.transport]
        clock = FileClock(shop / ".clock")
        other = stack.enter_context(provider(folder, addresses, clock.now, chosen.seed))
        settings = {**COMMON, **other.settings, "DATABASE": url, "DELIVERY__TRANSPORT": chosen.transport}
        environment = {f"AFTERSALE_{name}": value for name, value in settings.items()}
        stack.enter_context(_set(environment))
        make_shop(shop, chosen.customers)
        set_clock(shop, NOW)
        project = stack.enter_context(closing(Project(shop, clock)))
        crew = Crew(_members(shop, environment, ports), random.Random(chosen.seed), chosen.freeze)
        stack.callback(crew.kill_all)
        return Round(chosen, project, crew, other, restart, say).lived()


def _members(shop: Path, environment: dict[str, str], ports: list[int]) -> list[Member]:
    web = {"AFTERSALE_WEB__URL": "https://mail.soak.example"}
    daemons = [
        Member(f"daemon-{port}", shop, environment | web | {"AFTERSALE_WEB__PORT": str(port)})
        for port in ports
    ]
    return [*daemons, Member("once", shop, environment | web, once=True)]


class Round:
    """The time of trouble, the time of peace, and the reckoning."""

    def __init__(
        self,
        chosen: Chosen,
        project: Project,
        crew: Crew,
        provider: Provider,
        restart: Restart | None,
        say: Say,
    ) -> None:
        self._chosen, self._project, self._crew = chosen, project, crew
        self._provider, self._restart, self._say = provider, restart, say
        self._chance = random.Random(f"{chosen.seed}/trouble")
        self._seen: set[str] = set()
        self._did: Counter[str] = Counter()
        self._left = 0

    def lived(self) -> Told:
        self._trouble()
        self._say("trouble has ended; what is due may leave now")
        wrong = self._peace()
        at_the_end = self._reckoned()
        self._settle_by_hand()
        did = self._did + self._crew.did + self._provider.did
        wrong += self._crew.wrong
        if forged := self._provider.forged():
            wrong.append(f"{forged} forged events were let in")
        return Told(at_the_end, self._reckoned(), did, wrong)

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────

    def _trouble(self) -> None:
        """From the first mail on, each deed is done when its time has come, again and again."""
        wait_until(lambda: self._provider.records.stat().st_size > 0, CALMS_DOWN, self._crew.keep_up)
        end, told = time.monotonic() + self._chosen.seconds, time.monotonic()
        deeds = self._deeds()
        next_at = {deed: time.monotonic() + self._soon(often) for deed, often in deeds.items()}
        while time.monotonic() < end:
            self._crew.keep_up()
            for deed, often in deeds.items():
                if time.monotonic() > next_at[deed]:
                    deed()
                    next_at[deed] = time.monotonic() + self._soon(often)
            time.sleep(0.05)
            if time.monotonic() - told > SAY_EVERY:
                told = time.monotonic()
                self._say(f"{self._provider.ids().total():,} mails accepted so far")

    def _deeds(self) -> dict[Callable[[], None], float]:
        """After how many seconds each is done once more, by and large."""
        deeds: dict[Callable[[], None], float] = {
            self._kill_one: 8,
            self._crew.freeze_one: 10,
            self._time_passes: 1.5,
            partial(self._provider.trouble, self._chance): 1,
        }
        return deeds | ({self._restart_database: 15} if self._restart else {})

    def _soon(self, often: float) -> float:
        return self._chance.uniform(0, 2 * often)

    def _kill_one(self) -> None:
        """While mails are being handed over, or after a while without any."""
        records = self._provider.records
        before = records.stat().st_size
        wait_until(lambda: records.stat().st_size > before, LULL, self._crew.keep_up, often=0.005)
        time.sleep(self._chance.uniform(0, 0.05))
        self._crew.kill_one()

    def _time_passes(self) -> None:
        """Minutes or hours at once. Those that are planned by then are remembered."""
        minutes = self._chance.choice((1, 5, 30, 60, 180, 360, 720))
        set_clock(self._project.folder, self._project.clock.now() + timedelta(minutes=minutes))
        self._did["jumps of the clock"] += 1
        self._seen |= states(self._project).keys()

    def _restart_database(self) -> None:
        assert self._restart is not None
        self._restart(self._chance.random() < 0.5)
        self._did["restarts of the database"] += 1

    # ── peace ───────────────────────────────────────────────────────────────────────────────────

    def _peace(self) -> list[str]:
        """All of them work, until everything due has left and every event was taken; then they end."""
        self._provider.mend()
        self._crew.thaw_all()
        set_clock(self._project.folder, self._project.clock.now() + timedelta(hours=2))
        wrong = []
        while not wait_until(self._quiet, CALMS_DOWN, self._crew.keep_up):
            if not self._came_forward():
                wrong.append(f"mails are due, and none has left for {CALMS_DOWN:g} s")
                break
        if not wait_until(self._provider.nothing_to_tell, CALMS_DOWN, self._crew.keep_up):
            wrong.append("not every event was taken")
        self._crew.stop_all()
        self._run_once()
        return wrong

    def _came_forward(self) -> bool:
        """Whether mails have left since this was asked last."""
        before, self._left = self._left, self._provider.ids().total()
        return self._left > before

    def _quiet(self) -> bool:
        """A plan of this instant was kept, nothing is on its way, and nothing due is left."""
        now = self._project.clock.now()
        with self._project.store.reading() as connection:
            planned = last_at(connection, looks)
            sending = select(messages.c.customer_id).where(stands(Status.SENDING)).limit(1)
            busy = connection.execute(sending).first()
        outbox = Outbox(self._project.store, "nobody", LEASE, self._chosen.transport)
        return planned == now and not busy and not outbox.due(now, 1)

    def _run_once(self) -> None:
        run_once(self._project, self._project.clock.now(), progress=lambda _: None)

    # ── the reckoning ───────────────────────────────────────────────────────────────────────────

    def _reckoned(self) -> Reckoning:
        self._seen |= states(self._project).keys()
        return reckon(self._project, self._seen, self._provider.ids(), self._provider.told())

    def _settle_by_hand(self) -> None:
        """As a person does who can look at the provider: what is there has left, and the rest leaves now."""
        with self._project.store.reading() as connection:
            rows = connection.execute(select(*ATTEMPT).where(stands(Status.UNKNOWN)))
            unknown = attempts(rows)
        there, now = self._provider.ids(), self._project.clock.now()
        for accepted in (True, False):
            mails = [mail for mail in unknown if (mail.key.message_id in there) is accepted]
            resolve(self._project, mails, accepted=accepted, now=now)
            self._did["settled by hand, " + ("accepted" if accepted else "not sent")] += len(mails)
        self._run_once()


@contextmanager
def _set(environment: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
