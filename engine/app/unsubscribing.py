"""What a reader of a mail asks for through its link: one topic less, none at all, or a choice of topics."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce

from sqlalchemy import Connection

from engine.app.project import Project
from engine.facts.consenting import words
from engine.facts.suppression import UNSUBSCRIBED, suppression
from engine.facts.wishes import How, Reader, Wish, reader_of

USUAL_TOPIC = "marketing"


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
    waiting = project.wishes.waiting(message_id)
    with project.store.reading() as connection:
        reader = reader_of(connection, message_id)
        if reader is None:
            return None
        return reduce(_with, waiting, _standing(connection, project, reader, now))


def one_click(project: Project, message_id: str, now: datetime) -> Reader | None:
    """No more mails of that mail's topic; none but what is owed, where the mail had no topic."""
    return project.wishes.fulfil(Wish(message_id, How.CLICK), now)


def stop_all(project: Project, message_id: str, now: datetime) -> Standing | None:
    """Nothing more but what is owed, whatever topics there are or will be."""
    project.wishes.fulfil(Wish(message_id, How.ALL), now)
    return standing(project, message_id, now)


def choose(project: Project, message_id: str, wanted: Collection[str], now: datetime) -> Standing | None:
    """These of the topics shown, and no other. Who wants any is no longer suppressed by their own wish."""
    with project.store.reading() as connection:
        reader = reader_of(connection, message_id)
    if reader is None:
        return None
    said = {topic: topic in wanted for topic in topics(project, reader)}
    project.wishes.fulfil(Wish(message_id, How.TOPICS, said), now)
    return standing(project, message_id, now)


def topics(project: Project, reader: Reader) -> dict[str, str]:
    """The topics that mails have, and what they are called; those of the settings in their order first."""
    named = dict(project.settings.topics)
    used = {campaign.topic for campaign in project.files.campaigns} | {reader.topic}
    others = sorted(used - {"", *named}) or ([] if named else [USUAL_TOPIC])
    return named | {topic: topic.replace("-", " ").capitalize() for topic in others}


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


def _with(found: Standing, wish: Wish) -> Standing:
    """As it will be once a wish that waits is carried out."""
    if found.barred:
        return found
    if wish.how is How.CLICK and found.reader.topic:
        said = {choice.topic: choice.wanted for choice in found.choices} | {found.reader.topic: False}
    else:
        said = dict(wish.said)  # of all topics at once it says nothing, so none is wanted
    choices = tuple(replace(choice, wanted=said.get(choice.topic, False)) for choice in found.choices)
    return replace(found, choices=choices)
