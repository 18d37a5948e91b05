"""The command line in a test: in a folder of its own, on a clock that stands still until moved."""

import itertools
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine import cli
from engine.app import importing
from engine.app.project import Project
from engine.cli import options
from engine.clock import VirtualClock
from engine.store.ids import IdFactory
from tests.fake_sendgrid.hand import Hand, fake_sendgrid
from tests.shops import TWO, lay_out, start


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Aftersale = Callable[..., Said]


@pytest.fixture
def aftersale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clock: VirtualClock, tmp_path: Path
) -> Aftersale:
    """Call a command as a person does: `aftersale("check", "--json")`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(options, "Project", lambda folder: Project(folder, clock))
    seeds = itertools.count()  # of customer ids: the same people are held out in every run
    monkeypatch.setattr(importing, "IdFactory", lambda: IdFactory(clock, seed=next(seeds)))

    def call(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["aftersale", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else int(code is not None), captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def whole_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled campaigns and 300 customers; made once, and never mailed: a test works on a copy."""
    shop = tmp_path_factory.mktemp("whole") / "shop"
    lay_out(shop, customers=300)
    return shop


@pytest.fixture(scope="session")
def shop_of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the campaigns and 100 customers, made once as well."""
    shop = tmp_path_factory.mktemp("of-two") / "shop"
    lay_out(shop, customers=100, only=TWO)
    return shop


@pytest.fixture
def enter(aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], Path]:
    """Copies a shop that was made before, and makes it the working folder."""

    def copied(made: Path) -> Path:
        copy = shutil.copytree(made, tmp_path / "shop")
        monkeypatch.chdir(copy)
        return copy

    return copied


@pytest.fixture
def shop(whole_shop: Path, enter: Callable[[Path], Path]) -> Path:
    """A project of the bundled campaigns with 300 customers' facts imported, and the working folder."""
    return enter(whole_shop)


@pytest.fixture
def light_shop(shop_of_two: Path, enter: Callable[[Path], Path]) -> Path:
    """The working folder with two campaigns and 100 customers, for what asks for no more."""
    return enter(shop_of_two)


@pytest.fixture
def sendgrid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """A fake SendGrid that runs; the shop of the test mails through it."""
    with fake_sendgrid(tmp_path / "records.jsonl") as fake:
        say(
            monkeypatch,
            DELIVERY__TRANSPORT="sendgrid",
            SECRETS__SENDGRID_KEY=fake.key,
            SENDGRID__HOST=fake.url,
        )
        yield fake


def say(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """Settings by the environment."""
    for name, value in settings.items():
        monkeypatch.setenv(f"AFTERSALE_{name}", value)


@pytest.fixture
def light_project(aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The working folder with two campaigns and no facts."""
    start(tmp_path / "shop", only=TWO)
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"
