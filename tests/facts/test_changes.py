"""The change queue: every landing names those whose facts it wrote, and nobody else."""

import pytest
from sqlalchemy import delete

from engine.store.tables import changes

from .conftest import TestShop

AT = "2026-01-01T00:00Z"
ORDERS = "order_id,email,at,sku,amount\n"


def queued(shop: TestShop) -> list[str]:
    """Who is in the queue, by address; it is taken."""
    names = dict(shop.rows("customers", "customer_id", "email"))
    found = sorted(names[customer] for customer in shop.rows("changes", "customer_id"))
    with shop.store.writing() as connection:
        connection.execute(delete(changes))
    return found


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        pytest.param(
            f"email,granted,at\nann@example.com,yes,{AT}\n",
            f"email,granted,at\nann@example.com,yes,{AT}\nbob@example.com,no,{AT}\n",
            ["bob@example.com"],
            id="consent",
        ),
        pytest.param(
            "email,country\nann@example.com,AT\nbob@example.com,AT\n",
            "email,country\nann@example.com,AT\nbob@example.com,DE\n",
            ["bob@example.com"],
            id="customers",
        ),
        pytest.param(
            f"email,sku,kind,at\nann@example.com,a,started,{AT}\n",
            f"email,sku,kind,at\nann@example.com,a,started,{AT}\nann@example.com,a,completed,{AT}\n",
            ["ann@example.com"],
            id="consumption",
        ),
        pytest.param(
            ORDERS + f"1,ann@example.com,{AT},a,7\n2,bob@example.com,{AT},a,7\n",
            ORDERS + f"1,ann@example.com,{AT},a,8\n2,bob@example.com,{AT},a,7\n",
            ["ann@example.com"],
            id="orders",
        ),
        pytest.param(
            ORDERS + f"1,ann@example.com,{AT},a,7\n",
            ORDERS + f"1,bob@example.com,{AT},a,7\n",
            ["ann@example.com", "bob@example.com"],
            id="an order that goes to another",
        ),
        pytest.param(
            f"email,granted,at\nann@example.com,yes,{AT}\n",
            "email,granted,at\nann@example.com,yes,2025-12-01T00:00Z\n",
            ["ann@example.com"],
            id="known earlier",
        ),
    ],
)
def test_who_is_queued(shop, before, text, expected):
    shop.take(before)
    assert queued(shop) == sorted(set(shop.rows("customers", "email")))
    shop.take(text)
    assert queued(shop) == expected
    assert shop.take(text).rejected == 0
    assert queued(shop) == [], "the same file again changes nobody"


def test_a_credit_queues_its_customer(shop):
    mapping = "kind: orders\ncredits: {when: {order_id: {starts_with: C}}}\n"
    shop.take(ORDERS + f"1,ann@example.com,{AT},a,7\n2,bob@example.com,{AT},a,7\n")
    queued(shop)
    shop.take(ORDERS + f"C1,ann@example.com,{AT},a,7\n", mapping=mapping)
    assert queued(shop) == ["ann@example.com"]
    shop.take(ORDERS + f"C1,ann@example.com,{AT},a,7\n", mapping=mapping)
    assert queued(shop) == []
