"""How it misbehaves: orders are carried out in turn, each by as many requests as it says."""

from collections import deque
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

SEND = "/v3/mail/send"


@dataclass
class Order:
    """What the next `times` requests to what begins with `at` meet.

    `status` answers with it, `reset` tears the connection down, `hang` never answers, `kill` ends the
    process of that number with -9, `vague` names no field in an answer of 400. With `accept` the mails of
    a sound request are accepted before all that.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    reset: bool = False
    hang: bool = False
    kill: int | None = None
    vague: bool = False
    accept: bool = False
    at: str = SEND
    after: int = 0  # requests that are let pass before
    times: int = 1

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Orders:
    """The orders not carried out yet."""

    def __init__(self) -> None:
        self._waiting: deque[Order] = deque()
        self._lock = Lock()

    def give(self, order: Order) -> None:
        with self._lock:
            self._waiting.append(order)

    def next(self, path: str = SEND) -> Order:
        """What this request meets; an order for nothing where none waits."""
        with self._lock:
            first = next((order for order in self._waiting if path.startswith(order.at)), None)
            if first is None:
                return Order()
            if first.after:
                first.after -= 1
                return Order()
            first.times -= 1
            if first.times <= 0:
                self._waiting.remove(first)
            return first
