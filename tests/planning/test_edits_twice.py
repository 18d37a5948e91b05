"""Edits one after the other, and of steps whose mail has not left yet: what random worlds brought to light."""

from engine.settings.model import Settings
from engine.settings.policies import Frequency
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.planning.test_edits import steps


def in_flight(store: Store, *ids: str, sends: bool = True) -> Shop:
    """Somebody who entered a campaign of these steps today; each is two days after the one before."""
    settings = Settings(frequency=Frequency(max=99))
    shop = Shop(store, [""], settings, people={1: buyer(NOW)}, sends=sends, whole=True)
    now_of_steps(shop, *ids)
    shop.tick(NOW)
    return shop


def now_of_steps(shop: Shop, *ids: str) -> None:
    shop.campaigns[0] = campaign_text(steps=steps(*ids))


def at_step(shop: Shop) -> tuple[str, str]:
    run = shop.rows("enrollments")[0]
    return run["status"], run["step_id"]


def test_an_order_of_steps_that_was_taken_back_is_forgotten(store: Store) -> None:
    """Of a removed step that counts as after it which was so at last, not which was so in the newest text."""
    shop = in_flight(store, "a", "b", "c")
    for day, ids in enumerate((["a", "c", "b"], ["a", "b", "c"], ["a", "c"], ["a", "c"]), start=1):
        now_of_steps(shop, *ids)
        shop.tick(NOW + day * DAY / 2)
    assert at_step(shop) == ("active", "c")


def test_a_step_whose_mail_waits_is_behind_wherever_it_is_moved_to(store: Store) -> None:
    """It was planned on a Tuesday and may go on a Saturday; the run comes to the step meanwhile, which was moved."""
    shop = in_flight(store, "a", "b", "c", sends=False)
    on_saturdays = steps("b", "a", "c").replace("{id: a,", "{id: a, send: {days: sat},")
    shop.campaigns[0] = campaign_text(steps=on_saturdays)
    for day in range(1, 7):
        shop.tick(NOW + day * DAY)
    assert [mail["step_id"] for mail in shop.rows("messages")] == ["a", "b", "c"]
    assert at_step(shop) == ("finished", "c")
