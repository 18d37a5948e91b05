"""Maps: what they can say, and every mistake in them with file, line and column."""

import pytest

from engine.errors import ImportFailed, Problems, UsageError

from .conftest import TestShop, micros

AT = "2026-01-01T00:00Z"
GOOD = """\
kind: orders
fields:
  order_id: Nr
  email: Mail
  at: {column: Datum, format: "%d.%m.%Y", zone: Europe/Vienna}
  sku: Artikel
  amount: Betrag
"""


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("kind: orders", "kind: oders", "map.yaml:1:1: unknown kind of file 'oders'"),
        ("kind: orders", "knd: orders", "map.yaml:1:1: unknown key 'knd' (did you mean 'kind'?)"),
        ("  sku: Artikel\n", "", "map.yaml:2:1: a file of orders needs the column 'sku'"),
        ("  email: Mail\n", "", "map.yaml:2:1: a file of orders needs the column 'email' or 'shop_id'"),
        ("  amount: Betrag\n", "", "map.yaml:2:1: a file of orders needs the column 'amount' or 'unit_price'"),
        ("  sku:", "  skuu:", "map.yaml:6:3: a file of orders has no column 'skuu' (did you mean 'sku'?)"),
        ("Artikel", "Artikl", "map.yaml:6:3: the file has no column 'Artikl' (did you mean 'Artikel'?)"),
        ("sku: Artikel", "sku: {join: [Nr, Artikl]}", "map.yaml:6:9: the file has no column 'Artikl'"),
        ("sku: Artikel", "sku: {column: Artikel, constant: x}", "say exactly one of column, join and constant"),
        ("sku: Artikel", "sku: {column: Artikel, clean: [trim]}", "'float_id', 'lower' or 'upper'"),
        ("sku: Artikel", "sku: {column: Artikel, zone: UTC}", "map.yaml:6:3: sku is no instant"),
        ("sku: Artikel", "sku: [Artikel]", "map.yaml:6:"),
        ("Europe/Vienna", "Vienna", "unknown time zone 'Vienna'"),
        ('"%d.%m.%Y"', '"%d.%m"', "leaves out the year, the month or the day"),
        ('"%d.%m.%Y"', '"%Q.%m.%Y"', "is not a layout of dates"),
        ("fields:", "encoding: utf-99\nfields:", "map.yaml:2:1: encoding: unknown encoding 'utf-99'"),
        ("fields:", "encoding: utf-16\nfields:", "utf-16 is not built on ASCII"),
        ("fields:", "delimiter: ';;'\nfields:", "map.yaml:2:1: delimiter: ';;' is not a delimiter"),
        ("fields:", "header: false\nfields:", "a file without a header needs its columns named"),
        ("fields:", "columns: [a, b]\nfields:", "one with a header names them itself"),
        ("fields:", "numbers: {thousands: .}\nfields:", "the decimal mark are the same"),
        ("fields:", "constants: {sku: x}\nfields:", "map.yaml:2:13: 'sku' stands under fields too"),
        ("fields:", "constants: {currency: EURO}\nfields:", "map.yaml:2:13: currency is not a currency, such as EUR: 'EURO'"),
        ("fields:", "credits: {when: {quantity: negative}}\nfields:", "map.yaml:2:18: 'quantity' is not among the fields"),
        ("fields:", "credits: {when: {sku: positive}}\nfields:", "map.yaml:2:18:"),
        ("fields:", "credits: {when: {sku: {is: a, starts_with: b}}}\nfields:", "ask exactly one of"),
        ("fields:", "skip: {when: {}}\nfields:", "map.yaml:2:8:"),
        (GOOD, "- kind", "map.yaml: write a map as `key: value`"),
        (GOOD, "kind: [orders", "map.yaml:"),
        ("kind: orders", "kind: orders\nkind: orders", 'map.yaml:2:1: duplicate key "kind"'),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_stands(shop, monkeypatch, good, bad, said):
    monkeypatch.chdir(shop.folder)
    assert good in GOOD
    with pytest.raises(Problems) as caught:
        shop.take("Nr,Mail,Datum,Artikel,Betrag\n", mapping=GOOD.replace(good, bad))
    assert said in str(caught.value)


def test_all_mistakes_at_once(shop):
    with pytest.raises(Problems) as caught:
        shop.take("Nr,Mail,Datum,Artikel,Betrag\n", mapping=GOOD.replace("Nr", "No").replace("Mail", "Male"))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (  # what the map's form shows beside what the file shows
            {"kind: orders": "kind: orders\nencodig: utf-8\nskip: {when: {note: blank}}", "Mail": "Male"},
            ["unknown key 'encodig'"],  # who knows how its header is to be read
        ),
        (
            {"  amount: Betrag": "  amont: Betrag\nskip: {when: {note: blank}}\nskp: 1", "Mail": "Male"},
            [
                "unknown key 'skp'",
                "no column 'amont'",
                "'note' is not among",
                "no column 'Male'",
                "'amount' or",
            ],
        ),
        (
            {"  sku: Artikel": "  sku: {colum: Artikel}", "Mail": "Male"},
            ["unknown key 'colum'", "no column 'Male'"],  # that sku is missing would be untrue
        ),
        (
            {"kind: orders": "kind: orders\nkind: refunds\ndatess: {}", "Mail": "Male"},
            ['duplicate key "kind"', "unknown key 'datess'", "no column 'Male'"],
        ),
        (
            {
                "kind: orders": "kind: orders\nskip: {when: {sku: blank}}",
                "sku: Artikel": "sku: {column: Artikel, clean: [trim]}",
            },
            ["'float_id', 'lower' or 'upper'"],
        ),
        ({"fields:": "fieldss:", "kind: orders": "kind: orders\nskp: 1"}, ["'fieldss'", "'skp'"]),
    ],
)
def test_mistakes_of_the_map_and_those_against_the_file_together(shop, changes, said):
    text = GOOD
    for good, bad in changes.items():
        assert good in text
        text = text.replace(good, bad)
    with pytest.raises(Problems) as caught:
        shop.take("Nr,Mail,Datum,Artikel,Betrag\n", mapping=text)
    told = [problem.message for problem in caught.value.problems]
    assert len(told) == len(said), told
    assert all(any(words in message for message in told) for words in said), told


def test_a_map_is_for_one_kind(shop):
    job = shop.job("Nr,Mail,Datum,Artikel,Betrag\n", "customers", GOOD)
    with pytest.raises(UsageError, match="the map is for orders, but --as says customers"):
        shop.run(job)


def test_a_whole_map(shop):
    text = 'Nr;Mail;Datum;Artikel;Stück;Betrag;Status\n1,0;ANN@x.example;1.2.2026 10:00;  A 1 ;2,0;"1.234,50";bezahlt\n'
    mapping = """\
kind: orders
encoding: cp1252
delimiter: semicolon
fields:
  order_id: {join: [Nr, Mail], clean: [lower]}
  email: Mail
  at: Datum
  sku: {column: Artikel, clean: [lower]}
  amount: Betrag
  paid: {column: Status, values: {bezahlt: yes, offen: no}}
  source: {constant: kiosk}
constants: {medium: shop}
dates: {format: "%d.%m.%Y %H:%M", zone: Europe/Vienna}
numbers: {decimal_comma: true, thousands: .}
"""
    assert shop.take(text.encode("cp1252"), mapping=mapping).inserted == 1
    assert shop.rows("orders", "order_ref", "at", "paid", "amount", "source", "medium") == [
        ("1,0-ann@x.example", micros("2026-02-01T09:00Z"), True, 123450, "kiosk", "shop")
    ]
    assert shop.rows("order_lines", "sku") == ["a 1"]


def test_no_fields_means_our_own_names(shop):
    summary = shop.take(
        f"email;country;attribute.plan;known_at\nann@example.com;AT;gold;{AT}\n",
        mapping="kind: customers\ndelimiter: ';'\n",
    )
    assert summary.inserted == 1
    assert shop.rows("attributes", "name", "value") == [("country", "AT"), ("plan", "gold")]


def test_attributes_are_mapped_by_name(shop):
    mapping = (
        "kind: customers\nfields: {email: Mail, attribute.tier: Stufe}\nconstants: {attribute.shop: Wien}\n"
    )
    assert shop.take("Mail,Stufe,Rest\nann@example.com,3,x\n", mapping=mapping).inserted == 1
    assert shop.rows("attributes", "name", "value", "number") == [("shop", "Wien", None), ("tier", "3", 3.0)]


@pytest.mark.parametrize(
    ("condition", "landed"),
    [
        ("{sku: {starts_with: P}}", ["a", "b", "c"]),
        ("{sku: {is: a}}", ["POST", "b", "c"]),
        ("{sku: {in: [a, b]}}", ["POST", "c"]),
        ("{source: blank}", ["POST", "c"]),
        ("{sku: {in: [a, c]}, source: blank}", ["POST", "b", "c"]),
        ("{source: {blank: true}}", ["POST", "c"]),
    ],
)
def test_rows_to_skip_are_counted(shop, condition, landed):
    skus = {"a": "", "b": "", "c": "x", "POST": "x"}
    text = "".join(
        f"{n},ann@example.com,{AT},{sku},7,{source}\n" for n, (sku, source) in enumerate(skus.items())
    )
    summary = shop.take(
        "order_id,email,at,sku,amount,source\n" + text, mapping=f"kind: orders\nskip: {{when: {condition}}}\n"
    )
    assert (summary.inserted, summary.skipped, summary.rejected) == (len(landed), 4 - len(landed), 0)
    assert shop.rows("order_lines", "sku") == landed


def test_one_map_may_be_given_for_several_files(shop):
    ours = shop.job("email,country\nann@example.com,AT\n", mapping=GOOD, name="customers.csv")
    theirs = shop.job(
        "Nr,Mail,Datum,Artikel,Betrag\n1,ann@example.com,1.2.2026,a,7\n", mapping=GOOD, name="orders.csv"
    )
    first, second = shop.run(ours, theirs)
    assert (first.kind, first.inserted, second.kind, second.inserted) == ("customers", 1, "orders", 1)
    assert "without the map" in first.notes[0]
    assert second.notes == ()


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("email", "customers"),
        ("Email, SHOP_ID ,attribute.plan", "customers"),
        ("email,granted,at", "consent"),
        ("shop_id,order_id,at,sku,amount", "orders"),
        ("email,sku,kind,at", "consumption"),
    ],
)
def test_the_kind_is_guessed_from_the_header(shop, header, kind):
    assert shop.take(header + "\n").kind == kind


@pytest.mark.parametrize(
    ("text", "kind", "said", "hint"),
    [
        ("emial,order_id,at,sku,amount\n", None, "facts.csv:1: the header fits no kind of file; for orders it has 'emial'", "did you mean 'email'?"),
        ("email,order_id,at,sku\n", None, "it lacks amount or unit_price", "--map"),
        ("order_id,email,at,currency,lines\n", None, "for orders it has 'lines' and it lacks sku, amount or unit_price", "a row for each line"),
        ("refund_id,order_id,email,date,sum\n", None, "for refunds it has 'date', 'sum'", "did you mean 'at'?"),
        ("email,xyzzy\n", None, "for customers it has 'xyzzy'", "there is: anonymous_id"),
        ("email;country\nann@example.com;AT\n", None, "facts.csv:1: its columns are divided by a semicolon, and not by a comma", "delimiter: semicolon, and numbers: {decimal_comma: true}"),
        ("email;country\nann@example.com;AT\n", "customers", "divided by a semicolon", "give it with --map"),
        ("order_id;Betrag, EUR;email\n1;3,50;ann@example.com\n", None, "divided by a semicolon", "--map"),
        ("email\tcountry\n", None, "divided by a tab", "delimiter: tab; give it"),
        ("email|country\n", None, "divided by a pipe", "delimiter: pipe"),
        ("note;,b,email\n", None, "the header fits no kind of file", "there is"),
        ("emial,order_id,at,sku,amount\n", "orders", "facts.csv:1:1: a file of orders has no column 'emial' (did you mean 'email'?)", None),
        ("email,email\n", None, "the header names 'email' twice", None),
        ("", None, "facts.csv is empty", None),
        ("\n\n", None, "facts.csv is empty", None),
        (b"e\xffmail\n", None, "facts.csv:1: the header is not text in utf-8", None),
        ('"email\n', None, "facts.csv:1: the header a quote is opened", None),
    ],
)  # fmt: skip
def test_a_header_that_fits_nothing(shop, monkeypatch, text, kind, said, hint):
    monkeypatch.chdir(shop.folder)
    with pytest.raises(ImportFailed) as caught:
        shop.take(text, kind)
    assert said in caught.value.message
    assert (caught.value.hint is None) if hint is None else hint in caught.value.hint


def test_nothing_lands_where_a_later_file_cannot_be_read(shop: TestShop):
    good = shop.job("email\nann@example.com\n", name="a.csv")
    bad = shop.job(b"PK\x03\x04", name="b.csv")
    with pytest.raises(ImportFailed):
        shop.run(good, bad)
    assert shop.rows("customers", "email") == []
