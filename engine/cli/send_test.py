"""aftersale send-test"""

from typing import Annotated

import typer

from engine.app.send_test import send_test
from engine.cli import show
from engine.cli.options import HERE, ProjectFolder, instant, opened
from engine.cli.suppress import valid_address


def command(
    campaign: Annotated[str, typer.Argument(help="a campaign")],
    step: Annotated[str, typer.Argument(help="one of its steps")],
    to: Annotated[str, typer.Option("--to", help="the address that gets it")],
    customer: Annotated[
        str | None,
        typer.Option("--customer", help="as this customer would get it; default: somebody made up"),
    ] = None,
    project: ProjectFolder = HERE,
) -> None:
    """Send one mail of a step to an address of yours, by the transport that campaign mails take.

    It is no mail of the campaign: nothing of it is recorded, no policy is asked, and its link to
    unsubscribe is nobody's. For a customer it says what is true of them now.
    """
    address = valid_address(to)
    with opened(project) as shop:
        receipt = send_test(shop, campaign, step, address, customer, instant(shop, None))
        given = f" as {receipt.provider_id}" if receipt.provider_id else ""
        show.out().print(f"handed to {shop.settings.delivery.transport!r}{given}", highlight=False)
