"""Between two mails of one track to one customer there is a pause, whichever campaigns they are of."""

from collections.abc import Iterator

from engine.campaigns.model import BACK_END, FRONT_END
from engine.clock import format_duration
from engine.planning.policies.base import Limit, Span
from engine.planning.reasons import Reason
from engine.settings.model import Settings


def gap(settings: Settings) -> Iterator[Span]:
    """Two mails are that far apart where no span of this length holds more than one."""
    for track, pause in ((BACK_END, settings.minimum_gap), (FRONT_END, settings.front_end.minimum_gap)):
        if pause:
            yield Span(1, pause, track, told=format_duration(pause))


MINIMUM_GAP = Limit(Reason.MINIMUM_GAP, gap)
