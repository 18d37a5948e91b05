"""What `opened` and `clicked` share: a provider told of it."""

from typing import ClassVar

from engine.facts.mail_events import Kind
from engine.rules.conditions.of_a_mail import Kept, OfAMail
from engine.rules.model import Scope
from engine.store.tables import mail_events

TOLD = mail_events.c


class CameBack(OfAMail):
    """One kind of event."""

    kind: ClassVar[Kind]
    counted: ClassVar[str] = "time"

    def kept(self, scope: Scope) -> Kept:
        return Kept(TOLD, TOLD.at, TOLD.kind == self.kind.value)
