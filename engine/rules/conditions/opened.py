"""`opened`: a mail of a campaign was opened."""

from typing import ClassVar

from pydantic import Field
from sqlalchemy import and_

from engine.facts.mail_events import Kind
from engine.rules.conditions.came_back import TOLD, CameBack
from engine.rules.conditions.of_a_mail import Kept
from engine.rules.model import Condition, Scope


class Opened(CameBack):
    """Opened a mail of a campaign, or of one of its steps, as the provider tells.

    Some mail programs open every mail before a person does; what the provider knows to be such does not
    count, unless it is asked for. Others show no pictures, and then nobody learns of it.
    """

    key: ClassVar[str] = "opened"
    summary: ClassVar[str] = "opened a mail of a campaign"
    kind: ClassVar[Kind] = Kind.OPENED

    machines: bool = Field(default=False, description="`true`: what a program opened by itself counts, too")

    def kept(self, scope: Scope) -> Kept:
        kept = super().kept(scope)
        return kept if self.machines else kept._replace(such=and_(kept.such, ~TOLD.machine))

    def implies(self, other: Condition, scope: Scope) -> bool:
        counts_less = isinstance(other, Opened) and (other.machines or not self.machines)
        return counts_less and super().implies(other, scope)

    def sentence(self, scope: Scope) -> str:
        return f"{super().sentence(scope)}{', or a program did' if self.machines else ''}"
