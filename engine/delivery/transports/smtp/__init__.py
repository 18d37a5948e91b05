"""The `smtp` transport: hands mails to a mail server.

`transport` keeps one connection and says what becomes of a mail; `connection` opens it, `signing` signs a
mail, `talk` hands it over.
"""

from engine.delivery.transports.smtp.transport import SmtpTransport

__all__ = ["SmtpTransport"]
