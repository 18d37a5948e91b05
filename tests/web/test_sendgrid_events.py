"""POST /webhooks/sendgrid: what is signed is kept, to the last word and once; nothing else gets in."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from engine.app.doctoring import examine
from engine.app.hearing import drain
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.delivery.receivers.signature import Verifier
from engine.errors import SettingsError, StoreLocked
from engine.settings.delivery import SendGrid
from engine.settings.load import load_settings
from engine.settings.model import Settings
from engine.settings.web import Web
from engine.store.tables import inbound
from engine.web.routes import sendgrid_events
from engine.web.server import Server
from tests.conftest import NOW
from tests.web.door import Door as AnyDoor
from tests.web.hook import MOMENT, SIGNATURE, Signer, post, written

SIGNER = Signer()
HOUR = timedelta(hours=1)
EVENT = {"email": "ann@example.com", "event": "delivered", "timestamp": 1773133000, "sg_event_id": "e1"}


class Door(AnyDoor):
    """A server with the route, and what it let in."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Settings(web=Web(port=0), sendgrid=SendGrid(webhook_key=SIGNER.key)))

    def post(self, body: Any, headers: Any) -> tuple[int, Any]:
        return post(self.server.address, body, headers)

    def kept(self) -> dict[str, Any]:
        with self.reading() as connection:
            rows = connection.execute(select(inbound.c.event_id, inbound.c.body))
            return {row.event_id: json.loads(row.body) for row in rows}

    def clear(self) -> None:
        drain(self.project)
        with self.project.store.writing() as connection:
            connection.execute(delete(inbound))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("door"))
    yield door
    door.close()


@pytest.fixture
def door(opened: Door) -> Door:
    opened.clear()
    return opened


def test_what_is_signed_is_kept_once(door: Door) -> None:
    body = written(EVENT, {**EVENT, "sg_event_id": "e2"})
    for _ in range(2):
        assert door.post(body, SIGNER.sign(body, NOW)) == (200, {"kept": 2})
    assert door.kept() == {"e1": EVENT, "e2": {**EVENT, "sg_event_id": "e2"}}


def test_real_payloads_come_in(door: Door, real_data: Path) -> None:
    body = (real_data / "payloads/sendgrid/event_01.json").read_bytes()
    assert door.post(body, SIGNER.sign(body, NOW)) == (200, {"kept": 11})


@pytest.fixture(scope="module")
def published(real_data: Path) -> dict[str, Any]:
    return dict(json.loads((real_data / "payloads/sendgrid/signature_vectors.json").read_text()))


def test_the_published_signature_counts_and_its_forgeries_do_not(published: dict[str, Any]) -> None:
    then = datetime.fromtimestamp(int(published["timestamp"]), UTC)
    assert len(published["cases"]) == 5
    for case in published["cases"]:
        said = published | case
        verifier = Verifier(said["public_key"])
        accepted = verifier.accepts(said["payload"].encode(), said["signature"], said["timestamp"], then)
        assert accepted is case["expect"], case["name"]


@pytest.mark.parametrize(
    ("age", "status"),
    [
        (timedelta(0), 200),
        (25 * HOUR, 200),
        (25 * HOUR + timedelta(seconds=1), 401),
        (timedelta(minutes=-10), 200),
        (timedelta(minutes=-10, seconds=-1), 401),
    ],
)
def test_what_is_signed_too_long_ago_or_too_early_is_refused(door: Door, age: timedelta, status: int) -> None:
    body = written(EVENT)
    assert door.post(body, SIGNER.sign(body, NOW - age))[0] == status
    assert bool(door.kept()) is (status == 200)


BODY = written(EVENT)
SIGNED = SIGNER.sign(BODY, NOW)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY, {SIGNATURE: SIGNED[SIGNATURE]}),
        (BODY, {MOMENT: SIGNED[MOMENT]}),
        (BODY, {**SIGNED, SIGNATURE: ""}),
        (BODY, {**SIGNED, SIGNATURE: "AAAA"}),
        (BODY, {**SIGNED, SIGNATURE: "no base64!"}),
        (BODY, {**SIGNED, SIGNATURE: "A"}),
        (BODY, {**SIGNED, MOMENT: "0"}),
        (BODY, {**SIGNED, MOMENT: "yesterday"}),
        (BODY, {**SIGNED, MOMENT: "9" * 400}),
        (BODY, {**SIGNED, MOMENT: f" {SIGNED[MOMENT]}0"}),
        (BODY, {**SIGNED, MOMENT: "\u00b2\u00b3"}),
        (BODY, Signer().sign(BODY, NOW)),
        (BODY.strip(), SIGNED),
        (BODY.replace(b"e1", b"e2"), SIGNED),
        (b"\xff\xfe", SIGNER.sign(b"\xff\xfe", NOW)),
        (b"", SIGNED),
    ],
)
def test_forgeries_are_refused(door: Door, body: bytes, headers: dict[str, str]) -> None:
    assert door.post(body, headers) == (401, {"error": "the signature is missing, wrong or too old"})
    assert door.kept() == {}


@given(
    body=st.one_of(st.binary(max_size=300), st.just(BODY)),
    signature=st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=120),
        st.integers(0, len(SIGNED[SIGNATURE]) - 1).map(
            lambda n: SIGNED[SIGNATURE][:n] + "x" + SIGNED[SIGNATURE][n + 1 :]
        ),
    ).filter(lambda text: text.strip() != SIGNED[SIGNATURE]),
    moment=st.one_of(st.just(SIGNED[MOMENT]), st.text("0123456789+-. ²", max_size=20)),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_lets_nothing_in(opened: Door, body: bytes, signature: str, moment: str) -> None:
    opened.clear()
    headers = {SIGNATURE: signature.encode("latin-1"), MOMENT: moment.encode("latin-1")}
    assert opened.post(body, headers)[0] == 401
    assert opened.kept() == {}


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"null",
            b"{}",
            b"[]",
            b'"text"',
            b"[1, null, {}]",
            b"not json",
            b"[" * 100_000,
            b"[NaN, 1e999]",
        ),
        *(b'[{"sg_event_id": 7}]', b'[{"sg_event_id": "\\u0000"}]', b'[{"sg_event_id": "\\ud800"}]'),
        b"1" * 5_000,
        "\0\ufffe\u202e".encode(),
    ],
)
def test_whatever_is_signed_is_kept_for_a_look(door: Door, body: bytes) -> None:
    status, said = door.post(body, SIGNER.sign(body, NOW))
    assert (status, said["kept"]) == (200, len(door.kept()))
    assert said["kept"] == (
        0 if body == b"[]" else 3 if body == b"[1, null, {}]" else 2 if b"NaN" in body else 1
    )


def test_an_event_without_an_id_gets_one_that_follows_from_it(door: Door) -> None:
    nameless = {"event": "account_status_change", "type": "compliance"}
    body = written(nameless, {**nameless, "sg_event_id": "x" * 101})
    for _ in range(2):
        door.post(body, SIGNER.sign(body, NOW))
    assert len(door.kept()) == 2
    assert all(event_id.startswith("sha256:") for event_id in door.kept())


def test_what_is_too_large_is_not_even_read(door: Door) -> None:
    large = b"x" * (sendgrid_events.LARGEST + 1)
    assert door.post(large, SIGNER.sign(large, NOW))[0] == 413
    assert door.post(iter([large[:-1], b"x"]), SIGNED)[0] == 413  # in chunks, without a length
    connection = HTTPConnection(urlsplit(door.server.address).netloc, timeout=60)
    connection.request("POST", "/webhooks/sendgrid", b"", {"Content-Length": str(10**15)})
    assert connection.getresponse().status == 413
    connection.close()
    assert door.kept() == {}


def test_only_a_post_is_answered(door: Door) -> None:
    connection = HTTPConnection(urlsplit(door.server.address).netloc, timeout=60)
    connection.request("GET", "/webhooks/sendgrid")
    assert connection.getresponse().status == 405
    connection.close()


@pytest.mark.parametrize(("error", "status"), [(StoreLocked("held"), 503), (RuntimeError("secret"), 500)])
def test_trouble_of_ours_is_told_again_and_tells_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fails(*_: Any) -> int:
        raise error

    monkeypatch.setattr(sendgrid_events, "take_in", fails)
    assert door.post(BODY, SIGNED) == (status, {"error": "not now"})


def test_without_a_key_nothing_comes_in(tmp_path: Path) -> None:
    project = Project(tmp_path, VirtualClock(NOW), Settings(web=Web(port=0)))
    server = Server(project)
    server.start()
    try:
        assert post(server.address, BODY, SIGNED) == (503, {"error": "sendgrid.webhook_key is not set"})
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("web", "key", "said"),
    [
        ("https://mail.loaf.example", "", "what SendGrid tells is refused: sendgrid.webhook_key is not set"),
        (
            "https://mail.loaf.example",
            SIGNER.key,
            "what SendGrid tells is taken in at https://mail.loaf.example/webhooks/sendgrid",
        ),
        ("", SIGNER.key, "what SendGrid tells is taken in by `aftersale serve` alone: web.url is empty"),
        ("", "", None),
    ],
)
def test_doctor_tells_whether_anything_is_let_in(
    tmp_path: Path, web: str, key: str, said: str | None
) -> None:
    chosen = Settings(web=Web(url=web), sendgrid=SendGrid(webhook_key=key))
    found = [each.said for each in examine(Project(tmp_path, settings=chosen)) if each.about == "sendgrid"]
    assert found == ([said] if said else [])


def test_a_key_is_looked_at_when_settings_are_read(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"sendgrid:\n  webhook_key: |\n    {SIGNER.key[:64]}\n    {SIGNER.key[64:]}\n")
    assert load_settings(tmp_path).sendgrid.webhook_key == SIGNER.key
    for wrong in ("abc", SIGNER.key[:-8], "A" * len(SIGNER.key), "é"):
        config.write_text(f"sendgrid: {{webhook_key: {wrong!r}}}")
        with pytest.raises(SettingsError, match="this is no verification key"):
            load_settings(tmp_path)


def test_a_key_that_only_looks_like_one_is_told() -> None:
    with pytest.raises(SettingsError, match="this is no verification key"):
        Verifier(SIGNER.key[:36] + "A" * 88)
