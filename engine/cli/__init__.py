"""The command line: one file per command, each loaded only when it is called."""

import sys


def main() -> None:
    """The entry of `aftersale`: run the command, and turn an error for a person into its exit code."""
    from engine.cli.group import app  # noqa: PLC0415 - so that an import error is one of ours to tell
    from engine.errors import AftersaleError  # noqa: PLC0415

    try:
        app()
    except AftersaleError as error:
        sys.stderr.write(f"error: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"hint:  {error.hint}\n")
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
        sys.exit(0)
