"""The `smtp` transport: hands mails to a mail server.

`transport` keeps one connection and says what becomes of a mail; `connection` opens it, `talk` hands
one mail over.
"""

from engine.delivery.transports.smtp.transport import SmtpTransport

__all__ = ["SmtpTransport"]
