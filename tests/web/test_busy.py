"""While somebody else holds the database: what is told is acknowledged all the same, and pages are answered."""

import errno
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from engine.app.hearing import drain
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.errors import StoreUnreachable
from engine.settings.delivery import SendGrid
from engine.settings.model import Settings
from engine.settings.secrets import Secrets
from engine.settings.web import Web
from engine.store.tables import inbound
from engine.web import drainer
from engine.web.routes import events
from engine.web.server import Server
from tests.conftest import NOW
from tests.receiving.test_segment import BASIC, KEY
from tests.web.door import Door
from tests.web.hook import Signer, written

SIGNER = Signer()
EVENT = written({"email": "ann@example.com", "event": "open", "timestamp": 1773133000, "sg_event_id": "e1"})
STATEMENT = b'{"id": "e1", "actor": {}, "verb": {}, "object": {}}'
TOLD = [
    ("/webhooks/sendgrid", EVENT, SIGNER.sign(EVENT, NOW)),
    ("/v1/track", b'{"messageId": "e1"}', BASIC),
    ("/v1/xapi/statements", STATEMENT, BASIC),
    (f"/webhooks/gumroad/{KEY}", b"sale_id=e1", {}),
]
MANY = 50  # more than the threads that pages have


@contextmanager
def held(project: Project) -> Iterator[None]:
    """Another writer has the database."""
    with closing(sqlite3.connect(str(project.store.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    secrets = Secrets(write_key=KEY, gumroad_webhook=KEY)
    opened = Door(
        tmp_path, Settings(web=Web(port=0), sendgrid=SendGrid(webhook_key=SIGNER.key), secrets=secrets)
    )
    yield opened
    opened.close()


def connection(server: Server) -> HTTPConnection:
    return HTTPConnection(urlsplit(server.address).netloc, timeout=60)


def ask(server: Server, method: str, path: str, body: Any = None, headers: Any = None) -> int:
    with closing(connection(server)) as asked:
        asked.request(method, path, body, headers or {})
        return asked.getresponse().status


@pytest.mark.parametrize(("path", "body", "headers"), TOLD)
def test_what_is_told_meanwhile_is_acknowledged_and_there_afterwards(
    door: Door, path: str, body: bytes, headers: dict[str, str]
) -> None:
    with held(door.project):
        for _ in range(2):
            assert ask(door.server, "POST", path, body, headers) == 200
        assert ask(door.server, "GET", "/health") == 200
        with door.project.store.reading() as looked:
            assert not looked.execute(select(inbound)).all()
    with door.reading() as looked:
        assert len(looked.execute(select(inbound)).all()) == 1


@pytest.mark.parametrize(("path", "body", "headers"), TOLD)
def test_what_cannot_be_spooled_is_not_acknowledged(
    door: Door, path: str, body: bytes, headers: dict[str, str]
) -> None:
    (door.project.folder / ".aftersale").write_text("a file where the folder should be")
    assert ask(door.server, "POST", path, body, headers) == 503


def test_why_it_cannot_be_spooled_is_told_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    told: list[Any] = []
    monkeypatch.setattr(drainer.LOGGER, "warning", lambda event, extra: told.append((event, extra)))
    thread = drainer.Drainer(door.project)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", is_full)
        for _ in range(2):
            assert ask(door.server, "POST", "/v1/track", b'{"messageId": "e1"}', BASIC) == 503
            thread._drain(None)
    [(event, values)] = told
    assert event == "spool waits"
    assert "cannot be written: No space left on device" in values["event_values"]["error"]
    assert ask(door.server, "POST", "/v1/track", b'{"messageId": "e1"}', BASIC) == 200
    assert not door.project.spool.trouble


def test_a_server_alone_brings_it_in_at_its_end_at_the_latest(tmp_path: Path) -> None:
    project = Project(tmp_path, VirtualClock(NOW), Settings(web=Web(port=0), secrets=Secrets(write_key=KEY)))
    server = Server(project)
    server.start()
    assert ask(server, "POST", "/v1/track", b'{"messageId": "m1"}', BASIC) == 200
    server.stop()
    with project.store.reading() as looked:
        assert looked.scalars(select(inbound.c.event_id)).all() == ["m1"]
    assert project.spool.events.files() == []
    project.close()


def test_what_is_told_to_a_database_that_is_gone_waits_until_it_is_back(door: Door) -> None:
    state = door.project.folder / ".aftersale"
    state.mkdir()
    (state / "generation.json").write_text('{"database": "ours", "place": "here", "number": 3}')
    assert ask(door.server, "POST", "/v1/track", b'{"messageId": "m1"}', BASIC) == 200
    with pytest.raises(StoreUnreachable, match="is gone"):
        drain(door.project)
    assert not (door.project.folder / "aftersale.db").exists(), "none is made in its place"
    assert len(door.project.spool.events.look()) == 1


def test_what_stands_against_it_is_told_once(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(drainer.LOGGER, "warning", lambda event, extra: told.append((event, extra)))
    monkeypatch.setattr(door.project.store, "_busy", 10)
    thread = drainer.Drainer(door.project)
    assert ask(door.server, "POST", "/v1/track", b'{"messageId": "m1"}', BASIC) == 200
    with held(door.project):
        for _ in range(2):
            thread._drain(None)
    [file] = door.project.spool.events.files()
    file.write_bytes(file.read_bytes() + b"torn")
    thread._drain(None)
    assert [event for event, _ in told] == ["spool waits", "torn lines dropped"]
    assert "held by another process" in told[0][1]["event_values"]["error"]


def test_a_crowd_that_tells_something_keeps_nobody_from_a_page(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()
    monkeypatch.setattr(events, "take_in_facts", lambda *_: go_on.wait(60))
    crowd = [connection(door.server) for _ in range(MANY)]
    for each in crowd:
        each.request("POST", "/v1/track", json.dumps({"messageId": "m"}), BASIC)
    assert ask(door.server, "GET", "/health") == 200
    go_on.set()
    assert {each.getresponse().status for each in crowd} == {200}
    for each in crowd:
        each.close()
