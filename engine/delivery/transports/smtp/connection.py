"""A connection to the mail server: opened, encrypted, logged in. What fails here concerns no single mail."""

import socket
import ssl
from contextlib import suppress
from smtplib import SMTP, SMTP_SSL, SMTPAuthenticationError, SMTPNotSupportedError

from engine.delivery.transports.in_time import InTime, in_time
from engine.delivery.transports.smtp.words import told
from engine.errors import TransportError
from engine.settings.delivery import Smtp
from engine.settings.secrets import Secrets

_PORTS = "check smtp.port and smtp.tls: 587 is usual for starttls, 465 for tls"
FAREWELL = 2.0  # seconds for the server to say goodbye


class Timely(SMTP):
    """Every answer is whole within the time-out, however slowly its bytes come."""

    _clock: InTime

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file, self._clock = in_time(self.sock, self.timeout)
        self._clock.begin()
        return super().getreply()


class TimelySSL(Timely, SMTP_SSL):
    """The same, encrypted from the first byte on."""


def connect(settings: Smtp, secrets: Secrets) -> SMTP:
    """A connection that is ready for mails. Raises TransportError."""
    try:
        return _open(settings, secrets)
    except (OSError, UnicodeError) as error:  # whatever smtplib raises is an OSError as well
        raise _in_words(settings, error) from error


def close(server: SMTP) -> None:
    """Say goodbye, but wait for no answer for long."""
    with suppress(OSError):
        if server.sock is not None:
            server.sock.settimeout(FAREWELL)
            server.quit()
    server.close()


def _open(settings: Smtp, secrets: Secrets) -> SMTP:
    server = _greeted(settings)
    try:
        if settings.tls == "starttls":
            server.starttls(context=ssl.create_default_context())
        server.ehlo_or_helo_if_needed()
        if settings.user and secrets.smtp_password:
            server.login(settings.user, secrets.smtp_password.get_secret_value())
        _write_at_once(server)
    except BaseException:
        server.close()
        raise
    return server


def _greeted(settings: Smtp) -> SMTP:
    place, seconds = (settings.host, settings.port), settings.timeout.total_seconds()
    if settings.tls == "tls":
        return TimelySSL(*place, timeout=seconds, context=ssl.create_default_context())
    return Timely(*place, timeout=seconds)


def _write_at_once(server: SMTP) -> None:
    """The end of a mail is written by itself, and must not wait for what was written before it."""
    if server.sock is not None:
        server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _in_words(settings: Smtp, error: Exception) -> TransportError:
    where = f"the mail server {settings.host}:{settings.port}"
    if isinstance(error, SMTPAuthenticationError):
        hint = "check smtp.user and AFTERSALE_SECRETS__SMTP_PASSWORD"
        return TransportError(f"{where} does not let {settings.user} in: {told(error)}", hint=hint)
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = "smtp.host must be the name it certifies; name an authority of your own in SSL_CERT_FILE"
        return TransportError(f"{where} cannot be trusted: {told(error)}", hint=hint)
    if isinstance(error, ssl.SSLError):
        return TransportError(f"{where} cannot be used: {told(error)}", hint=_PORTS)
    if isinstance(error, SMTPNotSupportedError):
        hint = "check smtp.port and smtp.tls"
        return TransportError(f"{where} cannot do what the settings ask: {told(error)}", hint=hint)
    hint = "check smtp.host, smtp.port and smtp.tls; what was not taken is still in the outbox"
    return TransportError(f"{where} cannot be used: {told(error)}", hint=hint)
