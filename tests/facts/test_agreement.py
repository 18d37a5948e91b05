"""Settings that change under stored facts: the currency is refused, the window worked out anew."""

from datetime import timedelta

import pytest

from engine.errors import SettingsError
from engine.settings.model import Settings
from engine.settings.policies import FrontEnd
from engine.settings.shop import Shop

from .conftest import TestShop
from .test_changes import queued

HEAD = "order_id,email,at,sku,amount\n"
ORDERS = "1,ann@example.com,2026-01-01T00:00Z,a,7\n2,ann@example.com,2026-01-01T02:00Z,b,7\n"


def euros() -> Settings:
    return Settings(shop=Shop(currency="EUR"))


def test_another_currency_is_refused_before_anything_lands(shop: TestShop) -> None:
    shop.take(HEAD + ORDERS)
    before = shop.everything()
    shop.settings = euros()
    with pytest.raises(SettingsError, match=r"shop\.currency is EUR, but the database has amounts in USD"):
        shop.take(HEAD + "3,ann@example.com,2026-01-01T00:00Z,a,7\n")
    assert shop.everything() == before


def test_before_there_are_amounts_the_currency_may_change(shop: TestShop) -> None:
    shop.take("email\nann@example.com\n")
    shop.settings = euros()
    shop.take(HEAD + ORDERS)
    assert set(shop.rows("orders", "currency")) == {"EUR"}
    shop.settings = Settings()
    with pytest.raises(SettingsError, match="amounts in EUR"):
        shop.take("email\nann@example.com\n")


def test_another_window_works_out_transactions_anew(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.facts.agreement.AT_ONCE", 1)
    shop.take(HEAD + ORDERS + ORDERS.replace("ann@", "bob@").replace("1,b", "3,b").replace("2,b", "4,b"))
    assert len(shop.rows("transactions", "number")) == 4
    queued(shop)
    shop.settings = Settings(front_end=FrontEnd(window=timedelta(hours=3)))
    summary = shop.take("email\ncid@example.com\n")
    assert summary.notes == ("front_end.window was 1h, and is 3h: transactions were worked out anew",)
    assert len(shop.rows("transactions", "number")) == 2
    assert set(shop.rows("order_lines", "side")) == {"front"}
    assert queued(shop) == ["ann@example.com", "bob@example.com", "cid@example.com"]
    assert shop.take("email\ncid@example.com\n").notes == ()
