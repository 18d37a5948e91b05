"""The command line in a test: in a folder of its own, on a clock that stands still until moved."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine import cli
from engine.app.project import Project
from engine.cli import options
from engine.clock import VirtualClock
from engine.trials.demo_shop import FILES, write_demo_shop
from tests.conftest import NOW


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

    def call(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["aftersale", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else int(code is not None), captured.out, captured.err)

    return call


@pytest.fixture
def shop(aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project of the bundled campaigns with 300 customers' facts imported, and the working folder."""
    assert aftersale("init", "shop").code == 0
    monkeypatch.chdir(tmp_path / "shop")
    write_demo_shop(Path("data"), seed=3, customers=300, now=NOW)
    said = aftersale("import", *(f"data/{name}" for name in FILES))
    assert said.code == 0, said.err
    return tmp_path / "shop"
