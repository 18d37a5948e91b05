"""commands.md: every command with all it can be told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.cli.group import COMMANDS, load
from pages.markdown import code, page, table

INTRO = """\
`aftersale COMMAND --help` tells the same in a terminal, and `aftersale --version` which version you have.
Results go to standard output and talk to standard error, so output can be piped. [Exit
codes](errors.md) tell scripts how a command ended.
"""
EXAMPLES = {
    "init": "aftersale init myshop",
    "demo": "aftersale demo\naftersale demo small-shop --customers 200",
    "import": "aftersale import customers.csv consent.csv orders.csv consumption.csv\n"
    "aftersale import export.csv --map mapping.yaml\n"
    "aftersale import --from env:SHOP_DB --query 'SELECT …' --map shop.map.yaml\n"
    "aftersale import --watch inbox",
    "products": "aftersale products\naftersale products --at 2026-01-01T00:00Z\naftersale products --write\n"
    "aftersale products --write --from shop-products.csv --map shop.map.yaml",
    "check": "aftersale check\naftersale check --json",
    "preview": "aftersale preview\naftersale preview win-back --days 14 --html out/\n"
    "aftersale preview --customer ann@example.com --at 2026-12-24T09:00Z",
    "send-test": "aftersale send-test win-back focaccia --to marta@slowloaf.example\n"
    "aftersale send-test win-back focaccia --to marta@slowloaf.example --customer ann@example.com",
    "explain": "aftersale explain ann@example.com\naftersale explain ann@example.com flagship-after-guide",
    "segment": "aftersale segment lapsed\naftersale segment --campaign win-back --ids\n"
    "aftersale segment lapsed --since 2026-01-01T00:00Z --ids\n"
    "aftersale segment --rule rule.yaml --at 2026-01-01T00:00Z",
    "run": "aftersale run\naftersale run --once",
    "serve": "aftersale serve",
    "outbox": "aftersale outbox --status unknown\naftersale outbox --customer ann@example.com\n"
    "aftersale outbox show 17e2a6be-2882-5cd4-acc4-829f4a16fe5d\naftersale outbox release win-back\n"
    "aftersale outbox retry win-back\n"
    "aftersale outbox resolve 17e2a6be-2882-5cd4-acc4-829f4a16fe5d --accepted",
    "pause": "aftersale pause win-back\naftersale pause",
    "resume": "aftersale resume win-back\naftersale resume",
    "cancel": "aftersale cancel win-back\naftersale cancel 17e2a6be-2882-5cd4-acc4-829f4a16fe5d --yes",
    "adopt": "aftersale adopt\naftersale adopt --hold-nothing",
    "status": "aftersale status",
    "report": "aftersale report funnel\naftersale report funnel --by source --since 2026-01-01T00:00Z\n"
    "aftersale report sources\naftersale report sources --by campaign --json",
    "doctor": "aftersale doctor\naftersale doctor --slow",
    "suppress": "aftersale suppress ann@example.com --reason complaint\n"
    "aftersale suppress --from bounced.csv --reason bounce\naftersale suppress --export > suppressed.csv\n"
    "aftersale suppress ann@example.com --lift",
    "export": "aftersale export customer ann@example.com > ann.json",
    "erase": "aftersale erase ann@example.com",
    "bounces": "aftersale bounces\naftersale bounces /var/mail/bounces",
    "events": "aftersale events\naftersale events replay\naftersale events replay --source segment --all",
    "schema": "aftersale schema > campaigns/campaign.schema.json",
    "openapi": "aftersale openapi > openapi.json",
}


def pages() -> dict[str, str]:
    rows = ([f"[`{name}`](#{name})", about] for name, (_, about) in COMMANDS.items())
    told = (part for name in COMMANDS for part in _command(name))
    return {"commands.md": page("Commands", INTRO, table(("command", "does"), rows), *told)}


def _command(name: str) -> Iterator[str]:
    command = load(name)
    yield f"## {name}"
    yield from _told(name, command)
    yield code(EXAMPLES[name], "sh")
    for below, inner in getattr(command, "commands", {}).items():
        yield f"### {name} {below}"
        yield from _told(f"{name} {below}", inner)


def _told(name: str, command: Any) -> Iterator[str]:
    yield command.callback.__doc__ or command.help
    yield code(_usage(name, command), "text")
    if arguments := [[f"`{_word(p)}`", p.help or "", _default(p)] for p in _arguments(command)]:
        yield table(("argument", "meaning", "default"), arguments)
    if options := [[_names(p), _meaning(p), _default(p)] for p in _options(command)]:
        yield table(("option", "meaning", "default"), options)


def _usage(name: str, command: Any) -> str:
    options = ["[OPTIONS]"] if _options(command) else []
    return " ".join(["aftersale", name, *options, *map(_place, _arguments(command))])


def _arguments(command: Any) -> list[Any]:
    return [parameter for parameter in command.params if not parameter.opts[0].startswith("-")]


def _options(command: Any) -> list[Any]:
    return [p for p in command.params if p.opts[0].startswith("-") and p.name != "help"]


def _word(argument: Any) -> str:
    several = "..." if argument.nargs == -1 else ""
    return str(argument.metavar or argument.name.upper() + several)


def _place(argument: Any) -> str:
    return _word(argument) if argument.required else f"[{_word(argument)}]"


def _names(option: Any) -> str:
    value = "" if option.is_flag else " VALUE"
    return ", ".join(f"`{name}{value}`" for name in option.opts)


def _meaning(option: Any) -> str:
    said = [option.help or ""]
    low, high = _limit(option, "min"), _limit(option, "max")
    said += [f"{low:,} to {high:,}"] if low is not None and high is not None else []
    said += [f"in the environment `{option.envvar}`"] if option.envvar else []
    return "; ".join(said)


def _limit(option: Any, end: str) -> Any:
    """Where the bounds of a number stand depends on the version of typer."""
    return getattr(option if hasattr(option, end) else getattr(option, "type", None), end, None)


def _default(parameter: Any) -> str:
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    if parameter.required:
        return "**required**"
    value = parameter.default
    plain = isinstance(value, str | int | Path) and not isinstance(value, bool)
    return f"`{value}`" if plain else ""
