"""The import as a whole: what it counts, tells, writes beside the store, and survives."""

import csv
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest

from engine.errors import StoreClash, StoreLocked
from engine.facts import importing
from engine.facts.catalogue import Catalogue, Product
from engine.facts.importing import ImportJob, import_files
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.migrate import ensure_current
from tests.conftest import NOW

from .conftest import TestShop

AT = "2026-01-01T00:00Z"
HEAD = "order_id,email,at,sku,amount\n"


def rejected(shop: TestShop) -> list[tuple[str, str, str]]:
    with (shop.rejects_folder / "facts.rejects.csv").open(newline="") as file:
        return [(row["line"], row["reason"], row["row"]) for row in csv.DictReader(file)]


def test_a_summary_adds_up(shop):
    shop.take(HEAD + f"1,ann@example.com,{AT},a,7\n2,ann@example.com,{AT},a,7\n")
    text = (
        HEAD
        + f"1,ann@example.com,{AT},a,7\n2,ann@example.com,{AT},a,8\n3,bob@example.com,{AT},a,7\n4,bob,{AT},a,7\n\n5,bob@example.com,{AT},POST,1\n"
    )
    summary = shop.take(text, mapping="kind: orders\nskip: {when: {sku: {is: POST}}}\n")
    counts = (summary.inserted, summary.updated, summary.unchanged, summary.skipped, summary.rejected)
    assert counts == (1, 1, 1, 1, 1)
    assert summary.read == 5


def test_the_rejects_file_is_private_and_harmless(shop):
    text = 'email,first_name\n=cmd|calc,Ann\n-bob,"B\nob"\n@x,\n'
    summary = shop.take(text.encode() + b"z\xff,\n")
    assert summary.rejected == 4
    assert rejected(shop) == [
        (
            "2",
            "email is not an e-mail address: '=cmd|calc' (An email address must have an @-sign.)",
            "'=cmd|calc,Ann",
        ),
        (
            "3",
            "email is not an e-mail address: '-bob' (An email address must have an @-sign.)",
            '\'-bob,"B\nob"',
        ),
        ("5", "email is not an e-mail address: '@x' (There must be something before the @-sign.)", "'@x,"),
        ("6", "is not text in utf-8; name its encoding in a map", "z\\xff,"),
    ]
    assert stat.S_IMODE((shop.rejects_folder / "facts.rejects.csv").stat().st_mode) == 0o600
    assert stat.S_IMODE(shop.rejects_folder.stat().st_mode) == 0o700
    assert summary.rejects_file == shop.rejects_folder / "facts.rejects.csv"


def test_an_import_without_rejects_leaves_no_file_of_an_earlier_one(shop):
    assert shop.take("email\nann\n").rejects_file
    summary = shop.take("email\nann@example.com\n")
    assert summary.rejects_file is None
    assert list(shop.rejects_folder.iterdir()) == []


def test_a_link_in_the_place_of_the_rejects_file_is_not_followed(shop):
    shop.rejects_folder.mkdir()
    victim = shop.folder / "victim.txt"
    victim.write_text("dear")
    (shop.rejects_folder / "facts.rejects.csv").symlink_to(victim)
    shop.take("email\nann\n")
    assert victim.read_text() == "dear"


def test_files_of_one_name_have_rejects_of_their_own(shop):
    (shop.folder / "more").mkdir()
    jobs = [shop.job("email\nann\n"), shop.job("email\nbob\n", name="more/facts.csv")]
    assert [summary.rejects_file.name for summary in shop.run(*jobs)] == [
        "facts.rejects.csv",
        "facts-2.rejects.csv",
    ]


@pytest.mark.parametrize("call", [1, 3], ids=["before its first bad row", "after it"])
def test_imports_at_once_have_rejects_of_their_own(shop, monkeypatch, call):
    monkeypatch.setattr(importing, "TELL_EVERY", 1)
    calls, others = [], []

    def meanwhile(told):
        calls.append(told)
        if len(calls) == call:
            others.append(begin("other", lambda _: None))

    def begin(bad, tell):
        path = shop.folder / bad / "facts.csv"
        path.parent.mkdir()
        path.write_text(f"email\n{bad}\nann@example.com\n")
        given = (shop.store, shop.settings, shop.catalogue, [ImportJob(path)])
        folder = shop.rejects_folder
        return import_files(*given, now=NOW, ids=shop.ids, rejects_folder=folder, progress=tell)[0]

    shop.take("email\nearlier\n")
    begin("first", meanwhile)
    first, other = ("-2", "") if call == 1 else ("", "-2")
    found = {path.name: path.read_text().splitlines()[1:] for path in shop.rejects_folder.iterdir()}
    assert {name: rows[0][-5:] for name, rows in found.items()} == {
        f"facts{first}.rejects.csv": "first",
        f"facts{other}.rejects.csv": "other",
    }


def test_rows_with_broken_quotes_or_encoding_cost_no_other(shop):
    text = b'email,first_name\nann@example.com,"Ann\nbob@example.com,Bob\ncid@example.com,"Cid"\ndan@example.com,D\xe4n\neve@example.com,\0\nfay@example.com,Fay\n'
    summary = shop.take(text)
    assert (summary.read, summary.inserted, summary.rejected) == (6, 3, 3)
    assert shop.rows("customers", "email") == ["bob@example.com", "cid@example.com", "fay@example.com"]
    assert [line for line, _, _ in rejected(shop)] == ["2", "5", "6"]


@pytest.mark.parametrize("together", [1, 3, 1000])
def test_rejects_stand_in_the_order_of_the_file(shop, monkeypatch, together):
    monkeypatch.setattr(importing, "JUDGED_AT_ONCE", together)
    rows = [
        "1,ann@example.com,{AT},a,-7",
        "2,ann,{AT},a,7",
        "3,{AT},a,7",
        "4,bob@example.com,{AT},a,7",
        '5,"x"y',
    ]
    summary = shop.take(HEAD + "\n".join(rows).replace("{AT}", AT) + "\n")
    assert [(line, reason.split(":")[0][:20]) for line, reason, _ in rejected(shop)] == [
        ("2", "amount is negative; "),
        ("3", "email is not an e-ma"),
        ("4", "has fewer fields tha"),
        ("6", "a quote is opened an"),
    ]
    assert (summary.read, summary.inserted, summary.rejected) == (5, 1, 4)


def test_a_row_that_swallowed_others_says_so(shop):
    shop.take('email,first_name\nann@example.com,"Ann\nbob@example.com,"\ncid@example.com,x\n')
    assert "holds a line break" in rejected(shop)[0][1]
    shop.take('email,first_name\nann@example.com,x,"Ann\nbob@example.com"\n')
    assert "runs over several lines" in rejected(shop)[0][1]


def test_products_that_are_not_in_the_catalogue_are_noted(shop):
    rows = HEAD + "".join(f"{n},ann@example.com,{AT},{sku},7\n" for n, sku in enumerate("abbc"))
    assert shop.take(rows).notes == ()
    shop.catalogue = Catalogue([Product(sku="a", name="A")])
    assert shop.take(rows).notes == (
        "products that are not in the catalogue: 2, such as b, c; rows that name them: 3",
    )


def test_progress_grows_from_reading_to_landing(shop, monkeypatch):
    monkeypatch.setattr(importing, "CHUNK", 100)
    monkeypatch.setattr(importing, "TELL_EVERY", 100)
    shop.take("email\n" + "".join(f"p{n}@example.com\n" for n in range(1000)))
    shares = [told.done / told.total for told in shop.told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert sum(share < 0.5 for share in shares) >= 5
    assert sum(share > 0.5 for share in shares) >= 5


def test_chunks_cut_no_order(shop, monkeypatch):
    rows = [f"{n % 7},p{n % 7}@example.com,{AT},s{n % 5},{n}\n" for n in range(200)]
    shop.take(HEAD + "".join(rows))
    expected = shop.meaning()
    shop.empty()
    monkeypatch.setattr(importing, "CHUNK", 3)
    shop.take(HEAD + "".join(rows))
    assert shop.meaning() == expected
    assert shop.take(HEAD + "".join(rows)).unchanged == 200


def test_a_file_with_a_header_alone(shop):
    summary = shop.take("email\n")
    assert (summary.read, summary.inserted) == (0, 0)
    assert shop.told[-1].done == shop.told[-1].total


def test_two_imports_at_once_meet_nobody_twice(shop):
    rows = "".join(
        f"{n},p{n % 40}@example.com,2026-01-{1 + n % 28:02}T00:00Z,s{n % 3},7\n" for n in range(400)
    )
    shop.take(HEAD + rows)
    expected = shop.meaning()
    shop.empty()
    half = [
        HEAD + "".join(part)
        for part in (rows.splitlines(keepends=True)[::2], rows.splitlines(keepends=True)[1::2])
    ]
    jobs = [[shop.job(text, name=f"{n}.csv")] for n, text in enumerate([*half, HEAD + rows])]

    def take(number: int) -> None:
        folder = shop.folder / f"rejects-{number}"
        import_files(
            *(shop.store, shop.settings, shop.catalogue, jobs[number]),
            now=shop.clock.now(), ids=IdFactory(shop.clock, seed=number), rejects_folder=folder, progress=lambda _: None,
        )  # fmt: skip

    with ThreadPoolExecutor() as pool:
        list(pool.map(take, range(3)))
    assert shop.meaning() == expected


def test_a_chunk_that_clashes_with_another_import_is_landed_again(shop, monkeypatch):
    shop.take("email\n")  # so that the settings are noted already
    writing, clashes = Store.writing, iter([True, True])

    @contextmanager
    def clashing(store):
        with writing(store) as connection:
            yield connection
            if next(clashes, False):
                raise StoreClash("another process changed the same rows")

    monkeypatch.setattr(Store, "writing", clashing)
    assert shop.take(HEAD + f"1,ann@example.com,{AT},a,7\n").inserted == 1
    assert shop.rows("orders", "order_ref") == ["1"]
    assert list(clashes) == []


def test_an_import_that_was_broken_off_is_ended_by_the_next(shop, monkeypatch):
    text = HEAD + "".join(f"{n},p{n % 9}@example.com,{AT},s{n % 5},{n}\n" for n in range(60))
    shop.take(text)
    expected = shop.meaning()
    shop.empty()
    monkeypatch.setattr(importing, "CHUNK", 10)
    landed = []

    def stop(told):
        landed.append(told)
        if len(landed) == 3:
            raise KeyboardInterrupt

    shop.clock.advance(timedelta(days=1))
    with pytest.raises(KeyboardInterrupt):
        import_files(
            *(shop.store, shop.settings, shop.catalogue, [shop.job(text)]),
            now=shop.clock.now(), ids=shop.ids, rejects_folder=shop.rejects_folder, progress=stop,
        )  # fmt: skip
    assert 0 < len(shop.rows("orders", "order_ref")) < 60
    summary = shop.take(text)
    assert 0 < summary.unchanged < 60
    assert shop.meaning() == expected


def test_a_store_that_is_held_by_another_says_so(tmp_path, clock, ids, sqlite_url):
    store = Store(sqlite_url, busy=50)
    ensure_current(store)
    shop = TestShop(store, tmp_path, clock, ids)
    job = shop.job("email\nann@example.com\n")
    with Store(sqlite_url).writing(), pytest.raises(StoreLocked):
        shop.run(job)
    assert shop.run(job)[0].inserted == 1


def test_rows_of_a_time_to_come_are_told_of(shop):
    rows = [f"{n},ann@loaf.example,2026-0{month}-11T09:00Z,guide,5" for n, month in enumerate((3, 4, 6))]
    head = "order_id,email,at,sku,amount\n"
    told = (
        "rows of a time that is still to come: 2, the latest of 2026-06-11 09:00Z; they count from then on. "
    )
    assert shop.take(head + "\n".join(rows)).notes == (f"{told}Are day and month as they are meant?",)
    assert shop.take(head + rows[0]).notes == ()
