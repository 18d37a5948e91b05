"""What a mail server reports of a mail of ours (RFC 3464), read from bytes that anybody may have sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser, HeaderParser

from engine.delivery.fault import Fault, address_is_dead, enhanced_code, fault
from engine.facts.mail_events import Kind
from engine.rendering.mail import one_line

READ = 1_000_000  # bytes; what is reported stands at the beginning, the mail itself at the end
MOST_PARTS = 40  # a report has three, and those of the mail that it returns
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


def reports_in(content: bytes) -> list[Report]:
    """What the mail reports. Raises NotAReport."""
    if content.lower().count(b"content-type:") > MOST_PARTS:
        msg = "it has more parts than any report"
        raise NotAReport(msg)
    try:
        return _read(BytesParser().parsebytes(content))
    except NotAReport:
        raise
    except Exception as error:  # broken in a way that the library did not foresee
        msg = f"it cannot be read: {type(error).__name__}"
        raise NotAReport(msg) from error


def _read(mail: Message) -> list[Report]:
    parts = list(mail.walk())
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is None or not isinstance(status.get_payload(), list):
        msg = "there is no delivery status in it"
        raise NotAReport(msg)
    message_id = next(_ids(parts), None)
    blocks = [block for block in status.get_payload() if isinstance(block, Message)]
    found = [_of(block, message_id) for block in blocks if "Final-Recipient" in block]
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


def _of(block: Message, message_id: str | None) -> Report:
    recipient = one_line(str(block["Final-Recipient"]).rpartition(";")[2]).strip("<>")
    action, code = _word(str(block.get("Action", ""))), _code(block)
    return Report(_kind(action, code), recipient[:320], message_id, code)


def _word(action: str) -> str:
    """The action in small letters; some servers put a remark behind it."""
    first = _WORD.match(action)
    return first[1].lower() if first else ""


def _code(block: Message) -> str:
    """Why, as an enhanced code. Where the status says nothing, the server's own words may hold one."""
    code = enhanced_code(str(block.get("Status", "")))
    if fault(code) is Fault.UNTOLD:
        words = enhanced_code(str(block.get("Diagnostic-Code", "")))
        return words if words[:1] == (code or words)[:1] else code
    return code


def _kind(action: str, code: str) -> Kind:
    """Whatever is reported, the mail has left; an action that is not known tells no more than that."""
    if action == "failed":
        return Kind.BOUNCED if address_is_dead(code) else Kind.SOFT_BOUNCE
    return {"delivered": Kind.DELIVERED, "delayed": Kind.DEFERRED}.get(action, Kind.PROCESSED)
