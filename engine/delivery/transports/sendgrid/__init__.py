"""The `sendgrid` transport: mails of one step leave together, and the provider answers for all of them.

`moulds` finds what the mails of a step have in common, `payload` writes a request, `wire` carries it,
`answers` says what became of it, and `transport` makes a transport of them. See docs/sendgrid.md.
"""

from engine.delivery.transports.sendgrid.transport import SendGridTransport

__all__ = ["SendGridTransport"]
