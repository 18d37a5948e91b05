"""What the outbox says at the end, held against what the provider has."""

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from engine.app.outbox import Asked, listed
from engine.app.project import Project
from engine.delivery.rows import KEYS
from engine.planning.keys import MailKey
from engine.store.tables import messages

PROVEN = {"accepted", "unknown"}  # where a mail may stand that the provider has
ENDS = PROVEN | {"scheduled", "rejected", "cancelled"}


def states(project: Project) -> dict[str, str]:
    """The state of every mail that was planned, by its id."""
    rows = select(*KEYS, messages.c.status).where(messages.c.status != "held_out")
    with project.store.reading() as connection:
        return {MailKey(*row[:4]).message_id: row[4] for row in connection.execute(rows)}


@dataclass(frozen=True)
class Reckoning:
    """Mails by what became of them; each set of `broken` has to be empty."""

    here: Counter[str]
    there: int
    broken: dict[str, set[str]] = field(default_factory=dict)

    def kept(self) -> bool:
        return not any(self.broken.values())

    def lines(self) -> list[str]:
        told = [f"{self.here.total():>8,} planned", f"{self.there:>8,} accepted at the provider"]
        told += [f"{number:>8,} {status} in the outbox" for status, number in sorted(self.here.items())]
        return told + [f"{len(ids):>8,} {what}" for what, ids in self.broken.items()]


def reckon(
    project: Project, seen: set[str], there: Counter[str], told: set[str], *, over: bool = True
) -> Reckoning:
    """`seen` are the mails that were planned at some time, `told` those that events came of."""
    here = states(project)
    shown = {mail.message_id for mail in listed(project, Asked(status="unknown", most=len(here) + 1))[0]}
    unknown = {mail for mail, status in here.items() if status == "unknown"}
    broken = {
        "doubled": {mail for mail, times in there.items() if times > 1},
        "lost: said to be accepted, and not at the provider": {
            mail for mail, status in here.items() if status == "accepted" and mail not in there
        },
        "lost: gone from the outbox, or left on their way": (seen - here.keys())
        | {mail for mail, status in here.items() if status not in ENDS},
        "at the provider, and the outbox does not know": {
            mail for mail in there if here.get(mail) not in PROVEN
        },
        "unknown, though the provider told of them": unknown & told,
        "unknown, and not shown": unknown ^ shown,
    }
    return Reckoning(Counter(here.values()), len(there), broken)
