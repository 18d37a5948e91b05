"""What must hold of every import: twice is once, order means nothing, a bad row costs no good one."""

import csv
import io
import random
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.facts import importing

from .conftest import TestShop

slow = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# people by the names they may go by: Ann by both at once, so that no two of them are ever one
PEOPLE = st.sampled_from(
    [("ann@example.com", "7"), ("ANN@example.com ", "7"), ("bob@example.com", ""), ("", "9")]
)
TIMES = st.integers(0, 400).map(lambda minutes: f"2026-01-01T{minutes // 60:02}:{minutes % 60:02}Z")
SKUS = st.sampled_from(["a", "b", "c"])

ORDER_HEAD = ("order_id", "email", "shop_id", "at", "sku", "quantity", "amount", "checkout_id", "refunded_at")
CONSENT_HEAD = ("email", "shop_id", "topic", "granted", "at", "basis")
CUSTOMER_HEAD = ("email", "shop_id", "country", "attribute.plan", "known_at", "updated_at")

Rows = Sequence[tuple[str, ...]]


@st.composite
def order_rows(draw: st.DrawFn) -> list[tuple[str, ...]]:
    """Rows of orders that say the same of their order, each of one person."""
    rows = []
    for number in range(draw(st.integers(1, 6))):
        email, shop_id = draw(PEOPLE)
        checkout = draw(st.sampled_from(["", "x", "y"]))
        for _ in range(draw(st.integers(1, 3))):
            sku, quantity, amount = (
                draw(SKUS),
                draw(st.integers(1, 3)),
                draw(st.sampled_from(["7", "0", "15.50"])),
            )
            back = draw(st.sampled_from(["", "", "2026-02-01T00:00Z"]))
            rows.append(
                (str(number), email, shop_id, draw(TIMES), sku, str(quantity), amount, checkout, back)
            )
    return draw(st.permutations(rows))


CONSENT_ROWS = st.lists(
    st.tuples(PEOPLE, st.sampled_from(["", "news"]), st.sampled_from(["yes", "no"]), TIMES).map(
        lambda row: (*row[0], *row[1:], "form")
    ),
    min_size=1, max_size=8,
)  # fmt: skip
CUSTOMER_ROWS = st.lists(
    st.tuples(PEOPLE, st.sampled_from(["", "AT", "DE"]), st.sampled_from(["", "1", "2"]), st.just("") | TIMES, st.just("") | TIMES).map(
        lambda row: (*row[0], *row[1:])
    ),
    min_size=1, max_size=8,
)  # fmt: skip

BAD_ORDERS = st.sampled_from(
    [
        ("0", "bad@", "", "2026-01-01T00:00Z", "a", "1", "7", "", ""),
        ("0", "", "", "never", "a", "1", "7", "", ""),
        ("1", "ann@example.com", "7", "2026-01-01", "a", "1", "7", "", ""),
        ("1", "ann@example.com", "7", "2026-01-01T00:00Z", "", "1", "7", "", ""),
        ("2", "bob@example.com", "", "2026-01-01T00:00Z", "a", "0", "7", "", ""),
        ("2", "bob@example.com", "", "2026-01-01T00:00Z", "a", "1", "-7", "", ""),
        ("3", "bob@example.com", "", "2026-01-01T00:00Z", "a", "1", "1e9", "", ""),
        ("3", "bob@example.com", "", "2026-01-01T00:00Z", "a", "1", "7", "", "2025-01-01T00:00Z"),
        ("", "zoe@example.com", "", "2026-01-01T00:00Z", "a", "1", "7", "", ""),
        ("4", "short"),
        ("0", "nul\0@example.com", "", "2026-01-01T00:00Z", "a", "1", "7", "", ""),
        tuple("0123456789ab"),
    ]
)


def as_csv(head: tuple[str, ...], rows: Rows) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([head, *rows])
    return file.getvalue()


def take(shop: TestShop, head: tuple[str, ...], rows: Rows, kind: str) -> importing.ImportSummary:
    summary = shop.take(as_csv(head, rows), kind)
    counts = (summary.inserted, summary.updated, summary.unchanged, summary.skipped, summary.rejected)
    assert summary.read == sum(counts) == len(rows)
    return summary


KINDS = {
    "orders": (ORDER_HEAD, order_rows()),
    "consent": (CONSENT_HEAD, CONSENT_ROWS),
    "customers": (CUSTOMER_HEAD, CUSTOMER_ROWS),
}


@pytest.mark.parametrize("kind", KINDS)
@slow
@given(data=st.data())
def test_importing_twice_is_importing_once(shop, kind, data):
    head, strategy = KINDS[kind]
    rows = data.draw(strategy)
    shop.empty()
    take(shop, head, rows, kind)
    before = shop.everything()
    again = take(shop, head, rows, kind)
    assert again.unchanged == len(rows)
    assert shop.everything() == before


@pytest.mark.parametrize("kind", ["orders", "consent"])
@slow
@given(data=st.data())
def test_neither_order_nor_chunks_nor_files_matter(shop, kind, data):
    head, strategy = KINDS[kind]
    rows = data.draw(strategy)
    shop.empty()
    take(shop, head, rows, kind)
    expected = shop.meaning()
    shop.empty()
    shuffled = data.draw(st.permutations(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "CHUNK", data.draw(st.integers(1, 4)))
        for part in _parts(shuffled, by_order=kind == "orders"):
            take(shop, head, part, kind)
    assert shop.meaning() == expected


def _parts(rows: Rows, *, by_order: bool) -> list[list[tuple[str, ...]]]:
    """The rows in two files; an order's rows stay together, since a later file replaces the order."""
    odd = [row for number, row in enumerate(rows) if (int(row[0]) if by_order else number) % 2]
    return [part for part in (odd, [row for row in rows if row not in odd]) if part]


@slow
@given(rows=order_rows(), bad=st.lists(BAD_ORDERS, min_size=1, max_size=5), seed=st.integers(0, 99))
@example(
    rows=[("0", "ann@example.com", "7", "2026-01-01T00:00Z", "a", "1", "7", "", "")],
    bad=[("0", "bad@")],
    seed=0,
)
def test_a_bad_row_never_takes_a_good_one_with_it(shop, rows, bad, seed):
    shop.empty()
    take(shop, ORDER_HEAD, rows, "orders")
    expected = shop.meaning()
    shop.empty()
    order = random.Random(seed)
    mixed = list(rows)
    for row in bad:
        mixed.insert(order.randrange(len(mixed) + 1), row)
    summary = take(shop, ORDER_HEAD, mixed, "orders")
    assert summary.rejected == len(bad)
    assert shop.meaning() == expected


@pytest.mark.real_data
def test_naughty_strings_land_as_they_are_or_are_refused(shop: TestShop, real_data: Path):
    lines = (real_data / "strings" / "naughty_strings" / "blns.txt").read_text("utf-8").split("\n")
    strings = [line for line in lines if line.strip() and not line.startswith("#")]
    rows = [(f"p{n}@example.com", string, string[:500]) for n, string in enumerate(strings)]
    summary = shop.take(as_csv(("email", "first_name", "attribute.note"), rows))
    stored = dict(shop.rows("customers", "email", "first_name"))
    assert summary.inserted == len(stored) > 450
    assert summary.inserted + summary.rejected == len(rows)
    told = (shop.rejects_folder / "facts.rejects.csv").read_text("utf-8")
    for email, name, _ in rows:
        if email in stored:
            assert stored[email] == _composed(name)
        else:
            assert email in told
    assert {reason for reason, _ in summary.reasons} <= {
        "first_name holds a line break or another control character",
        "first_name is longer than 200 characters",
        "attribute.note holds a line break or another control character",
    }


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())
