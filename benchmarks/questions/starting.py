"""The start of the command line against a Typer app with the same commands and nothing in them."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.clocks import in_turn, took
from benchmarks.findings import Aim, Finding
from engine.cli.group import COMMANDS

AIM = Aim(1.3)
ROUNDS = 5  # for each repetition of other short things
OURS = "from engine.cli import main\nmain()\n"
EMPTY = """\
import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def options() -> None:
    \"\"\"Aftersale: the marketing that starts after the sale.\"\"\"

"""
COMMAND = """
@app.command({name!r}, help={about!r})
def command_{number}() -> None: ...

"""


def ask(bench: Bench) -> Iterator[Finding]:
    """Whole processes, from their start to their end."""
    bodies = (COMMAND.format(number=n, name=name, about=about) for n, (name, (_, about)) in _commands())
    ours = _script(bench.folder / "ours.py", OURS)
    empty = _script(bench.folder / "empty.py", EMPTY + "".join(bodies) + "\napp()\n")
    rounds = ROUNDS * bench.short
    times = in_turn(rounds, *(partial(took, partial(_help, script)) for script in (ours, empty)))
    yield Finding("aftersale --help", times[0], "s", times[1], AIM, f"median of {rounds}")


def _commands() -> Iterator[tuple[int, tuple[str, tuple[str, str]]]]:
    return iter(enumerate(COMMANDS.items()))


def _script(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _help(script: Path) -> None:
    subprocess.run([sys.executable, str(script), "--help"], stdout=subprocess.DEVNULL, check=True)
