"""Real copy through the whole room: what is proven leaves, what no longer is does not."""

import json
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import update

from engine.delivery.deliver import Delivered
from engine.delivery.outbox import Outbox
from engine.facts.suppression import suppress
from engine.planning.keys import MailKey
from engine.rendering.studio import Studio
from engine.store.connect import Store
from engine.store.tables import customers, messages, order_lines
from tests.delivery.post_office import NOW, decide_anew, files, folder_transport, let_leases_run_out, row, run
from tests.rendering.press import campaign_text, studio
from tests.world import Line, Order, Person, write

BODY = "<p>You have {{ owned('guide').name }}.</p><a href='{{ unsubscribe_url }}'>no more</a>"
PEOPLE = (1, 2, 3)


@pytest.fixture
def copy(tmp_path: Path) -> Studio:
    return studio(tmp_path / "templates", {"a.html": BODY}, campaign_text("For {{ customer.email }}"))


@pytest.fixture
def planned(store: Store) -> Store:
    """Three buyers of the guide, each with a mail in the outbox."""
    bought = Order(NOW - timedelta(days=3), [Line("guide")])
    people = {i: Person(NOW - timedelta(days=9), [bought], email=f"buyer{i}@example.com") for i in PEOPLE}
    mail = {"version": "v1", "track": "back-end", "status": "scheduled", "planned_at": NOW, "due_at": NOW}
    with store.writing() as connection:
        write(connection, people)
        keys = [MailKey(i, "c", "one", 1)._asdict() for i in PEOPLE]
        connection.execute(messages.insert(), [key | mail | {"attempt": 0} for key in keys])
    return store


def letters(folder: Path) -> dict[str, EmailMessage]:
    """The mails in the folder, by recipient."""
    read = [
        message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=policy.default)
        for file in folder.rglob("*.eml")
    ]
    return {str(letter["To"]): letter for letter in read}


def test_a_mail_that_left_is_the_one_that_was_written(planned: Store, copy: Studio, tmp_path: Path) -> None:
    assert run(planned, folder_transport(tmp_path), studio=copy) == Delivered(accepted=3)
    letter = letters(tmp_path)["buyer2@example.com"]
    assert letter["Subject"] == "For buyer2@example.com"
    text, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "You have The Guide." in text.get_content()
    assert "You have The Guide." in html.get_content()
    assert "o0" in json.dumps(json.loads(row(planned, 2).evidence))


def test_what_changed_since_the_plan_is_seen(planned: Store, copy: Studio, tmp_path: Path) -> None:
    with planned.writing() as connection:
        refund = update(order_lines).where(order_lines.c.customer_id == 1)
        connection.execute(refund.values(refunded_at=NOW - timedelta(days=1)))
        connection.execute(update(customers).where(customers.c.customer_id == 2).values(email=None))
    delivered = run(planned, folder_transport(tmp_path), studio=copy)
    assert delivered == Delivered(accepted=1, rejected=1, postponed=1)
    assert list(letters(tmp_path)) == ["buyer3@example.com"]
    assert (row(planned, 1).status, row(planned, 2).status) == ("scheduled", "rejected")
    assert row(planned, 1).error.startswith("claim_unproven: ")
    assert row(planned, 2).error.startswith("no_address: ")


def test_the_mail_of_a_second_attempt_is_the_same_byte_for_byte(
    planned: Store, copy: Studio, tmp_path: Path
) -> None:
    run(planned, folder_transport(tmp_path / "one"), studio=copy)
    with planned.writing() as connection:
        connection.execute(update(messages).values(status="scheduled"))
    dead = Outbox(planned, "dead", timedelta(seconds=60), "folder")
    dead.claim(dead.due(NOW, 10), NOW)
    let_leases_run_out(planned)
    later = NOW + timedelta(minutes=2)
    assert run(planned, folder_transport(tmp_path / "two"), studio=copy, now=later) == Delivered()
    decide_anew(planned, later)
    assert run(planned, folder_transport(tmp_path / "two"), studio=copy, now=later) == Delivered(accepted=3)
    names = files(tmp_path / "one")
    assert names == files(tmp_path / "two")
    for name in names:
        one, two = (
            (tmp_path / side / "outbox/mails/2026-03-10" / name).read_bytes() for side in ("one", "two")
        )
        assert one == two


def test_an_address_that_changed_is_asked_about_as_it_is_used(
    planned: Store, copy: Studio, tmp_path: Path
) -> None:
    """A suppression is of the address: it follows whoever comes to use it, and nobody who leaves it."""
    with planned.writing() as connection:
        suppress(connection, "buyer1@example.com", "complaint", "test", NOW)
        suppress(connection, "barred@example.com", "complaint", "test", NOW)
        for customer, address in ((1, "new@example.com"), (2, "barred@example.com")):
            change = update(customers).where(customers.c.customer_id == customer)
            connection.execute(change.values(email=address))
    delivered = run(planned, folder_transport(tmp_path), studio=copy)
    assert delivered == Delivered(accepted=2, cancelled=1)
    assert sorted(letters(tmp_path)) == ["buyer3@example.com", "new@example.com"]
    assert (row(planned, 2).status, row(planned, 2).error) == ("cancelled", "suppressed")
    assert row(planned, 1).address == "new@example.com"
