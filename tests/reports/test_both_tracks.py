"""Who was offered one product in both tracks, worked out by hand, on both databases."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from engine.campaigns.model import BACK_END, FRONT_END, Campaign
from engine.delivery.states import Status
from engine.reports.both_tracks import InBoth, offered_in_both
from engine.rules.model import All
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from engine.store.tables import messages
from tests.conftest import NOW

HOUR = timedelta(hours=1)


def campaign(name: str, track: str, *offers: str) -> Campaign:
    return Campaign(name, "1", (), All(()), track, offers=offers)


CAMPAIGNS = [
    campaign("door", FRONT_END, "course", "rye"),
    campaign("window", FRONT_END, "course"),
    campaign("later", BACK_END, "course"),
    campaign("letter", BACK_END, "flour"),
]


def mail(customer: int, name: str, hours: float, status: str = Status.ACCEPTED) -> dict[str, Any]:
    """One that left so many hours ago; in the front end half an hour before its order closed."""
    at, track = NOW - hours * HOUR, FRONT_END if name in ("door", "window") else BACK_END
    row = {"campaign_id": name, "step_id": "one", "spell": 1, "version": "1", "track": track}
    row |= {"planned_at": at, "due_at": at, "meant_at": at, "settled_at": at, "status": status}
    return {**row, "customer_id": customer, "closes_at": at + HOUR / 2 if track == FRONT_END else None}


def test_people_are_counted_by_track_and_those_of_both(store: Store) -> None:
    ensure_current(store)
    rows = [
        mail(1, "door", 100), mail(1, "window", 100),  # one person, two mails
        mail(2, "door", 60), mail(2, "later", 10),  # in both, after the quiet
        mail(3, "door", 60), mail(3, "later", 35.6),  # 24.4 hours later: 23.9 after the order closed
        mail(4, "later", 50), mail(4, "door", 40),  # the other way round
        mail(5, "later", 20), mail(6, "letter", 20),
        mail(7, "door", 20, Status.CANCELLED), mail(8, "door", 300), mail(9, "later", -1),
    ]  # fmt: skip
    with store.writing() as connection:
        connection.execute(insert(messages), rows)
    with store.reading() as connection:
        found = offered_in_both(connection, CAMPAIGNS, 24 * HOUR, NOW - 168 * HOUR, NOW)
    assert found == [InBoth("course", front=4, back=4, both=2, too_soon=1)]
