"""What README.md and the guide tell a newcomer to type, typed; what they say is answered, compared.

A block marked ```` ```sh run ```` is run, one marked `file=PATH` is written to that file, and one marked
```` ```text out ```` is what the commands just before it answered. After a change that alters answers:

    REWRITE_PAGES=1 pytest -n 0 tests/stories/test_readme.py
"""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from engine.clock import VirtualClock
from engine.store.ids import IdFactory
from tests.conftest import ROOT
from tests.stories.conftest import Aftersale

BLOCK = re.compile(
    r"^```(?P<kind>\S+) (?P<mark>run|out|file=\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
PAGES = ("README.md", "docs/guide.md")
REWRITE = "REWRITE_PAGES" in os.environ

MORNING = timedelta(hours=5)
Follow = Callable[[str], str]


@pytest.fixture
def follow(aftersale: Aftersale, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Does what a page says; returns the page with the answers that really came. It is morning in New York."""
    clock.advance(MORNING)
    monkeypatch.setattr("engine.cli.init.SystemClock", lambda: clock)
    ids = IdFactory(clock, seed=5)
    monkeypatch.setattr("engine.app.importing.IdFactory", lambda: ids)
    answers: list[str] = []

    def type_in(line: str) -> None:
        command, *words = line.split("  #", maxsplit=1)[0].split()
        if command == "cd":
            monkeypatch.chdir(words[0])
        elif command == "rm":
            Path(words[0]).unlink()
        else:
            assert command == "aftersale"
            said = aftersale(*words)
            answers.append(said.err + said.out)

    def obey(block: re.Match[str]) -> str:
        mark, text = block["mark"], block["text"]
        if mark == "run":
            answers.clear()
            for line in text.splitlines():
                type_in(line)
        elif mark == "out":
            return f"```{block['kind']} {mark}\n{tidy(''.join(answers))}\n```"
        else:
            file = Path(mark.removeprefix("file="))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return block[0]

    return lambda page: BLOCK.sub(obey, page)


def tidy(answer: str) -> str:
    return "\n".join(line.rstrip() for line in answer.strip("\n").splitlines())


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_tells_to_type_answers_as_it_says(name: str, follow: Follow) -> None:
    page = ROOT / name
    told = page.read_text(encoding="utf-8")
    true = follow(told)
    if REWRITE:
        page.write_text(true, encoding="utf-8")
    assert true == told
