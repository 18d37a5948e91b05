"""The story of `aftersale demo`: one product in both tracks, each at its time."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, ColumnElement, Select, and_, select, type_coerce

from engine.app.demo import import_shop, make_shop, run_week
from engine.app.importing import import_into
from engine.app.project import Project
from engine.cli import demo
from engine.clock import VirtualClock, span
from engine.store.tables import enrollments, messages, order_lines, orders, transactions
from tests.stories.conftest import Aftersale

DAY = timedelta(days=1)
FRONT, BACK = "flagship-with-guide", "flagship-after-guide"


@pytest.fixture
def told(aftersale: Aftersale, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(demo, "SystemClock", lambda: clock)
    said = aftersale("demo", "shop", "--customers", 200)
    assert said.code == 0
    return said.out


def test_a_mail_that_the_door_stopped_is_none_of_the_week(tmp_path: Path, clock: VirtualClock) -> None:
    """Everybody says no, later in the week; the door hears any no, and the plan those of its time."""
    project = make_shop(tmp_path / "shop", clock.now(), 100)
    import_shop(project)
    people = (project.folder / "data/customers.csv").read_text().splitlines()[1:]
    noes = project.folder / "noes.csv"
    told = "".join(f"{line.partition(',')[0]},no,{clock.now():%Y-%m-%dT%H:%MZ}\n" for line in people)
    noes.write_text("email,granted,at\n" + told)
    import_into(project, [noes], now=clock.now())
    week = run_week(project, [project.clock.now()], lambda _: None)
    with project.store.reading() as connection:
        stopped = [*connection.scalars(select(messages.c.status).where(messages.c.status != "held_out"))]
    project.close()
    assert set(stopped) == {"cancelled"}
    assert not week.mails


def within(quiet: timedelta) -> ColumnElement[bool]:
    """SQL: the mail left in a transaction of its customer, or so soon after it."""
    return and_(
        transactions.c.customer_id == messages.c.customer_id,
        transactions.c.opened_at <= messages.c.settled_at,
        type_coerce(transactions.c.closes_at, BigInteger) + span(quiet)
        > type_coerce(messages.c.settled_at, BigInteger),
    )


def test_the_course_is_offered_in_both_tracks_and_neither_crosses_the_line(
    told: str, clock: VirtualClock
) -> None:
    project = Project(Path("shop"), clock)
    left = messages.c.status == "accepted"

    def asked(query: Select[tuple[int]]) -> set[int]:
        with project.store.reading() as connection:
            return {*connection.scalars(query)}

    def mailed(column: ColumnElement[str], value: str) -> Select[tuple[int]]:
        return select(messages.c.customer_id).where(left, column == value)

    front, back = asked(mailed(messages.c.campaign_id, FRONT)), asked(mailed(messages.c.campaign_id, BACK))
    assert f"Bread, Every Week, in both tracks: offered to {len(front)} while their order was open" in told
    assert f"to {len(back)} later" in told
    assert "within 1d of that order: to nobody." in told
    assert f"Mails of the week: {len([*Path('shop/outbox').rglob('*.eml')])} " in told
    assert len(front) >= 3
    assert len(back) >= 5

    track, inside = messages.c.track, select(messages.c.customer_id).join(transactions, within(timedelta(0)))
    assert asked(inside.where(left, track == "front-end")) == front == asked(mailed(track, "front-end"))
    quiet = select(messages.c.customer_id).join(transactions, within(DAY))
    assert asked(quiet.where(left, track == "back-end")) == set()

    bought_at, line = orders.c.at, order_lines.c
    of_order = and_(line.customer_id == orders.c.customer_id, line.order_ref == orders.c.order_ref)
    buyers = select(orders.c.customer_id).join(order_lines, of_order).where(orders.c.paid)
    guide = buyers.where(line.sku == "starter-guide")
    asked_of = guide.where(bought_at.between(clock.now() - 7 * DAY, clock.now() - timedelta(minutes=20)))
    run = enrollments.c
    assert asked(select(run.customer_id).where(run.campaign_id == FRONT)) >= asked(asked_of)
    project.close()
