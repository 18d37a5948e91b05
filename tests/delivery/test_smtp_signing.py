"""DKIM: what leaves is signed so that a receiver believes it, and nothing can be changed or added."""

from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from engine.delivery.transports.smtp import SmtpTransport
from engine.errors import SettingsError
from engine.settings.delivery import Dkim, Smtp
from engine.settings.load import load_settings
from engine.settings.model import Settings
from engine.settings.secrets import Secrets
from tests.delivery.mail_server import MailServer, mail_server
from tests.delivery.test_smtp_transport import mail

FORM = serialization.PrivateFormat
HEADERS = (
    ("List-Unsubscribe", "<https://mail.shop.example/u/abc>, <mailto:unsubscribe@shop.example>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
)


@cache
def key(bits: int = 1024) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def pem(one: Any, form: FORM = FORM.PKCS8) -> str:
    return one.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def in_the_dns(name: bytes, timeout: int = 5) -> bytes:
    """What a receiver finds at the name."""
    assert name == b"mails._domainkey.shop.example."
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    lines = key().public_key().public_bytes(*form).split(b"\n")
    return b"v=DKIM1; k=rsa; p=" + b"".join(line for line in lines if not line.startswith(b"-"))


def settings(server: MailServer | None, secret: str | None, domain: str = "shop.example") -> Settings:
    smtp = Smtp(host="127.0.0.1", port=server.port if server else 25, tls="none")
    return Settings(smtp=smtp, dkim=Dkim(domain=domain, selector="mails"), secrets=Secrets(dkim_key=secret))


@pytest.fixture(scope="module")
def signed() -> bytes:
    """A mail as it arrived."""
    with mail_server() as server:
        with closing(SmtpTransport(settings(server, pem(key())), Path())) as way:
            way.send(mail(1, subject="Grüße", reply_to="letters@shop.example", headers=HEADERS))
        return server.taken[0][1]


def test_a_receiver_believes_it(signed: bytes) -> None:
    assert dkim.verify(signed, dnsfunc=in_the_dns)


def test_every_header_is_signed_and_both_of_unsubscribing(signed: bytes) -> None:
    names = {name.lower() for name, _ in dkim.rfc822_parse(signed)[0]}
    tags = dict(part.strip().split(b"=", 1) for part in dkim.rfc822_parse(signed)[0][0][1].split(b";"))
    covered = {name.strip() for name in tags[b"h"].split(b":")}
    assert covered == names - {b"dkim-signature"}
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"message-id", b"reply-to"} <= covered


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.replace(b"u/abc", b"u/abd"),
        lambda it: it.replace(b"=One-Click", b"=Two-Clicks"),
        lambda it: it.replace(b"Mail 1", b"Mail 2"),
        lambda it: b"From: somebody@else.example\r\n" + it,
        lambda it: b"To: somebody@else.example\r\n" + it,
        lambda it: b"Subject: evil\r\n" + it,
        lambda it: b"List-Unsubscribe: <https://evil.example/>\r\n" + it,
        lambda it: b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" + it,
        lambda it: it.replace(b"Reply-To", b"X-Reply-To"),
    ],
)
def test_what_was_changed_or_added_is_not_believed(signed: bytes, change: Callable[[bytes], bytes]) -> None:
    assert change(signed) != signed
    assert not dkim.verify(change(signed), dnsfunc=in_the_dns)


@pytest.mark.parametrize(
    "written",
    [
        lambda: pem(key(), FORM.TraditionalOpenSSL),
        lambda: pem(key()).replace("\n", "\\n"),
        lambda: pem(key()).replace("\n", "\r\n"),
        lambda: "\n  " + pem(key()),
    ],
)
def test_a_key_may_be_written_in_several_ways(written: Callable[[], str]) -> None:
    SmtpTransport(settings(None, written()), Path())


@pytest.mark.parametrize(
    ("secret", "domain", "told"),
    [
        (lambda: "very secret", "shop.example", "no private RSA key"),
        (lambda: pem(key())[:200], "shop.example", "no private RSA key"),
        (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "shop.example", "no private RSA key"),
        (lambda: pem(key(1024)).replace("A", "é"), "shop.example", "no private RSA key"),
        (lambda: None, "shop.example", "together, or not at all"),
        (lambda: pem(key()), "", "together, or not at all"),
    ],
)
def test_a_key_that_is_none_is_told_and_not_shown(
    secret: Callable[[], str | None], domain: str, told: str
) -> None:
    given = secret()
    with pytest.raises(SettingsError, match=told) as error:
        SmtpTransport(settings(None, given, domain), Path())
    assert given is None or given not in str(error.value)


def test_the_key_comes_from_the_environment_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_SECRETS__DKIM_KEY", pem(key()))
    (tmp_path / "config.yaml").write_text("dkim: {domain: shop.example, selector: mails}\n")
    loaded = load_settings(tmp_path)
    SmtpTransport(loaded, tmp_path)
    assert "PRIVATE" not in f"{loaded!r} {loaded.model_dump()}"
