"""The SMTP transport against a real server: what each answer, and each silence, means for a mail."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.delivery.receivers.applying import apply_events
from engine.delivery.transports.base import OutcomeUnknown, Refused, Trace, TryAgain
from engine.delivery.transports.smtp import SmtpTransport
from engine.delivery.transports.smtp.talk import NotItsFault
from engine.errors import SettingsError, StoreError, TransportError
from engine.facts.suppression import is_suppressed
from engine.rendering.eml import to_bytes
from engine.rendering.mail import Mail, MailOrder
from engine.settings.delivery import Delivery, Smtp
from engine.settings.model import Settings
from engine.settings.secrets import Secrets
from engine.store.connect import Store
from tests.delivery.mail_server import (
    HANG_UP,
    HANG_UP_AFTER,
    PASSWORD,
    USER,
    MailServer,
    certificate,
    let_in,
    mail_server,
)
from tests.delivery.post_office import (
    NOW,
    address,
    decide_anew,
    key,
    mail_for,
    plan_mails,
    row,
    run,
    statuses,
)

WRONG = "hunter22"
Opened = Callable[..., SmtpTransport]


def mail(number: int, **changes: Any) -> Mail:
    return replace(mail_for(MailOrder(key(number), NOW)), **changes)


def transport(server: MailServer, secrets: Secrets | None = None, **smtp: Any) -> SmtpTransport:
    said = {"host": "127.0.0.1", "port": server.port, "tls": "none"} | smtp
    return SmtpTransport(Settings(smtp=Smtp(**said), secrets=secrets or Secrets()), Path())


@pytest.fixture(scope="module")
def one_server() -> Iterator[MailServer]:
    with mail_server(enable_SMTPUTF8=True) as server:
        yield server


@pytest.fixture
def server(one_server: MailServer) -> MailServer:
    one_server.taken, one_server.senders, one_server.connections = [], [], 0
    one_server.trouble, one_server.only_once = {}, False
    return one_server


@pytest.fixture
def way(server: MailServer) -> Iterator[SmtpTransport]:
    with closing(transport(server)) as opened:
        yield opened


# ── what arrives ────────────────────────────────────────────────────────────────────────────────


def test_the_bytes_arrive_as_they_are_written(server: MailServer, way: SmtpTransport) -> None:
    sent = mail(1, text=".\n..\nend\n.", subject="Grüße")
    receipt = way.send(sent)
    assert server.taken == [(address(1), to_bytes(sent))]
    assert receipt.provider_id == "250 2.0.0 Ok: queued as Q1"
    assert way.look_up(sent.message_id, NOW) is Trace.CANNOT_TELL


def test_bounces_go_where_the_settings_say(server: MailServer) -> None:
    for bounces in (None, "bounces@shop.example"):
        with closing(transport(server, bounces=bounces)) as way:
            way.send(mail(1))
    assert server.senders == ["hello@shop.example", "bounces@shop.example"]


def test_a_connection_carries_so_many_mails_and_no_more(server: MailServer) -> None:
    with closing(transport(server, per_connection=3)) as way:
        for number in range(1, 8):
            way.send(mail(number))
    assert (len(server.taken), server.connections) == (7, 3)


@pytest.mark.parametrize(
    ("written", "arrives"),
    [("jörg@shop.example", "jörg@shop.example"), ("joe@bücher.example", "joe@xn--bcher-kva.example")],
)
def test_international_addresses(server: MailServer, way: SmtpTransport, written: str, arrives: str) -> None:
    way.send(mail(1, to_address=written))
    assert server.recipients == [arrives]


def test_an_address_beyond_the_server_is_refused_and_its_domain_is_not() -> None:
    with mail_server(enable_SMTPUTF8=False) as server, closing(transport(server)) as way:
        with pytest.raises(Refused, match="SMTPUTF8"):
            way.send(mail(1, to_address="jörg@shop.example"))
        with pytest.raises(TransportError, match="SMTPUTF8"):
            way.send(mail(1, from_address="jörg@shop.example"))
        way.send(mail(2, to_address="joe@bücher.example"))
        assert server.recipients == ["joe@xn--bcher-kva.example"]


@pytest.mark.parametrize("evil", ["a@b> SIZE=1 <c@d", "a@b\r\nRSET", "a b@c", "a@b\u2028", "a@b\uff1e\u00e4"])
def test_no_address_steers_the_protocol(server: MailServer, way: SmtpTransport, evil: str) -> None:
    with pytest.raises(Refused):
        way.send(mail(1, to_address=evil))
    assert server.taken == []


# ── what each answer means ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "answer", "means"),
    [
        ("MAIL", "451 4.3.0 not now", TryAgain),
        ("MAIL", "552 5.3.4 too big", Refused),
        ("MAIL", "550 5.7.1 not from you", TransportError),
        ("MAIL", "421 4.3.2 closing", TransportError),
        ("MAIL", HANG_UP, TransportError),
        ("RCPT", "450 4.2.1 greylisted", TryAgain),
        ("RCPT", "421 4.7.0 too many", TryAgain),
        ("RCPT", "550 5.1.1 nobody here", Refused),
        ("RCPT", "530 5.7.0 log in first", TransportError),
        ("RCPT", HANG_UP, TryAgain),
        ("DATA", "451 4.3.0 not now", TryAgain),
        ("RCPT", "550 nobody here", Refused),
        ("RCPT", "554 5.7.1 <a@b.example>: Relay access denied", NotItsFault),
        ("RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts", NotItsFault),
        ("RCPT", "550 5.4.5 daily user sending limit exceeded", NotItsFault),
        ("RCPT", "550 5.1.8 your domain has no mail server", NotItsFault),
        ("DATA", "554 5.5.1 no valid recipients", NotItsFault),
        ("DATA", HANG_UP, TryAgain),
        (".", "452 4.3.1 full", TryAgain),
        (".", "421 4.3.2 closing", TryAgain),
        (".", "554 5.6.0 spam", Refused),
        (".", "552 5.2.3 too large for them", Refused),
        (".", "554 no, thanks", Refused),
        (".", "550 5.4.5 Daily user sending limit exceeded", NotItsFault),
        (".", "550 5.7.26 neither SPF nor DKIM", NotItsFault),
        (".", HANG_UP, OutcomeUnknown),
        (".", HANG_UP_AFTER, OutcomeUnknown),
        (".", "hello", OutcomeUnknown),
        (".", "354 go on", OutcomeUnknown),
        (".", "250 " + "x" * 9000, OutcomeUnknown),
    ],
)
def test_each_answer_and_the_next_mail_goes(
    server: MailServer, way: SmtpTransport, word: str, answer: str, means: type[Exception]
) -> None:
    server.trouble = {word: answer}
    with pytest.raises(means):
        way.send(mail(1))
    server.trouble = {}
    way.send(mail(2))
    assert server.recipients[-1:] == [address(2)]
    assert (address(1) in server.recipients) is (answer == HANG_UP_AFTER)


@pytest.mark.parametrize("to", ["jörg@shop.example", "joe@shop.example"])
def test_a_sender_that_may_not_send_is_nobodys_fault(server: MailServer, way: SmtpTransport, to: str) -> None:
    server.trouble = {"MAIL": "550 5.7.1 sender not allowed"}
    with pytest.raises(TransportError if to.isascii() else NotItsFault):
        way.send(mail(1, to_address=to))


def test_a_server_that_wants_no_such_letters_refuses_that_mail(
    server: MailServer, way: SmtpTransport
) -> None:
    server.trouble = {"MAIL": "550 5.6.7 not in ASCII"}
    with pytest.raises(Refused):
        way.send(mail(1, to_address="jörg@shop.example"))


@pytest.mark.parametrize(
    ("word", "answer", "rejected"),
    [
        ("RCPT", "554 5.7.1 <{}>: Relay access denied", 0),
        (".", "550 5.4.5 Daily user sending limit exceeded", 0),
        ("RCPT", "554 <{}> refused", 2),  # without a code, the first two are believed
    ],
)
def test_where_every_mail_is_refused_alike_they_wait_and_the_run_ends(
    store: Store, word: str, answer: str, rejected: int
) -> None:
    plan_mails(store, *range(1, 21))
    with mail_server() as server, closing(transport(server)) as way:
        server.trouble = {word: answer}
        with pytest.raises(TransportError, match="not for their own sake"):
            run(store, way)
        assert statuses(store) == {"scheduled": 20 - rejected} | ({"rejected": rejected} if rejected else {})
        server.trouble = {}
        later = NOW + timedelta(minutes=1)
        decide_anew(store, later)
        assert run(store, way, now=later).accepted == 20 - rejected


def test_what_is_refused_for_its_own_sake_ends_no_run(store: Store) -> None:
    plan_mails(store, *range(1, 9))
    with mail_server() as server, closing(transport(server)) as way:
        server.trouble = {"RCPT": "550 5.1.1 nobody here"}
        assert run(store, way).rejected == 8


def test_what_breaks_off_before_the_end_of_the_mail_may_be_tried_again(
    server: MailServer, way: SmtpTransport
) -> None:
    server.trouble = {"DATA": HANG_UP_AFTER}
    with pytest.raises(TryAgain):
        way.send(mail(1, text="a long letter\n" * 600_000))
    assert server.taken == []


@pytest.mark.parametrize("word", [HANG_UP, "421 4.4.2 idle for too long"])
def test_a_connection_that_ended_between_two_mails_is_replaced(
    server: MailServer, way: SmtpTransport, word: str
) -> None:
    way.send(mail(1))
    server.only_once, server.trouble = True, {"MAIL": word}
    way.send(mail(2))
    assert server.recipients == [address(1), address(2)]
    assert server.connections == 2


def test_a_silent_server_is_not_waited_for_longer_than_the_settings_say() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        smtp = Smtp(host="127.0.0.1", port=silent.getsockname()[1], tls="none", timeout="1s")
        way = SmtpTransport(Settings(smtp=smtp), Path())
        with pytest.raises(TransportError, match="cannot be used"):
            way.send(mail(1))


def test_a_server_that_died_is_told_and_nothing_is_lost(store: Store) -> None:
    with mail_server() as server:
        way = transport(server)
        server.on_mail = lambda number: number == 2 and server.trouble.update({"MAIL": HANG_UP})
        plan_mails(store, 1, 2, 3, 4)
        with pytest.raises(TransportError, match="hangs up"):
            run(store, way)
        assert statuses(store) == {"accepted": 2, "scheduled": 2}
        server.on_mail, server.trouble = lambda _: None, {}
        run(store, way)
        assert sorted(server.recipients) == [address(i) for i in (1, 2, 3, 4)]
    with pytest.raises(TransportError, match="cannot be used"):
        way.send(mail(5))
    way.close()


# ── who may listen, and who may come in ─────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


def encrypted(tls: str, context: ssl.SSLContext) -> dict[str, Any]:
    login = {"authenticator": let_in, "auth_required": True}
    if tls == "starttls":
        return login | {"tls_context": context, "require_starttls": True}
    return login | {"ssl_context": context, "auth_require_tls": False}


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_is_believed_only_when_it_can_be(
    tls: str, identity: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, context = identity
    secrets = Secrets(smtp_password=PASSWORD)
    with mail_server(**encrypted(tls, context)) as server:
        with pytest.raises(TransportError, match="cannot be trusted: its certificate is signed by itself"):
            transport(server, secrets, tls=tls, user=USER).send(mail(1))
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(TransportError, match="cannot be trusted: its certificate is of another name"):
            transport(server, secrets, tls=tls, user=USER, host="localhost").send(mail(1))
        with closing(transport(server, secrets, tls=tls, user=USER)) as way:
            way.send(mail(2))
        assert server.recipients == [address(2)]


def test_encryption_at_a_port_that_has_none_is_told_with_what_to_look_at(server: MailServer) -> None:
    with pytest.raises(TransportError, match="it does not speak TLS at that port") as told:
        transport(server, tls="tls").send(mail(1))
    assert told.value.hint == "check smtp.port and smtp.tls: 587 is usual for starttls, 465 for tls"


def test_without_encryption_on_offer_nothing_is_said(server: MailServer) -> None:
    with pytest.raises(TransportError, match="STARTTLS"):
        transport(server, tls="starttls").send(mail(1))
    assert server.taken == []


def test_a_wrong_password_is_told_without_it() -> None:
    with mail_server(authenticator=let_in, auth_required=True, auth_require_tls=False) as server:
        with pytest.raises(TransportError, match="does not let shop in") as told:
            transport(server, Secrets(smtp_password=WRONG), user=USER).send(mail(1))
        assert WRONG not in str(told.value)
        with pytest.raises(TransportError, match="takes no mail from"):  # 530: no login at all
            transport(server).send(mail(1))


@pytest.mark.parametrize(
    ("smtp", "password", "told"),
    [
        ({"timeout": "60s"}, None, "shorter than delivery.lease"),
        ({"user": "shop"}, None, "together, or not at all"),
        ({}, "secret", "together, or not at all"),
        ({"user": "shop"}, "pässword", "plain ASCII"),
        ({"user": "shop", "tls": "none", "host": "mail.example"}, "secret", "readable"),
    ],
)
def test_settings_that_do_not_fit_are_told(smtp: dict[str, Any], password: str | None, told: str) -> None:
    chosen = Settings(smtp=Smtp(**smtp), secrets=Secrets(smtp_password=password), delivery=Delivery())
    with pytest.raises(SettingsError, match=told):
        SmtpTransport(chosen, Path())


# ── in a delivery ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "status", "gone"),
    [
        ("550 5.1.1 User unknown", "rejected", True),
        ("550 5.1.10 <x>: null MX", "rejected", True),
        ("550 5.2.1 Mailbox disabled", "rejected", True),
        ("550 5.7.1 Relay access denied", "scheduled", False),
        ("550 5.2.2 Mailbox full", "rejected", False),
        ("550 no", "rejected", False),
    ],
)
def test_an_address_that_the_server_knows_to_be_none_gets_nothing_more(
    store: Store, answer: str, status: str, *, gone: bool
) -> None:
    plan_mails(store, 1)
    with mail_server() as server, closing(transport(server)) as way:
        server.trouble = {"RCPT": answer}
        run(store, way)
    apply_events(store, 5, NOW)
    assert row(store, 1).status == status
    with store.reading() as connection:
        assert is_suppressed(connection, address(1)) is gone


def test_what_became_of_a_mail_is_written_down_even_where_what_was_told_of_it_cannot_be(store: Store) -> None:
    plan_mails(store, 1)
    with store.writing() as connection:
        connection.execute(text("DROP TABLE inbound"))
    with mail_server() as server, closing(transport(server)) as way:
        server.trouble = {"RCPT": "550 5.1.1 User unknown"}
        with pytest.raises((StoreError, DBAPIError), match="inbound"):
            run(store, way)
    assert row(store, 1).status == "rejected"


def test_each_mail_ends_where_its_answer_says_and_none_leaves_twice(store: Store) -> None:
    plan_mails(store, *range(1, 7))
    with mail_server() as server, closing(transport(server)) as way:
        server.on_mail = lambda number: server.trouble.update({".": HANG_UP_AFTER} if number == 2 else {})
        server.only_once = True
        first = run(store, way)
        again = run(store, way)
    assert (first.accepted, first.unknown, again.accepted, again.unknown) == (5, 1, 0, 1)
    assert sorted(server.recipients) == [address(i) for i in range(1, 7)]
    assert "no answer" in row(store, 3).error
