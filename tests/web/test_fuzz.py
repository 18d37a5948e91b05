"""Every operation of the OpenAPI document, asked with what it tells, with what it does not, and with bytes.

`make fuzz` asks more often. Half of the requests come from somebody who knows every secret.
"""

import gzip
import json
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select

from engine.app.hearing import take_up
from engine.app.project import Project
from engine.app.running import run_once
from engine.clock import VirtualClock
from engine.facts.receiving.sources import HOOKS
from engine.links import Links, Purpose
from engine.store.tables import inbound, messages
from engine.web.openapi.document import document
from engine.web.server import Server
from tests.conftest import NOW
from tests.daemon.conftest import make_shop
from tests.receiving.test_webhooks import SECRET, signed
from tests.web.hook import Signer

URL = "https://mail.loaf.example"
UNKNOWN = "17e2a6be-2882-5cd4-acc4-829f4a16fe5d"
TIMES = os.environ.get("AFTERSALE_TEST_FUZZ")
SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS: list[APIOperation[Any, Any, Any, Any]] = [found.ok() for found in SCHEMA.get_all_operations()]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ODD: dict[str, Any] = {
    "id": "\ud800",
    "messageId": "\ud800\0",
    "userId": 10**400,
    "sentAt": "9999-12-31T23:59:59-23:59",
}
JUNK = st.binary(max_size=100) | st.sampled_from([
    *(b"", b"null", b"NaN", b"\0", b"\xef\xbb\xbf{}", b"9" * 5_000, b"[" * 100_000, b'{"batch":' * 100_000, b"&" * 1_000),
    json.dumps(ODD).encode(),
    json.dumps([ODD]).encode(),
    json.dumps({"batch": [ODD, {**ODD, "type": "identify"}], "context": {"traits": ODD}, "writeKey": ODD}).encode(),
    gzip.compress(json.dumps(ODD).encode(), mtime=0),
    gzip.compress(b" " * 2_000_000, mtime=0),
    urlencode({"topic": "\0\ud800".encode(errors="surrogatepass"), "webhook_id": "1\n", "sale_id": "\0"}).encode(),
])  # fmt: skip
GZIP = b"\x1f\x8b"
BY_KIND = {
    "right": GenerationMode.POSITIVE,
    "wrong": GenerationMode.NEGATIVE,
    "bytes": GenerationMode.POSITIVE,
}


@dataclass
class Site:
    """A shop that has mailed and lets everybody in, its web server, and who knows all of its secrets."""

    project: Project
    address: str
    signer: Signer
    session: requests.Session
    mails: list[str] = field(default_factory=list)

    def believed(self, path: str, request: requests.PreparedRequest, mail: str) -> None:
        """Let the request be one that is let in."""
        body = body_of(request)
        first, name, *_ = [*path.strip("/").split("/"), ""]
        if first == "v1":
            request.headers["Authorization"] = f"Basic {b64encode(f'{SECRET}:'.encode()).decode()}"
        elif name == "sendgrid":
            request.headers.update(self.signer.sign(body, NOW))
        elif name in HOOKS:
            topic = next((said for name, said in request.headers.items() if name.endswith("-Topic")), "")
            path, headers = signed(name, body, topic)
            request.headers.update(headers)
            self._go_to(request, path)
        elif first in list(Purpose):
            token = Links(URL, SECRET).token(Purpose(first), mail)
            self._go_to(request, path.replace("{token}", token))

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        return self.session.send(request, allow_redirects=False, timeout=10)

    def _go_to(self, request: requests.PreparedRequest, path: str) -> None:
        request.url = urlunsplit(urlsplit(request.url or "")._replace(path=path))


DATABASES = ["sqlite", *([pytest.param("postgres", marks=pytest.mark.postgres)] if TIMES else [])]


@pytest.fixture(scope="module", params=DATABASES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, signer = tmp_path_factory.mktemp("site") / "shop", Signer()
    names = ["signing", "write_key", *(hook.secret for hook in HOOKS.values())]
    said = {f"SECRETS__{name.upper()}": SECRET for name in names}
    said |= {"WEB__PORT": "0", "WEB__URL": URL, "SENDGRID__WEBHOOK_KEY": signer.key}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AFTERSALE_TEST_FUZZ", raising=False)  # no setting
        for name, value in said.items():
            patch.setenv(f"AFTERSALE_{name}", value)
        if request.param == "postgres":
            patch.setenv("AFTERSALE_DATABASE", request.getfixturevalue("new_postgres")())
        make_shop(folder, customers=60)
        with closing(Project(folder, VirtualClock(NOW))) as project, requests.Session() as session:
            session.trust_env = False
            run_once(project, NOW, lambda _: None)
            server = Server(project)
            server.start()
            with project.store.reading() as connection:
                mails = list(
                    connection.scalars(select(messages.c.message_id).where(messages.c.status == "accepted"))
                )
            yield Site(project, server.address, signer, session, [*sorted(mails), UNKNOWN])
            server.stop()
            holds_up_nothing(project)


def holds_up_nothing(project: Project) -> None:
    """All that was let in can be looked at, whatever it is."""
    take_up(project, NOW)
    with project.store.reading() as connection:
        told = connection.execute(select(inbound.c.outcome, inbound.c.error)).all()
    assert None not in {outcome for outcome, _ in told}
    assert not {error for _, error in told if (error or "").startswith("it cannot")}


def takes_anything(operation: APIOperation[Any, Any, Any, Any]) -> bool:
    """Whether no body of it could be wrong: it takes none, or what is signed is let in whatever it says."""
    return all({} in body.definition.get("schema", {}).get("anyOf", []) for body in operation.body)


def kinds() -> Iterator[Any]:
    for operation in OPERATIONS:
        yield pytest.param(operation, "right", id=f"{operation.label} right")
        if not takes_anything(operation):
            yield pytest.param(operation, "wrong", id=f"{operation.label} wrong")
        if list(operation.body):
            yield pytest.param(operation, "bytes", id=f"{operation.label} bytes")


def asked(case: Case, site: Site, junk: bytes | None) -> requests.PreparedRequest:
    """The request; where it says that its body is packed, it is."""
    request = requests.Request(**case.as_transport_kwargs(base_url=site.address)).prepare()
    if junk is not None:
        with_body(request, junk)
        request.headers.update({"Content-Encoding": "gzip"} if junk.startswith(GZIP) else {})
    elif request.headers.get("Content-Encoding", "").strip().lower() == "gzip":
        with_body(request, gzip.compress(body_of(request), mtime=0))
    return request


def body_of(request: requests.PreparedRequest) -> bytes:
    return request.body if isinstance(request.body, bytes) else (request.body or "").encode()


def with_body(request: requests.PreparedRequest, body: bytes) -> None:
    request.body = body
    request.headers["Content-Length"] = str(len(body))


@pytest.mark.parametrize(("operation", "kind"), list(kinds()))
@given(data=st.data())
@settings(
    max_examples=int(TIMES or 5),
    derandomize=TIMES is None,
    database=None,
    phases=[Phase.generate, *([Phase.shrink] if TIMES else [])],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_the_answer_is_one_that_is_told(
    site: Site, operation: APIOperation[Any, Any, Any, Any], kind: str, data: st.DataObject
) -> None:
    told = {"body": {}, "media_type": operation.body[0].media_type} if kind == "bytes" else {}
    case = data.draw(operation.as_strategy(BY_KIND[kind], **told))
    request = asked(case, site, data.draw(JUNK) if kind == "bytes" else None)
    believed = data.draw(st.booleans())
    if believed:
        site.believed(operation.path, request, data.draw(st.sampled_from(site.mails)))
    answer = site.send(request)
    case.validate_response(answer, checks=CHECKS)
    if believed and kind == "right" and not operation.path.startswith(("/u/", "/m/")):
        assert answer.status_code == 200, (request.headers, request.body)


def test_any_other_method_is_not_allowed(site: Site) -> None:
    told: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        told.setdefault(operation.path, set()).add(operation.method.upper())
    for path, methods in told.items():
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods:
            asked_so = requests.Request(method, f"{site.address}{path.replace('{', '').replace('}', '')}")
            assert site.send(asked_so.prepare()).status_code == 405, (method, path)
