"""A project: a folder with config.yaml, campaigns/ and templates/, and what is made of them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path

from engine.campaigns.back_end import held_at_first
from engine.campaigns.fruitless import owned_by_all
from engine.campaigns.load import load_files, without
from engine.campaigns.model import Files
from engine.clock import Clock, DatabaseClock, SystemClock
from engine.delivery.generation import Guard, lost
from engine.delivery.transports import TRANSPORTS
from engine.delivery.transports.base import Transport
from engine.errors import Problem, Problems, SettingsError, StoreUnreachable, UnknownName
from engine.facts.receiving.spool import Spool
from engine.facts.wishes import Wishes
from engine.planning.book import Book
from engine.registry import did_you_mean
from engine.rendering.studio import Studio
from engine.settings.load import CONFIG_FILE, load_settings
from engine.settings.model import Settings
from engine.store.connect import Store, file_of
from engine.store.dialect import database_now
from engine.store.migrate import ensure_current


class Project:
    """One shop's folder, opened. Files are read, and the database is opened, when first needed."""

    def __init__(self, folder: Path, clock: Clock | None = None, settings: Settings | None = None) -> None:
        self.folder = folder.resolve()
        self.settings: Settings = settings or load_settings(self.folder)
        self._clock = clock
        self.say: Callable[[str], None] = lambda _: None  # what happens beside the result
        self._require_transport(self.settings.delivery.transport)

    @staticmethod
    def _require_transport(name: str) -> None:
        """The settings cannot know the menu of transports; nothing is planned for one that is not on it."""
        if name not in TRANSPORTS:
            msg = f"{CONFIG_FILE}: delivery.transport: there is no transport {name!r}"
            raise SettingsError(msg, hint=did_you_mean(name, TRANSPORTS))

    @cached_property
    def _read_files(self) -> Files:
        settings = self.settings
        return load_files(
            self.folder / "campaigns",
            settings.holdout,
            settings.shop.currency,
            settings.quiet_hours,
            settings.front_end,
        )

    @cached_property
    def studio(self) -> Studio:
        return Studio(self.folder / "templates", self._read_files, self.settings)

    @cached_property
    def files(self) -> Files:
        """The sound campaigns; a mistake in a file or in its templates leaves a campaign out."""
        return without(self._read_files, self.studio.problems())

    @property
    def campaign_ids(self) -> frozenset[str] | None:
        """What the campaigns of all files are called, sound or not; None where that is not known."""
        return self._read_files.ids

    @property
    def problems(self) -> list[Problem]:
        """Everything wrong with the files, each once."""
        return sorted(set(self.files.problems), key=lambda p: (p.file, p.line, p.column, p.message))

    @property
    def warnings(self) -> list[Problem]:
        """What is no mistake in sound campaigns and their copy, but worth a look."""
        return [*self._beside_the_copy(), *self.studio.warnings()]

    def _beside_the_copy(self) -> Iterator[Problem]:
        """Told without a database, so by the clock of this machine."""
        now = (self._clock or SystemClock()).now()
        for campaign in self.files.campaigns:
            yield from held_at_first(campaign, self.settings.front_end)
            yield from owned_by_all(campaign, self.files)
            if campaign.on and campaign.on.dates and not campaign.on.next_moment(now, self.settings.zone):
                hint = "name one that is to come, or leave it so: who is in goes on"
                yield campaign.problem(("on", "date"), "this is past, so nobody begins by it any more", hint)

    @cached_property
    def book(self) -> Book:
        """What to plan with. Products or segments that are wrong leave nothing to plan."""
        if self.files.shared_trouble:
            raise Problems(self.problems)
        claims = {
            (campaign.id, step.id): self.studio.claims(campaign.id, step.id)
            for campaign in self.files.campaigns
            for step in campaign.steps
        }
        return Book(self.files, self.settings, claims)

    def transport(self) -> Transport:
        """The way out, opened; who asked for it closes it."""
        return TRANSPORTS.choose(self.settings.delivery.transport)(self.settings, self.folder)

    @cached_property
    def store(self) -> Store:
        """The database, brought up to date."""
        opened = Store(self.settings.database, folder=self.folder, say=self._say)
        ensure_current(opened)
        return opened

    def _say(self, what: str) -> None:
        """To whoever listens by then."""
        self.say(what)

    @cached_property
    def guard(self) -> Guard:
        """What is known of the database outside of it."""
        return Guard(self.store, self.folder / self.settings.state)

    @cached_property
    def spool(self) -> Spool:
        """What was told and wished, and could not be brought into the database yet."""
        return Spool(self.folder / self.settings.state)

    @property
    def spools(self) -> bool:
        """Whether what machines tell is spooled: SQLite has one writer, and they would wait for it."""
        return file_of(self.settings.database, self.folder) is not None

    @property
    def wishes(self) -> Wishes:
        """What readers of mails wish, carried out."""
        return Wishes(self.store, self.spool.wishes)

    def lost(self) -> StoreUnreachable | None:
        """What is to be said where the database that mailed from here is gone; none is made for that."""
        return lost(self.settings.database, self.folder, self.folder / self.settings.state)

    @property
    def clock(self) -> Clock:
        """The database's own time, unless another clock was given. That of SQLite is this machine's."""
        return self._clock or (SystemClock() if self.spools else DatabaseClock(self._database_time))

    def _database_time(self) -> datetime:
        with self.store.reading() as connection:
            return database_now(connection)

    def known_campaign(self, name: str) -> str:
        """What the campaign is called now; one with a mistake is told with its mistakes."""
        found = self.files.campaign(name)
        if found is not None:
            return found.name or found.id
        if self.problems:
            raise Problems(self.problems)
        msg = f"there is no campaign {name!r}"
        raise UnknownName(msg, hint=did_you_mean(name, [c.name or c.id for c in self.files.campaigns]))

    def read_anew(self) -> "Project":
        """The same project and database, with its campaigns and templates as they are now."""
        fresh = Project(self.folder, self._clock, self.settings)
        fresh.say = self.say
        fresh.__dict__ |= {"store": self.store, "guard": self.guard, "spool": self.spool}
        return fresh

    def close(self) -> None:
        if "spool" in self.__dict__:
            self.spool.close()
        if "store" in self.__dict__:
            self.store.close()
