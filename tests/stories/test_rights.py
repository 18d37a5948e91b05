"""What a person may ask for: all that is stored, nothing stored any more, and no mail; on both databases."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.app.erasing import GONE, STRIPPED
from engine.app.project import Project
from engine.app.told_of import LEFT_OUT
from engine.clock import VirtualClock
from engine.facts.locks import locked
from engine.facts.receiving import spool
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.spool import Spool
from engine.facts.suppression import address_hash, lift
from engine.store.connect import Store
from engine.store.tables import customer_aliases, identities, inbound, messages, metadata
from tests.conftest import NOW
from tests.daemon.conftest import database
from tests.stories.conftest import Aftersale

__all__ = ["database"]
ANN = ("ann@loaf.example", "shop-7781", "Annabella")
CAMPAIGN = """\
campaign: again
audience: {bought: {product: guide}}
holdout: 0%
steps:
  - id: one
    after: 0
    email: {subject: "{{ customer.first_name }}, your guide", template: a.html}
  - id: two
    after: 30d
    email: {subject: Later, template: a.html}
"""
TEMPLATE = """\
<p>You have {{ owned('guide').name }}, {{ customer.first_name }}.</p>
<a href="{{ unsubscribe_url }}">no more</a> {{ shop.postal_address }}
"""
FILES = {
    "config.yaml": "consent: {default: soft_opt_in}\nshop: {postal_address: 1 Lane}\n",
    "campaigns/products.yaml": "products:\n  guide: {name: The Guide, kind: core, price: 10}\n",
    "campaigns/again.yaml": CAMPAIGN,
    "templates/a.html": TEMPLATE,
    "customers.csv": (
        "email,shop_id,first_name,attribute.city\n"
        "ann@loaf.example,shop-7781,Annabella,Rome\nbob@loaf.example,shop-2,Bob,Oslo\n"
    ),
    "orders.csv": (
        "order_id,email,shop_id,at,sku,quantity,amount\n"
        "A-90210,ann@loaf.example,,2026-03-01T00:00Z,guide,1,10\n"
        "B-1,,shop-2,2026-03-01T00:00Z,guide,1,10\nC-1,,shop-7781,2026-03-02T00:00Z,guide,1,nothing\n"
    ),
}


@pytest.fixture
def on_sqlite(tmp_path: Path, aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two customers who both got a first mail, and have a second one before them."""
    monkeypatch.setenv("AFTERSALE_SECRETS__SIGNING", "a long text that nobody guesses")
    for name, text in FILES.items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path / "shop")
    said = aftersale("import", "customers.csv", "orders.csv")
    assert "rejected 1" in said.out, said.err
    assert aftersale("run", "--once").code == 0
    return tmp_path / "shop"


@pytest.fixture
def shop(database: str, request: pytest.FixtureRequest) -> Path:
    """The same on either database."""
    found: Path = request.getfixturevalue("on_sqlite")
    return found


@pytest.fixture
def stored(on_sqlite: Path) -> Iterator[Store]:
    project = Project(on_sqlite, VirtualClock(NOW))
    yield project.store
    project.close()


@pytest.fixture
def store(shop: Path, stored: Store) -> Store:
    return stored


def mails(shop: Path) -> list[Path]:
    return sorted(shop.glob("outbox/mails/*/*.eml"))


def ever_written(shop: Path) -> str:
    """Every byte of the database's files and of those that we wrote ourselves."""
    ours = [
        *shop.parent.glob("aftersale.db*"),
        *shop.glob("rejects/*"),
        *mails(shop),
        *shop.glob(".aftersale/**/*"),
    ]
    return "".join(file.read_bytes().decode("latin-1") for file in ours if file.is_file())


def everything_in(store: Store) -> str:
    with store.reading() as connection:
        tables = metadata.sorted_tables
        return "\n".join(str(row) for table in tables for row in connection.execute(select(table)))


def test_all_that_is_stored_of_one_person_is_told_and_nothing_of_another(
    aftersale: Aftersale, on_sqlite: Path
) -> None:
    told = aftersale("export", "customer", "ann@loaf.example").json
    assert told["customers"][0]["first_name"] == "Annabella"
    assert {name["value"] for name in told["names"]} == {"ann@loaf.example", "shop-7781"}
    assert told["orders"][0]["order_ref"] == "A-90210"
    assert told["messages"][0]["evidence"][0]["claim"]
    assert [on_sqlite / file for file in told["files"]] == [
        f for f in mails(on_sqlite) if b"ann@" in f.read_bytes()
    ]
    assert "shop-2" not in json.dumps(told)
    assert {t.name for t in metadata.sorted_tables if "customer_id" in t.c} <= told.keys()
    assert aftersale("export", "customer", "zoe@loaf.example").code == 12


def test_what_was_told_of_them_is_told_and_not_what_stands_beside_it_of_others(
    aftersale: Aftersale, on_sqlite: Path, stored: Store
) -> None:
    ann, bob = "ann@loaf.example", "bob@loaf.example"
    with stored.reading() as connection:
        numbers = dict(connection.execute(select(identities.c.value, identities.c.customer_id)).all())
    x, to_ann = LEFT_OUT, {"email": "Ann@Loaf.example", "note": "hi"}
    click = {"event": "click", "email": ann, "ip": "203.0.113.1", "smtp-id": "<14c5@mx.example.net>"}
    link = f"https://shop.example?for={ann}"
    told_of: list[tuple[Any, Any]] = [  # what came, and what of it is hers
        (click, click),
        ({"email": bob, "ip": "198.51.100.2"}, None),
        ({"email": f"jo{ann}", "ip": "198.51.100.3"}, None),
        ({"customer_id": numbers[ann], "status": f"no {ann}, ask dee@x.example"},
         {"customer_id": numbers[ann], "status": f"no {ann}, ask {x}"}),
        ({"aftersale_customer": str(numbers[bob]), "url": link, "ip": "198.51.100.4"},
         {"aftersale_customer": x, "url": link, "ip": x}),
        ({"userId": "shop-2", "city": "Oslo", "to": [to_ann, {"email": "carl@x.example", "note": "ho"}]},
         {"userId": x, "city": x, "to": [to_ann, {"email": x, "note": x}]}),
        ({"userId": "shop-7781", "city": "Rome", "friend": {"email": bob, "city": "Oslo"}},
         {"userId": "shop-7781", "city": "Rome", "friend": {"email": x, "city": x}}),
    ]  # fmt: skip
    first, *others = [Told("sendgrid", str(n), NOW, json.dumps(body)) for n, (body, _) in enumerate(told_of)]
    Spool(on_sqlite / ".aftersale").events.put([first])  # on its way still
    with stored.writing() as connection:
        connection.execute(inbound.insert(), [each._asdict() for each in others])
        for address in (ann, bob):
            lift(connection, address, NOW)
    told = aftersale("export", "customer", ann).json
    assert {int(each["event_id"]): each["body"] for each in told["inbound"]} == {
        number: hers for number, (_, hers) in enumerate(told_of) if hers
    }
    assert [each["address_hash"] for each in told["lifts"]] == [address_hash(ann)]


def test_every_table_with_customers_in_it_is_erased_or_stripped() -> None:
    with_people = {table for table in metadata.sorted_tables if "customer_id" in table.c}
    assert with_people == {*GONE, *STRIPPED, customer_aliases}


def test_what_was_erased_cannot_be_found_and_the_counts_stay(
    aftersale: Aftersale, shop: Path, store: Store
) -> None:
    before = aftersale("status", "--json").json
    with store.writing() as connection:
        for number, address in enumerate(("Ann@Loaf.example", "bob@loaf.example")):
            told = {"source": "sendgrid", "event_id": str(number), "received_at": NOW}
            connection.execute(inbound.insert(), told | {"body": json.dumps({"email": address})})
    Spool(shop / ".aftersale").events.put([Told("sendgrid", "2", NOW, '{"email": "ann@loaf.example"}')])
    assert all(word in ever_written(shop) + everything_in(store) for word in ANN)
    said = aftersale("erase", "ann@loaf.example")
    assert (said.code, "say --yes" in said.err) == (2, True)
    told = aftersale("erase", "Ann@Loaf.example", "--yes", "--json").json
    assert (told["mails"], told["rejects"], told["rows"]["orders"]) == (1, 1, 1)
    assert told["overwritten"] is (store.engine.dialect.name == "sqlite")
    assert "Ann@Loaf" not in everything_in(store)
    for word in ANN:
        assert word not in everything_in(store)
        assert word not in ever_written(shop)
    assert "bob@loaf.example" in everything_in(store)
    assert len(mails(shop)) == 1
    assert aftersale("status", "--json").json["mails"] == before["mails"]
    assert aftersale("erase", "ann@loaf.example").out.startswith("ann@loaf.example was erased before.")
    assert aftersale("explain", "ann@loaf.example").code == 12


def test_what_was_told_of_them_goes_however_it_names_them(
    aftersale: Aftersale, shop: Path, store: Store
) -> None:
    with store.writing() as connection:
        ann = connection.scalar(select(identities.c.customer_id).where(identities.c.value == ANN[0]))
        other = {"kind": "email", "value": "ann@bücher.example", "customer_id": ann}
        connection.execute(identities.insert(), other)
        for number, told in enumerate(
            (
                {"email": "Ann@xn--bcher-kva.example", "ip": "203.0.113.1"},
                {"aftersale_customer": str(ann), "ip": "203.0.113.2"},
                {"address": "", "customer_id": ann, "ip": "203.0.113.3"},
                {"aftersale_customer": f"{ann}0", "customer_id": int(f"{ann}0"), "ip": "198.51.100.1"},
            )
        ):
            row = {"source": "sendgrid", "event_id": str(number), "received_at": NOW}
            connection.execute(inbound.insert(), row | {"body": json.dumps(told)})
    aftersale("erase", ANN[0], "--yes")
    assert "203.0.113" not in everything_in(store)
    assert "198.51.100.1" in everything_in(store), "somebody else"


def test_nobody_is_erased_while_what_was_told_cannot_be_read(
    aftersale: Aftersale, on_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "PATIENCE", 0)
    tray = Spool(on_sqlite / ".aftersale").events
    tray.put([Told("sendgrid", "1", NOW, '{"email": "ann@loaf.example"}')])
    with tray.files()[0].open("rb") as frozen:  # by the process that writes it
        assert locked(frozen.fileno())
        said = aftersale("erase", "ann@loaf.example", "--yes")
    assert (said.code, "1 file in .aftersale/spool cannot be read" in said.err) == (20, True)
    assert aftersale("erase", "ann@loaf.example", "--yes").code == 0


def test_the_next_import_passes_who_was_erased_over_until_there_is_new_consent(
    aftersale: Aftersale, shop: Path, store: Store
) -> None:
    aftersale("erase", "shop-7781", "--yes")
    for _ in range(2):
        again = aftersale("import", "customers.csv", "orders.csv", "--json").json["files"]
        assert [file["skipped"] for file in again] == [1, 1]
        assert "rows of people who were erased, and were passed over: 1" in str(again[0]["notes"])
    assert "ann@" not in everything_in(store)
    head = "email,topic,at,granted\nann@loaf.example,marketing"
    Path("old.csv").write_text(f"{head},2026-03-09T00:00Z,yes\n")
    Path("no.csv").write_text(f"{head},2026-04-01T00:00Z,no\n")
    for file in ("old.csv", "no.csv"):
        assert aftersale("import", file, "--as", "consent", "--json").json["files"][0]["skipped"] == 1
    Path("new.csv").write_text(f"{head},2026-04-01T00:00Z,yes\n")
    assert aftersale("import", "new.csv", "--as", "consent", "--json").json["files"][0]["inserted"] == 1
    back = aftersale("import", "customers.csv", "--json").json["files"][0]
    assert (back["skipped"], back["updated"]) == (0, 1)


def test_without_the_secret_nobody_is_brought_back(
    aftersale: Aftersale, on_sqlite: Path, stored: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    aftersale("erase", "ann@loaf.example", "--yes")
    monkeypatch.setenv("AFTERSALE_SECRETS__SIGNING", "another text that nobody guesses")
    said = aftersale("import", "customers.csv")
    assert (said.code, "is not what it was" in said.err) == (10, True)
    monkeypatch.delenv("AFTERSALE_SECRETS__SIGNING")
    assert aftersale("import", "customers.csv").code == 10
    assert aftersale("erase", "bob@loaf.example", "--yes").code == 10
    assert "ann@" not in everything_in(stored)
    assert "bob@" in everything_in(stored), "nothing of an erasure that fails is done"


def test_nobody_is_erased_while_a_mail_is_on_its_way(
    aftersale: Aftersale, on_sqlite: Path, stored: Store
) -> None:
    with stored.writing() as connection:
        connection.execute(update(messages).values(status="sending"))
    said = aftersale("erase", "ann@loaf.example", "--yes")
    assert (said.code, "on its way" in said.err) == (2, True)
    assert "ann@" in everything_in(stored)


def test_who_was_erased_gets_no_second_mail_and_the_engine_goes_on(
    aftersale: Aftersale, shop: Path, clock: VirtualClock
) -> None:
    aftersale("erase", "ann@loaf.example", "--yes")
    clock.advance(NOW.replace(month=4, day=20) - NOW)
    assert aftersale("preview", "--json").code == 0
    ran = aftersale("run", "--once", "--json").json
    assert ran["delivered"]["accepted"] == 1, "Bob's"
    for command in (("status",), ("outbox",)):
        assert aftersale(*command).code == 0


# ── suppress ────────────────────────────────────────────────────────────────────────────────────


def test_a_list_is_read_written_and_read_again(aftersale: Aftersale, shop: Path) -> None:
    Path("stop.csv").write_text(
        "\ufeffEmail,reason\nann@loaf.example,\nEVE@x.example,=cmd()\nnot an address,bounce\n\n"
    )
    said = aftersale("suppress", "--from", "stop.csv", "--reason", "bounce")
    assert (said.code, said.out) == (1, "2 suppressed, 0 suppressed before\n")
    assert "stop.csv:4: " in said.err
    listed = aftersale("suppress", "--export").out
    assert "ann@loaf.example,bounce" in listed
    assert ",'=cmd()," in listed, "no cell is a formula"
    assert "eve@x.example" not in listed.lower(), "nobody knows whose hash that is"
    Path("list.csv").write_text(listed)
    assert aftersale("suppress", "ann@loaf.example", "--lift").out.endswith("may get mail again\n")
    again = aftersale("suppress", "--from", "list.csv")
    assert (again.code, again.out) == (0, "1 suppressed, 1 suppressed before\n")


def test_a_plain_list_of_addresses_needs_no_header(aftersale: Aftersale, on_sqlite: Path) -> None:
    Path("plain.txt").write_text("ann@loaf.example\nbob@loaf.example\n")
    assert aftersale("suppress", "--from", "plain.txt").out.startswith("2 suppressed")
    assert aftersale("suppress", "bob@loaf.example").out.endswith("was suppressed already\n")


def test_a_word_of_ours_means_the_same_however_it_is_written(aftersale: Aftersale, on_sqlite: Path) -> None:
    Path("theirs.csv").write_text(
        "email,reason\nann@loaf.example,Unsubscribed\nbob@loaf.example,mailbox full\n"
    )
    assert aftersale("suppress", "--from", "theirs.csv").code == 0
    said = aftersale("suppress", "--export").out
    assert ",unsubscribed," in said
    assert ",mailbox full," in said


@pytest.mark.parametrize(
    "words",
    [(), ("--lift",), ("a@x.example", "--export"), ("--from", "x", "--lift"), ("--from", "x", "--export")],
)
def test_suppress_is_told_one_thing_at_a_time(aftersale: Aftersale, words: tuple[str, ...]) -> None:
    assert aftersale("suppress", *words).code == 2


def test_a_file_that_is_no_text_is_told(aftersale: Aftersale, on_sqlite: Path) -> None:
    Path("bad.csv").write_bytes(b"\xff\xfe\x00")
    assert aftersale("suppress", "--from", "bad.csv").code == 14
    assert aftersale("suppress", "--from", "none.csv").code == 14
