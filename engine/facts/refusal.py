"""Why a value or a row cannot land."""

SHOWN = 60


class Refused(Exception):
    """A finding: `reason` is the same for all rows of its kind, to be counted; `shown` is this row's own."""

    def __init__(self, reason: str, shown: str = "") -> None:
        super().__init__(reason, shown)
        self.reason = reason
        self.shown = shown

    def __str__(self) -> str:
        return f"{self.reason}: {self.shown}" if self.shown else self.reason

    @property
    def told(self) -> str:
        """The reason, to who cannot do what a file can."""
        return self.reason

    def within(self, column: str) -> "Refused":
        """The same, said of a column."""
        return Refused(f"{column} {self.reason}", self.shown)


class NoRate(Refused):
    """Money of another currency cannot be changed into the shop's on that day."""

    def __init__(self, reason: str, currency: str, day: str) -> None:
        super().__init__(reason, f"{currency} on {day}")
        self.currency = currency


def shown(text: str) -> str:
    """A value as a reason quotes it: short, and with nothing invisible in it."""
    return ascii(text) if len(text) <= SHOWN else f"{text[:SHOWN]!a}…"
