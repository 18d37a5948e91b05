"""suppress --sync: our list of suppressed addresses and SendGrid's lists, brought to agree.

Whom it sends nothing to gets nothing from here either, and, where the settings say `both`, whom a person
suppressed here is put there. Nobody is taken off a list by it, here or there: what differs is told.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.app.project import Project
from engine.delivery.receivers import sendgrid, smtp
from engine.delivery.transports.sendgrid.account import Account, Wait
from engine.delivery.transports.sendgrid.lists import (
    EVERYBODYS,
    Entry,
    Listing,
    listing_of_group,
    listings,
    pages,
    put,
    require_group,
)
from engine.errors import SettingsError
from engine.facts import elsewhere
from engine.facts.suppression import Cause, address_hash, suppress_hashes, suppressed_hashes

PROVIDERS = (sendgrid.SOURCE, smtp.SOURCE)  # what they tell by events is no person's word
OVERLAP = timedelta(days=1)  # that is read again: what was late to come on a list is not missed


@dataclass
class Read:
    """One of its lists: how many entries were read, and how many of their addresses are suppressed by it."""

    list: str
    entries: int = 0
    new: int = 0
    not_understood: int = 0


@dataclass
class Put:
    """What was put there, or would be; `refused` and `by_hash` never are."""

    list: str
    missing: int = 0
    put: int = 0
    refused: int = 0


@dataclass
class Agreed:
    """What was found and done. `lifted`, `gone` and `by_hash` are differences that stay."""

    read: list[Read] = field(default_factory=list)
    put: list[Put] = field(default_factory=list)
    lifted: int = 0  # stand there, and were lifted here
    gone: int = 0  # came from there, and are there no more
    by_hash: int = 0  # suppressed here by people, and no address is known to tell

    @property
    def new(self) -> int:
        return sum(each.new for each in self.read)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class How:
    """`dry` writes nothing, here or there; `whole` reads the lists from their beginning."""

    dry: bool = False
    whole: bool = False


def agree(project: Project, now: datetime, how: How, wait: Wait = time.sleep) -> Agreed:
    """Read the lists, then put there what is missing. Raises SettingsError and TransportError."""
    mode = project.settings.sendgrid_lists
    if mode == "off":
        msg = "the lists of SendGrid are not used here: sendgrid.suppressions is off"
        raise SettingsError(msg, hint="set it to `read`, or to `both`")
    account = Account(project.settings, wait)
    try:
        return _Agreement(project, account, now, how).reached(tell=mode == "both")
    finally:
        account.close()


class _Agreement:
    """One comparison from its beginning to its end."""

    def __init__(self, project: Project, account: Account, now: datetime, how: How) -> None:
        self._store, self._account, self._now, self._how = project.store, account, now, how
        self._group = project.settings.sendgrid.asm_group
        self._listings = listings(self._group)
        self._there: dict[str, set[str]] = {each.source: set() for each in self._listings}  # what was read

    def reached(self, *, tell: bool) -> Agreed:
        done = Agreed()
        for listing in self._listings:
            done.read.append(self._read(listing))
        done.put += [self._put(target, wish=wish, tell=tell) for target, wish in self._targets().items()]
        names, targets = ([each.source for each in lists] for lists in (self._listings, self._targets()))
        with self._store.reading() as connection:
            done.lifted = elsewhere.lifted(connection, names)
            if self._how.whole:
                done.gone = sum(len(elsewhere.came_from(connection, n) - self._there[n]) for n in names)
            done.by_hash = elsewhere.by_hash_alone(connection, targets, PROVIDERS)
        return done

    # ── what stands there ───────────────────────────────────────────────────────────────────────

    def _read(self, listing: Listing) -> Read:
        found = Read(listing.source)
        whole = self._how.whole or listing.group is not None
        for page in pages(self._account, listing, None if whole else self._since(listing), self._now):
            entries = [entry for entry in page if entry is not None]
            found.entries += len(page)
            found.not_understood += len(page) - len(entries)
            found.new += self._take_over(listing, _by_hash(entries))
        if not self._how.dry:
            with self._store.writing() as connection:
                if whole:
                    elsewhere.forget_unseen(connection, listing.source, self._now)
                elsewhere.was_read(connection, listing.source, self._now)
        return found

    def _since(self, listing: Listing) -> datetime | None:
        with self._store.reading() as connection:
            until = elsewhere.read_until(connection, listing.source)
        return until - OVERLAP if until else None

    def _take_over(self, listing: Listing, entries: Mapping[str, datetime]) -> int:
        """How many addresses are suppressed by it. Who was lifted here since stays lifted."""
        self._there[listing.source].update(entries)
        if self._how.dry:
            with self._store.reading() as connection:
                fresh = elsewhere.news(connection, listing.source, entries)
                return len(fresh.keys() - suppressed_hashes(connection, fresh))
        with self._store.writing() as connection:
            fresh = elsewhere.news(connection, listing.source, entries)
            causes = {hashed: Cause(listing.reason, at) for hashed, at in fresh.items()}
            new = suppress_hashes(connection, causes, listing.source)
            elsewhere.seen(connection, listing.source, entries, self._now)
            return len(new)

    # ── what is missing there ───────────────────────────────────────────────────────────────────

    def _targets(self) -> Mapping[Listing, bool | None]:
        """Where to put whom: who merely wished to hear no more is put into the group, where there is one."""
        if self._group is None:
            return {EVERYBODYS: None}
        return {EVERYBODYS: False, listing_of_group(self._group): True}

    def _put(self, target: Listing, *, wish: bool | None, tell: bool) -> Put:
        found = Put(target.source)
        addresses = self._missing(target, wish=wish)
        found.missing = len(addresses)
        if not tell or self._how.dry or not addresses:
            return found
        if target.group:
            require_group(self._account, target.group)
        for part, refused in put(self._account, target, addresses):
            if refused:
                found.refused += len(part)
                continue
            found.put += len(part)
            with self._store.writing() as connection:
                there = dict.fromkeys(map(address_hash, part), self._now)
                elsewhere.seen(connection, target.source, there, self._now)
        return found

    def _missing(self, target: Listing, *, wish: bool | None) -> list[str]:
        """Those that this list does not stop, nor the one of the whole account."""
        names = sorted({target.source, EVERYBODYS.source})
        with self._store.reading() as connection:
            addresses = elsewhere.to_tell(connection, names, PROVIDERS, wish=wish)
        read_now = set().union(*(self._there[name] for name in names))
        return [address for address in addresses if address_hash(address) not in read_now]


def _by_hash(entries: Iterable[Entry]) -> dict[str, datetime]:
    return {address_hash(entry.address): entry.at for entry in entries}
