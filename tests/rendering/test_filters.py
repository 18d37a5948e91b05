"""Money and dates as the shop writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jinja2.exceptions import FilterArgumentError

from engine.rendering.filters import filters
from engine.settings import Settings, Shop

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
    ("date", ("2026-03-09",), "date needs a date, not '2026-03-09'"),
    ("date", (AT, "%Q"), "the date format '%Q' cannot be read"),
    ("date", (AT, "%"), "the date format '%' cannot be read"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), WRONG)
def test_what_cannot_be_written_so(name: str, arguments: tuple[object, ...], message: str, tmp_path: Path):
    with pytest.raises(FilterArgumentError, match=message.replace("?", r"\?")):
        filters(Settings())[name](*arguments)
