"""Money and dates as the shop writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jinja2.exceptions import FilterArgumentError

from engine.rendering.environment import MailEnvironment, begin_rendering
from engine.rendering.filters import filters
from engine.settings.model import Settings
from engine.settings.shop import Shop

AT = datetime(2026, 3, 9, 8, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

MONEY = [
    ("en", "USD", Decimal("97"), "$97.00"),
    ("en", "USD", 1234.5, "$1,234.50"),
    ("en-GB", "GBP", 7, "£7.00"),
    ("de", "EUR", Decimal("1234.50"), "1.234,50\xa0€"),
    ("ja", "JPY", 500, "¥500"),
    ("en", "USD", Decimal("-3"), "-$3.00"),
]


@pytest.mark.parametrize(("locale", "currency", "value", "said"), MONEY)
def test_money(locale: str, currency: str, value: object, said: str):
    shop = Settings(shop=Shop(locale=locale, currency=currency))
    assert filters(shop)["money"](value).replace("￥", "¥") == said


DATES = [
    ("en", AT, "%B %d", "March 09"),
    ("en", AT, "%-d %b %y", "9 Mar 26"),
    ("en", AT, "%A, %a", "Monday, Mon"),
    ("en", AT, "%Y-%m-%d %H:%M", "2026-03-09 08:05"),
    ("en", AT.astimezone(BERLIN), "%H:%M", "09:05"),
    ("en", AT, "%-I:%M %p", "8:05 AM"),
    ("en", AT, "day %d o'clock 100%%", "day 09 o'clock 100%"),
    ("en", date(2026, 3, 9), "%d.%m.", "09.03."),
    ("en", AT, "long", "March 9, 2026"),
    ("en", AT, "short", "3/9/26"),
    ("de", AT, "%A, %-d. %B", "Montag, 9. März"),
    ("de", AT, "full", "Montag, 9. März 2026"),
    ("fr", AT, "%d %B %Y", "09 mars 2026"),
]


@pytest.mark.parametrize(("locale", "value", "form", "said"), DATES)
def test_dates(locale: str, value: date, form: str, said: str):
    assert filters(Settings(shop=Shop(locale=locale)))["date"](value, form) == said


WRONG = [
    ("money", ("ten",), "money needs a number, not 'ten'"),
    ("money", (None,), "money needs a number, not None"),
    ("money", (True,), "money needs a number, not True"),
    ("money", (97, "XXXX"), "'XXXX' is not a currency"),
    ("money_without_trailing_zeros", (97, "XXXX"), "'XXXX' is not a currency"),
    ("money", (97, 5), "5 is not a currency"),
    ("date", ("2026-03-09",), "date needs a date, not '2026-03-09'"),
    ("date", (AT, "%Q"), "the date format '%Q' cannot be read"),
    ("date", (AT, "%"), "the date format '%' cannot be read"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), WRONG)
def test_what_cannot_be_written_so(name: str, arguments: tuple[object, ...], message: str, tmp_path: Path):
    with pytest.raises(FilterArgumentError, match=message.replace("?", r"\?")):
        filters(Settings())[name](*arguments)


# ── by the names that Liquid has for them ───────────────────────────────────────────────────────

LIQUID = [
    ("{{ '' | default('you') }}", "you"),
    ("{{ none | default('you') }}", "you"),
    ("{{ false | default('you') }}", "you"),
    ("{{ [] | default('none') }}", "none"),
    ("{{ 0 | default(5) }}", "0"),
    ("{{ 0 | default(5, true) }}", "5"),
    ("{{ nothing.at.all | default('x') if false else 'y' }}", "y"),
    ("{{ nothing | default }}", ""),
    ("{{ ' ' | default('you') }}", " "),
    ("{{ 'ab' | upcase }}{{ 'AB' | downcase }}{{ 'ab cd' | capitalize }}", "ABabAb cd"),
    ("{{ ' a ' | strip }}|{{ 'a' | append('b') | prepend('c') }}|{{ 'abcb' | remove('b') }}", "a|cab|ac"),
    ("{{ 1 }} {{ 1 | pluralize('lesson', 'lessons') }}, {{ 0 | pluralize('lesson', 'lessons') }}", "1 lesson, lessons"),
    ("{{ 7 | plus(1) }} {{ 7 | minus(1) }} {{ 7 | times(2) }} {{ 7 | divided_by(2) }}", "8 6 14 3"),
    ("{{ 0.1 | plus(0.2) }} {{ 7.0 | divided_by(2) }} {{ 3 | at_least(5) }} {{ 3 | at_most(2) }}", "0.3 3.5 5 2"),
    ("{{ 'one two three' | truncatewords(2) }} {{ 'one' | truncatewords(2) }}", "one two… one"),
    ("{{ 'a long sentence' | truncate(9, true) }}", "a long..."),
    ("{{ '<b>a</b>' | strip_html }} {{ 'a b&c' | url_encode }} {{ 'abc' | size }}", "a a%20b%26c 3"),
    ("{{ 'a\nb<' | newline_to_br }}", "a<br>b&lt;"),
    ("{{ '<' | append('>') | upcase }}", "&lt;&gt;"),
    ("{{ 1234.5 | number }} {{ 2.345 | number(2) }} {{ 0.661 | percent }}", "1.234,5 2,35 66\xa0%"),
    ("{{ 97 | money }} {{ 97 | money_without_trailing_zeros }} {{ 97.5 | money_without_trailing_zeros }}", "97,00\xa0€ 97\xa0€ 97,50\xa0€"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), LIQUID)
def test_filters_of_liquid(text: str, said: str):
    shop = Settings(shop=Shop(locale="en", currency="EUR"))
    environment = MailEnvironment(shop, html=True, language="de")
    begin_rendering()
    assert environment.from_string(text).render() == said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 'x' | plus(1) }}", "plus needs a number, not 'x'"),
        ("{{ 'x' | times(3) }}", "times needs a number, not 'x'"),
        ("{{ 1 | divided_by(0) }}", "divided_by cannot divide by 0"),
        ("{{ 'x' | pluralize('a', 'b') }}", "pluralize needs a number, not 'x'"),
        ("{{ 'x' | truncatewords(-1) }}", "truncatewords needs a number of words, not -1"),
        ("{{ '9' | money_without_trailing_zeros }}", "money needs a number, not '9'"),
    ],
)
def test_what_filters_of_liquid_refuse(text: str, message: str):
    begin_rendering()
    with pytest.raises(FilterArgumentError, match=message):
        MailEnvironment(Settings(), html=True).from_string(text).render()
