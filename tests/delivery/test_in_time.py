"""A server that drips its answer, byte by byte, holds nobody for longer than the settings say."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path
from threading import Event, Thread

import pytest

from engine.delivery.transports.base import OutcomeUnknown
from engine.delivery.transports.smtp import SmtpTransport
from engine.errors import TransportError
from engine.rendering.mail import MailOrder
from engine.settings.delivery import Smtp
from engine.settings.model import Settings
from tests.delivery.post_office import NOW, key, mail_for
from tests.delivery.sendgrid_desk import close_all, letter, opened, settings

LONG = 5.0  # seconds; far more than is waited for, and far less than the drip would last
SOON = timedelta(milliseconds=300)


@contextmanager
def dripping(begin: bytes, drop: bytes) -> Iterator[int]:
    """Its port. It says how its answer begins, and then drop after drop for ever."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(LONG)

        def serve() -> None:
            with suppress(OSError):
                came, _ = listening.accept()
                with came:
                    for said in chain([begin], repeat(drop)):
                        came.sendall(said)
                        if over.wait(0.05):
                            return

        thread = Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"HTTP/1.1 202 Accepted\r\nX-Slow: ", b"a"),
        (b"HTTP/1.1 202 Accepted\r\n", b"X-Slow: a\r\n"),
        (b"HTTP", b"/"),
    ],
)
def test_an_answer_of_sendgrid_that_drips_is_given_up(begin: bytes, drop: bytes) -> None:
    with dripping(begin, drop) as port:
        way = opened(settings(f"http://127.0.0.1:{port}", timeout=SOON))
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            way.send(letter(1))
        assert time.monotonic() - began < LONG
        close_all()


@pytest.mark.parametrize(("begin", "drop"), [(b"220-hello\r\n", b"220-hello\r\n"), (b"220 hello", b"!")])
def test_an_answer_of_a_mail_server_that_drips_is_given_up(begin: bytes, drop: bytes) -> None:
    with dripping(begin, drop) as port:
        smtp = Smtp(host="127.0.0.1", port=port, tls="none", timeout="1s")
        with closing(SmtpTransport(Settings(smtp=smtp), Path())) as way:
            began = time.monotonic()
            with pytest.raises(TransportError, match="timed out"):
                way.send(mail_for(MailOrder(key(1), NOW)))
            assert time.monotonic() - began < LONG
