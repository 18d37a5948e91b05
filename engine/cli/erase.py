"""aftersale erase"""

from typing import Annotated

import typer

from engine.app.erasing import Erased, counted, erase, erase_again
from engine.app.person import known
from engine.app.project import Project
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, Yes, confirmed, instant, opened
from engine.rules.words import them, times


def command(
    customer: Annotated[str, typer.Argument(help="an e-mail address, a shop id or a customer id")],
    yes: Yes = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Let everything go that is known of one person, for good.

    Facts, evidence, addresses and the files of mails go; counts of runs and mails stay, of nobody. Keyed
    hashes of address and shop id stay as well: the next import passes the person over, until there is
    consent that was given later.
    """
    with opened(project) as shop:
        person = known(shop, customer)
        if person is None:
            done = erase_again(shop)
        else:
            rows = sum(counted(shop, person).values())
            told = f"{times(rows, 'row')} about {customer} will be erased, and cannot come back"
            confirmed(f"{told}. Erase {them(rows)}?", yes)
            done = erase(shop, person, instant(shop, None))
        notes = _notes(shop, done)
    if as_json:
        show.document({**done.__dict__, "notes": notes})
        return
    if done.before:
        show.out().print(f"{customer} was erased before.", markup=False)
    else:
        show.out().print(f"Erased: {_went(done)}.", markup=False)
    for note in notes:
        show.out().print(note, markup=False)


def _went(done: Erased) -> str:
    rows, rejects = times(sum(done.rows.values()), "row"), times(done.rejects, "rejected row")
    return f"{rows}, {times(done.mails, 'mail')} and {rejects}"


def _notes(shop: Project, done: Erased) -> list[str]:
    """What this could not reach."""
    notes = ["Backups, the files that were imported, and what a mail provider keeps are not ours to erase."]
    if done.overwritten:
        return notes
    if shop.store.engine.dialect.name == "sqlite":
        held = "Another process holds the database, so its file may still keep old pages"
        return [f"{held}: call this again when it has ended.", *notes]
    return ["PostgreSQL keeps old rows in its files until VACUUM, and in its log for as long as set.", *notes]
