"""What SendGrid tells, taken up: whose it is, what follows from it, and that no order changes the end."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from engine.delivery.receivers import applying
from engine.delivery.receivers.applying import Applied, apply_events
from engine.errors import StoreLocked
from engine.facts.mail_events import Kind, furthest
from engine.facts.merging import merge
from engine.facts.receiving import inbound
from engine.facts.suppression import ANY, address_hash, lift, suppress, suppressed_among
from engine.store import tables
from engine.store.connect import Store
from engine.store.migrate import ensure_current
from tests.delivery.post_office import NOW, address, change, key, plan_mails, row

STARTED = int(NOW.timestamp()) - 86_400
LIMIT = 3
HARD = {"event": "bounce", "type": "bounce", "status": "5.1.1", "reason": "550 no such user"}
SOFT = {"event": "bounce", "type": "bounce", "status": "4.2.2", "reason": "452 mailbox full"}
NAMES = count()

TABLES = (
    *(tables.mail_events, tables.suppressions, tables.lifts, tables.inbound, tables.messages),
    tables.contact_state,
    *(tables.customers, tables.identities, tables.changes, tables.customer_aliases),
)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def lasting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for many examples."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('events')}/store.db"
    else:
        url = request.getfixturevalue("new_postgres")()
    store = Store(url)
    ensure_current(store)
    yield store
    store.close()


def empty(store: Store) -> None:
    with store.writing() as connection:
        for table in TABLES:
            connection.execute(delete(table))


@pytest.fixture
def store(lasting: Store) -> Store:
    """The same, empty: a database for each of these tests takes longer than the tests."""
    empty(lasting)
    return lasting


def bounce(status: str | None, reason: str, sort: str = "") -> dict[str, Any]:
    """A mail that came back, and what SendGrid tells of why."""
    return {"event": "bounce", "type": "bounce", "status": status, "reason": reason} | (
        {"bounce_classification": sort} if sort else {}
    )


def event(customer_id: int, after: int = 0, attempt: int = 1, **said: Any) -> dict[str, Any]:
    """An event of an attempt at a mail of ours, with an id of its own."""
    ours = {
        "aftersale_customer": str(customer_id),
        "aftersale_message": key(customer_id).message_id,
        "aftersale_attempt": str(attempt),
        "email": address(customer_id),
    }
    return {
        "event": "delivered",
        "timestamp": STARTED + after,
        "sg_event_id": f"e{next(NAMES)}",
        **ours,
        **said,
    }


def stray(customer_id: int, after: int = 0, **said: Any) -> dict[str, Any]:
    """The same without our ids: only the address is told."""
    told = event(customer_id, after, **said)
    return {name: value for name, value in told.items() if not name.startswith("aftersale_")}


def reported(customer_id: int, after: int, kind: Kind) -> dict[str, Any]:
    """What a mail server said of a mail of ours; it counts from when that came."""
    ours = {"customer_id": customer_id, "message_id": key(customer_id).message_id}
    said = {"kind": kind.value, "address": address(customer_id), "status": "5.0.0", **ours}
    return {"id": f"r{next(NAMES)}", "timestamp": STARTED + after, **said}


def tell(store: Store, *events: Any, size: int = 100, limit: int = LIMIT) -> Applied:
    by_mail = [each for each in events if isinstance(each, dict) and "kind" in each]
    posted = [each for each in events if each not in by_mail]
    inbound.keep(store, "sendgrid", "sg_event_id", json.dumps(posted), NOW)
    for each in by_mail:
        came = datetime.fromtimestamp(each["timestamp"], UTC)
        inbound.keep(store, "smtp", "id", json.dumps([each]), came)
    return apply_events(store, limit, NOW, size=size)


def rows(store: Store, table: Any) -> list[dict[str, Any]]:
    with store.reading() as connection:
        found = connection.execute(select(table).order_by(*table.primary_key)).mappings()
        return [dict(each) for each in found]


def kinds(store: Store, customer_id: int) -> list[str]:
    events = sorted(rows(store, tables.mail_events), key=lambda each: each["at"])
    return [each["kind"] for each in events if each["customer_id"] == customer_id]


def reasons(store: Store) -> dict[int, str]:
    """Why each customer's address gets nothing."""
    listed = {each["address_hash"]: each["reason"] for each in rows(store, tables.suppressions)}
    hashes = {address_hash(address(n)): n for n in range(10)}
    return {hashes[each]: reason for each, reason in sorted(listed.items())}


# ── what it says, and of which mail ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        ({"event": "processed"}, Kind.PROCESSED, None),
        ({"event": "deferred", "response": "400 later"}, Kind.DEFERRED, None),
        ({"event": "delivered"}, Kind.DELIVERED, None),
        ({"event": "open"}, Kind.OPENED, None),
        ({"event": "click", "url": "https://shop.example"}, Kind.CLICKED, None),
        ({"event": "dropped", "reason": "Bounced Address"}, Kind.DROPPED, "bounced"),
        ({"event": "dropped", "reason": "Invalid"}, Kind.DROPPED, "bounced"),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, Kind.DROPPED, "complained"),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, Kind.DROPPED, "unsubscribed"),
        ({"event": "dropped", "reason": "Spam Content"}, Kind.DROPPED, None),
        ({"event": "open", "reason": "Bounced Address"}, Kind.OPENED, None),
        ({"event": "spamreport"}, Kind.COMPLAINED, "complained"),
        ({"event": "unsubscribe"}, Kind.UNSUBSCRIBED, "unsubscribed"),
        ({"event": "group_unsubscribe", "asm_group_id": 10}, Kind.UNSUBSCRIBED, "unsubscribed"),
        ({"event": "group_resubscribe", "asm_group_id": 10}, Kind.RESUBSCRIBED, None),
        (HARD, Kind.BOUNCED, "bounced"),
        ({"event": "bounce", "status": "5.0.0"}, Kind.BOUNCED, "bounced"),
        ({"event": "bounce", "reason": "550 unknown"}, Kind.BOUNCED, "bounced"),
        ({"event": "bounce", "bounce_classification": "Invalid Address"}, Kind.BOUNCED, "bounced"),
        (bounce("5.7.1", "550 5.7.1 not from you"), Kind.BLOCKED, None),  # it blames the sender
        (bounce("5.7.26", "550 not signed"), Kind.BLOCKED, None),
        (bounce("5.6.0", "554 we do not like what it says"), Kind.BLOCKED, None),
        (bounce("5.3.4", "552 too large"), Kind.BLOCKED, None),
        (bounce("5.0.0", "550 5.7.1 listed"), Kind.BLOCKED, None),
        (bounce("5.0.0", "554 rejected as spam"), Kind.BLOCKED, None),
        (bounce(None, "550 Client host [192.0.2.1] blocked using a blocklist"), Kind.BLOCKED, None),
        (bounce("5.2.2", "552 full"), Kind.SOFT_BOUNCE, None),
        (bounce("5.0.0", "552 mailbox quota exceeded"), Kind.SOFT_BOUNCE, None),
        (bounce("5.4.4", "no such host"), Kind.SOFT_BOUNCE, None),  # or its name service is down
        (bounce("5.2.1", "550 disabled"), Kind.BOUNCED, "bounced"),
        (bounce("5.0.0", "500 unknown recipient"), Kind.BOUNCED, "bounced"),
        (bounce("5.0.0", "550 5.1.1 nobody"), Kind.BOUNCED, "bounced"),
        (bounce("5.7.1", "550 nobody", "Invalid Address"), Kind.BOUNCED, "bounced"),
        (bounce("5.0.0", "550 no", "Unclassified"), Kind.BOUNCED, "bounced"),
        (bounce("5.0.0", "550 no", "Reputation"), Kind.BLOCKED, None),
        (bounce("5.0.0", "550 no", "Content"), Kind.BLOCKED, None),
        (bounce("5.0.0", "550 no", "Frequency or Volume Too High"), Kind.BLOCKED, None),
        (bounce("5.0.0", "550 no", "Mailbox Unavailable"), Kind.SOFT_BOUNCE, None),
        (bounce("5.2.1", "550 no", "Mailbox Unavailable"), Kind.BOUNCED, "bounced"),
        (bounce("5.0.0", "550 no", "Technical"), Kind.SOFT_BOUNCE, None),
        (SOFT, Kind.SOFT_BOUNCE, None),
        ({"event": "bounce"}, Kind.SOFT_BOUNCE, None),
        ({**HARD, "type": "blocked"}, Kind.BLOCKED, None),
        ({"event": "bounce", "type": "blocked"}, Kind.BLOCKED, None),
    ],
)
def test_what_each_event_means(store: Store, said: Any, kind: Kind, reason: str | None) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    assert tell(store, event(1, **said)) == Applied(applied=1)
    assert kinds(store, 1) == [kind]
    assert reasons(store) == ({1: reason} if reason else {})


def test_an_event_knows_its_mail_its_time_and_who_opened(store: Store) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    tell(store, event(1, event="open", sg_machine_open=True), event(1, 60, event="open"))
    by_machine, by_hand = sorted(rows(store, tables.mail_events), key=lambda each: each["at"])
    assert (by_machine["machine"], by_hand["machine"]) == (True, False)
    assert by_hand["at"] == datetime.fromtimestamp(STARTED + 60, UTC)
    told = {name: by_hand[name] for name in ("customer_id", "message_id", "campaign_id", "step_id")}
    assert told == {
        "customer_id": 1,
        "message_id": key(1).message_id,
        "campaign_id": "welcome-back",
        "step_id": "hello",
    }
    assert {each["customer_id"] for each in rows(store, tables.changes)} == {1}


def test_nothing_happened_after_it_was_told(store: Store) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    tell(store, event(1, 10 * 86_400))
    assert rows(store, tables.mail_events)[0]["at"] == NOW


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (stray(1, **HARD), [Kind.BOUNCED]),
        (stray(1, **SOFT, email=" Customer-1@SHOP.example"), [Kind.SOFT_BOUNCE]),
        (stray(1, event="spamreport"), [Kind.COMPLAINED]),
        (stray(1, event="open"), []),  # of a mail that was not ours
        (stray(1, event="delivered"), []),
        (stray(5, **HARD), []),  # nobody's address
        (stray(1, **HARD, email=7), []),
        (event(1, event="open", aftersale_message=key(2).message_id), []),  # another customer's mail
        (event(1, event="open", aftersale_message="no id"), []),
        (event(1, event="open", aftersale_customer="9" * 30), []),
        (event(1, event="open", aftersale_customer=True), []),
        (event(1, event="open", aftersale_customer=1), [Kind.OPENED]),
    ],
)
def test_whose_an_event_is(store: Store, told: Any, expected: list[str]) -> None:
    plan_mails(store, 1, 2, status="accepted")
    for customer_id in (1, 2):
        change(store, customer_id, message_id=key(customer_id).message_id)
    with store.writing() as connection:
        named = {"kind": "email", "value": address(1), "customer_id": 1}
        connection.execute(tables.identities.insert(), named)
    made = tell(store, told)
    assert kinds(store, 1) == expected
    assert (made.applied, made.ignored) == (len(expected), 1 - len(expected))


def test_a_mail_of_whom_is_somebody_else_by_now(store: Store) -> None:
    """Told before the merge or after it, it is the known customer's."""
    plan_mails(store, 1, 2, status="accepted")
    change(store, 2, message_id=key(2).message_id)
    tell(store, event(2, event="open"))
    with store.writing() as connection:
        merge(connection, {2: 1}, 60, NOW)
    tell(store, event(2, 5, event="click"))
    assert (kinds(store, 1), kinds(store, 2)) == ([Kind.OPENED, Kind.CLICKED], [])


@pytest.mark.parametrize(
    "written", ["jo@xn--bcher-kva.example", "Jo@BÜCHER.example", "jo@bu\u0308cher.example"]
)
@pytest.mark.parametrize("ours", [True, False])
def test_an_international_address_is_the_same_however_it_is_told(
    store: Store, written: str, *, ours: bool
) -> None:
    """It leaves in ASCII, and so it is told of; here it is kept as people write it."""
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id, address="jo@bücher.example")
    with store.writing() as connection:
        named = {"kind": "email", "value": "jo@bücher.example", "customer_id": 1}
        connection.execute(tables.identities.insert(), named)
    tell(store, (event if ours else stray)(1, **HARD, email=written))
    with store.reading() as connection:
        assert suppressed_among(connection, ["jo@bücher.example"]) == {"jo@bücher.example"}


# ── what cannot be read ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("told", "outcome", "error"),
    [
        (event(1, event="dreamt_of"), "ignored", "of a kind that is not known here"),
        (event(5), "ignored", "of no mail of ours"),
        (event(1, event=7), "parked", "it does not say what happened"),
        (event(1, timestamp="soon"), "parked", "it does not say when it happened"),
        (event(1, timestamp=True), "parked", "it does not say when it happened"),
        (event(1, timestamp=10**12), "parked", "it does not say when it happened"),
        (event(1, timestamp=-1), "parked", "it does not say when it happened"),
        ([], "parked", "it is no event"),
        ("text", "parked", "it is no event"),
        (None, "parked", "it is no event"),
    ],
)
def test_what_is_not_understood_is_put_aside(store: Store, told: Any, outcome: str, error: str) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    made = tell(store, told, event(1))
    assert (made.applied, made.ignored + made.parked) == (1, 1)
    assert (outcome, error) in {(each["outcome"], each["error"]) for each in rows(store, tables.inbound)}
    assert tell(store) == Applied(), "nothing is looked at twice"


def test_hostile_words_are_plain_ones(store: Store) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    tell(store, event(1, event="click", url="a\0b\ud800c\u202ed\n" + "x" * 9_000))
    detail = rows(store, tables.mail_events)[0]["detail"]
    assert (detail[:9], len(detail)) == ("a b c d x", 400)


def test_an_event_that_breaks_a_batch_is_found_and_parked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_mails(store, *range(1, 8), status="accepted")
    for n in range(1, 8):
        change(store, n, message_id=key(n).message_id)
    usual = applying._row

    def breaks(*words: Any) -> Any:
        found = usual(*words)
        return found | {"kind": None} if found["customer_id"] == 3 else found

    monkeypatch.setattr(applying, "_row", breaks)
    made = tell(store, *(event(n) for n in range(1, 8)))
    assert (made.applied, made.parked) == (6, 1)
    assert [each["customer_id"] for each in rows(store, tables.mail_events)] == [1, 2, 4, 5, 6, 7]


def test_a_database_that_is_busy_parks_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)

    def busy(*_: Any) -> Any:
        msg = "held"
        raise StoreLocked(msg)

    with monkeypatch.context() as patched:
        patched.setattr(applying, "_apply", busy)
        with pytest.raises(StoreLocked):
            tell(store, event(1))
    assert tell(store) == Applied(applied=1)


def test_words_are_forgotten_and_the_event_is_not(store: Store) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    told = event(1)
    tell(store, told)
    inbound.keep(store, "sendgrid", "sg_event_id", json.dumps([event(1)]), NOW)
    with store.writing() as connection:
        assert inbound.forget_words(connection, NOW) == 0
        assert inbound.forget_words(connection, NOW + timedelta(seconds=1)) == 1, "what waits keeps its words"
    assert tell(store, told).applied == 1, "the one that waited, and not the one that was told again"
    assert len(rows(store, tables.mail_events)) == 2
    words = {each["event_id"]: bool(each["body"]) for each in rows(store, tables.inbound)}
    assert words.pop(told["sg_event_id"]) is False
    assert list(words.values()) == [True]


def test_what_is_told_of_who_was_erased_keeps_no_word_of_them(store: Store) -> None:
    plan_mails(store, 1, 2, status="accepted")
    for number in (1, 2):
        change(store, number, message_id=key(number).message_id)
    with store.writing() as connection:
        for table in (tables.identities, tables.customers):
            connection.execute(delete(table).where(table.c.customer_id == 1))
    click = {"event": "click", "url": "https://shop.example/ann"}
    tell(store, event(1, ip="203.0.113.9", **click), event(2, ip="203.0.113.8", **click))
    bodies = [each["body"] for each in rows(store, tables.inbound)]
    assert ("" in bodies, "203.0.113.9" in str(bodies), "203.0.113.8" in str(bodies)) == (True, False, True)
    [kept] = [each for each in rows(store, tables.mail_events) if each["customer_id"] == 1]
    assert (kept["kind"], kept["detail"], kept["address_hash"]) == (Kind.CLICKED, "", "")


# ── addresses ───────────────────────────────────────────────────────────────────────────────────


def soft(*times: int) -> list[dict[str, Any]]:
    return [event(1, after, **SOFT) for after in times]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (soft(1, 2), None),
        (soft(1, 2, 3), "unreachable"),
        ([*soft(1, 2), event(1, 3), *soft(4, 5)], None),
        ([*soft(1, 2), event(1, 3), *soft(4, 5, 6)], "unreachable"),
        ([*soft(1, 2, 3), event(1, 3)], None),  # in the same second it arrived
        ([*soft(1, 2, 3), event(1, 4)], None),
        ([event(1, n, event="deferred") for n in range(9)], None),
        ([event(1, n, event="bounce", type="blocked") for n in range(9)], None),
        ([*soft(1, 2, 3), event(1, 4, event="unsubscribe")], "unsubscribed"),
        ([event(1, 0, event="unsubscribe"), event(1, 4, **HARD)], "bounced"),
        ([event(1, 0, event="spamreport"), event(1, 4, **HARD)], "complained"),
        ([event(1, 4, **HARD), event(1, 5)], "bounced"),
        ([event(1, 0, event="unsubscribe"), event(1, 4, event="group_resubscribe")], "unsubscribed"),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("size", [1, 100])
def test_when_an_address_gets_no_more(
    store: Store, told: list[Any], reason: str | None, size: int, *, backwards: bool
) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    for each in told[::-1] if backwards else told:
        tell(store, each, size=size)
    assert reasons(store) == ({1: reason} if reason else {})


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ([event(1, 1, **HARD), reported(1, 2, Kind.BOUNCED)], ("bounced", 1, "sendgrid")),
        ([event(1, 2, **HARD), reported(1, 1, Kind.BOUNCED)], ("bounced", 1, "smtp")),
        ([event(1, 2, event="dropped", reason="Invalid"), event(1, 1, **HARD)], ("bounced", 1, "sendgrid")),
        ([event(1, 4), *(reported(1, n, Kind.SOFT_BOUNCE) for n in (1, 2, 3))], None),
        (
            [event(1, 1, **SOFT), *(reported(1, n, Kind.SOFT_BOUNCE) for n in (2, 3))],
            ("unreachable", 3, "smtp"),
        ),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_whoever_tells_it_the_gravest_and_of_these_the_first_counts(
    store: Store, told: list[Any], kept: tuple[str, int, str] | None, *, backwards: bool
) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    for each in told[::-1] if backwards else told:
        tell(store, each)
    found = [
        (s["reason"], s["at"].timestamp() - STARTED, s["source"]) for s in rows(store, tables.suppressions)
    ]
    assert found == ([kept] if kept else [])


@pytest.mark.parametrize(
    ("by_hand", "told", "reason"),
    [
        ("unsubscribed", [*soft(1, 2, 3), event(1, 9)], "unsubscribed"),  # and a delivery does not undo it
        ("unsubscribed", [event(1, **HARD)], "bounced"),
        ("asked us by phone", [event(1, event="spamreport")], "complained"),
        ("asked us by phone", [*soft(1, 2, 3), event(1, 9)], "asked us by phone"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_what_a_person_wrote_down_stays(
    store: Store, by_hand: str, told: list[Any], reason: str, *, before: bool
) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    told, last = (told[:-1], told[-1]) if len(told) > 1 else (told, None)

    def write_down() -> None:
        with store.writing() as connection:
            suppress(connection, address(1), by_hand, "command line", NOW)

    if before:
        write_down()
    tell(store, *told)
    write_down()
    if last:
        tell(store, last)
    assert reasons(store) == {1: reason}


@pytest.mark.parametrize(
    ("told", "only", "later", "reason"),
    [
        ([event(1, 1, **HARD)], ANY, event(1, 9), None),  # a delivery does not bring the bounce back
        ([event(1, 1, **HARD)], ANY, event(1, 2, event="spamreport"), None),  # of before, and told late
        ([event(1, 1, **HARD)], ANY, event(1, 9, **HARD), "bounced"),
        (soft(1, 2, 3), ANY, event(1, 9, **SOFT), None),  # the row begins anew
        ([event(1, 1, event="unsubscribe")], "unsubscribed", event(1, 9), None),
        (
            [event(1, 1, event="unsubscribe")],
            "unsubscribed",
            event(1, 9, event="unsubscribe"),
            "unsubscribed",
        ),
        ([event(1, 1, event="unsubscribe")], "unsubscribed", event(1, 2, **HARD), "bounced"),
        ([event(1, 1, **HARD)], "unsubscribed", event(1, 9), "bounced"),
    ],
)
def test_who_was_let_in_again_stays_in_until_something_new_happens(
    store: Store, told: list[Any], only: str, later: Any, reason: str | None
) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, message_id=key(1).message_id)
    tell(store, *told)
    assert reasons(store).keys() == {1}
    with store.writing() as connection:
        lift(connection, address(1), datetime.fromtimestamp(STARTED + 5, UTC), only=only)
    tell(store, later)
    assert reasons(store) == ({1: reason} if reason else {})


# ── mails of unknown fate ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "status", "error"),
    [
        ({"event": "processed"}, "accepted", None),
        ({"event": "delivered"}, "accepted", None),
        ({"event": "deferred"}, "accepted", None),
        ({"event": "open"}, "accepted", None),
        (HARD, "accepted", None),
        ({"event": "dropped", "reason": "Spam Content"}, "rejected", "dropped by the provider: Spam Content"),
        ({"event": "dropped"}, "rejected", "dropped by the provider: it told no reason"),
    ],
)
@pytest.mark.parametrize("before", ["unknown", "sending"])
def test_what_is_told_of_a_mail_settles_its_fate(
    store: Store, said: Any, status: str, error: str | None, before: str
) -> None:
    plan_mails(store, 1, status=before)
    over = datetime(1970, 1, 2, tzinfo=UTC)
    change(store, 1, message_id=key(1).message_id, attempt=1, lease_until=over, error="lost")
    made = tell(store, event(1, **said))
    assert (made.accepted, made.rejected) == ((1, 0) if status == "accepted" else (0, 1))
    settled = row(store, 1)
    assert (settled.status, settled.error, settled.settled_at) == (status, error, NOW)
    assert settled.lease_until is None
    assert {each["customer_id"] for each in rows(store, tables.changes)} == {1}


DROPPED = {"event": "dropped", "reason": "Spam Content"}
SAID_SPAM = "dropped by the provider: Spam Content"


@pytest.mark.parametrize(
    ("told", "status", "error"),
    [
        ([DROPPED, {"event": "delivered"}], "accepted", None),
        ([DROPPED, {"event": "processed"}], "accepted", None),
        ([DROPPED, {**DROPPED, "reason": "Unknown"}], "rejected", "dropped by the provider: Unknown"),
        ([DROPPED, {"event": "dropped"}], "rejected", SAID_SPAM),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("at_once", [False, True])
def test_of_two_words_on_a_mail_the_one_that_says_more_stands(
    store: Store, told: list[Any], status: str, error: str | None, *, backwards: bool, at_once: bool
) -> None:
    """That it left says more than that it was dropped, whichever comes first."""
    plan_mails(store, 1, status="unknown")
    change(store, 1, message_id=key(1).message_id, attempt=1)
    events = [event(1, n, **said) for n, said in enumerate(told)][:: -1 if backwards else 1]
    for part in [events] if at_once else [[each] for each in events]:
        tell(store, *part)
    assert (row(store, 1).status, row(store, 1).error) == (status, error)


@pytest.mark.parametrize(
    ("said", "attempt", "status"),
    [
        (DROPPED, 1, "unknown"),  # that was the attempt before: of this one nobody can tell
        (DROPPED, 2, "rejected"),
        (DROPPED, 3, "unknown"),
        ({**DROPPED, "aftersale_attempt": None}, 1, "unknown"),  # it may have been of either
        ({**DROPPED, "aftersale_attempt": "9" * 18}, 1, "unknown"),
        ({"event": "delivered"}, 1, "accepted"),  # it has left, and must not leave once more
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_drop_is_of_one_attempt_and_what_left_has_left(
    store: Store, said: Any, attempt: int, status: str, *, before: bool
) -> None:
    """Of a mail that goes again, whether the word on its first attempt came before or comes after."""
    plan_mails(store, 1, status="cancelled" if before else "unknown")
    change(store, 1, message_id=key(1).message_id, attempt=2)
    tell(store, event(1, attempt=attempt, **said))
    change(store, 1, status="unknown") if before else None
    tell(store)
    assert row(store, 1).status == status


@pytest.mark.parametrize("status", ["scheduled", "accepted", "rejected", "cancelled", "held"])
def test_no_other_mail_is_touched(store: Store, status: str) -> None:
    plan_mails(store, 1, status=status)
    change(store, 1, message_id=key(1).message_id)
    tell(store, event(1), event(1, event="dropped"))
    assert row(store, 1).status == status


@pytest.mark.parametrize(
    ("said", "attempt", "status"),
    [
        ({"event": "delivered"}, 1, "accepted"),
        (HARD, 2, "accepted"),
        ({"event": "dropped"}, 1, "scheduled"),  # it reached nobody, so it may still go
        ({"event": "delivered"}, 0, "scheduled"),  # nothing ever went: it is not of this mail
    ],
)
def test_a_mail_that_is_to_be_tried_again_has_left_when_something_is_told_of_it(
    store: Store, said: Any, attempt: int, status: str
) -> None:
    """A person was sure that it had not, and the provider knows better."""
    plan_mails(store, 1)
    change(store, 1, message_id=key(1).message_id, attempt=attempt, error="lost")
    tell(store, event(1, **said))
    assert row(store, 1).status == status


def test_a_mail_on_its_way_is_its_owners_until_the_lease_runs_out(store: Store) -> None:
    plan_mails(store, 1, status="sending")
    change(store, 1, message_id=key(1).message_id, lease_until=datetime(2199, 1, 1, tzinfo=UTC))
    tell(store, event(1))
    assert row(store, 1).status == "sending"
    change(store, 1, status="unknown", lease_until=None)
    assert tell(store).accepted == 1, "what was told earlier still counts"


def test_what_came_before_a_merge_settles_a_mail_after_it(store: Store) -> None:
    plan_mails(store, 1, 2, status="accepted")
    change(store, 2, message_id=key(2).message_id)
    tell(store, event(2))
    with store.writing() as connection:
        merge(connection, {2: 1}, 60, NOW)
    change(store, 2, status="unknown")
    assert tell(store).accepted == 1


# ── any order, any parts, any repetition ────────────────────────────────────────────────────────


def test_how_a_mail_stands_is_the_furthest_it_got() -> None:
    assert furthest([]) is None
    assert furthest(["opened", "delivered", "processed"]) is Kind.OPENED
    assert furthest(["bounced", "delivered"]) is Kind.BOUNCED
    assert furthest(["complained", "clicked", "bounced"]) is Kind.COMPLAINED


SAID = [
    *({"event": name} for name in ("processed", "deferred", "delivered", "open", "click", "spamreport")),
    *({"event": name} for name in ("unsubscribe", "group_unsubscribe", "group_resubscribe", "dreamt_of")),
    *(HARD, SOFT, SOFT, SOFT, SOFT, {**HARD, "type": "blocked"}, {"event": "open", "sg_machine_open": True}),
    *({"event": "dropped", "reason": reason} for reason in ("Spam Content", "Bounced Address", "")),
]
WHO = [1, 2, 3, 4]  # accepted, of unknown fate, left on its way, tried twice and of unknown fate
one_event = st.builds(
    lambda said, who, after, attempt, ours: (event if ours else stray)(who, after, attempt=attempt, **said),
    st.sampled_from(SAID),
    st.sampled_from(WHO),
    st.integers(0, 6),
    st.sampled_from([1, 1, 2, None]),
    st.sampled_from([True, True, True, False]),
)
dropped = st.builds(
    lambda who, after, attempt, reason: event(who, after, attempt=attempt, event="dropped", reason=reason),
    st.sampled_from(WHO),
    st.integers(0, 6),
    st.sampled_from([1, 2]),
    st.sampled_from(["Spam", "Invalid"]),
)
by_mail = st.builds(
    reported,
    st.sampled_from(WHO),
    st.integers(0, 6),
    st.sampled_from([Kind.SOFT_BOUNCE, Kind.BOUNCED, Kind.REFUSED, Kind.DELIVERED]),
)
broken = st.builds(lambda: event(1, timestamp=None))
stories = st.lists(st.one_of(one_event, one_event, one_event, dropped, by_mail, broken), max_size=12)


def begin_anew(store: Store) -> None:
    empty(store)
    plan_mails(store, *WHO, status="unknown")
    for n in WHO:
        change(store, n, message_id=key(n).message_id, attempt=1)
    change(store, 1, status="accepted")
    change(store, 4, attempt=2)
    change(store, 3, status="sending", lease_until=datetime(1970, 1, 2, tzinfo=UTC))
    named = [{"kind": "email", "value": address(n), "customer_id": n} for n in WHO]
    with store.writing() as connection:
        connection.execute(tables.identities.insert(), named)
        suppress(connection, address(2), "unsubscribed", "command line", NOW)


def end_state(store: Store) -> Sequence[Any]:
    """All that is kept, but for the queue, which tells who to look at and not what is so."""
    compared = (tables.mail_events, tables.suppressions, tables.inbound, tables.messages)
    return [rows(store, table) for table in compared]


def in_order(store: Store, story: Sequence[Any]) -> Sequence[Any]:
    begin_anew(store)
    for told in sorted(story, key=lambda each: each["timestamp"] or 0):
        tell(store, told)
    return end_state(store)


@given(story=stories, chance=st.randoms(use_true_random=False))
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_order_ends_the_same(lasting: Store, story: list[Any], chance: Random) -> None:
    expected = in_order(lasting, story)
    begin_anew(lasting)
    told = [*story, *(each for each in story if chance.random() < 0.4)]
    chance.shuffle(told)
    while told:
        part, told = told[: (cut := chance.randint(1, 6))], told[cut:]
        tell(lasting, *part, size=chance.randint(1, 4))
    apply_events(lasting, LIMIT, NOW)
    assert end_state(lasting) == expected


def test_the_real_payloads_are_understood(lasting: Store, real_data: Path) -> None:
    """They are of nobody we know; none of them is parked."""
    begin_anew(lasting)
    told = json.loads((real_data / "payloads/sendgrid/event_01.json").read_text())
    ids = [{**each, "sg_event_id": f"real{n}"} for n, each in enumerate(told)]
    assert tell(lasting, *ids) == Applied(ignored=11)
    custom = {"aftersale_customer": "1", "aftersale_message": key(1).message_id}
    ours = [{**each, **custom, "sg_event_id": f"ours{n}"} for n, each in enumerate(told)]
    assert tell(lasting, *ours) == Applied(applied=11)
    assert furthest(kinds(lasting, 1)) is Kind.COMPLAINED
