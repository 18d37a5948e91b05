"""`received`: a mail of a campaign that left, and was accepted on its way to the customer."""

from typing import ClassVar

from engine.rules.conditions.of_a_mail import Kept, OfAMail
from engine.rules.model import Scope


class Received(OfAMail):
    """Was sent a mail of a campaign, or of one of its steps. It counts from when the way out took it.

    Who is held out received nothing, and a mail that is planned, refused, or that nobody can tell of is
    not received. Whether it was opened is another question.
    """

    key: ClassVar[str] = "received"
    summary: ClassVar[str] = "was sent a mail of a campaign"
    counted: ClassVar[str] = "mail"

    def kept(self, scope: Scope) -> Kept:
        mail = scope.messages.c
        return Kept(mail, mail.settled_at, mail.status == "accepted")
