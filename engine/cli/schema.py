"""aftersale schema"""

import typer

from engine.campaigns.schema import schema_text


def command() -> None:
    """The JSON Schema of campaign files, for editors: save it as campaigns/campaign.schema.json."""
    typer.echo(schema_text(), nl=False)
