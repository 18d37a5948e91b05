"""Every benchmark can be asked. What it answers at this size means nothing, and is not looked at."""

import pytest

from benchmarks.__main__ import main
from benchmarks.questions import QUESTIONS


@pytest.mark.parametrize("question", [name for name in QUESTIONS if name != "rules"])
def test_a_question_can_be_asked(question: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([question, "--quick"]) == 0
    assert "ratio" in capsys.readouterr().out


@pytest.mark.postgres
def test_the_rules_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--quick"]) == 0
    assert "PostgreSQL" in capsys.readouterr().out
