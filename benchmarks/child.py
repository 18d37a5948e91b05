"""A command in a process of its own: how long it took, and how much memory it held at its peak.

    python -m benchmarks.child REPORT WORD…     runs `aftersale WORD…`, then writes REPORT

What the parent could ask of the system would not do: a new process begins with the peak of the one it
was started from.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

STATUS = Path("/proc/self/status")
FORGET = Path("/proc/self/clear_refs")
ROOT = Path(__file__).parent.parent


class Failed(Exception):
    """A command that a benchmark needed did not end well."""


@dataclass(frozen=True)
class Ran:
    """What a command took, without the start of Python: on the wall, of a processor, of memory at most."""

    seconds: float
    processor: float  # seconds, too
    peak: float  # MB


def run(*words: str) -> Ran:
    """Run `aftersale` with these words and throw its output away. Raises Failed with what it said."""
    with tempfile.TemporaryDirectory(prefix="aftersale-bench-") as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "benchmarks.child", str(report), *words]
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            msg = f"aftersale {' '.join(words)}\n{done.stderr.strip()}"
            raise Failed(msg)
        return Ran(**json.loads(report.read_text(encoding="utf-8")))


def main(report: Path, words: Sequence[str]) -> int:
    """What happens in the child."""
    from engine.cli import main as aftersale  # noqa: PLC0415 - the parent has no need of it

    sys.argv = ["aftersale", *words]
    start, begun, code = time.perf_counter(), time.process_time(), 0
    try:
        aftersale()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    ran = Ran(time.perf_counter() - start, time.process_time() - begun, peak())
    report.write_text(json.dumps(asdict(ran)), encoding="utf-8")
    return code


def forget_peak() -> None:
    """What follows is measured, and not what was laid out for it; Linux keeps no peak after a 5 here."""
    if FORGET.exists():
        FORGET.write_text("5", encoding="ascii")


def peak() -> float:
    """The most memory that this process ever held, in MB."""
    return _status("VmHWM")


def resident() -> float:
    """The memory that this process holds now, in MB; where nobody tells, the most that it ever held."""
    return _status("VmRSS")


def _status(name: str) -> float:
    if STATUS.exists():  # Linux
        line = next(line for line in STATUS.read_text(encoding="utf-8").splitlines() if name in line)
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes, on macOS


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
