"""One deliverer as a process of its own: `python -m tests.delivery.deliverer URL FOLDER OWNER [FREEZE]`.

It says each step aloud, so that whoever started it can choose a moment to kill it. With FREEZE it
stops itself at the first such step after its first batch was claimed, until somebody thaws it.
"""

import os
import signal
import sys
from pathlib import Path

from engine.store.connect import Store
from tests.delivery.fate import Fate, Mortal, MortalStore
from tests.delivery.post_office import PlainStudio, folder_transport, run

BATCH = 7


class Talkative(Fate):
    """Nothing is deadly here."""

    def __init__(self, freeze: str | None) -> None:
        super().__init__(None)
        self._freeze = freeze

    def step(self, name: str) -> None:
        super().step(name)
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
        if name == self._freeze and "before compose" in self.trail:
            self._freeze = None
            os.kill(os.getpid(), signal.SIGSTOP)


def main(url: str, folder: str, owner: str, freeze: str | None = None) -> None:
    fate = Talkative(freeze)
    store = MortalStore(Store(url), fate)
    transport = Mortal(folder_transport(Path(folder)), fate, "send", "flush", "look_up")
    run(store, transport, studio=Mortal(PlainStudio(), fate, "compose"), owner=owner, batch=BATCH)


if __name__ == "__main__":
    main(*sys.argv[1:])
