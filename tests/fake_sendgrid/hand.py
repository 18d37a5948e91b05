"""The fake in the hand of a test: start it, order it about, count what it accepted."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.conftest import ROOT
from tests.fake_sendgrid.orders import Order
from tests.fake_sendgrid.records import accepted
from tests.fake_sendgrid.server import ASKED, CLOCK, KEY, LISTS, ORDERS, SEEN


@dataclass(frozen=True)
class Hand:
    """Where it listens, and the file of what it accepted."""

    url: str
    records: Path
    key: str = KEY

    def order(self, **order: Any) -> None:
        body = json.dumps(Order(**order).as_json()).encode()
        with urlopen(Request(self.url + ORDERS, data=body)) as answer:  # noqa: S310 - it is our own
            assert answer.status == 200

    def requests(self) -> list[dict[str, Any]]:
        """Every request to send mail that it has seen: its status, its length, the port it came from."""
        with urlopen(self.url + SEEN) as answer:  # noqa: S310 - it is our own
            return list(json.load(answer))

    def asked(self) -> list[dict[str, Any]]:
        """Every other question that it has seen, and what it answered."""
        with urlopen(self.url + ASKED) as answer:  # noqa: S310 - it is our own
            return list(json.load(answer))

    def put_on_lists(self, **lists: dict[str, int]) -> None:
        """Let these addresses stand on its lists, each since that second; `group_7` is that group."""
        body = json.dumps({name.replace("group_", "group "): told for name, told in lists.items()})
        with urlopen(Request(self.url + LISTS, data=body.encode())) as answer:  # noqa: S310 - it is our own
            assert answer.status == 200

    def stand_still(self, second: int) -> None:
        """Let its clock say that, from now on."""
        with urlopen(Request(self.url + CLOCK, data=json.dumps(second).encode())) as answer:  # noqa: S310
            assert answer.status == 200

    def lists(self) -> dict[str, dict[str, int]]:
        """Everybody who stands on its lists, and since when."""
        with urlopen(self.url + LISTS) as answer:  # noqa: S310 - it is our own
            return dict(json.load(answer))

    def forget(self) -> None:
        """Take back every order, and what was seen so far."""
        with urlopen(Request(self.url + SEEN, method="DELETE")) as answer:  # noqa: S310 - it is our own
            assert answer.status == 200

    def mails(self) -> list[dict[str, Any]]:
        return accepted(self.records)

    def ids(self) -> Counter[str]:
        """How often each of our message ids was accepted."""
        return Counter(mail["custom_args"]["aftersale_message"] for mail in self.mails())


@contextmanager
def fake_sendgrid(records: Path, *options: str) -> Iterator[Hand]:
    """One of its own, as a process."""
    command = [sys.executable, "-m", "tests.fake_sendgrid", "--records", str(records), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield Hand(process.stdout.readline().strip(), records)
        finally:
            process.kill()
