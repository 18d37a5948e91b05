"""The server: alone, in the daemon, and where it cannot be."""

import json
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine.app.project import Project
from engine.clock import VirtualClock
from engine.errors import SettingsError, WebError
from engine.settings.load import load_settings
from engine.web.server import Server
from tests.conftest import NOW
from tests.daemon.process import daemon
from tests.stories.conftest import Aftersale


def health(address: str) -> tuple[int, dict[str, str]]:
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=60)) as connection:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture
def shop(aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("AFTERSALE_WEB__PORT", "0")
    assert aftersale("init", tmp_path / "shop").code == 0
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def test_the_server_says_that_it_is_well(shop: Path) -> None:
    project = Project(shop, VirtualClock(NOW))
    server = Server(project)
    server.start()
    try:
        assert health(server.address) == (200, {"status": "ok"})
    finally:
        server.stop()
        project.close()


def test_a_taken_port_is_told(shop: Path, monkeypatch: pytest.MonkeyPatch, aftersale: Aftersale) -> None:
    project = Project(shop, VirtualClock(NOW))
    first = Server(project)
    monkeypatch.setenv("AFTERSALE_WEB__PORT", str(urlsplit(first.address).port))
    with pytest.raises(WebError, match=r"nobody can listen at 127\.0\.0\.1, port"):
        Server(Project(shop, VirtualClock(NOW)))
    said = aftersale("serve")
    assert (said.code, "is a server running there already?" in said.err) == (18, True)
    first.close()
    project.close()


def test_a_daemon_answers_where_it_can_be_reached_from_the_internet(
    small_shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_WEB__PORT", "0")
    monkeypatch.setenv("AFTERSALE_WEB__URL", "https://mail.loaf.example/")
    monkeypatch.setenv("AFTERSALE_SECRETS__SIGNING", "a long text that nobody guesses")
    with daemon(small_shop) as one:
        assert health(one.wait_for("listening")["address"]) == (200, {"status": "ok"})
        assert one.stop() == 0


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("secrets: {signing: abc}", "secrets do not belong in a file"),
        ("web: {url: 'http://mail.loaf.example'}", "write it as https://mail.shop.example"),
        ("web: {url: mail.loaf.example}", "write it as https://mail.shop.example"),
        ("web: {url: 'https://mail.loaf.example/?a=1'}", "must end with its path"),
        ("web: {port: 70000}", "less than or equal to 65535"),
    ],
)
def test_mistakes_in_settings(tmp_path: Path, file: str, message: str) -> None:
    (tmp_path / "config.yaml").write_text(file)
    with pytest.raises(SettingsError, match=message):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://post.straße.example", "https://post.xn--strae-oqa.example"),
        ("https://bücher.example:8443/für/", "https://xn--bcher-kva.example:8443/f%C3%BCr"),
        ("https://mail.loaf.example/a%20b", "https://mail.loaf.example/a%20b"),
    ],
)
def test_an_international_address_is_one_that_headers_can_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("AFTERSALE_SECRETS__SIGNING", "s" * 40)
    (tmp_path / "config.yaml").write_text(f"web: {{url: '{url}'}}\n", encoding="utf-8")
    assert load_settings(tmp_path).web.url == said


def test_a_secret_comes_from_the_environment_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_SECRETS__SIGNING", "a long text that nobody guesses")
    (tmp_path / "config.yaml").write_text("{}")
    settings = load_settings(tmp_path)
    assert settings.secrets.signing is not None
    assert settings.secrets.signing.get_secret_value() == "a long text that nobody guesses"
    assert "nobody guesses" not in repr(settings) + str(settings) + str(settings.model_dump())
