"""errors.md: every exit code, what it means, and what to do about it."""

from collections.abc import Iterator

from engine.errors import AftersaleError
from pages.markdown import code, page, table

INTRO = """\
Every command ends with an exit code, so that scripts can tell what happened. An error is one
sentence on standard error, often with a hint, and never a traceback:
"""
EXAMPLE = """\
error: there is no campaign 'winback'
hint:  did you mean 'win-back'?
"""
FILES = """\
Mistakes in files are told all at once, each with file, line and column, as editors and CI systems
read them:
"""
MISTAKE = """\
campaigns/win-back.yaml:5:1: unknown key 'ofers' (did you mean 'offers'?)
templates/win-back/focaccia.html:8:22: undefined: customer has no 'fristname' (did you mean 'first_name'?)
"""
COLUMNS = ("exit code", "error", "meaning", "what to do")
FINE = ["0", "", "Fine.", ""]

ADVICE = {
    "Problems": "Mend the places named. `check` finds them all without touching the database. `run`, "
    "`preview`, `explain` and `segment` tell them on standard error, go on with the sound campaigns, and end "
    "with this code to say that some were left out. So do they, and `status`, where a campaign has sent and "
    "its file is gone.",
    "UsageError": "Look at the command with `--help`.",
    "SettingsError": "Mend `config.yaml` or the variable named; go to the project's folder, or name it with "
    "`--project`.",
    "UnknownName": "The hint names the nearest campaign, segment or product there is.",
    "UnknownCustomer": "Give the e-mail address, the shop's id or the customer id. With `--at`, only people "
    "known by then are found.",
    "NotInThisVersion": "The hint says what to do instead.",
    "ImportFailed": "The file itself cannot be read: look at its encoding, its delimiter and its header, or "
    "write a map. Single bad rows never end an import; they go to the rejects file.",
    "TransportError": "See that the outbox folder can be written and the disk is not full, then run again. "
    "What has not left stays in the outbox.",
    "NotAdopted": "Nothing is planned or sent. Look at `aftersale status`, then take the database over with "
    "`aftersale adopt`. See [operating](../operating.md#a-copied-database).",
    "WebError": "See that no other server listens at `web.host` and `web.port`, or choose another port.",
    "OutputError": "See that the disk to which the output is led is not full. The command may have done its "
    "work: look at `aftersale status`.",
    "StoreError": "The message is the database's own. What was being written is undone as a whole.",
    "StoreUnreachable": "See that the database runs, and that `database` names it.",
    "StoreLocked": "Wait for the other run or import to end, then try again.",
    "StoreReadOnly": "Give your user the right to write the database file and its folder, or the tables.",
    "StoreClash": "Try again; what had not been written yet was left as it was.",
    "StoreTooNew": "Upgrade Aftersale to the version that made the database, or a later one.",
    "AlreadyThere": "Choose another folder. Nothing was changed.",
}


def pages() -> dict[str, str]:
    rows = [
        [str(kind.exit_code), f"`{kind.__name__}`", kind.__doc__ or "", ADVICE[kind.__name__]]
        for kind in kinds()
    ]
    told = [code(EXAMPLE, "text"), FILES, code(MISTAKE, "text")]
    return {"errors.md": page("Exit codes and errors", INTRO, *told, table(COLUMNS, [FINE, *rows]))}


def kinds() -> list[type[AftersaleError]]:
    """Every error that can be raised, by its exit code."""
    return sorted(_below(AftersaleError), key=lambda kind: kind.exit_code)


def _below(kind: type[AftersaleError]) -> Iterator[type[AftersaleError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)
