"""Who may go, of all that is due for one customer: in their order, as far as caps and gap leave room.

The customer's runs stand in line, the higher priority first. Place by place, for everybody at once,
a run goes if no span that binds it is full, and takes a slot in each; else it is held, and takes none.
There are as many rounds as the longest line has places.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    String,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

from engine.planning.book import Book
from engine.planning.desk import UNDECIDED, Desk
from engine.planning.policies import LIMITS
from engine.planning.policies.base import Span
from engine.planning.reasons import Reason, Verdict
from engine.planning.slots import slot_at, takes_slot
from engine.planning.state import State
from engine.rules.model import Scope
from engine.settings.model import Settings
from engine.store.dialect import insert, lay_out, memory_table
from engine.store.types import Instant

_RUN = ("customer_id", "campaign_id", "spell", "step_id")
QUEUE = memory_table(
    "plan_queue",
    [
        Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("campaign_id", String(100), primary_key=True),
        Column("spell", Integer, primary_key=True, autoincrement=False),
        Column("step_id", String(100), primary_key=True),
        Column("place", Integer, nullable=False),
        Column("full", Integer),  # the first span without room, by its number
    ],
    ["place"],
)
SPANS = memory_table(
    "plan_spans",
    [
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("since", Instant, nullable=False),
        Column("track", String(10), nullable=False),
        Column("topic", String(100)),  # none: any
    ],
)
BINDING = memory_table(  # which spans bind a campaign
    "plan_binding",
    [
        Column("campaign_id", String(100), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("most", Integer, nullable=False),
        Column("reason", String(40), nullable=False),
        Column("told", String(200), nullable=False),
    ],
)
USED = memory_table(
    "plan_used",
    [
        Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("used", Integer, nullable=False),
        Column("last", String(100), nullable=False),  # the campaign that took a slot last, in this plan
    ],
)


def spans(settings: Settings) -> Sequence[tuple[Reason, Span]]:
    """Every span that is counted, in the order in which one without room gives the reason."""
    return [(limit.reason, span) for limit in LIMITS for span in limit.spans(settings)]


def arbitrate(connection: Connection, desk: Desk, state: State, book: Book, scope: Scope) -> None:
    """Hold the undecided runs for which there is no room; the others stay undecided.

    The detail of a held run names the campaign that took the last slot, or says what is used up.
    """
    counted = spans(book.settings)
    binding = list(_binding(book, counted))
    if not binding:
        return
    lay_out(connection, QUEUE, SPANS, BINDING, USED)
    connection.execute(SPANS.insert(), list(_spans(counted, scope)))
    connection.execute(BINDING.insert(), binding)
    _line_up(connection, desk)
    _count(connection, state, scope)
    last = connection.scalar(select(func.max(QUEUE.c.place))) or 0
    for place in range(1, last + 1):
        _ask(connection, place)
        if place < last:
            _take(connection, desk, place)
    _hold(connection, desk)


def _binding(book: Book, counted: Sequence[tuple[Reason, Span]]) -> Iterator[dict[str, object]]:
    """Nothing binds what is owed."""
    for campaign in book.campaigns:
        for number, (reason, each) in enumerate(counted):
            if not campaign.transactional and each.binds(campaign.track, campaign.topic):
                row = {"campaign_id": campaign.id, "number": number, "most": each.most}
                yield row | {"reason": reason.value, "told": each.told}


def _spans(counted: Sequence[tuple[Reason, Span]], scope: Scope) -> Iterator[dict[str, object]]:
    for number, (_, each) in enumerate(counted):
        yield {"number": number, "since": scope.now - each.per, "track": each.track, "topic": each.topic}


def _line_up(connection: Connection, desk: Desk) -> None:
    runs, campaign = desk.runs, desk.campaigns
    order = (campaign.c.priority.desc(), runs.c.due_at, *(runs.c[name] for name in _RUN[1:]))
    place = func.row_number().over(partition_by=runs.c.customer_id, order_by=order)
    rows = (
        select(*(runs.c[name] for name in _RUN), place)
        .join(campaign, campaign.c.campaign_id == runs.c.campaign_id)
        .where(runs.c.verdict == UNDECIDED, ~campaign.c.transactional)
    )
    connection.execute(QUEUE.insert().from_select([*_RUN, "place"], rows))


def _count(connection: Connection, state: State, scope: Scope) -> None:
    """The slots that are taken already, of the customers in line, whose mails are looked up one by one.

    The outer joins are there for SQLite, which might else begin with the whole outbox.
    """
    mail, whose = state.messages, select(QUEUE.c.customer_id).distinct().subquery()
    theirs = and_(mail.c.customer_id == whose.c.customer_id, takes_slot(mail, scope.now))
    topic = or_(SPANS.c.topic == mail.c.topic, and_(SPANS.c.topic.is_(None), mail.c.topic != ""))
    fits = and_(SPANS.c.since < slot_at(mail), SPANS.c.track == mail.c.track, topic)
    taken = (
        select(whose.c.customer_id, SPANS.c.number, func.count(), literal(""))
        .select_from(whose.outerjoin(mail, theirs).outerjoin(SPANS, fits))
        .group_by(whose.c.customer_id, SPANS.c.number)
        .having(SPANS.c.number.is_not(None))
    )
    connection.execute(USED.insert().from_select(["customer_id", "number", "used", "last"], taken))


def counts(mail: object, each: Span) -> ColumnElement[bool]:
    """SQL: the mail is one of those that the span counts."""
    column = mail.c  # type: ignore[attr-defined]  # an outbox
    topic = column.topic != "" if each.topic is None else column.topic == each.topic
    return and_(column.track == each.track, topic)


def _ask(connection: Connection, place: int) -> None:
    full = (
        select(func.min(BINDING.c.number))
        .join(USED, USED.c.number == BINDING.c.number)
        .where(
            BINDING.c.campaign_id == QUEUE.c.campaign_id,
            USED.c.customer_id == QUEUE.c.customer_id,
            USED.c.used >= BINDING.c.most,
        )
        .correlate(QUEUE)
        .scalar_subquery()
    )
    connection.execute(update(QUEUE).where(QUEUE.c.place == place).values(full=full))


def _take(connection: Connection, desk: Desk, place: int) -> None:
    campaign = desk.campaigns
    taken = (
        select(QUEUE.c.customer_id, BINDING.c.number, literal(1), campaign.c.name)
        .join(BINDING, BINDING.c.campaign_id == QUEUE.c.campaign_id)
        .join(campaign, campaign.c.campaign_id == QUEUE.c.campaign_id)
        .where(QUEUE.c.place == place, QUEUE.c.full.is_(None))
    )
    one_more = insert(connection.dialect, USED).from_select(["customer_id", "number", "used", "last"], taken)
    changes = {"used": USED.c.used + 1, "last": one_more.excluded["last"]}
    connection.execute(one_more.on_conflict_do_update(index_elements=["customer_id", "number"], set_=changes))


def _hold(connection: Connection, desk: Desk) -> None:
    runs = desk.runs
    detail = case((USED.c.last == "", BINDING.c.told), else_=literal("after ") + USED.c.last)
    held = {"verdict": Verdict.HOLD.value, "reason": BINDING.c.reason, "detail": detail}
    connection.execute(
        update(runs)
        .where(
            *(QUEUE.c[name] == runs.c[name] for name in _RUN),
            BINDING.c.campaign_id == QUEUE.c.campaign_id,
            BINDING.c.number == QUEUE.c.full,
            USED.c.customer_id == QUEUE.c.customer_id,
            USED.c.number == QUEUE.c.full,
        )
        .values(held)
    )
