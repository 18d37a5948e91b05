"""aftersale suppress"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from email_validator import EmailNotValidError, validate_email

from engine.app.agreeing import How, agree
from engine.app.project import Project
from engine.app.suppressing import every, lift_all, suppress_file, write_list
from engine.cli import show
from engine.cli.agreed import tell
from engine.cli.options import HERE, AsJson, ProjectFolder, instant, opened
from engine.errors import UsageError
from engine.facts.suppression import UNSUBSCRIBED, suppress


def command(
    addresses: Annotated[
        list[str] | None, typer.Argument(help="e-mail addresses, one or many", show_default="none")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="why, in a word or two")] = UNSUBSCRIBED,
    file: Annotated[
        Path | None, typer.Option("--from", help="a file of addresses, or a list that --export wrote")
    ] = None,
    lift: Annotated[
        bool, typer.Option("--lift", help="let mail go to these addresses again, whatever the reason was")
    ] = False,
    export: Annotated[
        bool, typer.Option("--export", help="print the whole list, as CSV or with --json")
    ] = False,
    sync: Annotated[
        bool, typer.Option("--sync", help="compare it with SendGrid's lists, as sendgrid.suppressions says")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="with --sync: change nothing")] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="with --sync: read SendGrid's lists from their beginning")
    ] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Never mail an address again, whoever's it is; what is scheduled for it does not go either.

    Who only unsubscribed still gets transactional mail; with any other reason that stops, too. The list
    keeps a hash of each address, and no address.
    """
    if [bool(addresses), file is not None, export, sync].count(True) != 1 or (lift and not addresses):
        msg = "give addresses, --from with a file, --export, or --sync; --lift belongs to addresses"
        raise UsageError(msg)
    _require_sync(sync, dry_run, whole, as_json and not export)
    valid = [valid_address(address) for address in addresses or ()]
    with opened(project) as shop:
        if sync:
            tell(agree(shop, instant(shop, None), How(dry_run, whole)), dry=dry_run, as_json=as_json)
        elif export:
            _print(shop, as_json=as_json)
        elif file is not None:
            _read(shop, file, reason)
        elif lift:
            for address, was in lift_all(shop, valid, instant(shop, None)).items():
                typer.echo(f"{address}: {'may get mail again' if was else 'was not suppressed'}")
        else:
            _suppress(shop, valid, reason)


def _require_sync(sync: bool, *others: bool) -> None:
    if any(others) and not sync:
        msg = "--dry-run and --whole belong to --sync, --json to --sync or --export"
        raise UsageError(msg)


def _print(shop: Project, *, as_json: bool) -> None:
    if as_json:
        show.document({"suppressed": every(shop)})
    else:
        write_list(shop, sys.stdout)


def _suppress(shop: Project, addresses: list[str], reason: str) -> None:
    now = instant(shop, None)
    with shop.store.writing() as connection:
        for address in addresses:
            new = suppress(connection, address, reason[:40], "command line", now)
            typer.echo(f"{address}: {'suppressed' if new else 'was suppressed already'}")


def _read(shop: Project, file: Path, reason: str) -> None:
    """Lines that name no address are told, and the exit code is then 1."""
    done = suppress_file(shop, file, reason, instant(shop, None))
    typer.echo(f"{done.new:,} suppressed, {done.known:,} suppressed before")
    for line, why in done.wrong:
        typer.echo(f"{file}:{line}: {why}", err=True)
    raise typer.Exit(int(bool(done.wrong)))


def valid_address(address: str) -> str:
    """The address as it is kept. Raises UsageError for what is none."""
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        msg = f"{address!r} is not an e-mail address: {error}"
        raise UsageError(msg) from error
