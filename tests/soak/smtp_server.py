"""A mail server that fails at random: `python -m tests.soak.smtp_server --records FILE --seed N`.

It says its port once it listens, writes down what it has taken, and fails no more after SIGUSR1.
"""

import argparse
import asyncio
import random
import signal
import sys
from email import message_from_bytes
from pathlib import Path
from typing import Any

from tests.delivery.mail_server import HANG_UP, HANG_UP_AFTER, MailServer
from tests.fake_sendgrid.records import Records

OFTEN = 0.04
HANG, HANG_AFTER = "hang", "hang afterwards"
TROUBLE = (
    ("MAIL", HANG_UP), ("MAIL", "421 4.3.2 going down"), ("RCPT", "450 4.2.0 not now"), ("RCPT", HANG_UP),
    ("DATA", HANG_UP), ("DATA", HANG_UP_AFTER), (".", HANG_UP), (".", HANG_UP_AFTER), (".", HANG_UP_AFTER),
    (".", "451 4.3.0 not now"), (".", "554 5.7.1 no"), (".", HANG), (".", HANG_AFTER),
)  # fmt: skip


class Moody(MailServer):
    """At any mail it may go wrong at one of its words."""

    def __init__(self, records: Path, seed: str) -> None:
        self.records, self.chance, self.moody = Records(records), random.Random(seed), True
        super().__init__()
        self.only_once = True

    def trouble_at(self, word: str) -> str | None:
        if word == "MAIL":
            fails = self.moody and self.chance.random() < OFTEN
            self.trouble = dict([self.chance.choice(TROUBLE)]) if fails else {}
        return super().trouble_at(word)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        trouble, taken = self.trouble.get("."), len(self.taken)
        if trouble == HANG:
            await asyncio.sleep(3600)
        if trouble == HANG_AFTER:
            self.trouble = {}
        said = await super().handle_DATA(server, session, envelope)
        if len(self.taken) > taken:
            named = message_from_bytes(envelope.content)["Message-ID"]
            self.records.keep([{"message_id": named.strip("<>").partition("@")[0]}])
        if trouble == HANG_AFTER:
            await asyncio.sleep(3600)
        return said

    def calm_down(self, *_: Any) -> None:
        self.moody = False


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=Path, required=True)
    options.add_argument("--seed", default="1")
    chosen = options.parse_args()
    server = Moody(chosen.records, chosen.seed)
    signal.signal(signal.SIGUSR1, server.calm_down)
    server.start()
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
