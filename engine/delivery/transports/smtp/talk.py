"""One mail, handed over: what each answer of the server means for it.

Until the dot that ends the mail has been written, the mail is known not to have been accepted; from
then on only the server's word counts.
"""

import re
from dataclasses import dataclass
from smtplib import SMTP, SMTPException

from engine.delivery.fault import Fault, address_is_dead, enhanced_code, fault
from engine.delivery.transports.base import NoSuchAddress, OutcomeUnknown, Refused, TryAgain
from engine.delivery.transports.smtp.words import said, told
from engine.errors import TransportError

GO_ON = 354
CLOSING, NOT_LOGGED_IN, TOO_LARGE = 421, 530, 552
_DOTS = re.compile(rb"^\.", re.MULTILINE)
_OUR_WAY = re.compile("relay|rcpthosts|authenticat|quota", re.IGNORECASE)
_HINT = "nothing was sent, and no mail is lost; check smtp.user, smtp.bounces and sender.email"


class NotItsFault(TryAgain):
    """Refused, and not for this mail's sake: others would be as well, until something is mended."""


class Gone(Exception):
    """The connection had ended before the server heard of the mail."""


@dataclass(frozen=True)
class Envelope:
    """A mail as the server gets it. `international`: an address in it is not in plain ASCII."""

    sender: str
    recipient: str
    content: bytes
    international: bool


def hand_over(server: SMTP, envelope: Envelope) -> str:
    """What the server said when it took it.

    Raises Gone, Refused, TryAgain, OutcomeUnknown or TransportError.
    """
    server.command_encoding = "utf-8"
    _name_sender(server, envelope)
    _name_recipient(server, envelope.recipient)
    _announce(server)
    _write(server, envelope.content)
    return _verdict(server)


def _name_sender(server: SMTP, envelope: Envelope) -> None:
    words = [f"MAIL FROM:<{envelope.sender}>", *_extensions(server, envelope)]
    try:
        code, text = server.docmd(" ".join(words))
    except SMTPException as error:
        raise Gone(told(error)) from error
    if code == CLOSING:
        raise Gone(said(code, text))
    if code == TOO_LARGE or (code >= 500 and envelope.international):
        raise _refusal(code, text)
    if code >= 500:  # it is the sender that it does not like, and all mails have the same one
        msg = f"the mail server takes no mail from {envelope.sender}: {said(code, text)}"
        raise TransportError(msg, hint=_HINT)
    if not _good(code):
        raise TryAgain(said(code, text))


def _extensions(server: SMTP, envelope: Envelope) -> list[str]:
    words = []
    if server.has_extn("size"):
        words.append(f"SIZE={len(envelope.content)}")
    if envelope.international:
        if not server.has_extn("smtputf8"):
            raise _beyond_it(envelope)
        words.append("SMTPUTF8")
    return words


def _beyond_it(envelope: Envelope) -> Exception:
    if envelope.recipient.isascii():
        msg = "the mail server cannot do senders with letters beyond ASCII (SMTPUTF8)"
        return TransportError(msg, hint=_HINT)
    return Refused("the mail server cannot do addresses with letters beyond ASCII (SMTPUTF8)")


def _name_recipient(server: SMTP, recipient: str) -> None:
    code, text = _asked(server, f"RCPT TO:<{recipient}>")
    if code == NOT_LOGGED_IN:
        msg = f"the mail server wants a login: {said(code, text)}"
        raise TransportError(msg, hint=_HINT)
    if code >= 500:
        words = said(code, text)
        raise NoSuchAddress(words) if address_is_dead(enhanced_code(words)) else _refusal(code, text)
    if not _good(code):
        raise TryAgain(said(code, text))


def _announce(server: SMTP) -> None:
    code, text = _asked(server, "DATA")
    if code >= 500:
        raise _refusal(code, text)
    if code != GO_ON:
        raise TryAgain(said(code, text))


def _asked(server: SMTP, command: str) -> tuple[int, bytes]:
    try:
        return server.docmd(command)
    except SMTPException as error:
        raise TryAgain(told(error)) from error


def _write(server: SMTP, content: bytes) -> None:
    """Everything but the dot at its end, so that what breaks off here has not been handed over."""
    try:
        server.send(_DOTS.sub(b"..", content))
    except SMTPException as error:
        raise TryAgain(told(error)) from error


def _verdict(server: SMTP) -> str:
    try:
        server.send(b".\r\n")
        code, text = server.getreply()
    except SMTPException as error:
        msg = f"no answer after the whole mail was written: {told(error)}"
        raise OutcomeUnknown(msg) from error
    if _good(code):
        return said(code, text)
    if 400 <= code < 500:
        raise TryAgain(said(code, text))
    if 500 <= code < 600:
        raise _refusal(code, text)
    msg = f"an answer that means nothing, after the whole mail was written: {said(code, text)}"
    raise OutcomeUnknown(msg)


def _refusal(code: int, text: bytes) -> Exception:
    """Who is to blame for a refusal that is for good. Without a code, a word of relaying blames us."""
    words = said(code, text)
    blamed = fault(enhanced_code(words))
    if blamed is Fault.US or (blamed is Fault.UNTOLD and _OUR_WAY.search(words)):
        return NotItsFault(words)
    return Refused(words)


def _good(code: int) -> bool:
    return 200 <= code < 300
