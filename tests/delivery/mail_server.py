"""A real mail server of the tests' own, in a thread: it takes mails, and fails where it is told to."""

import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "shop", "correct horse battery staple"
HANG_UP, HANG_UP_AFTER = "hang up", "hang up afterwards"
Trouble = dict[str, str]  # at which word of the protocol it answers what


class Talk(SMTP):
    """Fails at `DATA` and after it, which no handler can."""

    def _trouble(self, word: str) -> str | None:
        return self.event_handler.trouble_at(word)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        trouble = self._trouble("DATA")
        if trouble == HANG_UP_AFTER:
            await self.push("354 go on")
            self.transport.abort()
        elif trouble:
            await self._fail(trouble)
        else:
            await super().smtp_DATA(arg)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        await self._or_fail("MAIL", super().smtp_MAIL, arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        await self._or_fail("RCPT", super().smtp_RCPT, arg)

    async def _or_fail(self, word: str, go_on: Any, arg: str) -> None:
        if trouble := self._trouble(word):
            await self._fail(trouble)
        else:
            await go_on(arg)

    async def _fail(self, trouble: str) -> None:
        if trouble == HANG_UP:
            self.transport.abort()
        else:
            await self.push(trouble)
            if trouble.startswith("421"):
                self.transport.close()


class MailServer(Controller):
    """`taken` are the mails it answers for, each with its recipient. `trouble` is asked once for each word."""

    def __init__(self, **options: Any) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.senders: list[str] = []
        self.connections = 0
        self.trouble: Trouble = {}
        self.only_once = False
        self.on_mail: Callable[[int], None] = lambda _number: None
        super().__init__(self, hostname="127.0.0.1", port=_free_port(), **options)

    def factory(self) -> Talk:
        self.connections += 1
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # a login without TLS; behind `ssl_context` it has none of its own
            return Talk(self.handler, **self.SMTP_kwargs)

    def trouble_at(self, word: str) -> str | None:
        return self.trouble.pop(word, None) if self.only_once else self.trouble.get(word)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        trouble = self.trouble_at(".")
        if trouble in (None, HANG_UP_AFTER):
            self.taken += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
            self.senders.append(envelope.mail_from)
            self.on_mail(len(self.taken))
        if trouble in (HANG_UP, HANG_UP_AFTER):
            server.transport.abort()
            return "250 nobody hears this"
        return trouble or f"250 2.0.0 Ok: queued as Q{len(self.taken)}"

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.taken]


@contextmanager
def mail_server(**options: Any) -> Iterator[MailServer]:
    server = MailServer(**options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def let_in(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=False)


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of this machine that nobody signed: its file, and what the server needs of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a mail server")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, private = folder / "certificate.pem", folder / "private.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, private)
    return file, context


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
