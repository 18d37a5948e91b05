"""Who may go, of all that is due for one customer: priority first, up to the frequency cap."""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    String,
    and_,
    case,
    func,
    literal,
    select,
    update,
)

from engine.planning.book import Book
from engine.planning.desk import UNDECIDED, Desk
from engine.planning.reasons import Reason, Verdict
from engine.planning.state import State
from engine.rules.model import Scope
from engine.rules.words import times
from engine.store.dialect import lay_out, memory_table

QUEUE = memory_table(
    "plan_queue",
    [
        Column("customer_id", BigInteger, primary_key=True, autoincrement=False),
        Column("campaign_id", String(100), primary_key=True),
        Column("spell", Integer, primary_key=True, autoincrement=False),
        Column("step_id", String(100), primary_key=True),
        Column("place", Integer, nullable=False),
        Column("winner", String(100), nullable=False),
        Column("used", Integer, nullable=False),
    ],
)
TAKES_A_SLOT = ("scheduled", "sending", "accepted", "unknown", "held_out")


def arbitrate(connection: Connection, desk: Desk, state: State, book: Book, scope: Scope) -> None:
    """Let undecided runs go, highest priority first, until the customer's cap is reached; hold the rest.

    The detail of a held run names the campaign that went before it, or says that the cap was full.
    """
    cap = book.settings.frequency.max
    lay_out(connection, QUEUE)
    _line_up(connection, desk, state, book, scope)
    runs, queue = desk.runs, QUEUE
    mine = [queue.c[name] == runs.c[name] for name in ("customer_id", "campaign_id", "spell", "step_id")]
    detail = case(
        (queue.c.used >= cap, literal(f"{times(cap, 'mail')} went before, or is to go")),
        else_=literal("after ") + queue.c.winner,
    )
    connection.execute(
        update(runs)
        .where(*mine, queue.c.used + queue.c.place > cap)
        .values(verdict=Verdict.HOLD.value, reason=Reason.FREQUENCY_CAP.value, detail=detail)
    )


def _line_up(connection: Connection, desk: Desk, state: State, book: Book, scope: Scope) -> None:
    runs, campaign, sent = desk.runs, desk.campaigns, state.messages
    order = (campaign.c.priority.desc(), runs.c.due_at, runs.c.campaign_id, runs.c.spell, runs.c.step_id)
    decided_anew = and_(sent.c.status == "scheduled", sent.c.due_at <= scope.now)
    used = (
        select(func.count())
        .where(
            sent.c.customer_id == runs.c.customer_id,
            func.coalesce(sent.c.slot_at, sent.c.planned_at, type_=sent.c.planned_at.type)
            > scope.now - book.settings.frequency.per,
            ~decided_anew,
            sent.c.status.in_(TAKES_A_SLOT),
            sent.c.track == campaign.c.track,
        )
        .correlate(runs, campaign)
        .scalar_subquery()
    )
    places = (
        select(
            runs.c.customer_id,
            runs.c.campaign_id,
            runs.c.spell,
            runs.c.step_id,
            func.row_number().over(partition_by=runs.c.customer_id, order_by=order),
            func.first_value(campaign.c.name).over(partition_by=runs.c.customer_id, order_by=order),
            used,
        )
        .join(campaign, campaign.c.campaign_id == runs.c.campaign_id)
        .where(runs.c.verdict == UNDECIDED)
    )
    connection.execute(
        QUEUE.insert().from_select(
            ["customer_id", "campaign_id", "spell", "step_id", "place", "winner", "used"], places
        )
    )
