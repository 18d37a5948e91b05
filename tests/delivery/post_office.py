"""What the tests of delivery share: mails in the outbox, a plain studio, a transport that does as told."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update

from engine.delivery.deliver import Delivered, Way, deliver
from engine.delivery.transports.base import Receipt, Trace
from engine.delivery.transports.folder import FolderTransport
from engine.planning.keys import MailKey
from engine.rendering.mail import Mail, MailOrder, Unwritable
from engine.settings.delivery import Delivery
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.tables import customers, messages, suppressions

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
TABLES = (messages, customers, suppressions)


def key(customer_id: int, step: str = "hello") -> MailKey:
    return MailKey(customer_id, "welcome-back", step, 1)


def address(customer_id: int) -> str:
    return f"customer-{customer_id}@shop.example"


def plan_mails(store: Store, *customer_ids: int, status: str = "scheduled", due_at: datetime = NOW) -> None:
    """Put customers, and a mail to each, where planning would have put them."""
    people = [
        {"customer_id": i, "email": address(i), "known_at": NOW, "lot": 0, "recorded_at": NOW}
        for i in customer_ids
    ]
    mails = [
        key(i)._asdict()
        | {
            "version": "v1",
            "track": "back-end",
            "status": status,
            "planned_at": NOW,
            "due_at": due_at,
            "attempt": 0,
        }
        for i in customer_ids
    ]
    with store.writing() as connection:
        connection.execute(customers.insert(), people)
        connection.execute(messages.insert(), mails)


def decide_anew(store: Store, at: datetime) -> None:
    """What a plan does with mails that are due and have not left."""
    again = update(messages).where(messages.c.status == "scheduled", messages.c.due_at <= at)
    with store.writing() as connection:
        connection.execute(again.values(slot_at=at))


def empty(store: Store) -> None:
    with store.writing() as connection:
        for table in TABLES:
            connection.execute(delete(table))


def change(store: Store, customer_id: int, **values: Any) -> None:
    """Set columns of one customer's mail, behind everybody's back."""
    with store.writing() as connection:
        connection.execute(update(messages).where(messages.c.customer_id == customer_id).values(**values))


def let_leases_run_out(store: Store) -> None:
    """As if enough time had passed: every lease ended in 1970."""
    with store.writing() as connection:
        held = messages.c.lease_until.is_not(None)
        connection.execute(update(messages).where(held).values(lease_until=datetime(1970, 1, 2, tzinfo=UTC)))


def row(store: Store, customer_id: int) -> Any:
    with store.reading() as connection:
        return connection.execute(select(messages).where(messages.c.customer_id == customer_id)).one()


def statuses(store: Store) -> Counter[str]:
    with store.reading() as connection:
        return Counter(connection.scalars(select(messages.c.status)))


def files(folder: Path) -> list[str]:
    """The name of every file below the folder, hidden ones included."""
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


def settings(batch: int = 100, lease: str = "60s") -> Settings:
    return Settings(delivery=Delivery(batch=batch, lease=lease, folder="outbox"))


def mail_for(order: MailOrder) -> Mail:
    return Mail(
        key=order.key,
        message_id=order.key.message_id,
        planned_at=order.planned_at,
        to_address=address(order.key.customer_id),
        to_name=f"Customer {order.key.customer_id}",
        from_address="hello@shop.example",
        from_name="My shop",
        reply_to=None,
        subject="Good to see you again",
        html=f"<p>Mail {order.key.customer_id}</p>",
        text=f"Mail {order.key.customer_id}",
        evidence=({"bought": "guide", "customer": order.key.customer_id},),
    )


class PlainStudio:
    """Writes the same mail to everybody, save for those it has a reason not to write to.

    `to` names other addresses than those on file.
    """

    def __init__(
        self, unwritable: dict[int, Unwritable] | None = None, to: dict[int, str] | None = None
    ) -> None:
        self.unwritable, self.to = unwritable or {}, to or {}
        self.offers = {"welcome-back": ["course", "club"]}

    def compose(self, connection: Any, orders: Sequence[MailOrder], now: datetime) -> list[Mail | Unwritable]:
        return [self.unwritable.get(order.key.customer_id) or self._mail(order) for order in orders]

    def _mail(self, order: MailOrder) -> Mail:
        mail = mail_for(order)
        return replace(mail, to_address=self.to.get(order.key.customer_id, mail.to_address))


class Postman:
    """A transport that does as it is told: `answers` holds what it raises, by customer."""

    name = "postman"
    exactly_once = False

    def __init__(
        self, answers: dict[int, BaseException] | None = None, trace: Trace = Trace.CANNOT_TELL
    ) -> None:
        self.answers = answers or {}
        self.trace = trace
        self.sent: list[int] = []
        self.before_each: Callable[[int], None] = lambda _customer_id: None

    def send(self, mail: Mail) -> Receipt:
        self.before_each(mail.key.customer_id)
        if mail.key.customer_id in self.answers:
            raise self.answers[mail.key.customer_id]
        self.sent.append(mail.key.customer_id)
        return Receipt(f"taken-{mail.key.customer_id}")

    def flush(self) -> None:
        pass

    def look_up(self, message_id: str, planned_at: datetime) -> Trace:
        return self.trace

    def close(self) -> None:
        pass


def folder_transport(folder: Path) -> FolderTransport:
    return FolderTransport(settings(), folder)


def run(
    store: Store,
    transport: Any,
    *,
    owner: str = "worker",
    batch: int = 100,
    now: datetime = NOW,
    studio: Any = None,
    said: list[str] | None = None,
    versions: Mapping[str, str] | None = None,
    wait: Callable[[float], None] | None = None,
    wait_for_rate: Callable[[float], None] | None = None,
    **more: Any,
) -> Delivered:
    """One delivery with everything plain that a test does not care about; `more` are settings."""
    told: list[str] = [] if said is None else said
    chosen = settings(batch).model_copy(update=more)
    way = Way(store, studio or PlainStudio(), transport, chosen, owner, told.append, versions)
    return deliver(way, now, wait_for_leases=wait, wait_for_rate=wait_for_rate)
