"""What advertising cost: by day, source, campaign and ad, in the shop's currency."""

import pytest

from engine.errors import SettingsError
from engine.settings.model import Settings
from engine.settings.shop import Shop

HEAD = "day,source,campaign,ad,amount,currency\n"
COLUMNS = ("day", "source", "campaign", "ad", "amount", "currency", "charged")


def stored(shop):
    return sorted((f"{row[0]}", *row[1:]) for row in shop.rows("spend", *COLUMNS))


def test_spend_lands_once_and_is_replaced(shop):
    text = HEAD + "2026-01-05,google,spring,a1,12.50,\n2026-01-05,google,spring,a2,3,USD\n"
    summary = shop.take(text)
    assert (summary.kind, summary.inserted) == ("spend", 2)
    assert stored(shop) == [
        ("2026-01-05", "google", "spring", "a1", 1250, "USD", 1250),
        ("2026-01-05", "google", "spring", "a2", 300, "USD", 300),
    ]
    before = shop.rows("spend", "ad", "recorded_at")
    assert shop.take(text).unchanged == 2
    assert shop.rows("spend", "ad", "recorded_at") == before
    assert shop.take(text.replace("12.50", "13")).updated == 1
    assert [row[4] for row in stored(shop)] == [1300, 300]


def test_another_currency_is_changed_at_the_rate_of_its_day(shop):
    shop.take("currency,day,rate\nEUR,2026-01-05,1.1\nJPY,2026-01-05,0.0064\n")
    text = HEAD + "2026-01-05,google,,,10.00,EUR\n2026-01-12,google,,,500,jpy\n2026-01-13,google,,,1,EUR\n"
    summary = shop.take(text)
    assert (summary.inserted, summary.rejected) == (2, 1)
    assert "no exchange rate" in summary.reasons[0][0]
    assert stored(shop) == [
        ("2026-01-05", "google", "", "", 1100, "EUR", 1000),
        ("2026-01-12", "google", "", "", 320, "JPY", 500),
    ]
    shop.take("currency,day,rate\nEUR,2026-01-05,1.2\n")
    assert shop.take(text).updated == 1
    assert [row[4] for row in stored(shop)] == [1200, 320]


def test_within_a_file_an_equal_row_counts_once_and_another_amount_is_told(shop):
    row = "2026-01-05,google,spring,a1,{},\n"
    summary = shop.take(HEAD + row.format(4) + row.format("4.00") + row.format(5))
    assert (summary.inserted, summary.rejected) == (2, 1)
    assert summary.reasons[0][0].startswith("is another amount for the same day")
    assert shop.rows("spend", "amount") == [400]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-02-30,google,,,1,", "day is not a day that exists"),
        (",google,,,1,", "day is blank"),
        ("2026-01-05,,,,1,", "source is blank"),
        ("2026-01-05,google,,,,", "amount is blank"),
        ("2026-01-05,google,,,-1,", "amount is negative"),
        ("2026-01-05,google,,,1.005,", "amount is finer than"),
        ("2026-01-05,google,,,1,EURO", "currency is not a currency"),
    ],
)
def test_rejected(shop, row, reason):
    summary = shop.take(HEAD + row + "\n2026-01-05,bing,,,1,\n")
    assert (summary.inserted, summary.rejected) == (1, 1)
    assert summary.reasons[0][0].startswith(reason)


def test_the_shops_currency_cannot_change_under_it(shop):
    shop.take(HEAD + "2026-01-05,google,,,1,\n")
    shop.settings = Settings(shop=Shop(currency="EUR"))
    with pytest.raises(SettingsError, match="amounts in USD"):
        shop.take(HEAD + "2026-01-06,google,,,1,\n")
