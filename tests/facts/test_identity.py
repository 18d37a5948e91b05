"""Which customer is meant: by address, by shop id, by both; and who never becomes one by themselves."""

import pytest

from engine.facts.identity import LOTS, lot_of

from .conftest import TestShop, micros

CONSENT = "email,shop_id,granted,at\n"
AT = "yes,2026-01-01T00:00Z\n"


def people(shop: TestShop) -> dict[str, list[str]]:
    """Each customer by the address they are written to, or else their shop id: the names that lead to them."""
    found: dict[str, list[str]] = {}
    names = {row[0]: row[1] or row[2] for row in shop.rows("customers", "customer_id", "email", "shop_id")}
    for kind, value, customer in shop.rows("identities", "kind", "value", "customer_id"):
        found.setdefault(names[customer], []).append(f"{kind}:{value}")
    return {name: sorted(ways) for name, ways in found.items()}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["Ann@Example.com,", " ann@example.com ,"], {"ann@example.com": ["email:ann@example.com"]}),
        ([",7", ",7"], {"7": ["shop_id:7"]}),
        (
            ["ann@example.com,", "ann@example.com,7", ",7"],
            {"ann@example.com": ["email:ann@example.com", "shop_id:7"]},
        ),
        ([",7", "ann@example.com,7"], {"ann@example.com": ["email:ann@example.com", "shop_id:7"]}),
        (
            ["ann@example.com,", ",7", "ann@example.com,7", ",7"],
            {"ann@example.com": ["email:ann@example.com", "shop_id:7"]},
        ),
        (
            ["ann@example.com,7", "ann@new.example,7"],
            {"ann@example.com": ["email:ann@example.com", "email:ann@new.example", "shop_id:7"]},
        ),
        (["e\u0301ve@example.com,", "éve@example.com,"], {"éve@example.com": ["email:éve@example.com"]}),
    ],
)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_who_is_meant(shop, rows, expected, one_by_one):
    files = [[row] for row in rows] if one_by_one else [rows]
    for part in files:
        summary = shop.take(CONSENT + "".join(f"{row},{AT}" for row in part))
        assert summary.rejected == 0
    assert people(shop) == expected


@pytest.mark.parametrize(
    ("known", "row", "reason"),
    [
        ("ann@example.com,7", "ann@example.com,8", "email belongs to a customer with another shop_id"),
        ("ann@example.com,7\nbob@example.com,8", "ann@example.com,8", "two different customers"),
        ("ann@example.com,\nbob@example.com,8", "ann@example.com,8", "two different customers"),
        ("ann@example.com,7\n,8", "ann@example.com,8", "two different customers"),
    ],
)
def test_two_known_people_never_become_one(shop, known, row, reason):
    shop.take(CONSENT + "".join(f"{each},{AT}" for each in known.split("\n")))
    before = shop.everything()
    summary = shop.take(CONSENT + f"{row},{AT}")
    assert summary.rejected == 1
    assert reason in summary.reasons[0][0]
    assert shop.everything() == before


def test_a_customers_file_changes_the_address_that_is_written_to(shop):
    shop.take("email,shop_id\nann@example.com,7\n")
    summary = shop.take("email,shop_id\nann@new.example,7\n")
    assert (summary.updated, summary.rejected) == (1, 0)
    assert people(shop) == {
        "ann@new.example": ["email:ann@example.com", "email:ann@new.example", "shop_id:7"]
    }
    shop.take(CONSENT + f"ann@example.com,,{AT}")  # the old address still leads to her
    assert len(shop.rows("customers", "customer_id")) == 1
    assert shop.take("email,shop_id\nann@new.example,7\n").unchanged == 1


def test_an_earlier_fact_makes_a_customer_known_earlier(shop):
    head = "email,granted,at\n"
    shop.take(head + "ann@example.com,yes,2026-01-05T00:00Z\n")
    shop.take(head + "ann@example.com,yes,2026-01-09T00:00Z\nann@example.com,no,2026-01-02T00:00Z\n")
    assert shop.rows("customers", "known_at") == [micros("2026-01-02T00:00Z")]
    shop.take("email,known_at\nann@example.com,2025-06-01T00:00Z\n")
    assert shop.rows("customers", "known_at") == [micros("2025-06-01T00:00Z")]
    shop.take("email,known_at\nann@example.com,2026-02-01T00:00Z\n")
    assert shop.rows("customers", "known_at") == [micros("2025-06-01T00:00Z")]


def test_a_customer_has_a_lot_and_a_row_to_lock(shop):
    shop.take("email\nann@example.com\nbob@example.com\n")
    for customer, lot in shop.rows("customers", "customer_id", "lot"):
        assert lot == lot_of(customer)
        assert 0 <= lot < LOTS
    assert shop.rows("contact_state", "customer_id") == shop.rows("customers", "customer_id")


def test_lots_are_spread_evenly():
    lots = [lot_of(customer) / LOTS for customer in range(1_000_000_000, 1_000_040_000)]
    tenths = [sum(tenth <= 10 * lot < tenth + 1 for lot in lots) for tenth in range(10)]
    assert max(tenths) < 1.1 * min(tenths)
