"""The command line: one file per command, each loaded only when it is called."""

import io
import sys
from typing import NoReturn


def main() -> None:
    """The entry of `aftersale`: run the command, and turn an error for a person into its exit code."""
    from engine.errors import AftersaleError  # noqa: PLC0415 - so that an import error is one of ours to tell

    _write_any_letter()
    try:
        _run()
    except AftersaleError as error:
        sys.stderr.write(f"error: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"hint:  {error.hint}\n")
        _end(error.exit_code)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
        _end(0)


def _write_any_letter() -> None:
    """What the terminal or the file has no sign for becomes a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _run() -> None:
    """Run the command, and see that all it printed is written. Raises OutputError where it is not."""
    from engine.cli.group import app  # noqa: PLC0415

    try:
        app()
    except SystemExit:
        _require_output()
        raise
    except OSError:  # of the output, or of something else
        _require_output("\n")
        raise


def _require_output(more: str = "") -> None:
    """See that standard output takes what it has not written yet, and more."""
    from engine.errors import OutputError  # noqa: PLC0415

    try:
        sys.stdout.write(more)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        msg = f"standard output cannot be written: {error.strerror}"
        raise OutputError(msg, hint="see where it leads to, and whether there is room") from error


def _end(code: int) -> NoReturn:
    """What standard output did not take is not tried once more at the very end."""
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = io.StringIO()
    sys.exit(code)
