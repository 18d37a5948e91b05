"""What a server says, made fit to be shown: whoever runs it chooses the words."""

import ssl
from smtplib import SMTPResponseException, SMTPServerDisconnected

from engine.delivery.transports.tls import in_words
from engine.rendering.mail import one_line

LONGEST = 200


def said(code: int, text: bytes | str) -> str:
    """An answer in one line."""
    words = text if isinstance(text, str) else text.decode(errors="replace")
    return one_line(f"{code} {words}")[:LONGEST]


def told(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, SMTPResponseException):
        return said(error.smtp_code, error.smtp_error)
    torn = isinstance(error, SMTPServerDisconnected)  # which smtplib tells in the words of OpenSSL
    unsafe = error.__context__ if torn else error
    if isinstance(unsafe, ssl.SSLError):
        return in_words(unsafe)
    words = getattr(error, "strerror", None) or str(error)  # without the system's number
    return one_line(str(words))[:LONGEST] or type(error).__name__
