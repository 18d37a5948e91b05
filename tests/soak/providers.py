"""Those who take the mails, as processes, with what they do wrong at random."""

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tests.conftest import ROOT
from tests.fake_sendgrid.hand import Hand, fake_sendgrid
from tests.fake_sendgrid.records import accepted
from tests.fake_sendgrid.telling import Teller

Settings = Mapping[str, str]
BLAMED = json.dumps({"errors": [{"message": "no", "field": "personalizations.0.to.0.email", "help": None}]})
FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 429},
    {"status": 429, "headers": {"Retry-After": "1"}, "times": 2},
    {"status": 429, "headers": {"X-RateLimit-Reset": "1"}},
    {"status": 500},
    {"status": 502, "accept": True},
    {"status": 503, "times": 3},
    {"reset": True},
    {"reset": True, "accept": True},
    {"hang": True},
    {"hang": True, "accept": True},
    {"status": 413},
    {"status": 400, "body": BLAMED},
    {"status": 400, "body": '{"errors": [{"message": "no", "field": null}]}'},
    {"status": 401},
    {"status": 302, "headers": {"Location": "/elsewhere"}},
)


class Provider(Protocol):
    """Whoever takes the mails of a soak. `settings` are those of the shop that mails through it.

    `records` is the file of what was accepted, and `did` counts what it did.
    """

    settings: Settings
    records: Path
    did: Counter[str]

    def trouble(self, chance: random.Random) -> None: ...

    def mend(self) -> None:
        """From now on it does all as it should."""

    def ids(self) -> Counter[str]:
        """How often it accepted each mail, by our ids."""

    def told(self) -> set[str]:
        """The mails of which it told us something."""

    def nothing_to_tell(self) -> bool: ...

    def forged(self) -> int:
        """Events that were let in and should not have been."""


@dataclass
class SendGrid:
    """The fake, and what it tells by webhook."""

    hand: Hand
    teller: Teller
    settings: Settings

    @property
    def records(self) -> Path:
        return self.hand.records

    @property
    def did(self) -> Counter[str]:
        return self.teller.did

    def trouble(self, chance: random.Random) -> None:
        fault = chance.choice(FAULTS)
        self.hand.order(**{"after": chance.choice((0, 0, 1, 3))} | fault)
        self.did["faults"] += 1

    def mend(self) -> None:
        self.hand.forget()

    def ids(self) -> Counter[str]:
        return self.hand.ids()

    def told(self) -> set[str]:
        return set(self.teller.told)

    def nothing_to_tell(self) -> bool:
        return self.teller.finished()

    def forged(self) -> int:
        return self.teller.forged


@dataclass
class Smtp:
    """The mail server, which has its moods by itself and tells nothing."""

    process: subprocess.Popen[str]
    records: Path
    settings: Settings
    did: Counter[str] = field(default_factory=Counter)

    def trouble(self, chance: random.Random) -> None:
        pass

    def mend(self) -> None:
        self.process.send_signal(signal.SIGUSR1)

    def ids(self) -> Counter[str]:
        return Counter(mail["message_id"] for mail in accepted(self.records))

    def told(self) -> set[str]:
        return set()

    def nothing_to_tell(self) -> bool:
        return True

    def forged(self) -> int:
        return 0


@contextmanager
def sendgrid(
    folder: Path, addresses: list[str], clock: Callable[[], datetime], seed: str
) -> Iterator[Provider]:
    """It listens, and tells those addresses of what it has accepted."""
    records = folder / "accepted.jsonl"
    with fake_sendgrid(records) as hand:
        teller = Teller(records, addresses, clock, seed)
        settings = {
            "SECRETS__SENDGRID_KEY": hand.key,
            "SENDGRID__HOST": hand.url,
            "SENDGRID__TIMEOUT": "1s",
            "SENDGRID__CONNECT_TIMEOUT": "1s",
            "SENDGRID__WEBHOOK_KEY": teller.signer.key,
        }
        teller.start()
        try:
            yield SendGrid(hand, teller, settings)
        finally:
            teller.stop()


@contextmanager
def smtp(folder: Path, addresses: list[str], clock: Callable[[], datetime], seed: str) -> Iterator[Provider]:
    """It listens."""
    records = folder / "accepted.jsonl"
    command = [sys.executable, "-W", "ignore", "-m", "tests.soak.smtp_server"]
    words = [*command, "--records", str(records), "--seed", seed]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            settings = {
                "SMTP__HOST": "127.0.0.1",
                "SMTP__PORT": port,
                "SMTP__TLS": "none",
                "SMTP__TIMEOUT": "1s",
            }
            yield Smtp(process, records, settings)
        finally:
            with suppress(ProcessLookupError):
                process.kill()


PROVIDERS = {"sendgrid": sendgrid, "smtp": smtp}
