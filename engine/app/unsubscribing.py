"""What a reader of a mail asks for through its link: one topic less, none at all, or a choice of topics."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from engine.app.project import Project
from engine.facts.consenting import say, words
from engine.facts.identity import lock_customers
from engine.facts.lookup import as_known_now
from engine.facts.suppression import UNSUBSCRIBED, lift, suppress, suppression
from engine.store.tables import customers, messages

ONE_CLICK, PAGE = "one click", "preference page"
USUAL_TOPIC = "marketing"


@dataclass(frozen=True)
class Reader:
    """Who got the mail of a link: the customer as known now, the address it went to, and its topic.

    The topic is empty where the mail was owed.
    """

    customer_id: int
    addresses: tuple[str, ...]  # the one it went to first, and perhaps a newer one
    topic: str

    @property
    def address(self) -> str:
        return self.addresses[0]


@dataclass(frozen=True)
class Choice:
    """One topic as its page shows it."""

    topic: str
    name: str
    wanted: bool


@dataclass(frozen=True)
class Standing:
    """What a reader gets as things stand. `barred` is why nothing can reach the address, where that is so."""

    reader: Reader
    choices: tuple[Choice, ...]
    barred: str = ""

    @property
    def wants_any(self) -> bool:
        return not self.barred and any(choice.wanted for choice in self.choices)


def standing(project: Project, message_id: str, now: datetime) -> Standing | None:
    """None where nothing is known of the mail or its reader any longer."""
    with project.store.reading() as connection:
        reader = _reader(connection, message_id)
        return _standing(connection, project, reader, now) if reader else None


def one_click(project: Project, message_id: str, now: datetime) -> Reader | None:
    """No more mails of that mail's topic; none but what is owed, where the mail had no topic."""
    with project.store.writing() as connection:
        reader = _reader(connection, message_id)
        if reader is None:
            return None
        lock_customers(connection, [reader.customer_id])
        if reader.topic:
            say(connection, reader.customer_id, [(reader.topic, False)], ONE_CLICK, now)
        else:
            _suppress(connection, reader, ONE_CLICK, now)
        return reader


def stop_all(project: Project, message_id: str, now: datetime) -> Standing | None:
    """Nothing more but what is owed, whatever topics there are or will be."""
    with project.store.writing() as connection:
        reader = _reader(connection, message_id)
        if reader is None:
            return None
        lock_customers(connection, [reader.customer_id])
        _suppress(connection, reader, PAGE, now)
        return _standing(connection, project, reader, now)


def choose(project: Project, message_id: str, wanted: Collection[str], now: datetime) -> Standing | None:
    """These of the topics shown, and no other. Who wants any is no longer suppressed by their own wish."""
    with project.store.writing() as connection:
        reader = _reader(connection, message_id)
        if reader is None:
            return None
        lock_customers(connection, [reader.customer_id])
        said = [(topic, topic in wanted) for topic in topics(project, reader)]
        if any(yes for _, yes in said):
            for address in reader.addresses:
                lift(connection, address, now, only=UNSUBSCRIBED)
        say(connection, reader.customer_id, said, PAGE, now)
        return _standing(connection, project, reader, now)


def topics(project: Project, reader: Reader) -> dict[str, str]:
    """The topics that mails have, and what they are called; those of the settings in their order first."""
    named = dict(project.settings.topics)
    used = {campaign.topic for campaign in project.files.campaigns} | {reader.topic}
    others = sorted(used - {"", *named}) or ([] if named else [USUAL_TOPIC])
    return named | {topic: topic.replace("-", " ").capitalize() for topic in others}


def _reader(connection: Connection, message_id: str) -> Reader | None:
    mail = select(messages.c.customer_id, messages.c.address, messages.c.topic)
    row = connection.execute(mail.where(messages.c.message_id == message_id)).one_or_none()
    if row is None:
        return None
    customer_id = as_known_now(connection, row.customer_id)
    known = select(customers.c.email).where(customers.c.customer_id == customer_id)
    found = connection.execute(known).one_or_none()
    addresses = dict.fromkeys(filter(None, (row.address, found.email))) if found else {}
    return Reader(customer_id, tuple(addresses), row.topic) if addresses else None


def _standing(connection: Connection, project: Project, reader: Reader, now: datetime) -> Standing:
    said = words(connection, reader.customer_id, now)
    unasked = project.settings.consent.default == "soft_opt_in"
    barred = {suppression(connection, address) for address in reader.addresses} - {None}
    choices = tuple(
        Choice(topic, name, not barred and said.get(topic, unasked))
        for topic, name in topics(project, reader).items()
    )
    grave = sorted(filter(None, barred - {UNSUBSCRIBED}))
    return Standing(reader, choices, grave[0] if grave else "")


def _suppress(connection: Connection, reader: Reader, source: str, now: datetime) -> None:
    for address in reader.addresses:
        suppress(connection, address, UNSUBSCRIBED, source, now)
