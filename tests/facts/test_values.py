"""Text as a value, or the reason why not: tables of cases."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from engine.facts.columns import REMEMBERED, Remembered
from engine.facts.refusal import Refused
from engine.facts.values import words
from engine.facts.values.addresses import address
from engine.facts.values.instants import instants
from engine.facts.values.numbers import amounts, minor, percent, pieces

from .conftest import micros

BERLIN = ZoneInfo("Europe/Berlin")


def refusal(parse: Any, text: str) -> str:
    with pytest.raises(Refused) as caught:
        parse(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ann@example.com", "ann@example.com"),
        ("Ann.Lee+Shop@Example.COM", "ann.lee+shop@example.com"),
        ("ann@shop.example", "ann@shop.example"),
        ("ann@münchen.de", "ann@münchen.de"),
        ("o'hara@example.com", "o'hara@example.com"),
        ("ann@sub.domain.test", "ann@sub.domain.test"),
        ("e\u0301ve@example.com", "éve@example.com"),
    ],
)
def test_an_address_has_one_normal_form(text, normal):
    assert address(text) == normal
    assert address(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        *("ann", "ann@", "@example.com", "ann@example", "ann@@example.com", "a b@example.com"),
        *("ann@example..com", ".ann@example.com", "ann.@example.com", "ann@-example.com", "ann@localhost"),
        *("ann@host.local", f"ann@{'a' * 64}.com", "ann@xn--55.com"),
        *("ann@example.com, bob@example.com", "<ann@example.com>", "ann@[127.0.0.1]", "ann\n@example.com"),
    ],
)
def test_what_is_no_address_is_refused(text):
    assert refusal(address, text).startswith("is not an e-mail address")


LETTERS = st.text("ab0.-_+@", min_size=1, max_size=12)


@given(LETTERS, LETTERS, st.sampled_from(["com", "test", "local", "invalid", "co.uk", "c", "a1"]))
def test_the_quick_way_says_what_the_library_says(local, domain, top):
    text = f"{local}@{domain}.{top}"
    try:
        expected = validate_email(text, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        expected = None
    try:
        found = address(text)
    except Refused:
        found = None
    assert found == expected


@pytest.mark.parametrize(
    ("text", "layout", "zone", "expected"),
    [
        ("2026-12-24T09:00Z", None, None, "2026-12-24T09:00Z"),
        ("2026-12-24T09:00:01.5+01:00", None, None, "2026-12-24T08:00:01.5Z"),
        ("2026-12-24 09:00", None, BERLIN, "2026-12-24T08:00Z"),
        ("2026-12-24", None, BERLIN, "2026-12-23T23:00Z"),
        ("24.12.2026 09:00", "%d.%m.%Y %H:%M", BERLIN, "2026-12-24T08:00Z"),
        ("19970101", "%Y%m%d", ZoneInfo("America/New_York"), "1997-01-01T05:00Z"),
        ("24/12/2026 09:00 -0500", "%d/%m/%Y %H:%M %z", BERLIN, "2026-12-24T14:00Z"),
        ("0", "unix", None, "1970-01-01T00:00Z"),
        ("1766566800", "unix", BERLIN, "2025-12-24T09:00Z"),
        ("2026-10-25 02:30", None, BERLIN, "2026-10-25T00:30Z"),  # comes twice: the first
    ],
)
def test_an_instant_is_read_in_its_zone(text, layout, zone, expected):
    assert instants(layout, zone)(text) == micros(expected)


@pytest.mark.parametrize(
    ("text", "layout", "zone", "reason"),
    [
        ("2026-12-24 09:00", None, None, "has no time zone"),
        ("2026-12-24", None, None, "has no time zone"),
        ("2026-02-30T09:00Z", None, None, "is not a date and time that exists"),
        ("2026-13-01T09:00Z", None, None, "is not a date and time that exists"),
        ("2026-12-24T25:00Z", None, None, "is not a date and time that exists"),
        ("yesterday", None, BERLIN, "is not a date and time that exists"),
        ("24.12.2026", "%Y-%m-%d", BERLIN, "written as %Y-%m-%d"),
        ("-5", "unix", None, "written as unix"),
        ("1.5e9", "unix", None, "written as unix"),
        ("9" * 30, "unix", None, "written as unix"),
        ("2026-03-29 02:30", None, BERLIN, "does not exist in Europe/Berlin"),
        ("1969-12-31T23:59Z", None, None, "is not between 1970 and 2200"),
        ("1970-01-01T00:00+05:00", None, None, "is not between 1970 and 2200"),
        ("0001-01-01T00:00+14:00", None, None, "is not between 1970 and 2200"),
        ("9999-12-31T23:59-14:00", None, None, "is not between 1970 and 2200"),
    ],
)
def test_what_is_no_instant_is_refused_with_its_reason(text, layout, zone, reason):
    assert reason in refusal(instants(layout, zone), text)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("97", {}, "97"),
        ("97.50", {}, "97.50"),
        (".5", {}, "0.5"),
        ("-4.65", {}, "-4.65"),
        ("1,234.50", {"thousands": ","}, "1234.50"),
        ("1.234,50", {"thousands": ".", "decimal_comma": True}, "1234.50"),
        ("1234,5", {"decimal_comma": True}, "1234.5"),
        ("1 234 567", {"thousands": " "}, "1234567"),
    ],
)
def test_an_amount_is_read_exactly(text, options, expected):
    assert amounts(**options)(text) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("nan", {}, "is not an amount"),
        ("Infinity", {}, "is not an amount"),
        ("1e5", {}, "is not an amount"),
        ("1_000", {}, "is not an amount"),
        ("$97", {}, "is not an amount"),
        ("٣", {}, "is not an amount"),
        ("1,234.50", {}, "is not an amount"),
        ("1,5", {"thousands": ","}, "is not an amount"),  # fifteen, or one and a half?
        ("1.5", {"decimal_comma": True}, "is not an amount"),
        ("1.5", {"decimal_comma": True, "thousands": "."}, "is not an amount"),
        ("9" * 16, {}, "has more digits"),
        ("0.1234567", {}, "has more digits"),
    ],
)
def test_what_is_no_amount_is_refused(text, options, reason):
    assert reason in refusal(amounts(**options), text)


def test_minor_units_are_exact_or_refused():
    assert minor(Decimal("97.5"), 2) == 9750
    assert minor(Decimal(500), 0) == 500
    assert minor(Decimal("1.234"), 3) == 1234
    assert "finer" in refusal(lambda text: minor(Decimal(text), 2), "0.001")
    assert "finer" in refusal(lambda text: minor(Decimal(text), 0), "1.5")
    assert minor(Decimal(10**10), 2) == 10**12
    assert "larger" in refusal(lambda text: minor(Decimal(text), 2), "10000000000.01")


@given(st.integers(-(10**12), 10**12), st.integers(0, 3))
def test_no_cent_is_lost(whole, digits):
    text = f"{Decimal(whole).scaleb(-digits):f}"
    assert minor(amounts()(text), digits) == whole


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("-12", -12), ("2.0", 2), ("1000000", 10**6)])
def test_pieces_are_whole(text, expected):
    assert pieces(text) == expected


@pytest.mark.parametrize("text", ["0", "1.5", "1000001", "many", "1e3", "-0", "٣"])
def test_no_other_number_of_pieces(text):
    refusal(pieces, text)


@pytest.mark.parametrize(
    ("text", "expected"), [("0", 0), ("50%", 50), ("99.9", 99), ("100.0", 100), ("7 %", 7)]
)
def test_a_percentage_is_rounded_down(text, expected):
    assert percent(text) == expected


@pytest.mark.parametrize("text", ["101", "100.1", "-1", "half", "999"])
def test_no_other_percentage(text):
    refusal(percent, text)


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (words.flag, "Yes", True),
        (words.flag, "out", False),
        (words.choice("core", "bump"), "BUMP", "bump"),
        (words.zone, "Europe/Berlin", "Europe/Berlin"),
        (words.locale, "de-AT", "de-AT"),
        (words.text(5), "e\u0301", "é"),
        (words.text(40), "👩\u200d🚀 نص", "👩\u200d🚀 نص"),
        (words.passage(20), "two\nlines", "two\nlines"),
    ],
)
def test_words(parse, text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("parse", "text", "reason"),
    [
        (words.flag, "maybe", "is neither yes nor no: 'maybe'"),
        (words.choice("core", "bump"), "cord", "is none of core, bump"),
        (words.zone, "Europe/Berlyn", "did you mean 'Europe/Berlin'?"),
        (words.zone, "../../etc/passwd", "is not a time zone"),
        (words.locale, "English (United States)", "is not a locale"),
        (words.text(5), "toolong", "is longer than 5 characters"),
        (words.text(50), "two\nlines", "control character"),
        (words.text(50), "bell\a", "control character"),
        (words.passage(50), "bell\a", "control character"),
        (words.text(50), "half \ud800", "control character"),
    ],
)
def test_words_that_are_refused(parse, text, reason):
    assert reason in refusal(parse, text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("42", 42.0), ("-1.5", -1.5), ("0042", 42.0), ("1e5", None), ("nan", None), ("x", None)],
)
def test_an_attribute_that_is_a_number(text, number):
    assert words.as_number(text) == number


def test_a_column_remembers_what_it_read_but_not_for_ever():
    asked: list[str] = []
    remembered = Remembered(lambda text: asked.append(text) or len(text))
    assert [remembered["ann"], remembered["ann"], remembered["bo"]] == [3, 3, 2]
    assert asked == ["ann", "bo"]
    for number in range(2 * REMEMBERED):
        assert remembered[str(number)] == len(str(number))
    assert len(remembered) <= REMEMBERED
