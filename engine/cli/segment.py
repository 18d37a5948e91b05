"""aftersale segment"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.app.comparing import Difference, compared
from engine.app.segmenting import Chosen, Held, choose, held
from engine.cli import show
from engine.cli.options import HERE, AsJson, At, ProjectFolder, instant, opened
from engine.cli.wrong import tell_what_is_wrong
from engine.rules.explain import Answer
from engine.rules.turning import Turn

TOLD = 100  # people to whom the text says why; for all of them there is the document


def command(
    name: Annotated[str | None, typer.Argument(help="a segment of campaigns/segments.yaml")] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="the audience of a campaign")] = None,
    rule: Annotated[Path | None, typer.Option("--rule", help="a file that holds one rule")] = None,
    ids: Annotated[bool, typer.Option("--ids", help="list them: customer id, shop id, e-mail")] = False,
    at: At = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", help="an earlier instant: who entered since then, who left, and with --ids why"
        ),
    ] = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Who a rule holds, before any policy; with `--since`, who entered it and who left it."""
    with opened(project, asks=True) as shop:
        end = tell_what_is_wrong(shop)
        chosen = choose(shop, name=name, campaign=campaign, rule=rule)
        now = instant(shop, at)
        if since is None:
            with held(shop, chosen, now) as found:
                (_document if as_json else _print)(found, now, ids)
        else:
            with compared(shop, chosen, instant(shop, since, "--since"), now) as difference:
                (_document_of_two if as_json else _print_two)(difference, ids)
    raise end


def _document(found: Held, at: datetime, ids: bool) -> None:
    parts = {"rule": found.chosen.name, "at": at, "count": found.count}
    people = ({"customer_id": i, "shop_id": shop_id, "email": email} for i, shop_id, email in found.ids())
    show.document(parts | ({"people": people} if ids else {}))


def _print(found: Held, at: datetime, ids: bool) -> None:
    if ids:
        for row in found.ids():
            typer.echo("\t".join(map(str, row)))
        return
    typer.echo(f"{found.chosen.name}: {_people(found.chosen, found.count)} at {_stamp(at)}")


def _document_of_two(found: Difference, ids: bool) -> None:
    numbers = ("before", "entered", "left", "stayed")
    parts = {"rule": found.chosen.name, "at": found.at, "count": found.after, "since": found.since}
    counted = parts | {name: getattr(found, name) for name in numbers}
    show.document(counted | ({"changed": _changed(found)} if ids else {}))


def _changed(found: Difference) -> Iterator[dict[str, Any]]:
    for mover, turn in found.movers():
        yield mover._asdict() | ({"because": turn.as_json()} if turn else {})


def _print_two(found: Difference, ids: bool) -> None:
    if ids:
        _list_movers(found)
        return
    name, then, now = found.chosen.name, _stamp(found.since), _stamp(found.at)
    typer.echo(f"{name}: {_people(found.chosen, found.before)} at {then}, {found.after:,} at {now}")
    typer.echo(f"{found.entered:,} entered, {found.left:,} left, {found.stayed:,} stayed")


def _list_movers(found: Difference) -> None:
    for mover, turn in found.movers(TOLD):
        because = [_because(turn)] if turn else []
        typer.echo("\t".join([*map(str, mover), *because]))
    if found.entered + found.left > TOLD:
        show.talk().print(f"why is told of the first {TOLD}; --json tells it of everybody")


def _because(turn: Turn) -> str:
    return f"{turn.sentence}: {_answer(turn.before)} → {_answer(turn.after)}"


def _answer(answer: Answer) -> str:
    said = "yes" if answer.holds else "no"
    return f"{said} ({answer.actual})" if answer.actual else said


def _people(chosen: Chosen, count: int) -> str:
    one, many = ("customer", "customers") if chosen.customers_only else ("person", "people")
    return f"{count:,} {one if count == 1 else many}"


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
