"""A mail shown again to its reader, in a browser."""

import json

from sqlalchemy import select

from engine.app.project import Project
from engine.delivery.rows import ATTEMPT, attempts
from engine.delivery.states import Status
from engine.links import Purpose
from engine.planning.slots import slot_at
from engine.rendering.mail import Mail, MailOrder
from engine.store.tables import messages

LEFT = (Status.SENDING, Status.ACCEPTED, Status.UNKNOWN)


def page_of(project: Project, mail: Mail) -> str:
    """The mail as a page. Where its provider puts in a link, ours stands in its place here."""
    links = project.settings.links
    if not (mail.their_link and links):
        return mail.html
    return mail.html.replace(mail.their_link, links.to(Purpose.UNSUBSCRIBE, mail.message_id))


def shown_again(project: Project, message_id: str) -> Mail | None:
    """The mail, written once more from the facts of its day; None where it would not be the same.

    So it is where it never left, where its campaign's file says something else by now, or where a fact
    that it spoke of is known otherwise.
    """
    left = (messages.c.message_id == message_id, messages.c.status.in_(LEFT))
    more = (slot_at(messages), messages.c.version, messages.c.evidence)
    with project.store.reading() as connection:
        row = connection.execute(select(*ATTEMPT, *more).where(*left)).one_or_none()
        if row is None:
            return None
        [attempt] = attempts([row[: len(ATTEMPT)]])
        sent_at, version, evidence = row[len(ATTEMPT) :]
        campaign = project.files.campaign(attempt.key.campaign_id)
        if campaign is None or campaign.version != version:
            return None
        [mail] = project.studio.compose(connection, [MailOrder(attempt.key, attempt.planned_at)], sent_at)
    same = isinstance(mail, Mail) and json.loads(evidence or "[]") == json.loads(json.dumps(mail.evidence))
    return mail if same and isinstance(mail, Mail) else None
