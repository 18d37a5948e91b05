"""Who is left in peace, and for how long: consent, caps, both tracks, and what becomes of what waits."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from engine.clock import Duration, format_duration, parse_duration
from engine.settings.values import Lasting, Part, Patience, Topic


class FrontEnd(Part):
    """The first transaction, which the back end never interrupts."""

    window: Duration = Field(
        parse_duration("60m"),
        description="orders this soon after the first order of a checkout belong to the same transaction",
    )
    quiet: Duration = Field(
        parse_duration("24h"), description="no back-end mail for this long after a transaction closed"
    )
    minimum_gap: Duration = Field(
        timedelta(0), description="at least so long between two front-end mails to one customer"
    )


class Checkout(Part):
    """A checkout that was started, and has no order yet. The back end does not interrupt it either."""

    expires: Lasting = Field(
        parse_duration("24h"), description="so long after its start it is given up, if no order came of it"
    )


class Consent(Part):
    """What counts where no consent is on record."""

    default: Literal["none", "soft_opt_in"] = Field(
        "none", description="`none`: no mail; `soft_opt_in`: customers get mail until they say no"
    )


class Frequency(Part):
    """A cap: at most `max` mails to one customer in any span of `per`. One, or a list of several."""

    max: int = Field(3, ge=1, le=1000, description="so many mails to one customer, over all campaigns")
    per: Lasting = Field(parse_duration("7d"), description="in any span of this length")
    topic: Topic | None = Field(None, description="counts and holds mails of this topic only")
    track: Literal["back-end", "front-end"] = Field(
        "back-end", description="counts and holds mails of this track only"
    )

    def __str__(self) -> str:
        return f"{{max: {self.max}, per: {format_duration(self.per)}}}"


class CoolDown(Part):
    """How long the back end leaves a customer in peace."""

    after_purchase: Duration = Field(
        timedelta(0), description="no mail for this long after a paid order; a campaign may name its own"
    )


class Hold(Part):
    """What becomes of a mail that has to wait. A campaign or a step may name its own."""

    at_most: Patience = Field(
        parse_duration("30d"), description="how long it waits, from when it was due; `0` waits for nothing"
    )
    then: Literal["skip", "exit"] = Field(
        "skip", description="`skip`: on to the next step; `exit`: the run ends"
    )
