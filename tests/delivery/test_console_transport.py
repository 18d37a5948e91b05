"""The console transport, and the menu."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.delivery.transports import TRANSPORTS
from engine.delivery.transports.base import Trace
from engine.delivery.transports.console import ConsoleTransport
from engine.errors import TransportError, UnknownName
from engine.rendering.mail import MailOrder
from tests.delivery.post_office import NOW, address, key, mail_for, settings

MAIL = mail_for(MailOrder(key(1), NOW))


@pytest.fixture
def console(tmp_path: Path) -> ConsoleTransport:
    return ConsoleTransport(settings(), tmp_path)


def test_a_mail_is_printed_in_a_few_lines(
    console: ConsoleTransport, capsys: pytest.CaptureFixture[str]
) -> None:
    console.send(replace(MAIL, text="\n".join(f"line {n}" for n in range(1, 21))))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:5] == [f"To:      Customer 1 <{address(1)}>", f"Subject: {MAIL.subject}", "", "line 1"]
    assert lines[-2:] == ["line 12", "… 8 more lines"]


def test_nobody_steers_the_terminal(console: ConsoleTransport, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]0;owned\x07\r\x9b31m"
    console.send(replace(MAIL, to_name=evil, subject=evil, text=f"hello {evil}"))
    assert not {letter for letter in capsys.readouterr().out if not letter.isprintable()} - {"\n"}


def test_what_was_printed_cannot_be_looked_up(console: ConsoleTransport) -> None:
    assert console.look_up(MAIL.message_id, NOW) is Trace.CANNOT_TELL
    assert not console.exactly_once


def test_a_closed_pipe_is_told_in_words(console: ConsoleTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def write(self, _: str) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(TransportError, match="Broken pipe"):
        console.send(MAIL)


@pytest.mark.parametrize("name", list(TRANSPORTS))
def test_every_transport_on_the_menu_knows_its_name(name: str, tmp_path: Path) -> None:
    transport = TRANSPORTS.choose(name)(settings(), tmp_path)
    assert transport.name == name
    transport.flush()
    transport.close()
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_transport_is_named() -> None:
    with pytest.raises(UnknownName, match="did you mean 'folder'"):
        TRANSPORTS.choose("foldr")
