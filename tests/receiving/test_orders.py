"""Orders that are told bit by bit: whatever comes when, no money is taken at face value, twice or not at all."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import insert

from engine.settings.model import Settings
from engine.store.tables import rates
from tests.receiving.ear import NOW, Ear, track

GUIDE = {"sku": "guide", "price": 20, "quantity": 1}
COURSE = {"sku": "course", "price": 200, "quantity": 1}


def refunded(**said: Any) -> dict[str, Any]:
    return track("Order Refunded", 9, order_id="o1", refund_id="r1", **said)


def completed(*products: dict[str, Any], **said: Any) -> dict[str, Any]:
    return track("Order Completed", order_id="o1", products=list(products or [GUIDE, COURSE]), **said)


def updated(*products: dict[str, Any], minutes: float = 5, **said: Any) -> dict[str, Any]:
    return track("Order Updated", minutes, order_id="o1", products=list(products), **said)


def with_rate(ear: Ear, currency: str, rate: str) -> None:
    row = {"currency": currency, "day": NOW.date(), "rate": rate, "recorded_at": NOW}
    with ear.store.writing() as connection:
        connection.execute(insert(rates), [row])


def money(ear: Ear) -> tuple[list[int], list[int]]:
    """What orders cost, and what of that went back."""
    return [row[0] for row in ear.rows("orders", "amount")], [row[0] for row in ear.rows("refunds", "amount")]


def reasons(ear: Ear) -> dict[str, str | None]:
    return {row[0]: row[1] for row in ear.rows("inbound", "event_id", "error")}


def in_every_turn(ear: Ear, told: Iterable[dict[str, Any]]) -> Iterable[None]:
    """One by one, and all at once, in every order; on a slower database in some of them."""
    every = 1 if ear.store.engine.dialect.name == "sqlite" else 5
    for turn in list(permutations(told))[::every]:
        for batches in ([[each] for each in turn], [turn]):
            ear.forget()
            for batch in batches:
                ear.tell("segment", *batch)
            yield


def some_turns(ear: Ear, told: Sequence[dict[str, Any]], most: int = 4) -> Iterable[Sequence[dict[str, Any]]]:
    """Some of the orders in which that may come; on a slower database one of them."""
    turns = list(permutations(told))
    return turns[:: -(-len(turns) // (most if ear.store.engine.dialect.name == "sqlite" else 1))]


# ── currencies ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "back"),
    [
        ({"total": 10, "currency": "eur"}, 1_250),
        ({"total": 10}, 1_250),
        ({"total": 10, "currency": "USD"}, 1_000),
        ({"products": [{**GUIDE, "price": 10}], "currency": "USD"}, 1_000),
        ({"currency": "USD"}, 27_500),
        ({}, 27_500),
    ],
)
def test_money_goes_back_in_its_own_currency(ear: Ear, said: dict[str, Any], back: int) -> None:
    with_rate(ear, "EUR", "1.25")
    for _ in in_every_turn(ear, [completed(currency="EUR"), refunded(**said)]):
        assert money(ear) == ([27_500], [back]), ear.verdicts()
        assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}


def test_money_of_which_no_rate_is_known_is_parked_and_its_order_is_not(ear: Ear) -> None:
    for _ in in_every_turn(ear, [completed(), refunded(total=10, currency="GBP")]):
        assert money(ear) == ([22_000], [])
        assert [outcome for outcome, _ in ear.verdicts()] == ["applied", "parked"]
        assert "has no exchange rate" in str(ear.verdicts()[1])
    with_rate(ear, "GBP", "2")
    ear.tell("segment", updated(GUIDE, COURSE, checkout_id="c1"))
    assert money(ear) == ([22_000], [2_000])
    assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}


def test_a_cancelled_order_gives_the_rest_back_whatever_currency_went_before(ear: Ear) -> None:
    with_rate(ear, "GBP", "2")
    cancelled = track("Order Cancelled", 12, order_id="o1")
    whole = track("Order Refunded", 11, order_id="o1", refund_id="r2")
    for told in ([cancelled], [whole, cancelled]):
        for _ in in_every_turn(ear, [completed(), refunded(total=10, currency="GBP"), *told]):
            assert money(ear) == ([22_000], [2_000, 20_000])
            assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}


def test_a_total_in_another_currency_than_the_products_is_no_total(ear: Ear) -> None:
    with_rate(ear, "EUR", "1.25")
    ear.tell("segment", completed(total=220, currency="USD"))
    ear.tell("segment", updated(GUIDE, currency="EUR"))
    assert money(ear) == ([22_000], [])
    assert ("parked", "has its total in another currency than its products") in ear.verdicts()
    ear.tell("segment", updated(GUIDE, total=20, currency="EUR", minutes=6))
    assert money(ear) == ([2_500], [])


# ── lines that an order loses ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("total", "later", "left"),
    [
        ({}, {}, ([20_000], [])),  # the order lost the line with its price
        ({"total": 220}, {"total": 200}, ([20_000], [])),
        ({"total": 220}, {}, ([22_000], [2_000])),  # its price is still in the sum
        ({"total": 220}, {"total": 220}, ([22_000], [2_000])),
    ],
)
def test_money_for_a_line_that_was_dropped_is_taken_off_once(
    ear: Ear, total: dict[str, Any], later: dict[str, Any], left: Any
) -> None:
    told = [completed(**total), updated(COURSE, **later), refunded(products=[GUIDE])]
    for _ in in_every_turn(ear, told):
        assert {error for error in reasons(ear).values() if error} == set()
        assert money(ear) == left
        assert ear.rows("order_lines", "sku", "refunded_at") == [("course", None)]


def test_a_cancelled_order_gives_all_back_whatever_turned_out_to_be_no_refund(ear: Ear) -> None:
    """The guide went with its price before its money came back, so that this was no refund of the order."""
    cancelled = track("Order Cancelled", 20, order_id="o1")
    for _ in in_every_turn(ear, [completed(), refunded(products=[GUIDE]), updated(COURSE), cancelled]):
        assert money(ear) == ([20_000], [20_000])
        assert [at is not None for _, at in ear.rows("order_lines", "sku", "refunded_at")] == [True]


def test_a_line_that_comes_back_has_its_refund_again(ear: Ear) -> None:
    for event in (
        completed(),
        refunded(products=[GUIDE]),
        updated(COURSE),
        updated(GUIDE, COURSE, minutes=7),
    ):
        ear.tell("segment", event)
    assert money(ear) == ([22_000], [2_000])


def test_a_line_that_an_order_never_had_is_told(ear: Ear) -> None:
    for _ in in_every_turn(ear, [completed(GUIDE), refunded(products=[COURSE])]):
        assert sorted(ear.verdicts(), key=repr) == [
            ("applied", None),
            ("parked", "names a line that its order does not have"),
        ]


def test_a_refund_of_several_products_is_of_each_of_them(ear: Ear) -> None:
    books = {"sku": "book", "price": 5, "quantity": 3}
    for _ in in_every_turn(ear, [completed(GUIDE, COURSE, books), refunded(products=[GUIDE, books])]):
        assert ear.rows("refunds", "sku", "amount") == [("book", 1_500), ("guide", 2_000)]
        gone = {sku for sku, at in ear.rows("order_lines", "sku", "refunded_at") if at}
        assert gone == {"book", "guide"}


# ── each event stands for itself ────────────────────────────────────────────────────────────────

BAD = [
    (updated(COURSE, total=-1), "order_total is negative"),
    (updated({**GUIDE, "price": "x"}), "unit_price is not an amount, such as 1234.50"),
    (updated({"price": 3}), "sku is blank"),
    (updated(GUIDE, currency="XXY"), "currency is not a currency, such as EUR"),
    (track("Order Updated", 5, order_id="o1", currency="XXY"), "currency is not a currency, such as EUR"),
    (
        updated(GUIDE, currency="EUR"),
        "has no exchange rate of its day or the 7 days before; import rates first",
    ),
    (refunded(total=500), "amount is more than was paid"),
    (refunded(total="x"), "amount is not an amount, such as 1234.50"),
]


@pytest.mark.parametrize(("bad", "why"), BAD)
def test_what_is_wrong_with_one_event_is_held_against_no_other(
    ear: Ear, bad: dict[str, Any], why: str
) -> None:
    good = [completed(), track("Order Refunded", 8, order_id="o1", refund_id="r0", total=30)]
    later = updated(GUIDE, COURSE, {"sku": "book", "price": 5}, minutes=20)
    for _ in in_every_turn(ear, [*good, bad]):
        assert reasons(ear) == {**{each["messageId"]: None for each in good}, bad["messageId"]: why}
        ear.tell("segment", later)
        assert money(ear) == ([22_500], [3_000])
        assert reasons(ear)[later["messageId"]] is None


def test_what_cannot_be_leaves_what_was_told_before_as_it_was(ear: Ear) -> None:
    bad = updated({**COURSE, "price": -1})
    for told in ([completed()], [completed(), refunded(products=[GUIDE])]):
        ear.forget()
        ear.tell("segment", *told)
        before = ear.facts()
        assert ear.tell("segment", bad).parked == 1
        assert ear.facts() == before


# ── two numbers of one order ────────────────────────────────────────────────────────────────────


def of_stripe(kind: str, at: int, **thing: Any) -> dict[str, Any]:
    seconds = int(NOW.timestamp()) + at
    return {"id": f"evt_{kind}_{at}", "type": kind, "created": seconds, "data": {"object": thing}}


INVOICE = of_stripe(
    "invoice.paid", 1, id="in_1", amount_paid=2_000, currency="usd", customer_email="ann@loaf.example",
    lines={"data": [{"id": "il_1", "amount": 2_000, "quantity": 1, "metadata": {"sku": "guide"}}]},
)  # fmt: skip
PAYMENT = of_stripe("invoice_payment.paid", 2, invoice="in_1", payment={"payment_intent": "pi_1"})
CHARGE = of_stripe(
    "charge.succeeded", 1, id="ch_1", payment_intent="pi_1", description="Subscription update", captured=True
)


@pytest.mark.parametrize("back", [2_000, 500])
def test_what_goes_back_of_a_payment_is_of_the_invoice_that_it_paid(ear: Ear, back: int) -> None:
    refund = {"status": "succeeded", "currency": "usd", "payment_intent": "pi_1"}
    told = [
        INVOICE,
        PAYMENT,
        CHARGE,
        of_stripe("refund.created", 60, id="re_1", amount=back, **refund),
        of_stripe("refund.updated", 61, id="re_1", amount=back, **refund),
    ]
    every = 7 if ear.store.engine.dialect.name == "sqlite" else 29
    for turn in list(permutations(told))[::every]:
        for batches in ([[each] for each in turn], [turn]):
            ear.forget()
            for batch in batches:
                ear.tell("stripe", *batch)
            assert set(ear.verdicts()) == {("applied", None), ("ignored", "of a kind that is not known here")}
            assert ear.rows("refunds", "order_ref", "amount") == [("in_1", back)]
            assert [at is not None for _, at in ear.rows("order_lines", "sku", "refunded_at")] == [
                back == 2_000
            ]


# ── what goes back by Stripe ────────────────────────────────────────────────────────────────────

BUYS = of_stripe(
    "charge.succeeded", 0, id="ch_1", payment_intent="pi_1", captured=True, amount=2_000, currency="usd",
    receipt_email="ann@loaf.example",
)  # fmt: skip


def disputed(what: str, at: int, status: str, *moved: int, amount: int = 2_000) -> dict[str, Any]:
    balance = [{"amount": each, "currency": "usd"} for each in moved]
    thing = {"id": "dp_1", "payment_intent": "pi_1", "amount": amount, "currency": "usd", "status": status}
    begun = int(NOW.timestamp()) + 5
    return of_stripe(f"charge.dispute.{what}", at, **thing, created=begun, balance_transactions=balance)


def charge_refunded(at: int, amount: int, **more: Any) -> dict[str, Any]:
    """As newer versions tell it, which list no refunds."""
    charge = {"id": "ch_1", "payment_intent": "pi_1", "amount": 2_000, "currency": "usd"}
    return of_stripe("charge.refunded", at, **charge, amount_refunded=amount, **more)


def refund_is(
    status: str, at: int, amount: int, ref: str = "re_1", what: str = "updated", made: int = 5
) -> dict[str, Any]:
    thing = {"id": ref, "payment_intent": "pi_1", "amount": amount, "currency": "usd", "status": status}
    told = of_stripe(f"refund.{what}", at, **thing, created=int(NOW.timestamp()) + made)
    return {**told, "id": f"{told['id']}_{ref}"}


OPEN = disputed("created", 5, "needs_response")
TAKEN = disputed("funds_withdrawn", 5, "needs_response", -2_000)
GONE_BACK: list[tuple[list[dict[str, Any]], list[int]]] = [
    ([disputed("created", 5, "warning_needs_response"), disputed("closed", 9, "warning_closed")], []),
    ([disputed("created", 5, "warning_needs_response"), disputed("updated", 9, "needs_response")], [2_000]),
    ([OPEN, TAKEN], [2_000]),
    ([OPEN, TAKEN, disputed("closed", 9, "lost", -2_000)], [2_000]),
    ([OPEN, TAKEN, disputed("updated", 9, "under_review"), disputed("closed", 9, "won", -2_000, 2_000)], []),
    ([OPEN, TAKEN, disputed("funds_reinstated", 9, "won", -2_000)], []),
    ([TAKEN, disputed("closed", 9, "lost", -2_000, 500), disputed("funds_reinstated", 9, "lost", -2_000, 500)], [1_500]),
    ([disputed("funds_withdrawn", 5, "needs_response", amount=700)], [700]),
    ([disputed("funds_withdrawn", 5, "needs_response", amount=2_050)], [2_000]),  # by an exchange in between
    ([refund_is("succeeded", 4, 600), TAKEN], [600, 1_400]),
    ([charge_refunded(4, 600), disputed("funds_withdrawn", 5, "needs_response", amount=700)], [600, 700]),
    ([charge_refunded(6, 500)], [500]),
    ([charge_refunded(6, 500, refunds={"data": []})], [500]),
    ([charge_refunded(6, 2_000)], [2_000]),
    ([charge_refunded(6, 500), charge_refunded(8, 2_000)], [500, 1_500]),
    ([charge_refunded(6, 500), charge_refunded(6, 1_250) | {"id": "evt_same_second"}], [1_250]),
    ([charge_refunded(6, 2_000), refund_is("succeeded", 5, 2_000, what="created")], [2_000]),
    ([charge_refunded(6, 500), refund_is("pending", 5, 500, what="created"), refund_is("succeeded", 7, 500)], [500]),
    ([charge_refunded(6, 500), charge_refunded(8, 2_000), refund_is("succeeded", 7, 1_500, "re_2", made=7)], [500, 1_500]),
    ([refund_is("succeeded", 5, 500, what="created"), refund_is("failed", 5, 500, what="failed")], []),
    ([charge_refunded(6, 500), refund_is("succeeded", 5, 500), refund_is("canceled", 9, 500, what="failed")], []),
    ([charge_refunded(6, 900), charge_refunded(8, 400)], [400]),  # one that failed went out of the sum
    ([charge_refunded(6, 500, refunds=None)], [500]),
    ([charge_refunded(6, 500, refunds={"data": [{"id": "re_1", "amount": 500, "currency": "usd", "payment_intent": "pi_1", "status": "succeeded"}]}), refund_is("succeeded", 5, 500)], [500]),
]  # fmt: skip


@pytest.mark.parametrize(("told", "left"), GONE_BACK)
def test_what_goes_back_by_stripe_is_counted_once_in_any_order(
    ear: Ear, told: list[dict[str, Any]], left: list[int]
) -> None:
    for turn in some_turns(ear, [BUYS, *told]):
        for batches in ([[each] for each in (*turn, *turn)], [turn]):
            ear.forget()
            for number, batch in enumerate(batches):
                ear.hear("stripe", [(f"{each['id']}/{number // len(turn)}", each) for each in batch])
                ear.take_up()
            assert sorted(row[0] for row in ear.rows("refunds", "amount")) == sorted(left), turn
            assert set(ear.verdicts()) == {("applied", None)}
            gone = sum(left) == 2_000
            assert [at is not None for (at,) in ear.rows("order_lines", "refunded_at")] == [gone]


def test_what_went_back_of_an_invoice_as_a_sum_is_of_it(ear: Ear) -> None:
    for turn in permutations([INVOICE, PAYMENT, charge_refunded(60, 500)]):
        ear.forget()
        for each in turn:
            ear.tell("stripe", each)
        assert ear.rows("refunds", "order_ref", "amount") == [("in_1", 500)]
        assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}


def subscribed(at: int, *held: str, before: Iterable[str] = (), status: str = "active") -> dict[str, Any]:
    """Items are named as `1:club`: which it is, the younger the higher, and its product."""

    def listed(named: Iterable[str]) -> dict[str, Any]:
        split = [each.split(":") for each in named]
        return {"data": [{"id": f"si_{n}", "created": int(n), "price": {"product": sku}} for n, sku in split]}

    told = of_stripe(
        "customer.subscription.updated", at, id="sub_1", customer="cus_1", status=status, items=listed(held),
        current_period_end=int(NOW.timestamp()) + 9_000,
    )  # fmt: skip
    told["data"]["previous_attributes"] = {"items": listed(before)} if before else {"metadata": {}}
    return told


def held(ear: Ear) -> set[tuple[str, str]]:
    rows = ear.rows("subscriptions", "sku", "status", "until", "derived")
    return {(sku, status) for sku, status, until, derived in rows if until is None and not derived}


@pytest.mark.parametrize(
    ("told", "stand"),
    [
        ([subscribed(1, "1:club")], {("club", "active")}),
        ([subscribed(1, "2:seats", "1:club")], {("club", "active"), ("seats", "active")}),
        ([subscribed(1, "1:club"), subscribed(2, "1:club", "2:seats", before=["1:club"])],
         {("club", "active"), ("seats", "active")}),
        ([subscribed(1, "1:club", "2:seats"), subscribed(2, "1:club", before=["1:club", "2:seats"])],
         {("club", "active"), ("seats", "expired")}),
        ([subscribed(1, "1:club", "2:seats"), subscribed(2, "2:seats", before=["1:club", "2:seats"])],
         {("club", "expired"), ("seats", "active")}),
        ([subscribed(1, "1:club", "2:seats"), subscribed(2, "2:seats", "3:gold", before=["1:club", "2:seats"])],
         {("club", "expired"), ("seats", "active"), ("gold", "active")}),
        ([subscribed(1, "1:club"), subscribed(2, "2:gold", before=["1:club"])], {("gold", "active")}),
        ([subscribed(1, "1:club", "2:seats"), subscribed(3, "1:club", "2:seats", status="canceled")],
         {("club", "expired"), ("seats", "expired")}),
    ],
)  # fmt: skip
def test_each_item_of_a_subscription_is_one_to_its_product(
    ear: Ear, told: list[dict[str, Any]], stand: set[tuple[str, str]]
) -> None:
    for turn in some_turns(ear, told):
        ear.forget()
        for each in turn:
            ear.tell("stripe", each)
        assert held(ear) == stand
        assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}


# ── shops: what has no sku, and who has no name ─────────────────────────────────────────────────


def shopify(topic: str, **body: Any) -> dict[str, Any]:
    at = NOW.isoformat()
    return {"topic": topic, "body": {"created_at": at, "updated_at": at, **body}}


def sale(*lines: dict[str, Any], total: str, **said: Any) -> dict[str, Any]:
    numbered = [{"id": number, "quantity": 1, **line} for number, line in enumerate(lines, 1)]
    order = {"id": 7, "financial_status": "paid", "total_price": total, "currency": "USD", **said}
    return shopify("orders/create", **order, line_items=numbered)


def test_a_tip_and_a_custom_item_are_lines_of_the_shops_own(ear: Ear) -> None:
    mug = {"sku": "mug", "price": "10.00"}
    tip = {
        "sku": None,
        "variant_id": None,
        "title": "Tip",
        "price": "2.00",
        "tip": {"payment_method": "Visa"},
    }
    custom = {"sku": "", "variant_id": None, "title": "Engraving", "price": "5.00"}
    ear.tell("shopify", sale(mug, tip, custom, total="17.00", email="ann@loaf.example"))
    assert money(ear)[0] == [1_700]
    assert ear.rows("order_lines", "sku", "amount") == [
        ("mug", 1_000),
        ("shopify:custom", 500),
        ("shopify:tip", 200),
    ]


def test_such_a_line_may_be_given_a_product(ear: Ear) -> None:
    named = Settings.model_validate({"receiving": {"products": {"shopify:tip": "thanks"}}})
    tip = {"price": "2.00", "tip": {"payment_method": "Visa"}}
    Ear(ear.store, named).tell("shopify", sale(tip, total="2.00", email="ann@loaf.example"))
    assert ear.rows("order_lines", "sku") == [("thanks",)]


def test_an_order_without_lines_costs_what_it_costs(ear: Ear) -> None:
    ear.tell("shopify", sale(total="25.00", email="ann@loaf.example"))
    assert ear.rows("order_lines", "sku", "amount") == [("shopify:custom", 2_500)]


def test_a_deleted_product_and_a_donation_of_woocommerce_are_lines_of_their_own(ear: Ear) -> None:
    def order(number: int, total: str, **said: Any) -> dict[str, Any]:
        times = {"date_created_gmt": "2026-03-01T10:00:00", "date_modified_gmt": "2026-03-01T10:00:00"}
        body = {"id": number, "status": "completed", "total": total, "billing": {"email": "ann@loaf.example"}}
        return {"topic": "order.created", "body": {**body, **times, **said}}

    gone = {"id": 1, "sku": "", "product_id": 0, "quantity": 1, "total": "5.00"}
    ear.tell("woocommerce", order(1, "5.00", line_items=[gone]))
    ear.tell(
        "woocommerce", order(2, "9.00", line_items=[], fee_lines=[{"name": "Donation", "total": "9.00"}])
    )
    assert ear.rows("order_lines", "order_ref", "sku", "amount") == [
        ("1", "woocommerce:custom", 500),
        ("2", "woocommerce:custom", 900),
    ]


def test_what_is_sold_at_a_till_to_nobody_is_counted_and_no_mistake(ear: Ear) -> None:
    mug = {"sku": "mug", "price": "10.00"}
    refund = {
        "id": 9,
        "order_id": 7,
        "transactions": [{"kind": "refund", "status": "success", "amount": "10.00"}],
    }
    told = [
        sale(mug, total="10.00", customer=None, email=""),
        shopify("refunds/create", **refund),
        shopify("checkouts/create", id=5),
    ]
    made = [ear.tell("shopify", each) for each in told]
    assert [each.as_json() for each in made] == [
        {"applied": 0, "ignored": 0, "parked": 0, "nobody": 1, "test": 0}
    ] * 3
    assert money(ear) == ([], [])
    assert str(made[0]) == "events: 1 of nobody"


def test_a_name_that_comes_later_makes_the_sale_somebodys(ear: Ear) -> None:
    mug = {"sku": "mug", "price": "10.00"}
    ear.tell("shopify", sale(mug, total="10.00"))
    later = sale(mug, total="10.00", customer={"id": 3})
    later["body"]["updated_at"] = "2026-03-10T10:00:00Z"
    ear.tell("shopify", later)
    assert ear.verdicts() == [("applied", None)] * 2
    assert money(ear) == ([1_000], [])


PAYMENT_IN_TEST_MODE = {
    "id": "evt_t", "type": "charge.succeeded", "created": int(NOW.timestamp()), "livemode": False,
    "data": {"object": {"id": "ch_t", "captured": True, "amount": 1_000, "currency": "usd",
                        "livemode": False, "receipt_email": "ann@loaf.example"}},
}  # fmt: skip
OWN_PURCHASE = {
    "sale_id": "s1", "test": "true", "price": "1000", "email": "ann@loaf.example", "permalink": "guide",
    "sale_timestamp": NOW.isoformat(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "event", "real"),
    [
        ("stripe", PAYMENT_IN_TEST_MODE, {**PAYMENT_IN_TEST_MODE, "livemode": True}),
        ("stripe", PAYMENT_IN_TEST_MODE, {k: v for k, v in PAYMENT_IN_TEST_MODE.items() if k != "livemode"}),
        ("gumroad", OWN_PURCHASE, {**OWN_PURCHASE, "test": "false"}),
        ("shopify", sale({"sku": "mug", "price": "10.00"}, total="10.00", email="a@loaf.example", test=True),
         sale({"sku": "mug", "price": "10.00"}, total="10.00", email="a@loaf.example", test=False)),
    ],
)  # fmt: skip
def test_a_test_is_no_sale_unless_it_is_wished_for(
    ear: Ear, source: str, event: dict[str, Any], real: dict[str, Any]
) -> None:
    wished = Settings.model_validate({"receiving": {"test_sales": True}})
    made = ear.tell(source, event)
    assert (str(made), money(ear)) == ("events: 1 of tests", ([], []))
    assert ear.verdicts() == [
        ("test", "it is a test, which receiving.test_sales would take as if it were real")
    ]
    for told, settings in ((real, Settings()), (event, wished)):
        ear.forget()
        assert Ear(ear.store, settings).tell(source, told).applied == 1
        assert money(ear) == ([1_000], [])


def test_what_goes_back_of_a_test_order_of_shopify_is_a_test_as_well(ear: Ear) -> None:
    paid_back = {"kind": "refund", "status": "success", "amount": "10.00", "test": True}
    assert (
        ear.tell("shopify", shopify("refunds/create", id=9, order_id=7, transactions=[paid_back])).test == 1
    )


def of_woocommerce(status: str, **said: Any) -> dict[str, Any]:
    at = "2026-03-01T10:00:00"
    line = {"id": 1, "sku": "mug", "quantity": 1, "total": "10.00"}
    body = {"id": 1, "status": status, "total": "10.00", "billing": {"email": "ann@loaf.example"}}
    times = {"date_created_gmt": at, "date_modified_gmt": at}
    return {"topic": "order.updated", "body": {**body, **times, "line_items": [line], **said}}


MUG, HAT = {"id": 1, "sku": "mug", "price": "10.00"}, {"id": 2, "sku": "hat", "price": "5.00"}
PENDING = {"financial_status": "pending"}
EDITED = {"financial_status": "partially_paid", "updated_at": "2026-03-10T10:00:00Z"}


@pytest.mark.parametrize(
    ("source", "words"),
    [  # the times of shops are whole seconds, and much happens in one
        ("woocommerce", [of_woocommerce("pending"), of_woocommerce("processing")]),
        ("shopify", [sale(MUG, total="10.00", email="a@loaf.example", **PENDING), sale(MUG, total="10.00")]),
        ("shopify", [sale(MUG, total="10.00", email="a@loaf.example"), sale(MUG, total="10.00", **EDITED)]),
    ],
)
def test_what_was_paid_once_stays_paid_whatever_comes_first(
    ear: Ear, source: str, words: list[dict[str, Any]]
) -> None:
    for first in range(6):  # ids decide nothing
        ear.forget()
        ear.hear(source, [(f"{first ^ n}", word) for n, word in enumerate(words)])
        ear.take_up()
        assert ear.rows("orders", "paid", "amount") == [(True, 1_000)]
        assert ear.rows("order_lines", "sku") == [("mug",)]


TWO = {"total": "15.00", "email": "ann@loaf.example"}
LATER = {"updated_at": "2026-03-10T10:00:00Z", "cancelled_at": "2026-03-10T09:59:00Z"}
BACK = {"id": 9, "created_at": "2026-03-11T09:00:00Z", "refund_line_items": [],
        "transactions": [{"kind": "refund", "status": "success", "amount": "6.00"}]}  # fmt: skip
MONEY_BACK = {"date_paid_gmt": "2026-03-01T10:00:00", "refunds": [{"id": 3, "total": "-4.00"}]}


def at_woocommerce(hour: int, status: str, **said: Any) -> dict[str, Any]:
    return of_woocommerce(status, date_modified_gmt=f"2026-03-01T{hour}:00:00", **said)


@pytest.mark.parametrize(
    ("source", "words", "back"),
    [
        ("shopify", [sale(MUG, HAT, **TWO), sale(MUG, HAT, **TWO, **LATER)], [1_500]),
        ("shopify", [sale(MUG, HAT, **TWO, **LATER)], [1_500]),
        ("shopify", [sale(MUG, HAT, **TWO), sale(MUG, HAT, **TWO, **LATER | EDITED)], [1_500]),
        ("shopify", [sale(MUG, HAT, **TWO, **PENDING), sale(MUG, HAT, **TWO, **LATER, financial_status="voided")], []),
        ("shopify", [sale(MUG, HAT, **TWO, **LATER), shopify("refunds/create", order_id=7, **BACK)], [600, 900]),
        ("woocommerce", [at_woocommerce(11, "completed"), at_woocommerce(12, "cancelled")], [1_000]),
        ("woocommerce", [at_woocommerce(12, "cancelled", date_paid_gmt="2026-03-01T10:00:00")], [1_000]),
        ("woocommerce", [at_woocommerce(11, "pending"), at_woocommerce(12, "cancelled")], []),
        ("woocommerce", [at_woocommerce(11, "processing"), at_woocommerce(12, "cancelled"), at_woocommerce(13, "processing")], []),
        ("woocommerce", [at_woocommerce(11, "completed"), at_woocommerce(12, "cancelled", **MONEY_BACK)], [400, 600]),
    ],
)  # fmt: skip
def test_an_order_that_is_cancelled_after_it_was_paid_is_not_bought_any_more(
    ear: Ear, source: str, words: list[dict[str, Any]], back: list[int]
) -> None:
    for turn in some_turns(ear, words, 6):
        ear.forget()
        for word in turn:
            ear.hear(source, [(None, word)])
            ear.take_up()
        assert sorted(amount for (amount,) in ear.rows("refunds", "amount")) == back
        assert {at is not None for (at,) in ear.rows("order_lines", "refunded_at")} <= {bool(back)}
        assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}


def test_a_free_order_that_is_cancelled_is_not_owned_any_more(ear: Ear) -> None:
    words = [
        track("Order Completed", order_id="o1", products=[{"sku": "guide", "price": 0}]),
        track("Order Cancelled", 5, order_id="o1"),
    ]
    for turn in (words, words[::-1]):
        ear.forget()
        ear.tell("segment", *turn)
        assert ear.rows("orders", "paid") == [(False,)]
        assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}


FAST = "2026-03-10T09:10:00"  # ten minutes after it came
SOON = int(NOW.timestamp()) + 600
LESSON = {"id": "1", "course_id": 1, "user": {"id": 7, "email": "ann@loaf.example"}, "is_completed": True}


@pytest.mark.parametrize(
    ("source", "event", "table"),
    [
        ("woocommerce", of_woocommerce("processing", date_created_gmt=FAST, date_modified_gmt=FAST), "orders"),
        ("shopify", sale(MUG, total="10.00", email="a@loaf.example", created_at=f"{FAST}Z", updated_at=f"{FAST}Z"), "orders"),
        ("shopify", shopify("customers/update", id=1, updated_at=f"{FAST}Z", email_marketing_consent={
            "state": "subscribed", "consent_updated_at": f"{FAST}Z"}), "consents"),
        ("shopify", shopify("checkouts/create", id=1, created_at=f"{FAST}Z", email="a@loaf.example"), "funnel_events"),
        ("stripe", BUYS | {"created": SOON}, "orders"),
        ("gumroad", {**OWN_PURCHASE, "test": "false", "sale_timestamp": f"{FAST}Z"}, "orders"),
        ("stripe", subscribed(600, "1:club"), "subscriptions"),
        ("thinkific", {"resource": "lesson", "action": "completed", "created_at": f"{FAST}Z", "payload": LESSON}, "consumption"),
        ("teachable", {"type": "LectureProgress.created", "created": f"{FAST}Z", "object": LESSON}, "consumption"),
    ],
)  # fmt: skip
def test_who_has_a_fast_clock_tells_nothing_of_a_time_to_come(
    ear: Ear, source: str, event: dict[str, Any], table: str
) -> None:
    ear.heard_at = NOW
    ear.tell(source, event)
    assert {at for (at,) in ear.rows(table, "at")} == {NOW}
    assert {outcome for outcome, _ in ear.verdicts()} == {"applied"}


def test_an_order_by_a_fast_clock_is_as_old_as_it_came_whatever_comes_later(ear: Ear) -> None:
    """Its refund comes before it, and a change of it while the time that it names is still to come."""
    hours = [f"2026-03-10T{hour}:00:00Z" for hour in (12, 13)]
    order = sale(MUG, total="10.00", email="a@loaf.example", created_at=hours[0], updated_at=hours[0])
    changed = sale(MUG, total="10.00", email="a@loaf.example", created_at=hours[0], updated_at=hours[1])
    paid_back = {"kind": "refund", "status": "success", "amount": "10.00"}
    refund = shopify("refunds/create", id=9, order_id=7, created_at=hours[1], transactions=[paid_back])
    for minutes, event in enumerate((refund, order, changed), 1):
        ear.hear("shopify", [(None, event)], NOW + timedelta(minutes=minutes))
        ear.take_up()
    placed = NOW + timedelta(minutes=2)
    assert (ear.rows("orders", "at"), ear.rows("refunds", "at")) == ([(placed,)], [(placed,)])


@pytest.mark.parametrize(
    ("refunds", "left"),
    [
        ([], [("mug", None)]),  # taken out by an edit, or sent back before the money is
        ([{"subtotal": "5.00", "paid": "5.00"}], [("hat", NOW), ("mug", None)]),
        ([{"subtotal": "5.00", "paid": "4.00"}], [("mug", None)]),  # sent back, and a part of it kept
        ([{"subtotal": "5.00"}], [("mug", None)]),
    ],
)
def test_a_line_that_shopify_took_out_of_an_order_is_not_bought(
    ear: Ear, refunds: list[dict[str, str]], left: list[Any]
) -> None:
    def back(each: dict[str, str]) -> dict[str, Any]:
        line = {"line_item_id": 2, "quantity": 1, "subtotal": each["subtotal"]}
        money = {"kind": "refund", "status": "success", "amount": each.get("paid")}
        moved = [money] if "paid" in each else []
        refund = {"id": 9, "order_id": 7, "created_at": NOW.isoformat()}
        return {**refund, "refund_line_items": [line], "transactions": moved}

    told = sale(MUG, {**HAT, "current_quantity": 0}, total="15.00", email="ann@loaf.example")
    told["body"]["refunds"] = [back(each) for each in refunds]
    ear.tell("shopify", sale(MUG, HAT, total="15.00", email="ann@loaf.example"))
    told["body"]["updated_at"] = "2026-03-10T10:00:00Z"
    ear.tell("shopify", told)
    assert ear.rows("order_lines", "sku", "refunded_at") == left
    assert ear.rows("orders", "amount") == [(1_500,)]


def shopify_disputes(status: str, kind: str = "chargeback", done: str | None = None) -> dict[str, Any]:
    """As `disputes/create` and `disputes/update` have it: no time of the word itself."""
    begun, money = NOW.isoformat(), {"amount": "10.00", "currency": "USD"}
    said = {"id": 5, "order_id": 7, "type": kind, "status": status, **money}
    return {
        "topic": "disputes/update",
        "body": {**said, "initiated_at": begun, "finalized_on": done},
    }


DONE = "2026-03-20T10:00:00Z"


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ([shopify_disputes("needs_response", "inquiry")], []),
        ([shopify_disputes("needs_response")], [1_000]),
        ([shopify_disputes("needs_response", "inquiry"), shopify_disputes("under_review")], [1_000]),
        ([shopify_disputes("under_review"), shopify_disputes("lost", done=DONE)], [1_000]),
        ([shopify_disputes("under_review"), shopify_disputes("accepted")], [1_000]),
        ([shopify_disputes("under_review"), shopify_disputes("won", done=DONE)], []),
        ([shopify_disputes("needs_response"), shopify_disputes("won", done="2026-03-20")], []),
        ([shopify_disputes("needs_response") | {"body": {"id": 5, "order_id": None}}], []),
    ],
)
def test_a_chargeback_of_shopify_takes_the_money_until_it_is_won(
    ear: Ear, told: list[dict[str, Any]], left: list[int]
) -> None:
    for turn in some_turns(ear, [sale(MUG, total="10.00", email="ann@loaf.example"), *told], 6):
        ear.forget()
        for each in turn:
            ear.hear("shopify", [(None, each)])
            ear.take_up()
        assert [amount for (amount,) in ear.rows("refunds", "amount")] == left
        assert "parked" not in {outcome for outcome, _ in ear.verdicts()}


def test_money_of_shopify_goes_back_in_the_currency_of_the_shop(ear: Ear) -> None:
    def both(ours: str, theirs: str) -> dict[str, Any]:
        shop = {"amount": ours, "currency_code": "USD"}
        return {"shop_money": shop, "presentment_money": {"amount": theirs, "currency_code": "EUR"}}

    mug = {"sku": "mug", "price": "10.00"}
    ear.tell("shopify", sale(mug, total="10.00", email="ann@loaf.example"))
    paid = {"kind": "refund", "status": "success", "amount": "8.00", "currency": "EUR"}
    line = {"line_item_id": 1, "quantity": 1, "subtotal": "10.00", "subtotal_set": both("10.00", "8.00")}
    told = {"id": 9, "order_id": 7, "refund_line_items": [line]}
    ear.tell("shopify", shopify("refunds/create", **told, transactions=[paid]))
    assert ear.rows("inbound", "outcome", "error")[1][0] == "parked"  # of which no rate is known
    ear.tell(
        "shopify",
        shopify("refunds/create", **told, transactions=[{**paid, "amount_set": both("10.00", "8.00")}]),
    )
    assert ear.rows("refunds", "sku", "amount") == [("mug", 1_000)]
