"""What `aftersale suppress --sync` says."""

from collections.abc import Iterator

import typer

from engine.app.agreeing import Agreed, Put
from engine.cli import show


def tell(found: Agreed, *, dry: bool, as_json: bool) -> None:
    """A line for each list and for each difference that stays. Exits with 1 where something was refused."""
    if as_json:
        show.document(found.as_json())
    else:
        columns = ("SendGrid's list", "read", "to be suppressed here" if dry else "suppressed here")
        rows = [(each.list, f"{each.entries:,}", f"{each.new:,}") for each in found.read]
        show.out().print(show.table("", columns, rows))
        for line in (*map(_put, found.put), *_differences(found)):
            show.out().print(line)
    raise typer.Exit(int(any(each.refused for each in found.put)))


def _put(each: Put) -> str:
    rest = each.missing - each.put - each.refused
    said = [
        f"{number:,} {what}"
        for number, what in ((each.put, "put there"), (each.refused, "refused"), (rest, "not put there"))
        if number
    ]
    return f"{each.list}: {', '.join(said) if said else 'nobody is missing'}"


def _differences(found: Agreed) -> Iterator[str]:
    not_understood = sum(each.not_understood for each in found.read)
    for number, what in (
        (found.lifted, "lifted here that stand there still: SendGrid drops their mails"),
        (found.gone, "that came from there and left its lists: suppressed here as before"),
        (found.by_hash, "suppressed here that cannot be put there: no address is known"),
        (not_understood, "of its entries could not be understood"),
    ):
        if number:
            yield f"{number:,} {what}"
