"""A process that sends by SMTP, and may kill itself before the n-th time it writes to the server."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

from engine.delivery.transports.smtp import SmtpTransport
from engine.settings.delivery import Smtp
from engine.settings.model import Settings
from engine.store.connect import Store
from tests.delivery.post_office import run

BATCH = 3
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.delivery.smtp_sender"])


def started(store: Store, port: int, deadly: int = 0) -> Any:
    """The process, at work."""
    url = store.engine.url.render_as_string(hide_password=False)
    process = _PROCESSES.Process(target=_work, args=(url, port, deadly))
    process.start()
    return process


def _work(url: str, port: int, deadly: int) -> None:
    for name in [name for name in os.environ if name.startswith("AFTERSALE_")]:
        del os.environ[name]  # those of the test that began the server
    left = deadly

    def die_in_time(event: str, _: Any) -> None:
        nonlocal left
        if event == "smtplib.send":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    if deadly:
        sys.addaudithook(die_in_time)
    store = Store(url)
    way = SmtpTransport(Settings(smtp=Smtp(host="127.0.0.1", port=port, tls="none")), Path())
    run(store, way, owner=f"process {os.getpid()}", batch=BATCH)
    store.close()
