"""What it tells of the mails it accepted, by signed webhook: doubled, in any order, and some of it never."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from tests.web.hook import Signer, post, written

KINDS = ("processed", "delivered", "open", "click")
SILENT, LOST, DOUBLED, BOUNCED, FORGED = 0.1, 0.1, 0.2, 0.01, 0.02
MOST, TIMEOUT = 200, 3.0


def event(mail: dict[str, Any], kind: str, at: datetime, **more: Any) -> dict[str, Any]:
    """One event of an accepted mail, as it is told: its custom_args stand beside everything else."""
    named = f"{mail['custom_args']['aftersale_message']}-{kind}"
    told = {"email": mail["to"], "event": kind, "timestamp": int(at.timestamp()), "sg_event_id": named}
    return {**told, "sg_message_id": f"{mail['x_message_id']}.filter", **mail["custom_args"], **more}


class Teller:
    """Tells the addresses, each time any one of them, in a thread of its own.

    What is not taken is told again, as by the real one. `told` are the ids of mails of which something was
    taken; `forged` counts what was let in without a signature.
    """

    def __init__(
        self, records: Path, addresses: Sequence[str], clock: Callable[[], datetime], seed: str
    ) -> None:
        self.signer = Signer()
        self.told: set[str] = set()
        self.forged = 0
        self.did: Counter[str] = Counter()
        self._records, self._addresses, self._clock = records, addresses, clock
        self._chance = random.Random(seed)
        self._pool: list[dict[str, Any]] = []
        self._read = 0
        self._turn, self._over = Lock(), Event()
        self._thread = Thread(target=self._go_on, name="teller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def finished(self) -> bool:
        """Tell some more; whether nothing is left to tell."""
        with self._turn:
            self._look()
            return not self._pool

    def _go_on(self) -> None:
        while not self._over.wait(0.1):
            with self._turn:
                self._look()
                self._tell()

    def _look(self) -> None:
        with self._records.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # it is being written
                self._read += len(line)
                if self._chance.random() >= SILENT:
                    self._pool += self._of(json.loads(line))

    def _of(self, mail: dict[str, Any]) -> list[dict[str, Any]]:
        kinds = KINDS[: self._chance.randint(1, len(KINDS))]
        events = [event(mail, kind, self._clock()) for kind in kinds if self._chance.random() >= LOST]
        if self._chance.random() < BOUNCED:
            events.append(event(mail, "bounce", self._clock(), status="5.1.1", reason="550 5.1.1 unknown"))
        return events + [one for one in events if self._chance.random() < DOUBLED]

    def _tell(self) -> None:
        self._chance.shuffle(self._pool)
        batch, rest = self._pool[:MOST], self._pool[MOST:]
        if batch and self._taken(batch):
            self._pool = rest

    def _taken(self, batch: list[dict[str, Any]]) -> bool:
        body, address = written(*batch), self._chance.choice(self._addresses)
        forged = self._chance.random() < FORGED
        signer = Signer() if forged else self.signer
        try:
            status, _ = post(address, body, signer.sign(body, self._clock()), TIMEOUT)
        except (OSError, HTTPException, ValueError):  # nobody is there, or it died meanwhile
            self.did["events told to nobody"] += len(batch)
            return False
        taken = status == 200
        self.did[f"events {'forged' if forged else 'told'}, answered with {status}"] += len(batch)
        self.forged += forged and taken
        self.told |= {one["aftersale_message"] for one in batch} if taken else set()
        return taken
