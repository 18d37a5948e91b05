"""What first transactions came to: their orders, less what went back of them."""

from datetime import datetime

from sqlalchemy import Select, Subquery, func, select, union_all

from engine.store.tables import order_lines, orders, refunds


def front_orders(now: datetime) -> Select[tuple[int, str]]:
    """SQL: customer_id and order_ref of the orders of each customer's first transaction."""
    line = order_lines.c
    return select(line.customer_id, line.order_ref).where(line.side == "front", line.at <= now).distinct()


def front_money(now: datetime) -> Subquery:
    """SQL: customer_id and amount, in minor units and net of refunds up to `now`."""
    front = front_orders(now).subquery("front")
    paid = select(orders.c.customer_id, orders.c.amount).join(
        front, (front.c.customer_id == orders.c.customer_id) & (front.c.order_ref == orders.c.order_ref)
    )
    back = (
        select(refunds.c.customer_id, -refunds.c.amount)
        .join(
            front, (front.c.customer_id == refunds.c.customer_id) & (front.c.order_ref == refunds.c.order_ref)
        )
        .where(refunds.c.at <= now)
    )
    moved = union_all(paid, back).subquery("moved")
    total = func.sum(moved.c.amount).label("amount")
    return select(moved.c.customer_id, total).group_by(moved.c.customer_id).subquery("front_money")
