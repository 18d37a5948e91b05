"""The `sendgrid` transport against a strict SendGrid: what each answer becomes, and what arrives."""

import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from engine.delivery.transports import TRANSPORTS
from engine.delivery.transports.base import (
    NotNow,
    OutcomeUnknown,
    Receipt,
    Refused,
    Together,
    Trace,
    TryAgain,
)
from engine.delivery.transports.sendgrid import SendGridTransport, moulds, payload
from engine.delivery.transports.sendgrid.moulds import Effort
from engine.errors import SettingsError, TransportError
from engine.facts.consenting import say
from engine.facts.suppression import suppress
from engine.planning.pauses import pause
from engine.rendering.mail import Mail
from engine.settings.delivery import Delivery
from engine.settings.model import Settings
from engine.store.connect import Store
from tests.delivery.post_office import (
    NOW,
    PlainStudio,
    address,
    change,
    plan_mails,
    row,
    run,
    statuses,
)
from tests.delivery.sendgrid_desk import (
    SOON,
    close_all,
    letter,
    letters,
    long_table,
    opened,
    sent,
    settings,
    transport,
)
from tests.fake_sendgrid.hand import Hand, fake_sendgrid


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    """One fake for this file; what a test left on it is cleared before the next."""
    with fake_sendgrid(tmp_path_factory.mktemp("sendgrid") / "records.jsonl", "--largest", "20000") as hand:
        yield hand


@pytest.fixture
def hand(fake: Hand) -> Hand:
    fake.records.write_text("")
    fake.forget()
    return fake


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_all()


def assert_arrived(hand: Hand, mails: list[Mail]) -> None:
    """Each of them once, byte for byte as it was written, and nothing else."""
    there = {mail["custom_args"]["aftersale_message"]: mail for mail in hand.mails()}
    assert hand.ids() == Counter(mail.message_id for mail in mails)
    for mail in mails:
        arrived = there[mail.message_id]
        assert arrived["content"] == {"text/plain": mail.text, "text/html": mail.html}
        assert (arrived["to"], arrived["subject"]) == (mail.to_address, mail.subject)
        assert arrived["headers"] == dict(mail.headers)
        assert arrived["custom_args"]["aftersale_customer"] == str(mail.key.customer_id)


def kinds(answers: dict[int, Any]) -> dict[int, type]:
    return {number: type(answer) for number, answer in answers.items()}


# ── what arrives ────────────────────────────────────────────────────────────────────────────────


def test_mails_of_a_step_share_a_request_and_arrive_as_they_were_written(hand: Hand) -> None:
    mails = letters(*range(1, 41))
    answers = sent(transport(hand), mails)
    assert_arrived(hand, mails)
    (request,) = hand.requests()
    assert request["status"] == 202
    (message_id,) = {mail["x_message_id"] for mail in hand.mails()}
    assert set(answers.values()) == {Receipt(message_id)}


def test_a_mail_carries_the_number_of_its_attempt(hand: Hand, store: Store) -> None:
    """So that what is told of an earlier one is not held against it."""
    plan_mails(store, 1, 2)
    change(store, 2, attempt=3)
    run(store, transport(hand))
    carried = {mail["custom_args"]["aftersale_customer"]: mail["custom_args"] for mail in hand.mails()}
    assert {who: args["aftersale_attempt"] for who, args in carried.items()} == {"1": "1", "2": "4"}


def test_one_mail_goes_in_a_request_of_its_own_and_arrives_the_same(hand: Hand) -> None:
    mail = letter(1)
    assert isinstance(transport(hand).send(mail), Receipt)
    assert_arrived(hand, [mail])


def test_a_request_holds_no_more_than_the_batch_and_connections_are_used_again(hand: Hand) -> None:
    mails = letters(*range(1, 11))
    sent(transport(hand, batch=4), mails)
    assert_arrived(hand, mails)
    assert len(hand.requests()) == 3
    assert len({request["port"] for request in hand.requests()}) == 1


def test_mails_that_say_something_different_for_all_do_not_share_a_request(hand: Hand) -> None:
    mails = [letter(1), letter(2), letter(3, reply_to="other@shop.example"), letter(4, from_name="Other")]
    sent(transport(hand), mails)
    assert_arrived(hand, mails)
    assert len(hand.requests()) == 3


def test_an_address_is_never_twice_in_a_request(hand: Hand) -> None:
    mails = [letter(1), letter(2), letter(3, to_address="Customer-1@SHOP.example")]
    assert set(kinds(sent(transport(hand), mails)).values()) == {Receipt}
    assert_arrived(hand, mails)
    assert len(hand.requests()) == 2


HOSTILE = [
    "{{ 7*7 }}", "-0-", "[unsubscribe]", "<%name%>", "%name%", "&lt;b&gt;", "Ann\u2028B", "\U0001d504nn é", "x" * 3000,
    "", " ", "\\u0000 \\n", '"quoted"', "h000x", "t000x", "Hello", "what you have read since",
]  # fmt: skip


def test_whatever_customers_are_called_it_arrives(hand: Hand) -> None:
    mails = [letter(number, name) for number, name in enumerate(HOSTILE, 1)]
    answers = sent(transport(hand), mails)
    assert set(kinds(answers).values()) == {Receipt}
    assert_arrived(hand, mails)
    assert len(hand.requests()) < 5


def test_a_mail_whose_own_part_is_too_long_goes_alone(hand: Hand) -> None:
    mails = [*letters(1, 2, 3), letter(4, "long " * 1900)]
    sent(transport(hand), mails)
    assert_arrived(hand, mails)
    assert len(hand.requests()) == 2


def test_what_would_not_come_out_as_written_goes_alone_and_that_is_said(
    hand: Hand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(payload, "unlike", lambda request, mail, number: mail.key.customer_id == 3)
    mails = letters(1, 2, 3, 4)
    sent(transport(hand), mails)
    assert_arrived(hand, mails)
    assert len(hand.requests()) == 4
    assert [line.getMessage() for line in caplog.records] == [
        "mails of welcome-back/hello do not come out of a common request as written; they go alone"
    ]


def test_mails_that_differ_in_too_much_arrive_as_they_were_written(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moulds, "Effort", lambda: Effort(100_000))
    mails = [*letters(1, 2, 3), *(long_table(number, 150) for number in (4, 5, 6))]
    sent(transport(hand), mails)
    assert_arrived(hand, mails)
    assert len(hand.requests()) == 4


def test_where_no_tag_is_safe_mails_go_alone(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload.secrets, "choice", lambda letters: "q")
    mails = [letter(1, "q" * payload.NONCE), letter(2)]
    sent(transport(hand), mails)
    assert_arrived(hand, mails)
    assert len(hand.requests()) == 2


def test_names_and_headers_are_written_as_the_provider_takes_them(hand: Hand) -> None:
    mail = letter(1, to_name="Smith, Ann; the 2nd\r\nBcc: x", headers=(("X-Kind", "größer\r\nBcc: x"),))
    transport(hand).send(mail)
    (arrived,) = hand.mails()
    assert arrived["name"] == "Smith Ann the 2nd Bcc: x"
    assert arrived["headers"] == {"X-Kind": "=?utf-8?b?Z3LDtsOfZXIgQmNjOiB4?="}


@pytest.mark.parametrize("values", [{"subject": "\r\n"}, {"html": ""}, {"text": "\ud800"}])
def test_what_cannot_be_put_into_a_request_is_refused_and_takes_nobody_with_it(
    hand: Hand, values: dict[str, str]
) -> None:
    mails = [letter(1), letter(2, **values), letter(3)]
    assert kinds(sent(transport(hand), mails)) == {1: Receipt, 2: Refused, 3: Receipt}
    assert_arrived(hand, [mails[0], mails[2]])


def test_in_the_sandbox_nothing_is_accepted_there(hand: Hand) -> None:
    assert kinds(sent(transport(hand, sandbox=True), letters(1, 2))) == {1: Receipt, 2: Receipt}
    assert hand.mails() == []
    assert [request["status"] for request in hand.requests()] == [200]


# ── what each answer becomes ────────────────────────────────────────────────────────────────────


def test_the_mail_that_the_provider_refuses_is_left_out_and_the_rest_goes(hand: Hand) -> None:
    mails = [replace(mail, to_address=f"refused-{mail.to_address}") if mail.key.customer_id in (3, 10) else mail
             for mail in letters(*range(1, 11))]  # fmt: skip
    answers = sent(transport(hand), mails)
    assert [number for number, answer in answers.items() if isinstance(answer, Refused)] == [3, 10]
    assert str(answers[3]) == "400 Does not contain a valid address."
    assert_arrived(hand, [mail for mail in mails if mail.key.customer_id not in (3, 10)])
    assert [request["status"] for request in hand.requests()] == [400, 202]


def test_where_the_provider_names_no_mail_halves_are_tried(hand: Hand) -> None:
    hand.order(vague=True, times=50)
    mails = letters(*range(1, 17))
    mails[5] = replace(mails[5], to_address="refused@shop.example")
    answers = sent(transport(hand), mails)
    assert [number for number, answer in answers.items() if isinstance(answer, Refused)] == [6]
    assert_arrived(hand, mails[:5] + mails[6:])
    assert len(hand.requests()) < 12


SAID_NO: dict[str, Callable[[Connection], object]] = {
    "suppressed": lambda c: suppress(c, address(2), "complained", "test", NOW),
    "no": lambda c: say(c, 2, [("marketing", False)], "one click", NOW),
    "paused": lambda c: pause(c, "", NOW),
}


@pytest.mark.parametrize(
    ("said", "left", "becomes"),
    [
        ("suppressed", [3, 4], ("cancelled", "suppressed")),
        ("no", [3, 4], ("cancelled", "the customer said no to its topic meanwhile")),
        ("paused", [], ("scheduled", None)),
    ],
)
@pytest.mark.parametrize("vague", [True, False])
def test_what_goes_again_after_a_refusal_passes_the_door_once_more(
    hand: Hand, store: Store, said: str, left: list[int], becomes: tuple[str, str | None], *, vague: bool
) -> None:
    """Its request was refused as a whole, and meanwhile somebody said no."""
    plan_mails(store, 1, 2, 3, 4)
    change(store, 1, topic="")
    hand.order(vague=vague, times=50)
    way = transport(hand)
    post = way._post

    def and_then_no(body: bytes) -> Any:
        answer = post(body)
        with store.writing() as connection:
            SAID_NO[said](connection)
        return answer

    way._post = and_then_no  # type: ignore[method-assign]
    run(store, way, studio=PlainStudio(to={1: "refused@shop.example"}))
    assert sorted(int(mail["custom_args"]["aftersale_customer"]) for mail in hand.mails()) == left
    assert (row(store, 2).status, row(store, 2).error) == becomes


def test_a_request_that_is_too_large_is_split(hand: Hand) -> None:
    mails = [letter(number, f"{number}" * 4000) for number in range(1, 10)]
    mails.append(letter(10, html=f"<p>{'-' * 30_000}</p>"))
    answers = sent(transport(hand), mails)
    assert [number for number, answer in answers.items() if isinstance(answer, Refused)] == [10]
    assert_arrived(hand, mails[:9])


ALL_WRONG = '{"errors":[{"message":"The from address is not a verified Sender Identity","field":null}]}'


def test_where_every_single_one_is_refused_in_the_same_words_no_mail_is_to_blame(hand: Hand) -> None:
    hand.order(status=400, body=ALL_WRONG, times=50)
    way = transport(hand)
    [parcel] = way.parcels(letters(*range(1, 9)))
    answers = way.send_parcel(parcel)
    assert {type(next(answers)[1]) for _ in parcel.mails} == {TryAgain}
    with pytest.raises(TransportError, match="in the same words: 400 The from address"):
        next(answers)


def test_they_wait_and_the_run_ends(hand: Hand, store: Store) -> None:
    hand.order(status=400, body=ALL_WRONG, times=50)
    plan_mails(store, *range(1, 9))
    with pytest.raises(TransportError, match="in the same words"):
        run(store, transport(hand))
    assert statuses(store) == {"scheduled": 8}
    assert "verified" in row(store, 1).error


def test_single_mails_refused_one_after_the_other_in_the_same_words_wait_as_well(hand: Hand) -> None:
    hand.order(status=400, body=ALL_WRONG, times=3)
    way = transport(hand)
    assert [kinds(sent(way, letters(number)))[number] for number in (1, 2)] == [Refused, Refused]
    with pytest.raises(TransportError, match="in the same words"):
        sent(way, letters(3))
    assert kinds(sent(way, letters(4))) == {4: Receipt}
    hand.order(status=400, body=ALL_WRONG)
    assert kinds(sent(way, letters(5))) == {5: Refused}


LIMITED = {"X-RateLimit-Limit": "600", "X-RateLimit-Remaining": "0"}


@pytest.mark.parametrize(
    ("headers", "rest"),
    [
        ({}, timedelta(seconds=5)),
        ({"Retry-After": "17"}, timedelta(seconds=17)),
        (LIMITED | {"X-RateLimit-Reset": "0"}, timedelta(seconds=1)),
        (LIMITED | {"X-RateLimit-Reset": "99999999999"}, timedelta(minutes=10)),
        (LIMITED | {"X-RateLimit-Reset": "soon"}, timedelta(seconds=5)),
        ({"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}, timedelta(minutes=10)),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, timedelta(seconds=1)),
        ({"Retry-After": "Wed, 99 Oct"}, timedelta(seconds=5)),
    ],
)
def test_where_there_is_no_time_it_waits_as_told(
    hand: Hand, headers: dict[str, str], rest: timedelta
) -> None:
    hand.order(status=429, headers=headers, body='{"errors":[{"field":null,"message":"too many requests"}]}')
    way = transport(hand, stopwatch=lambda: 1000.0)
    answers = sent(way, letters(1, 2))
    assert kinds(answers) == {1: NotNow, 2: NotNow}
    assert (str(answers[1]), way.rest()) == ("429 too many requests", rest)
    assert hand.mails() == []


def test_from_time_to_time_it_waits_longer_and_not_once_it_is_taken(hand: Hand) -> None:
    hand.order(status=429, times=3)
    way = transport(hand, stopwatch=lambda: 1000.0)
    rests = []
    for number in range(4):
        sent(way, letters(number))
        rests.append(way.rest().total_seconds())
    assert rests[:3] == [5, 10, 20]
    hand.order(status=429)
    sent(way, letters(9))
    assert way.rest().total_seconds() == 5


def test_mails_go_again_when_the_rest_is_over_and_not_a_minute_later(hand: Hand, store: Store) -> None:
    hand.order(status=429, headers={"Retry-After": "7"})
    seconds = [1000.0]
    rested: list[float] = []

    def wait(pause: float) -> None:
        rested.append(pause)
        seconds[0] += pause

    plan_mails(store, 1, 2, 3)
    done = run(store, transport(hand, stopwatch=lambda: seconds[0]), wait_for_rate=wait)
    assert (done.accepted, done.postponed, rested) == (3, 0, [7.0])


def test_who_never_has_time_ends_the_run(hand: Hand, store: Store) -> None:
    hand.order(status=429, times=9)
    seconds = [1000.0]

    def wait(pause: float) -> None:
        seconds[0] += pause

    plan_mails(store, 1, 2, 3)
    with pytest.raises(TransportError, match="no time 5 times in a row"):
        run(store, transport(hand, stopwatch=lambda: seconds[0]), wait_for_rate=wait)
    assert statuses(store) == {"scheduled": 3}


@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"status": 408}, "408 Request Timeout"),
        ({"status": 500}, "500 Internal Server Error"),
        ({"status": 502}, "502 Bad Gateway"),
        ({"status": 503, "body": '{"errors": "nonsense"}'}, "503 Service Unavailable"),
        ({"status": 504, "body": "<html>"}, "504 Gateway Timeout"),
        ({"status": 599}, "599"),
        ({"status": 200}, "200 OK"),
        ({"status": 204}, "204 No Content"),
        ({"reset": True}, "no answer: connection reset by peer"),
        ({"hang": True}, "no answer: it took too long"),
    ],
)
def test_what_is_not_known_is_said_to_be_unknown(
    hand: Hand, order: dict[str, Any], said: str, accept: bool
) -> None:
    hand.order(accept=accept, **order)
    answers = sent(transport(hand, timeout=SOON), letters(1, 2))
    assert kinds(answers) == {1: OutcomeUnknown, 2: OutcomeUnknown}
    assert str(answers[1]) == said
    assert len(hand.mails()) == 2 * accept


def test_while_it_is_in_doubt_a_single_mail_goes_first(hand: Hand) -> None:
    hand.order(status=500)
    way = transport(hand)
    sent(way, letters(1, 2))
    parcels = way.parcels(letters(3, 4, 5, 6))
    assert len(next(parcels).mails) == 1
    sent(way, letters(3))
    assert [len(parcel.mails) for parcel in parcels] == [3]


def test_an_outage_ends_the_run_and_the_next_one_tries_again(hand: Hand) -> None:
    hand.order(status=500, times=5)
    way = transport(hand)
    for number in range(5):
        assert kinds(sent(way, letters(number))) == {number: OutcomeUnknown}
    with pytest.raises(TransportError, match="no usable answer 5 times in a row"):
        sent(way, letters(5))
    assert kinds(sent(way, letters(5))) == {5: Receipt}
    assert len(hand.requests()) == 6


@pytest.mark.parametrize(
    ("order", "hint"),
    [
        ({"status": 401}, "AFTERSALE_SECRETS__SENDGRID_KEY"),
        (
            {"status": 403, "body": '{"errors":[{"message":"access forbidden","field":null}],"id":"x"}'},
            "verified",
        ),
        ({"status": 404}, "sendgrid.host"),
        ({"status": 405}, "docs"),
        ({"status": 415}, "docs"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "docs"),
        ({"status": 400, "body": '{"errors":[{"message":"no such pool","field":"ip_pool_name"}]}'}, "docs"),
        ({"status": 400, "body": "<h1>The plain HTTP request was sent to HTTPS port</h1>"}, "docs"),
        ({"status": 400}, "docs"),
    ],
)
def test_where_no_mail_would_be_taken_the_way_out_is_unusable(
    hand: Hand, order: dict[str, Any], hint: str
) -> None:
    hand.order(**order)
    with pytest.raises(TransportError, match=str(order["status"])) as told:
        sent(transport(hand), letters(1, 2))
    assert hint in (told.value.hint or "")
    assert len(hand.requests()) == 1


def test_a_wrong_key_is_never_shown(hand: Hand) -> None:
    with pytest.raises(TransportError, match="invalid, expired, or revoked") as told:
        sent(opened(settings(hand.url, "SG.wrong-and-secret")), letters(1))
    assert "wrong-and-secret" not in f"{told.value} {told.value.__cause__}"


def test_where_nothing_listens_nothing_has_left() -> None:
    nobody = opened(settings("http://127.0.0.1:1"))
    with pytest.raises(
        TransportError, match=r"cannot be reached at http://127\.0\.0\.1:1: connection refused"
    ):
        sent(nobody, letters(1, 2))


def test_where_it_cannot_be_encrypted_that_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> None:
        error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:1006)")
        error.verify_code = 20
        raise error

    monkeypatch.setattr(HTTPSConnection, "connect", refuse)
    words = "cannot be reached at https://api.sendgrid.com: its certificate is signed by an authority that"
    with pytest.raises(TransportError, match=words) as told:
        sent(opened(settings()), letters(1))
    assert "SSL_CERT_FILE" in (told.value.hint or "")


def test_a_connection_that_the_provider_closed_meanwhile_costs_nothing(tmp_path: Path) -> None:
    """A new fake at the same port: the old connection is found closed before anything is sent."""
    with fake_sendgrid(tmp_path / "one.jsonl") as first:
        way = transport(first)
        sent(way, letters(1))
    with fake_sendgrid(tmp_path / "two.jsonl", "--port", first.url.rpartition(":")[2]) as second:
        assert kinds(sent(way, letters(2))) == {2: Receipt}
        assert len(second.mails()) == 1


def test_a_connection_that_was_idle_for_long_is_not_used_again(hand: Hand) -> None:
    now = [0.0]
    way = transport(hand, stopwatch=lambda: now[0])
    for now[0] in (0.0, 9.9, 20.0):
        sent(way, letters(int(now[0])))
    first, second, third = (request["port"] for request in hand.requests())
    assert first == second != third


# ── the rest ────────────────────────────────────────────────────────────────────────────────────


def test_it_is_on_the_menu_and_cannot_look_up() -> None:
    way = TRANSPORTS.choose("sendgrid")(settings(), Path())
    assert isinstance(way, Together)
    assert not way.exactly_once
    assert way.look_up("some-id", NOW) is Trace.CANNOT_TELL


@pytest.mark.parametrize("key", ["", "SG.two words", "SG.lin\ne", "SG.ä"])
def test_without_a_sound_key_it_does_not_begin(key: str) -> None:
    way = opened(settings(key=key))
    with pytest.raises(SettingsError, match="API key") as told:
        way.ready()
    with pytest.raises(SettingsError, match="API key"):
        sent(way, letters(1))
    assert way.look_up("some-id", NOW) is Trace.CANNOT_TELL, "a preview needs no key"
    assert not key or key not in str(told.value)


def test_a_lease_that_a_request_could_outlast_is_told() -> None:
    short = settings().model_copy(update={"delivery": Delivery(lease="50s")})
    with pytest.raises(SettingsError, match="25s, too long for the lease"):
        SendGridTransport(short, Path())
    assert Settings().delivery.lease > timedelta(seconds=50)
