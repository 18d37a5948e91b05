"""The `console` transport: prints each mail, to look at while writing one."""

import sys
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from engine.delivery.transports.base import Receipt, Trace
from engine.errors import TransportError
from engine.rendering.mail import Mail
from engine.rules.words import times
from engine.settings.model import Settings

LINES = 12
RULE = "─" * 72


class ConsoleTransport:
    """Writes to standard output. What was printed cannot be looked up again."""

    name: ClassVar[str] = "console"
    exactly_once: ClassVar[bool] = False

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Nothing to set up: it needs neither settings nor a folder."""

    def send(self, mail: Mail) -> Receipt:
        _print(shown(mail))
        return Receipt()

    def flush(self) -> None:
        pass

    def look_up(self, message_id: str, planned_at: datetime) -> Trace:
        return Trace.CANNOT_TELL

    def close(self) -> None:
        pass


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        msg = f"standard output cannot be written: {error.strerror}"
        raise TransportError(msg, hint="what was not printed is still in the outbox") from error


def shown(mail: Mail) -> str:
    """The mail in a few lines: who, what about, and how its text begins."""
    lines = mail.text.strip().splitlines()
    more = ["… " + times(len(lines) - LINES, "more line")] if len(lines) > LINES else []
    head = [f"To:      {mail.to_name} <{mail.to_address}>", f"Subject: {mail.subject}", ""]
    return "\n".join([RULE, *(_harmless(line) for line in [*head, *lines[:LINES], *more]), ""])


def _harmless(line: str) -> str:
    """Without the control characters with which a customer's name could steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in line)
