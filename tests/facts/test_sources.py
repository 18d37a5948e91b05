"""The same rows from every kind of source are the same facts, and have the same rejects."""

import csv
import gzip
import io
import json
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from engine.errors import ImportFailed, Problems, UsageError
from engine.facts.importing import ImportJob
from engine.facts.sources import json_lines
from engine.facts.sources.cells import cell
from engine.facts.sources.database import Query

from .conftest import TestShop

AT = "2026-01-01T00:00Z"
HEAD = ("order_id", "email", "at", "sku", "quantity", "amount")
ROWS = [
    ("1", "ann@example.com", AT, 'guide, the "first"', "1", "7.00"),
    ("2", "bob@example.com", AT, "mug", "", "15.50"),
    ("2", "bob@example.com", AT, "mug", "2", "1"),
    ("3", "bad@", AT, "mug", "1", "1"),
    ("4", "éve@example.com", AT, "mug", "1", "-1"),
]


def as_csv(folder: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    path = folder / "orders.csv"
    path.write_text(text.getvalue(), newline="")
    return path


def as_json(folder: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    path = folder / "orders.jsonl"
    path.write_text("".join(json.dumps(dict(zip(head, row, strict=True))) + "\n" for row in rows))
    return path


def as_parquet(folder: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    path = folder / "orders.parquet"
    columns = zip(*rows, strict=True)
    parquet.write_table(pa.table(dict(zip(head, map(list, columns), strict=True))), path, row_group_size=2)
    return path


def packed(path: Path) -> Path:
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return target


def as_database(folder: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Query:
    with sqlite3.connect(folder / "other.db") as connection:
        connection.execute(f"CREATE TABLE sales ({', '.join(head)})")
        connection.executemany(f"INSERT INTO sales VALUES ({', '.join('?' * len(head))})", rows)
    connection.close()
    return Query(
        f"sqlite:///{folder / 'other.db'}",
        "SELECT * FROM sales WHERE sku NOT LIKE '%:nothing' ORDER BY rowid",
    )


SOURCES = {
    "csv": as_csv,
    "csv.gz": lambda *given: packed(as_csv(*given)),
    "jsonl": as_json,
    "jsonl.gz": lambda *given: packed(as_json(*given)),
    "parquet": as_parquet,
    "parquet.gz": lambda *given: packed(as_parquet(*given)),
    "database": as_database,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_says_the_same(shop, kind):
    shop.run(ImportJob(as_csv(shop.folder, HEAD, ROWS)))
    expected = shop.meaning()
    shop.empty()
    [summary] = shop.run(ImportJob(SOURCES[kind](shop.folder, HEAD, ROWS)))
    assert (summary.kind, summary.read, summary.inserted, summary.rejected) == ("orders", 5, 3, 2)
    assert shop.meaning() == expected
    with summary.rejects_file.open(newline="") as file:
        rejects = list(csv.DictReader(file))
    first = 5 if kind.startswith("csv") else 4  # a header is a line, too
    assert [int(row["line"]) for row in rejects] == [first, first + 1]
    assert "bad@" in rejects[0]["row"]
    assert rejects[1]["reason"].startswith("amount is negative")
    [again] = shop.run(
        ImportJob(SOURCES[kind](shop.folder, HEAD, ROWS)) if kind != "database" else _again(shop)
    )
    assert again.unchanged == 3


@pytest.mark.parametrize(
    ("amount", "noted"),
    [("0.1 + 0.2", True), ("0.125", True), ("'0.30000000000000004'", False), ("ROUND(0.1 + 0.2, 2)", False)],
)
def test_what_a_database_computed_is_to_be_rounded(shop, amount, noted):
    query = as_database(shop.folder, HEAD, ROWS)
    asked = f"SELECT 1 AS order_id, 'ann@example.com' AS email, '{AT}' AS at, 'guide' AS sku"
    [summary] = shop.run(ImportJob(Query(query.url, f"{asked}, {amount} AS amount")))
    assert any("ROUND(CAST(… AS NUMERIC), 2)" in note for note in summary.notes) is noted
    assert summary.rejected == ("ROUND" not in amount)


def _again(shop: TestShop) -> ImportJob:
    return ImportJob(Query(f"sqlite:///{shop.folder / 'other.db'}", "SELECT * FROM sales"))


def test_what_json_says_oddly_is_taken_or_told_with_its_line(shop):
    head = f'{{"order_id": "1", "email": "ann@example.com", "at": "{AT}"'
    told = [
        head + ', "sku": "mug", "amount": 1.55e1, "quantity": 2e0}',
        head.replace('"1"', '"2"') + ', "sku": "mug", "amount": 1E3}',
        head.replace('"1"', '"3"') + ', "sku": "mug", "amount": 15.5, "amount": 16}',
        head.replace('"1"', '"4"') + ', "lines": [{"sku": "mug", "sku": "hat", "amount": 1}]}',
        head.replace('"1"', '"5"') + ', "lines": []}',
        head.replace('"1"', '"6"') + ', "sku": "mug", "amount": 1e999999999}',
        head.replace('"1"', '"7"') + ', "lines": null}',
        head.replace('"1"', '"8"') + ', "lines": [{"sku": "mug", "amount": 1}, "flour"]}',
        head.replace('"1"', '"9"') + ', "lines": {"sku": "mug", "amount": 1}}',
    ]
    (shop.folder / "orders.jsonl").write_text("\n".join(told))
    [summary] = shop.run(ImportJob(shop.folder / "orders.jsonl", "orders"))
    assert (summary.inserted, summary.rejected) == (2, 7)
    assert shop.rows("order_lines", "quantity", "amount") == [(1, 100_000), (2, 1550)]
    with (shop.rejects_folder / "orders.rejects.csv").open(newline="") as file:
        rejects = [(row["line"], row["reason"]) for row in csv.DictReader(file)]
    assert rejects == [
        ("3", "has the field 'amount' twice"),
        ("4", "has the field 'sku' twice"),
        ("5", "has no lines: its list of lines is empty"),
        ("6", "amount is not an amount, such as 1234.50: '1e999999999'"),
        ("7", "has no lines: its list of lines is null"),
        ("8", """has a line that is no object: '"flour"'"""),
        ("9", "has no list of lines: its lines are an object"),
    ]


def test_a_field_told_within_an_object_and_with_a_point_is_told_twice(shop):
    told = {"id": 1, "customer": {"email": "ann@example.com"}, "at": AT, "sku": "mug", "amount": 5}
    path = shop.folder / "orders.jsonl"
    path.write_text(
        json.dumps(told | {"customer.email": "bob@example.com"}) + "\n" + json.dumps(told | {"id": 2})
    )
    mapping = shop.mapping(
        "kind: orders\nfields: {order_id: id, email: customer.email, at: at, sku: sku, amount: amount}\n"
    )
    [summary] = shop.run(ImportJob(path, None, mapping))
    assert (summary.inserted, summary.rejected) == (1, 1)
    assert "has the field 'customer.email' twice" in (shop.rejects_folder / "orders.rejects.csv").read_text()


def test_an_order_in_json_may_carry_its_lines(shop):
    order = {
        "id": 1,
        "customer": {"email": "ann@example.com"},
        "placed": AT,
        "total": 22.5,
        "lines": [{"sku": "guide", "amount": 7}, {"sku": "mug", "amount": 15.5, "sent": None}],
    }
    path = shop.folder / "orders.jsonl"
    path.write_text(
        json.dumps(order) + "\n\n" + json.dumps(order | {"id": 2, "lines": [{"sku": "hat"}]}) + "\n[1]\n{\n"
    )
    mapping = shop.mapping(
        "kind: orders\nfields: {order_id: id, email: customer.email, at: placed, order_total: total, sku: sku, amount: amount}\n"
    )
    [summary] = shop.run(ImportJob(path, None, mapping))
    assert (summary.read, summary.inserted, summary.rejected) == (5, 2, 3)
    assert shop.rows("order_lines", "sku", "amount") == [("guide", 700), ("mug", 1550)]
    assert shop.rows("orders", "amount") == [2250]
    lines = (shop.rejects_folder / "orders.rejects.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "3", "4", "5"]
    assert "is not a JSON object" in lines[2]
    assert "is not JSON" in lines[3]


def test_a_map_may_not_say_how_json_is_written(shop):
    path = as_json(shop.folder, ("Nr", *HEAD[1:]), ROWS)
    mapping = shop.mapping("kind: orders\ndelimiter: tab\n")
    with pytest.raises(
        Problems, match=r"map.yaml:2:\d+: delimiter means nothing for .*orders\.jsonl, which is no CSV file"
    ):
        shop.run(ImportJob(path, None, mapping))


def test_a_damaged_archive_says_so(shop):
    path = packed(as_csv(shop.folder, HEAD, ROWS * 100))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ImportFailed, match="cannot be unpacked"):
        shop.run(ImportJob(path))


def test_parquet_without_its_library_names_the_extra(shop, monkeypatch):
    path = as_parquet(shop.folder, HEAD, ROWS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportFailed) as caught:
        shop.run(ImportJob(path))
    assert "aftersale[parquet]" in (caught.value.hint or "")


def test_scratch_files_are_gone_afterwards(shop, monkeypatch):
    (shop.folder / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(shop.folder / "tmp"))
    shop.run(ImportJob(packed(as_csv(shop.folder, HEAD, ROWS))))
    assert list((shop.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "sql", "error", "said"),
    [
        ("nonsense", "SELECT 1", UsageError, "is not the URL"),
        ("env:NO_SUCH_VARIABLE", "SELECT 1", UsageError, "no variable NO_SUCH_VARIABLE"),
        ("sqlite:///{}/none.db", "SELECT 1", ImportFailed, "there is no file"),
        ("sqlite:///{}/other.db", "SELECT colour FROM sales", ImportFailed, "no such column"),
        ("sqlite:///{}/other.db", "DELETE FROM sales", ImportFailed, "readonly"),
        ("oracle9://ann:secret@host/db", "SELECT 1", ImportFailed, "driver"),
        ("postgresql://ann:secret@127.0.0.1:1/db", "SELECT 1", ImportFailed, "query of db failed"),
    ],
)
def test_a_database_that_cannot_be_asked(shop, url, sql, error, said):
    as_database(shop.folder, HEAD, ROWS)
    with pytest.raises(error, match=said) as caught:
        shop.run(ImportJob(Query(url.format(shop.folder), sql)))
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(Query(url, sql))


def test_a_url_in_the_environment(shop, monkeypatch):
    query = as_database(shop.folder, HEAD, ROWS)
    monkeypatch.setenv("SHOP_DB", query.url)
    [summary] = shop.run(ImportJob(Query("env:SHOP_DB", query.sql)))
    assert (summary.file, summary.inserted) == ("query of other.db", 3)


@pytest.mark.postgres
def test_postgresql_is_asked_too(shop, postgres_url):
    query = Query(postgres_url, "SELECT 'ann@example.com' AS email, 1 AS shop_id, '10:30%' AS first_name")
    [summary] = shop.run(ImportJob(query))
    assert summary.inserted == 1
    assert shop.rows("customers", "shop_id", "first_name") == [("1", "10:30%")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, ""), ("text", "text"), (True, "true"), (7, "7"), (17850.0, "17850.0"), (1e-7, "0.0000001")),
        *(
            (Decimal("1E+3"), "1000"),
            (date(2026, 1, 2), "2026-01-02"),
            (b"caf\xc3\xa9", "café"),
            ([1], "[1]"),
        ),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00+00:00"),
        (float("nan"), "NaN"),
    ],
)
def test_a_value_as_text(value, text):
    assert cell(value) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(JSON | st.dictionaries(st.sampled_from(["a", "b", "lines"]), JSON), max_size=5),
    st.binary(max_size=20),
)
def test_no_line_of_json_costs_another(values: list[Any], noise: bytes):
    noise = noise.replace(b"\n", b"")
    good = b'{"email": "ann@example.com"}\n'
    text = noise + b"\n" + b"".join(json.dumps(value).encode() + b"\n" for value in values) + good
    header = json_lines.names(io.BytesIO(text), "x")
    found = list(json_lines.records(io.BytesIO(text), header))
    assert found[-1].fields[header.index("email")] == "ann@example.com"
    for record in found:
        assert len(record.fields) == (0 if record.defect else len(header))
        assert text[record.place[1] :].startswith(text.split(b"\n")[record.place[0] - 1])
