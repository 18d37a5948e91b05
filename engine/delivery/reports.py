"""What is reported of a mail of ours (RFC 3464, 6533, 5965), read from bytes that anybody may have sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser, HeaderParser
from hashlib import sha256

from engine.delivery.fault import came_back, telling_code
from engine.facts.mail_events import Kind
from engine.rendering.mail import one_line

READ = 1_000_000  # bytes; what is reported stands at the beginning, the mail itself at the end
MOST_PARTS = 40  # a report has three, and those of the mail that it returns
_GLOBAL = re.compile(rb"message/global-delivery-status", re.IGNORECASE)  # the same form, in UTF-8
_BY_NUMBER = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_FEEDBACK = {"abuse": Kind.COMPLAINED, "fraud": Kind.COMPLAINED, "opt-out": Kind.UNSUBSCRIBED}
_WORD = re.compile(r"\s*([A-Za-z-]+)")
_ID = re.compile(r"<?([0-9a-fA-F-]{36})@[^>\s]+>?")


class NotAReport(ValueError):
    """It says nothing that a program can read."""


@dataclass(frozen=True)
class Report:
    """What became of one mail for one recipient."""

    kind: Kind
    recipient: str
    message_id: str | None
    status: str
    own_id: str = ""  # tells it from another report that says the same


def reports_in(content: bytes) -> list[Report]:
    """What the mail reports. Raises NotAReport."""
    if content.lower().count(b"content-type:") > MOST_PARTS:
        msg = "it has more parts than any report"
        raise NotAReport(msg)
    try:
        return _read(BytesParser().parsebytes(_GLOBAL.sub(b"message/delivery-status", content)))
    except NotAReport:
        raise
    except Exception as error:  # broken in a way that the library did not foresee
        msg = f"it cannot be read: {type(error).__name__}"
        raise NotAReport(msg) from error


def _read(mail: Message) -> list[Report]:
    parts = list(mail.walk())
    complaint = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    if complaint is not None:
        return [_complaint(complaint, parts)]
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is None or not isinstance(status.get_payload(), list):
        msg = "there is no delivery status in it"
        raise NotAReport(msg)
    message_id = next(_ids(parts), None)
    blocks = [block for block in status.get_payload() if isinstance(block, Message)]
    own_id = _own_id(mail, blocks)
    found = [_of(block, message_id, own_id) for block in blocks if "Final-Recipient" in block]
    if not found:
        msg = "it names no recipient"
        raise NotAReport(msg)
    return found


def _ids(parts: list[Message]) -> Iterator[str]:
    """The ids that a mail of ours may have, the most certain one first."""
    for name in ("Original-Message-ID", "Message-ID"):
        for part in parts[1:]:  # the first one is the report, with an id of its own
            headers = _returned(part) if name == "Message-ID" else part
            if found := _ID.fullmatch(str(headers.get(name, "")).strip()):
                yield found[1].lower()


def _returned(part: Message) -> Message:
    """The part, or the mail whose headers are its text."""
    if part.get_content_type() == "text/rfc822-headers":
        return HeaderParser().parsestr(str(part.get_payload()))
    return part


def _own_id(mail: Message, blocks: list[Message]) -> str:
    """What is this report's own: its id, its date, and when the mail had come that it tells of."""
    own = [_raw(mail, "Message-ID"), _raw(mail, "Date"), *(_raw(block, "Arrival-Date") for block in blocks)]
    return sha256("\n".join(own).encode(errors="replace")).hexdigest()


def _complaint(part: Message, parts: list[Message]) -> Report:
    """A reader called it spam (RFC 5965), or wants no more. Raises NotAReport for anything else."""
    told = part.get_payload()
    block = told[0] if isinstance(told, list) and isinstance(told[0], Message) else part
    kind = _FEEDBACK.get(_raw(block, "Feedback-Type").strip().lower())
    if kind is None:
        msg = "it is feedback, and no complaint"
        raise NotAReport(msg)
    recipient = _address(_raw(block, "Original-Rcpt-To"))
    return Report(kind, recipient, next(_ids(parts), None), "", _own_id(parts[0], [block]))


def _raw(block: Message, name: str) -> str:
    """A header as it was sent, in UTF-8 where it is not in ASCII; '' where it is not there."""
    value = next((v for key, v in block.raw_items() if key.lower() == name.lower()), "")
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _address(told: str) -> str:
    """The address in it, whether its letters are written out or by number (RFC 6533)."""
    plain = _BY_NUMBER.sub(lambda found: chr(min(int(found[1], 16), 0x10FFFF)), told.rpartition(";")[2])
    return "".join(c if c.isprintable() else " " for c in one_line(plain)).strip("<> ")[:320].strip()


def _of(block: Message, message_id: str | None, own_id: str) -> Report:
    recipient = _address(_raw(block, "Final-Recipient"))
    words = str(block.get("Diagnostic-Code", ""))
    code = telling_code(str(block.get("Status", "")), words)
    kind = _kind(_word(str(block.get("Action", ""))), code, words)
    return Report(kind, recipient, message_id, code, own_id)


def _word(action: str) -> str:
    """The action in small letters; some servers put a remark behind it."""
    first = _WORD.match(action)
    return first[1].lower() if first else ""


def _kind(action: str, code: str, words: str) -> Kind:
    """Whatever is reported, the mail has left; an action that is not known tells no more than that."""
    if action == "failed":
        return came_back(code, words) or Kind.SOFT_BOUNCE
    return {"delivered": Kind.DELIVERED, "delayed": Kind.DEFERRED}.get(action, Kind.PROCESSED)
