"""So many mails of a track to one customer in any span and no more, of all campaigns or those of a topic."""

from collections.abc import Iterator

from engine.clock import format_duration
from engine.planning.policies.base import Limit, Span
from engine.planning.reasons import Reason
from engine.rules.words import times
from engine.settings.model import Settings


def caps(settings: Settings) -> Iterator[Span]:
    for cap in settings.frequency:
        of = f" of the topic {cap.topic}" if cap.topic else ""
        told = f"{times(cap.max, 'mail')}{of} in {format_duration(cap.per)}"
        yield Span(cap.max, cap.per, cap.track, cap.topic, told)


FREQUENCY_CAP = Limit(Reason.FREQUENCY_CAP, caps)
