"""The `smtp` transport itself: one connection at a time, and one mail after the other.

What was handed over cannot be looked up, so a mail whose answer was lost stays unknown until a report
or a person tells.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from smtplib import SMTP, SMTPException
from typing import ClassVar

from engine.clock import format_duration
from engine.delivery.fault import Fault, enhanced_code, fault
from engine.delivery.transports.base import Receipt, Refused, Trace, TryAgain
from engine.delivery.transports.content import as_bytes
from engine.delivery.transports.smtp.connection import close, connect
from engine.delivery.transports.smtp.signing import signer
from engine.delivery.transports.smtp.talk import Envelope, Gone, NotItsFault, hand_over
from engine.delivery.transports.streak import ALIKE, Streak
from engine.errors import SettingsError, TransportError
from engine.rendering.eml import ascii_domain
from engine.rendering.mail import Mail
from engine.settings.model import Settings

BLAMELESS = "they wait, as all others do; check smtp.user, smtp.host, sender.email and your provider's limits"
_LOCAL = ("localhost", "127.0.0.1", "::1")


class SmtpTransport:
    """Hands mails to the server of `smtp.host`."""

    name: ClassVar[str] = "smtp"
    exactly_once: ClassVar[bool] = False

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Connects to nothing yet. Raises SettingsError."""
        check(settings)
        self._smtp, self._secrets = settings.smtp, settings.secrets
        self._signer = signer(settings)
        self._sender = ascii_domain(settings.smtp.bounces or settings.sender.email)
        self._server: SMTP | None = None
        self._used = 0
        self._streak = Streak()
        self._in_vain, self._said = 0, ""  # refused in a row without fault, and why

    def send(self, mail: Mail) -> Receipt:
        """Hand it over. Where one after the other is refused for nothing of its own, it stays here."""
        if self._in_vain >= ALIKE:
            self._in_vain = 0
            msg = f"the mail server refuses mail after mail, and not for their own sake: {self._said}"
            raise TransportError(msg, hint=BLAMELESS)
        try:
            receipt = self._send(self._packed(mail))
        except NotItsFault as refusal:
            self._note(refusal)
            raise
        except Refused as refusal:
            if not self._is_its_fault(str(refusal)):
                self._note(refusal)
                raise NotItsFault(str(refusal)) from refusal
            raise
        self._in_vain = 0
        self._streak.end()
        return receipt

    def _note(self, refusal: Exception) -> None:
        self._in_vain, self._said = self._in_vain + 1, str(refusal)

    def _is_its_fault(self, words: str) -> bool:
        """Where no code says whose fault it is, it is not that of many that meet the same words."""
        if fault(enhanced_code(words)) is not Fault.UNTOLD or not words[:1].isdigit():
            self._streak.end()
            return True
        return not self._streak.refused(words)

    def _send(self, envelope: Envelope) -> Receipt:
        """A connection that the server has ended meanwhile is replaced by a new one."""
        if self._used >= self._smtp.per_connection:
            self.close()
        if self._server is not None:
            with suppress(Gone):
                return self._hand_over(self._server, envelope)
        try:
            return self._hand_over(self._connected(), envelope)
        except Gone as gone:
            msg = f"the mail server {self._smtp.host}:{self._smtp.port} hangs up: {gone}"
            raise TransportError(msg, hint="what was not taken is still in the outbox") from gone

    def flush(self) -> None:
        """What the server took is with the server."""

    def look_up(self, message_id: str, planned_at: datetime) -> Trace:
        return Trace.CANNOT_TELL

    def close(self) -> None:
        if self._server is not None:
            close(self._server)
        self._forget()

    def _connected(self) -> SMTP:
        self._server, self._used = connect(self._smtp, self._secrets), 0
        return self._server

    def _hand_over(self, server: SMTP, envelope: Envelope) -> Receipt:
        """Whatever goes wrong, the next mail finds a connection that is as good as new, or none."""
        self._used += 1
        try:
            return Receipt(hand_over(server, envelope))
        except (Refused, TryAgain):
            if not _began_anew(server):
                self._drop(server)
            raise
        except BaseException:
            self._drop(server)
            raise

    def _drop(self, server: SMTP) -> None:
        server.close()
        self._forget()

    def _forget(self) -> None:
        self._server, self._used = None, 0

    def _packed(self, mail: Mail) -> Envelope:
        content = as_bytes(mail)
        if self._signer:
            content = self._signer.sign(content)
        recipient = _harmless(mail.to_address)
        international = not (content.isascii() and self._sender.isascii() and recipient.isascii())
        return Envelope(self._sender, recipient, content, international)


def _harmless(address: str) -> str:
    """The address as the server gets it; nothing in it may be taken for a word of the protocol."""
    try:
        ascii_one = ascii_domain(address)
    except UnicodeError:
        ascii_one = "\0"
    if any(letter in " <>" or not letter.isprintable() for letter in address + ascii_one):
        msg = "the address has characters in it that no server may see"
        raise Refused(msg)
    return ascii_one


def check(settings: Settings) -> None:
    """What does not fit together. Raises SettingsError."""
    smtp, password = settings.smtp, settings.secrets.smtp_password
    if smtp.timeout >= settings.delivery.lease:
        msg = f"smtp.timeout must be shorter than delivery.lease ({format_duration(settings.delivery.lease)})"
        raise SettingsError(msg, hint="else every slow answer comes too late to be believed")
    if bool(smtp.user) != bool(password):
        msg = "smtp.user and AFTERSALE_SECRETS__SMTP_PASSWORD are there together, or not at all"
        raise SettingsError(msg)
    if password and not (smtp.user + password.get_secret_value()).isascii():
        msg = "smtp.user and AFTERSALE_SECRETS__SMTP_PASSWORD can be of plain ASCII only"
        raise SettingsError(msg)
    if password and smtp.tls == "none" and smtp.host not in _LOCAL:
        msg = f"smtp.tls is none: the password would be readable on its way to {smtp.host}"
        raise SettingsError(msg, hint="set smtp.tls to starttls or tls")


def _began_anew(server: SMTP) -> bool:
    """Whether the server has forgotten the mail that it did not take."""
    try:
        return server.docmd("RSET")[0] == 250
    except SMTPException:
        return False
