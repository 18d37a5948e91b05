"""The list of commands. `--help` shows it without loading any of them."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from engine.errors import UsageError

COMMANDS = {  # command: (module, what it does)
    "init": ("init", "Make a working project to start from."),
    "demo": ("demo", "Tell the whole story on a bundled shop, in one go."),
    "import": ("import_", "Read customers, consent, orders and other facts from files."),
    "products": ("products", "Show the catalogue beside what was sold, and complete it."),
    "check": ("check", "Find everything wrong with settings, campaigns and templates."),
    "preview": ("preview", "Show who gets what when, and who does not and why."),
    "send-test": ("send_test", "Send one mail of a step to yourself."),
    "explain": ("explain", "Tell why a customer gets a campaign's mails, or does not."),
    "segment": ("segment", "Show who a rule holds, before any policy."),
    "run": ("run", "Plan and deliver until told to stop, or a single time."),
    "serve": ("serve", "Answer requests from the internet, without planning or sending."),
    "outbox": ("outbox", "List mails by state; look at one, release or resolve some."),
    "pause": ("pause", "Let no mail of a campaign leave, or none at all."),
    "resume": ("resume", "End a pause."),
    "cancel": ("cancel", "Cancel mails that have not left yet."),
    "adopt": ("adopt", "Take over a database that was copied, restored or moved."),
    "status": ("status", "Show what was sent, what waits, and what is stuck."),
    "report": ("report", "Tell where visitors are lost, what advertising brought, and what mails claimed."),
    "doctor": ("doctor", "Look whether everything is as it should be, and what is slow."),
    "suppress": ("suppress", "Never mail an address again; read, print or lift what is suppressed."),
    "export": ("export", "Print everything stored of one person."),
    "erase": ("erase", "Let everything go that is known of one person."),
    "bounces": ("bounces", "Read reports of mails that came back."),
    "events": ("events", "List events that are parked, and take events up anew."),
    "schema": ("schema", "Print the JSON Schema of campaign files."),
    "openapi": ("openapi", "Print the OpenAPI document of all that `serve` answers."),
}
OF_NOW = {  # command that knows of no other instant: (what does)
    "status": "aftersale preview --at tells what a run would do then",
    "doctor": "aftersale preview --at tells what a run would do then",
    "outbox": "aftersale explain CUSTOMER --at tells what somebody had got by then",
    "events": None,
    "suppress": None,
    "export": "its rows have their times",
}


class LazyGroup(TyperGroup):
    """Knows its commands by name and help, and loads the one that is called."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = {name: TyperCommand(name, help=about) for name, (_, about) in COMMANDS.items()}

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)  # in the order of a newcomer's way, not of the alphabet

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if name in OF_NOW and any(word.partition("=")[0] == "--at" for word in rest):
            msg = f"{name} speaks of now alone, and takes no --at"
            raise UsageError(msg, hint=OF_NOW[name])
        return name, load(name) if command is not None and name else command, rest


def load(name: str) -> Any:
    """The command itself, ready to be called."""
    module, about = COMMANDS[name]
    found = import_module(f"engine.cli.{module}")
    if hasattr(found, "app"):  # a command that has others below it
        group = typer.main.get_command(found.app)
        group.name, group.help = name, about
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name, help=about)(found.command)
    return typer.main.get_command(alone)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Aftersale: the marketing that starts after the sale.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - it is slow, and seldom asked for

        typer.echo(f"aftersale {version('aftersale')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Aftersale: the marketing that starts after the sale."""
