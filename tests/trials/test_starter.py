"""`aftersale init`: a whole project from a checkout or from a wheel, never over somebody's files."""

import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.campaigns.load import load_files
from engine.errors import AlreadyThere, UsageError
from engine.settings.load import load_settings
from engine.trials import bundle
from engine.trials.demo_shop import FILES
from engine.trials.starter import copy_starter, next_steps

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def test_a_new_project_is_complete(tmp_path: Path) -> None:
    folder = tmp_path / "my" / "shop"
    made = {path.relative_to(folder).as_posix() for path in copy_starter(folder, now=NOW)}
    assert made >= {"config.yaml", ".gitignore", "campaigns/products.yaml", "campaigns/win-back.yaml"}
    assert made >= {"templates/_layout.html", "templates/win-back/focaccia.html", "examples/mapping.yaml"}
    assert made >= {f"examples/{name}" for name in FILES}
    assert all((folder / name).stat().st_size for name in made)


def test_a_new_project_is_sound(tmp_path: Path) -> None:
    copy_starter(tmp_path, now=NOW)
    assert load_settings(tmp_path).shop.name == "Slow Loaf"
    assert not load_files(tmp_path / "campaigns", Decimal("0.1")).problems


def test_the_settings_keep_their_comments(tmp_path: Path) -> None:
    copy_starter(tmp_path, now=NOW)
    example = bundle.bundled() / bundle.CONFIG_EXAMPLE
    assert (tmp_path / "config.yaml").read_bytes() == example.read_bytes()


@pytest.mark.parametrize("there", ["file.txt", ".git/config"])
def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, there: str) -> None:
    mine = tmp_path / there
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(AlreadyThere, match="is not an empty folder"):
        copy_starter(tmp_path, now=NOW)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_a_file_in_the_folder_s_place_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "shop"
    file.write_text("mine")
    with pytest.raises(AlreadyThere):
        copy_starter(file, now=NOW)
    assert file.read_text() == "mine"


def test_what_cannot_be_written_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot be written"):
        copy_starter(tmp_path / "file" / "shop", now=NOW)


def test_who_is_there_already_need_not_go_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f"    cd {tmp_path}\n" in next_steps(tmp_path)
    monkeypatch.chdir(tmp_path)
    told = next_steps(Path())
    assert "is here: a small bakery school" in told
    assert "    cd " not in told


def test_the_next_steps_name_files_that_are_there(tmp_path: Path) -> None:
    copy_starter(tmp_path, now=NOW)
    told = next_steps(tmp_path)
    assert all((tmp_path / "examples" / name).is_file() and f"examples/{name}" in told for name in FILES)
    assert "aftersale preview" in told


def test_the_packed_files_win_over_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "starter"
    for name in ("campaigns/one.yaml", "templates/one.html", "config.example.yaml"):
        (packed / name).parent.mkdir(parents=True, exist_ok=True)
        (packed / name).write_text(name)
    (packed / "campaigns" / "products.yaml").write_bytes(
        (bundle.CHECKOUT / "campaigns" / "products.yaml").read_bytes()
    )
    (packed / "templates" / ".DS_Store").write_text("hidden")
    monkeypatch.setattr(bundle, "PACKED", packed)
    made = {path.relative_to(tmp_path / "new").as_posix() for path in copy_starter(tmp_path / "new", now=NOW)}
    assert {name for name in made if not name.startswith("examples/")} == {
        ".gitignore", "config.yaml", "campaigns/one.yaml", "campaigns/products.yaml", "templates/one.html",
    }  # fmt: skip


def test_a_wheel_carries_the_starter(tmp_path: Path) -> None:
    """Build one, unpack it, and make a project with what was unpacked."""
    pytest.importorskip("hatchling")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=bundle.CHECKOUT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site")
    program = (
        "import sys, datetime, pathlib, engine\n"
        "from engine.trials.starter import copy_starter\n"
        "assert pathlib.Path(engine.__file__).is_relative_to(sys.argv[1])\n"
        "now = datetime.datetime(2026, 3, 10, tzinfo=datetime.UTC)\n"
        "copy_starter(pathlib.Path(sys.argv[2]), now=now)\n"
    )
    made = [sys.executable, "-c", program, str(tmp_path / "site"), str(tmp_path / "shop")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    subprocess.run(made, cwd=tmp_path, check=True, env=environment)
    assert (tmp_path / "shop" / "campaigns" / "win-back.yaml").is_file()
    assert (tmp_path / "shop" / "examples" / "mapping.yaml").is_file()
