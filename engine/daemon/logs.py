"""What a daemon says of its work: a line for each event, in words or as JSON, on standard error.

Nobody's name or address is in it. An event has a name and values, which are numbers, ids, and what we
call things ourselves; a foreign error is told by its kind and place, since its text may quote anything.
"""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Literal

LOGGER = logging.getLogger("aftersale")
_ADDRESS = re.compile(r"[^\s<>\"(),:;@]+@[^\s<>\"(),:;@]+")
_PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+")


def set_up(form: Literal["text", "json"]) -> None:
    """From now on all that is logged goes to standard error, in that form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Words())
    LOGGER.handlers[:] = [handler]
    LOGGER.propagate = False
    LOGGER.setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # it quotes errors, and ours are told here


def tell(event: str, *, level: int = logging.INFO, **values: Any) -> None:
    """Log an event; values that are None are left out."""
    known = {name: _plain(value) for name, value in values.items() if value is not None}
    LOGGER.log(level, event, extra={"event_values": known})


def warn(event: str, **values: Any) -> None:
    """Log what a person should look at."""
    tell(event, level=logging.WARNING, **values)


def nameless(text: str) -> str:
    """Without the addresses in it, which a mail server may have quoted."""
    return _ADDRESS.sub("…", text)


def where(error: BaseException) -> str:
    """The kind and the place of an error, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value if isinstance(value, bool | int | float) else nameless(str(value))


def _stamp(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        values = getattr(record, "event_values", {})
        told = {"at": _stamp(record), "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps({**told, **values}, ensure_ascii=False)


class _Words(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        values = getattr(record, "event_values", {})
        told = " ".join(f"{name}={_word(value)}" for name, value in values.items())
        return f"{_stamp(record)} {record.levelname.lower()} {record.getMessage()} {told}".rstrip()


def _word(value: Any) -> str:
    text = str(value)
    return text if text and set(text) <= _PLAIN else json.dumps(text, ensure_ascii=False)
