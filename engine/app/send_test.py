"""send-test: one mail of a step, to an address of one's own, by the very way that campaign mails take."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from engine.app.project import Project
from engine.delivery.transports.base import OutcomeUnknown, Receipt, Refused, Transport, TryAgain
from engine.delivery.transports.one_by_one import together
from engine.errors import TransportError, UnknownName, UsageError
from engine.facts.lookup import find_customer
from engine.planning.keys import MailKey
from engine.registry import did_you_mean
from engine.rendering.mail import Mail, MailOrder

NO_SPELL = 0  # runs count from 1: what the mail is told of itself is true of no mail of a campaign


def send_test(
    project: Project, campaign: str, step: str, to: str, customer: str | None, now: datetime
) -> Receipt:
    """Nothing is recorded. Raises UsageError where it cannot be written, TransportError where not sent."""
    mail = _disowned(_written(project, campaign, step, customer, now), to)
    transport = project.transport()
    try:
        together(transport).ready()
        receipt = _handed_over(transport, mail)
        transport.flush()
    finally:
        transport.close()
    return receipt


def _written(project: Project, campaign: str, step: str, customer: str | None, now: datetime) -> Mail:
    """As that customer would get it now, or else somebody made up of whom all its claims are true."""
    campaign_id = _campaign_id(project, campaign)
    _require_step(project, campaign_id, step)
    if customer is None:
        return project.studio.specimen(MailOrder(MailKey(0, campaign_id, step, NO_SPELL), now))
    with project.store.reading() as connection:
        key = MailKey(find_customer(connection, customer), campaign_id, step, NO_SPELL)
        (written,) = project.studio.compose(connection, [MailOrder(key, now)], now)
    if isinstance(written, Mail):
        return written
    msg = f"the mail cannot be written for {customer!r}: {written.message}"
    raise UsageError(msg, hint="leave --customer out to see it with every claim proven")


def _campaign_id(project: Project, name: str) -> str:
    project.known_campaign(name)
    found = project.files.campaign(name)
    return found.id if found else name


def _require_step(project: Project, campaign_id: str, step: str) -> None:
    found = project.files.campaign(campaign_id)
    steps = [known.id for known in found.steps] if found else []
    if step not in steps:
        msg = f"there is no step {step!r} in the campaign {campaign_id!r}"
        raise UnknownName(msg, hint=did_you_mean(step, steps))


def _disowned(mail: Mail, to: str) -> Mail:
    """The same mail to another address, by an id of its own: what comes back of it is nobody's."""
    key = mail.key._replace(customer_id=0)
    headers = (*mail.headers, ("X-Aftersale-Test", "yes"))
    return replace(mail, key=key, message_id=str(uuid4()), to_address=to, to_name="", headers=headers)


def _handed_over(transport: Transport, mail: Mail) -> Receipt:
    try:
        return transport.send(mail)
    except (Refused, TryAgain) as answer:
        msg = f"it was not sent: {answer}"
        raise TransportError(msg) from answer
    except OutcomeUnknown as answer:
        msg = f"nobody can say whether it was sent: {answer}"
        raise TransportError(msg) from answer
