"""Customers files: properties and attributes with their history."""

from itertools import permutations

import pytest

from .conftest import TestShop, micros

KNOWN = "2026-01-01T00:00Z"


def history(shop: TestShop, name: str) -> list[tuple[str, int]]:
    """The values of an attribute, in order of time."""
    rows = [row for row in shop.rows("attributes", "name", "at", "value") if row[0] == name]
    return [(value, at) for _, at, value in sorted(rows, key=lambda row: row[1])]


def test_all_columns(shop):
    summary = shop.take(
        "Email,shop_id,first_name,last_name,country,locale,timezone,known_at,attribute.plan,attribute.seats\n"
        f"ann@example.com,7,Ann,Lee,AT,de-AT,Europe/Vienna,{KNOWN},gold,12\n"
    )
    assert (summary.kind, summary.read, summary.inserted) == ("customers", 1, 1)
    names = ("email", "shop_id", "first_name", "last_name", "country", "locale", "timezone", "known_at")
    expected = ("ann@example.com", "7", "Ann", "Lee", "AT", "de-AT", "Europe/Vienna", micros(KNOWN))
    assert shop.rows("customers", *names) == [expected]
    assert shop.rows("attributes", "name", "value", "number", "at") == [
        ("country", "AT", None, micros(KNOWN)),
        ("first_name", "Ann", None, micros(KNOWN)),
        ("last_name", "Lee", None, micros(KNOWN)),
        ("locale", "de-AT", None, micros(KNOWN)),
        ("plan", "gold", None, micros(KNOWN)),
        ("seats", "12", 12.0, micros(KNOWN)),
        ("timezone", "Europe/Vienna", None, micros(KNOWN)),
    ]


def test_what_changes_holds_from_then_on_and_what_is_the_same_is_left_alone(shop):
    shop.take(f"email,country,attribute.plan,known_at\nann@example.com,AT,gold,{KNOWN}\n")
    summary = shop.take("email,country,attribute.plan\nann@example.com,DE,gold\n")
    changed_at = shop.rows("customers", "recorded_at")[0]
    assert summary.updated == 1
    assert history(shop, "country") == [("AT", micros(KNOWN)), ("DE", changed_at)]
    assert history(shop, "plan") == [("gold", micros(KNOWN))]
    before = shop.everything()
    assert shop.take("email,country,attribute.plan\nann@example.com,DE,gold\n").unchanged == 1
    assert shop.everything() == before


def test_what_was_never_known_before_holds_since_the_customer_was_known(shop):
    shop.take(f"email,known_at\nann@example.com,{KNOWN}\n")
    shop.take("email,country\nann@example.com,AT\n")
    assert history(shop, "country") == [("AT", micros(KNOWN))]


def test_what_changes_without_a_time_leaves_the_past_as_it_was(shop):
    """A rule that is asked about an instant before the import is answered as before it."""
    shop.take(f"email,attribute.plan,known_at\nann@example.com,tin,{KNOWN}\n")
    for plan in ("gold", "iron"):
        shop.take(f"email,attribute.plan\nann@example.com,{plan}\n")
    times = [at for _, at in history(shop, "plan")]
    assert [plan for plan, _ in history(shop, "plan")] == ["tin", "gold", "iron"]
    assert times[0] == micros(KNOWN)
    assert times[1] == micros(f"{shop.clock.now():%Y-%m-%dT%H:%MZ}") - 86_400 * 10**6


def test_a_blank_says_nothing(shop):
    shop.take("email,country,attribute.plan\nann@example.com,AT,gold\n")
    before = shop.everything()
    assert shop.take("email,country,attribute.plan\nann@example.com,,\n").unchanged == 1
    assert shop.everything() == before


@pytest.mark.parametrize("rows", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_history_may_come_in_any_order(shop, rows, one_by_one):
    lines = [
        f"ann@example.com,{plan},2026-01-0{day}T00:00Z\n"
        for day, plan in enumerate(("tin", "gold", "iron"), 1)
    ]
    ordered = [lines[row] for row in rows]
    for part in [[line] for line in ordered] if one_by_one else [ordered]:
        shop.take("email,attribute.plan,updated_at\n" + "".join(part))
    times = [micros(f"2026-01-0{day}T00:00Z") for day in (1, 2, 3)]
    assert history(shop, "plan") == list(zip(("tin", "gold", "iron"), times, strict=True))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_what_is_told_again_holds_on_whatever_comes_late(shop, order):
    """Gold on the first day, the third and the fourth, tin in between: in the end it is gold."""
    said = [("gold", 1), ("gold", 3), ("tin", 2), ("gold", 4)]
    lines = [f"ann@example.com,{plan},2026-01-0{day}T00:00Z\n" for plan, day in said]
    for number in order:
        shop.take("email,attribute.plan,updated_at\n" + lines[number])
    assert [plan for plan, _ in history(shop, "plan")][-1] == "gold"
    assert ("tin", micros("2026-01-02T00:00Z")) in history(shop, "plan")
    assert shop.take("email,attribute.plan,updated_at\n" + "".join(lines)).inserted == 0
    assert [plan for plan, _ in history(shop, "plan")][-1] == "gold"


def test_what_is_told_again_and_again_is_kept_twice_and_changes_nobody(shop):
    for day in range(1, 8):
        shop.take(f"email,attribute.plan,updated_at\nann@example.com,gold,2026-01-0{day}T00:00Z\n")
    times = [micros(f"2026-01-0{day}T00:00Z") for day in (1, 7)]
    assert history(shop, "plan") == [("gold", at) for at in times]
    assert len(shop.rows("changes", "customer_id")) == 1


def test_an_older_value_does_not_become_the_current_one(shop):
    shop.take("email,country,updated_at\nann@example.com,DE,2026-02-01T00:00Z\n")
    shop.take("email,country,updated_at\nann@example.com,AT,2026-01-01T00:00Z\n")
    assert shop.rows("customers", "country") == ["DE"]


def test_of_rows_without_a_time_the_last_counts_and_again_changes_nothing(shop):
    text = "email,shop_id,country\nann@example.com,7,AT\nann@example.com,7,\nann@example.com,7,DE\nann@new.example,7,\n"
    assert shop.take(text).inserted == 4
    assert shop.rows("customers", "country") == ["DE"]
    before = shop.everything()
    assert shop.take(text).unchanged == 4
    assert shop.everything() == before


def test_of_rows_for_the_same_time_the_last_counts_and_again_changes_nothing(shop):
    text = f"email,attribute.plan,updated_at\nann@example.com,tin,{KNOWN}\nann@example.com,gold,{KNOWN}\n"
    assert shop.take(text).inserted == 2
    assert history(shop, "plan") == [("gold", micros(KNOWN))]
    before = shop.everything()
    assert shop.take(text).unchanged == 2
    assert shop.everything() == before


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("email", "ann@", "email is not an e-mail address"),
        ("email", "", "names no customer"),
        ("first_name", "A" * 201, "first_name is longer than 200 characters"),
        ("first_name", '"Ann\nLee"', "first_name holds a line break"),
        ("timezone", "Vienna", "timezone is not a time zone"),
        ("locale", "Austrian", "locale is not a locale"),
        ("known_at", "2026-01-01", "known_at has no time zone"),
        ("attribute.plan", "x" * 501, "attribute.plan is longer than 500 characters"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_rest_lands(shop, column, value, reason):
    email = value if column == "email" else "bad@example.com"
    other = column if column != "email" else "country"
    fields = f"{email},{'' if column == 'email' else value}"
    summary = shop.take(f"email,{other}\nann@example.com,\n{fields}\nbob@example.com,\n")
    assert (summary.read, summary.inserted, summary.rejected) == (3, 2, 1)
    assert shop.rows("customers", "email") == ["ann@example.com", "bob@example.com"]
    assert summary.reasons == ((summary.reasons[0][0], 1),)
    assert summary.reasons[0][0].startswith(reason)
    assert shop.rejects().startswith("line,reason,row\n3,")


def test_of_one_time_the_last_row_counts_however_it_names_the_person(shop):
    """Rows that name a person in several ways are read first; that changes nothing of what they say."""
    shop.take(
        "anonymous_id,email,first_name,updated_at\n"
        "v9,,Old,2026-01-01T00:00Z\n"
        "v9,cat@example.com,New,2026-01-01T00:00Z\n"
        ",cat@example.com,Newest,2026-01-01T00:00Z\n"
    )
    assert shop.rows("customers", "first_name") == ["Newest"]
    shop.take("email,shop_id,first_name\nbob@example.com,2,A\n,2,C\nbob@example.com,,B\n")
    assert sorted(shop.rows("customers", "first_name")) == ["B", "Newest"]
