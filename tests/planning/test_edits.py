"""What an edit does to the people in a campaign: a case for every row of the table in docs/edits.md."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.facts.catalogue import Catalogue
from engine.settings.model import Settings
from engine.settings.policies import Frequency
from engine.store.connect import Store
from tests.conftest import NOW
from tests.planning.harness import DAY, Shop, buyer, campaign_text
from tests.world import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "edits.md"
Told = list[tuple[int, str, str]]  # the day since entry, the step, and the reason decided with


def steps(*ids: str, more: str = "", **after: str) -> str:
    """Steps of these ids, the first due at once, each other two days after the one before; `more` on b."""
    waits = {each: "2d" if number else "0" for number, each in enumerate(ids)} | after
    mail = "email: {subject: S, template: a.html}"
    listed = [f"{{id: {each}, after: {waits[each]}, {more if each == 'b' else ''}{mail}}}" for each in ids]
    return f"[{', '.join(listed)}]"


def sent(**days: int) -> Told:
    return [(day, step, "due") for step, day in days.items()]


def buys_the_mug(shop: Shop) -> None:
    line = {"order_ref": "x", "line_ref": "1", "sku": "mug", "quantity": 1, "amount": 1500}
    shop.add("order_lines", customer_id=1, at=NOW + DAY, recorded_at=NOW, **line)


def _other_kind() -> Catalogue:
    guide = CATALOGUE["guide"].model_copy(update={"kind": "core"})
    return Catalogue([guide if sku == "guide" else CATALOGUE[sku] for sku in CATALOGUE])


@dataclass
class Edit:
    """A campaign of the steps a, b and c, in which somebody is since day 0, edited on a later day."""

    told: Told
    after: dict[str, Any] = field(default_factory=dict)  # keys of the campaign as edited; None: removed
    before: dict[str, Any] = field(default_factory=dict)
    on: int = 1
    until: int = 6
    planned: str = ""  # why a mail that was planned on day 0, and has not left, is cancelled
    held: bool = False  # whether it waits
    waits: str = ""  # why it is held by the edit
    act: Callable[[Shop], None] = lambda _: None  # what else is done that day

    def begin(self, store: Store, *, sends: bool) -> Shop:
        """The shop on the day before the edit, all its days so far planned."""
        frequency = Settings(frequency=Frequency(max=99))
        shop = Shop(store, [self._text({})], frequency, people={1: buyer(NOW)}, sends=sends, whole=True)
        shop.campaigns.append(
            campaign_text("other", audience="{bought: {product: course}}", steps=steps("z"))
        )
        return shop

    def edit(self, shop: Shop) -> None:
        shop.campaigns[0] = self._text(self.after)
        self.act(shop)

    def _text(self, edited: dict[str, Any]) -> str:
        keys = {"steps": steps("a", "b", "c")} | self.before | edited
        return campaign_text(**{key: value for key, value in keys.items() if value is not None})


def _set(**values: Any) -> Callable[[Shop], None]:
    return lambda shop: [setattr(shop, name, value) for name, value in values.items()] and None


def _remove(shop: Shop) -> None:
    del shop.campaigns[0]


ONE_IN_TEN_DAYS = Settings(frequency=Frequency(max=1, per=10 * DAY))
OFTEN = Frequency(max=99)
QUIET, APART = (
    Settings(frequency=OFTEN, quiet_hours="08:00-10:00"),
    Settings(frequency=OFTEN, minimum_gap="3d"),
)
WHOLE = sent(a=0, b=2, c=4)
FRIDAYS = "{send: {days: [fri]}, id: "
MUG, NO_MUG = "{bought: {product: mug}}", "{not: {bought: {product: mug}}}"
EDITS = {
    "a subject or a template": Edit(WHOLE, {"description": "other copy"}),
    "a step added in front": Edit(WHOLE, {"steps": steps("x", "a", "b", "c")}),
    "a step added ahead": Edit(sent(a=0, b=2, x=4, c=6), {"steps": steps("a", "b", "x", "c")}),
    "a step added behind": Edit(WHOLE, {"steps": steps("a", "x", "b", "c")}, on=3),
    "a step added at the end": Edit(sent(a=0, b=2, c=4, x=6), {"steps": steps("a", "b", "c", "x")}),
    "a step added when all were through": Edit(WHOLE, {"steps": steps("a", "b", "c", "x")}, on=5),
    "a step removed that is waited for": Edit(
        [(0, "a", "due"), (2, "b", "step_removed"), (4, "c", "due")], {"steps": steps("a", "c")}
    ),
    "a step removed that was the last": Edit(
        [*sent(a=0, b=2), (4, "c", "step_removed")], {"steps": steps("a", "b")}, on=3
    ),
    "a step removed ahead": Edit(sent(a=0, b=2), {"steps": steps("a", "b")}),
    "a step removed behind": Edit(WHOLE, {"steps": steps("b", "c", b="0")}, planned="step_removed"),
    "several steps removed at once": Edit(
        [(0, "a", "due"), (2, "b", "step_removed")], {"steps": steps("x", "a")}
    ),
    "steps in another order": Edit(WHOLE, {"steps": steps("b", "a", "c", a="2d")}),
    "the wait of a step": Edit(sent(a=0, b=2, c=3), {"steps": steps("a", "b", "c", b="5d", c="1d")}),
    "`audience`": Edit(WHOLE, {"audience": MUG}),
    "`while`": Edit([(0, "a", "due"), (2, "b", "while_ended")], {"while_": MUG}, planned="while_ended"),
    "`when`": Edit(
        [(0, "a", "due"), (2, "b", "when_not_met"), (4, "c", "due")],
        {"steps": steps("a", "b", "c", more=f"when: {MUG}, ")},
    ),
    "`goal`": Edit(
        [(0, "a", "due"), (1, "b", "goal_reached")], {"goal": MUG}, act=buys_the_mug, planned="goal_reached"
    ),
    "`enter`": Edit([*WHOLE, *sent(a=6)], {"enter": "{again_after: 6d}"}),
    "`holdout` raised": Edit(WHOLE, {"holdout": "100%"}),
    "`holdout` lowered": Edit(
        [(day, step, "held_out") for day, step, _ in WHOLE], {"holdout": "0%"}, {"holdout": "100%"}
    ),
    "`send`": Edit(
        [(0, "a", "due"), (2, "b", "outside_window"), *sent(b=3, c=5)],
        {
            "steps": steps("a", "b", "c")
            .replace("{id: c", "{id_: c")
            .replace("{id: ", FRIDAYS)
            .replace("id_", "id")
        },
        waits="outside_window",
    ),
    "`on` added": Edit(WHOLE, {"on": MUG}),
    "`on` removed": Edit(sent(a=1, b=3, c=5), {"on": None}, {"on": '{date: "2027-01-01 09:00"}'}),
    "`hold`": Edit(
        [(0, "a", "due"), (2, "b", "frequency_cap"), (3, "b", "expired")],
        {"hold": "{at_most: 1d, then: exit}"},
        act=_set(settings=ONE_IN_TEN_DAYS),
    ),
    "`cool_down`": Edit(
        [(0, "a", "due"), (2, "b", "cool_down"), *sent(b=3, c=5)],
        {"cool_down": "{after_purchase: 13d}"},
        waits="cool_down",
    ),
    "`transactional`": Edit(
        WHOLE,
        {"transactional": "true"},
        act=_set(settings=ONE_IN_TEN_DAYS),
    ),
    "`priority`": Edit(WHOLE, {"priority": 70}),
    "`topic`": Edit(
        [(0, "a", "due"), (2, "b", "no_consent"), (4, "c", "no_consent")],
        {"topic": "news"},
        planned="no_consent",
    ),
    "`offers`": Edit(
        [(0, "a", "due"), (2, "b", "owns_offer"), (4, "c", "owns_offer")],
        {"offers": "[guide]"},
        planned="owns_offer",
    ),
    "`track`": Edit(
        [(0, "a", "due"), (1, "b", "transaction_closed")],
        {"track": "front-end"},
        planned="transaction_closed",
    ),
    "`offers_again_after`": Edit(WHOLE, {"offers_again_after": "30d"}),
    "the campaign renamed, with `was:`": Edit(WHOLE, {"campaign": "fresh", "was": "plain"}),
    "the campaign renamed, without it": Edit(
        [*sent(a=0), (1, "a", "due"), (1, "b", "campaign_removed"), *sent(b=3, c=5)],
        {"campaign": "fresh"},
        planned="campaign_removed",
    ),
    "a step renamed, with `was:`": Edit(
        WHOLE, {"steps": steps("a", "zwei", "c").replace("id: zwei", "id: zwei, was: b")}
    ),
    "a step renamed, without it": Edit(
        [(0, "a", "due"), (2, "b", "step_removed"), (4, "c", "due")], {"steps": steps("a", "zwei", "c")}
    ),
    "the file deleted": Edit(
        [(0, "a", "due"), (1, "b", "campaign_removed")], act=_remove, planned="campaign_removed"
    ),
    "the file brought back": Edit(
        [(0, "a", "due"), (0, "b", "campaign_removed")], on=2, planned="campaign_removed"
    ),
    "the file broken": Edit(sent(a=0), act=_set(broken=("plain",)), held=True),
    "the file mended": Edit(sent(a=0, b=4, c=6), act=_set(broken=()), on=4),
    "`products.yaml`": Edit(
        [(0, "a", "due"), (2, "b", "while_ended")],
        before={"while_": "{not: {bought: {kind: core}}}"},
        act=_set(catalogue=_other_kind()),
        planned="while_ended",
    ),
    "`segments.yaml`": Edit(
        [(0, "a", "due"), (2, "b", "while_ended")],
        before={"while_": "{segment: some}"},
        act=_set(segments={"some": f"{MUG}"}),
        planned="while_ended",
    ),
    "`quiet_hours`": Edit(
        [(0, "a", "due"), (2, "b", "quiet_hours")], act=_set(settings=QUIET), until=2, waits="quiet_hours"
    ),
    "`minimum_gap`": Edit(
        [(0, "a", "due"), (2, "b", "minimum_gap"), (3, "b", "due"), (5, "c", "minimum_gap"), *sent(c=6)],
        act=_set(settings=APART),
    ),
    "`frequency`": Edit([(0, "a", "due"), (2, "b", "frequency_cap")], act=_set(settings=ONE_IN_TEN_DAYS)),
}


SECOND_EDITS = ("the file mended", "the file brought back")  # something was done before


def _began(name: str, store: Store, *, sends: bool = True) -> Shop:
    shop = EDITS[name].begin(store, sends=sends)
    shop.segments = {"some": NO_MUG}
    if name in SECOND_EDITS:
        shop.tick(NOW)
    if name == "the file mended":
        shop.broken = ("plain",)
    if name == "the file brought back":
        _remove(shop)
    return shop


ON_POSTGRESQL = ("steps in another order", "a step removed that is waited for", "a step removed behind")
EVERY_ROW = [
    *(("sqlite", name) for name in EDITS),
    *(pytest.param("postgres", name, marks=pytest.mark.postgres) for name in ON_POSTGRESQL),
]


@pytest.mark.parametrize(("store", "name"), EVERY_ROW, indirect=["store"])
def test_who_is_in_the_campaign(store: Store, name: str) -> None:
    case, shop = EDITS[name], _began(name, store)
    told: Told = [(0, "a", "due")] if name in SECOND_EDITS else []
    for day in range(case.until + 1):
        if day == case.on:
            case.edit(shop)
        now = NOW + day * DAY
        foreseen = shop.preview(now) if day == case.on + 1 else None
        answers = shop.tick(now)
        assert foreseen in (None, answers)
        told += [(day, step, reason) for _, _, step, _, reason in answers]
    assert _without_repeats(told) == case.told
    keys = [(mail["campaign_id"], mail["step_id"], mail["spell"]) for mail in shop.rows("messages")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("store", "name"), EVERY_ROW, indirect=["store"])
def test_a_mail_that_was_planned_and_has_not_left(store: Store, name: str) -> None:
    case, shop = EDITS[name], _began(name, store, sends=False)
    shop.tick(NOW)
    if name in SECOND_EDITS:
        shop.tick(NOW + DAY)
    case.edit(shop)
    shop.tick(NOW + DAY)
    if name == "`on` removed":  # nobody was in it before
        shop.tick(NOW + 2 * DAY)
    mail = next(mail for mail in shop.rows("messages") if mail["campaign_id"] == "plain")
    expected = ("cancelled", f"not sent: {case.planned}") if case.planned else ("scheduled", None)
    if case.waits:
        expected = ("scheduled", f"not sent: {case.waits}")
    if name == "`holdout` lowered":
        expected = ("held_out", None)
    assert (mail["status"], mail["error"]) == expected
    assert (mail["slot_at"] is None) == bool(case.held or case.waits or expected[0] != "scheduled")


def _without_repeats(told: Told) -> Told:
    """A hold is told once, on its first day."""
    kept: Told = []
    for each in told:
        if each[2] != "frequency_cap" or each[1:] not in [other[1:] for other in kept]:
            kept.append(each)
    return kept


def test_the_page_has_the_same_rows_and_says_of_planned_mails_what_is_so() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ")
    ][1:]
    found = {row[0]: row[2] for row in rows if not row[0].startswith("-")}
    assert list(found) == list(EDITS)
    for name, case in EDITS.items():
        word = "is cancelled" if case.planned else "waits" if case.held or case.waits else "goes"
        assert re.match(word, found[name]) or name == "`holdout` lowered", name
