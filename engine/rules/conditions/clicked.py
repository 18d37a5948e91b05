"""`clicked`: a link in a mail of a campaign was followed."""

from typing import ClassVar

from engine.facts.mail_events import Kind
from engine.rules.conditions.came_back import CameBack


class Clicked(CameBack):
    """Followed a link in a mail of a campaign, or of one of its steps, as the provider tells.

    It tells nothing where its click tracking is turned off.
    """

    key: ClassVar[str] = "clicked"
    summary: ClassVar[str] = "followed a link in a mail of a campaign"
    kind: ClassVar[Kind] = Kind.CLICKED
