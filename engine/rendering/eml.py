"""A mail as bytes: canonical, so that the same mail is the same file byte for byte.

Written by hand rather than with `email.message`, which turns long header values such as
List-Unsubscribe into encoded words that no mail client reads.
"""

import quopri
from base64 import b64encode
from collections.abc import Iterator
from email.utils import format_datetime, quote

import idna

from engine.clock import aware
from engine.rendering.mail import Mail, one_line

LONGEST = 900  # of a header left as it is; RFC 5322 allows lines of 998
FOLD = "\r\n "
WORD = 39  # bytes in one encoded word, so that the line it is in keeps below 76


def to_bytes(mail: Mail) -> bytes:
    """The whole message, with CRLF line ends.

    Date, Message-ID and boundary follow from the plan and the mail's key. A line break within a
    value becomes a blank, so that no value can add a header.
    """
    boundary = f"=_{mail.message_id}"
    head = [f"{name}: {value}".encode() for name, value in (*_headers(mail), *_multipart(boundary))]
    parts = [_part(boundary, "plain", mail.text), _part(boundary, "html", mail.html)]
    return b"\r\n".join([*head, b"", *parts, f"--{boundary}--".encode(), b""])


def _headers(mail: Mail) -> Iterator[tuple[str, str]]:
    yield "Date", format_datetime(aware(mail.planned_at))
    yield "From", _mailbox(mail.from_name, mail.from_address)
    yield "To", _mailbox(mail.to_name, mail.to_address)
    if mail.reply_to:
        yield "Reply-To", _mailbox("", mail.reply_to)
    yield "Subject", header_words(one_line(mail.subject))
    yield "Message-ID", f"<{mail.message_id}@{ascii_domain(mail.from_address).rpartition('@')[2]}>"
    for name, value in mail.headers:
        yield one_line(name), header_words(one_line(value))


def _multipart(boundary: str) -> Iterator[tuple[str, str]]:
    yield "MIME-Version", "1.0"
    yield "Content-Type", f'multipart/alternative; boundary="{boundary}"'


def _part(boundary: str, kind: str, content: str) -> bytes:
    head = (
        f"--{boundary}",
        f"Content-Type: text/{kind}; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
    )
    lines = content.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    body = quopri.encodestring(lines.encode(errors="replace")).replace(b"\n", b"\r\n")
    return "\r\n".join(head).encode() + b"\r\n" + body


def _mailbox(name: str, address: str) -> str:
    address = ascii_domain(one_line(address)).replace(" ", "")
    name = one_line(name)
    if not name:
        return address
    return f'"{quote(name)}" <{address}>' if _may_stand(name) else f"{header_words(name)}{FOLD}<{address}>"


def header_words(value: str) -> str:
    """The value as it is where that is plain ASCII, else as encoded words (RFC 2047), folded."""
    if _may_stand(value):
        return value
    return FOLD.join(f"=?utf-8?b?{b64encode(part.encode()).decode()}?=" for part in _parts(value))


def _parts(value: str) -> Iterator[str]:
    """The text in parts of few bytes, no character torn apart."""
    part, size = "", 0
    for character in value:
        length = len(character.encode())
        if size + length > WORD:
            yield part
            part, size = "", 0
        part, size = part + character, size + length
    yield part


def _may_stand(value: str) -> bool:
    return value.isascii() and "=?" not in value and len(value) <= LONGEST


def ascii_domain(address: str) -> str:
    """The address with an international domain in its ASCII form, by the standard that importing goes by.

    Python's own codec goes by that of 2003, which writes ß as ss: the domain of somebody else. Raises
    UnicodeError.
    """
    user, at, domain = address.rpartition("@")
    return address if domain.isascii() else f"{user}{at}{idna.encode(domain, uts46=True).decode()}"
