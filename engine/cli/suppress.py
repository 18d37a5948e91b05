"""aftersale suppress"""

from typing import Annotated

import typer
from email_validator import EmailNotValidError, validate_email

from engine.cli.options import HERE, ProjectFolder, instant, opened
from engine.errors import UsageError
from engine.facts.suppression import UNSUBSCRIBED, suppress


def command(
    addresses: Annotated[list[str], typer.Argument(help="e-mail addresses, one or many")],
    reason: Annotated[str, typer.Option("--reason", help="why, in a word or two")] = UNSUBSCRIBED,
    project: ProjectFolder = HERE,
) -> None:
    """Never mail an address again, whoever's it is; what is scheduled for it does not go either.

    Who only unsubscribed still gets transactional mail; with any other reason that stops, too.
    """
    valid = [valid_address(address) for address in addresses]
    with opened(project) as shop:
        now = instant(shop, None)
        with shop.store.writing() as connection:
            for address in valid:
                new = suppress(connection, address, reason[:40], "command line", now)
                typer.echo(f"{address}: {'suppressed' if new else 'was suppressed already'}")


def valid_address(address: str) -> str:
    """The address as it is kept. Raises UsageError for what is none."""
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        msg = f"{address!r} is not an e-mail address: {error}"
        raise UsageError(msg) from error
