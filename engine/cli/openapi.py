"""aftersale openapi"""

import typer


def command() -> None:
    """For clients and their generators. The server itself shows it to nobody."""
    from engine.web.openapi.document import document_text  # noqa: PLC0415 - a web server, which no other command needs

    typer.echo(document_text(), nl=False)
