"""Between two mails to one customer there is a pause, whichever campaigns they are of."""

from collections.abc import Iterator

from engine.clock import format_duration
from engine.planning.policies.base import Limit, Span
from engine.planning.reasons import Reason
from engine.settings import Settings


def gap(settings: Settings) -> Iterator[Span]:
    """Two mails are that far apart where no span of this length holds more than one."""
    if settings.minimum_gap:
        yield Span(1, settings.minimum_gap, told=format_duration(settings.minimum_gap))


MINIMUM_GAP = Limit(Reason.MINIMUM_GAP, gap)
