"""A transport that takes one mail at a time, handled like one that takes several."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from engine.delivery.transports.base import Answer, Door, Parcel, Together, Transport, open_door
from engine.errors import TransportError
from engine.rendering.mail import Mail


def together(transport: Transport) -> "Together | OneByOne":
    """The transport as one that is given parcels."""
    return transport if isinstance(transport, Together) else OneByOne(transport)


class OneByOne:
    """Every mail is a parcel of its own, and nothing ever has to rest."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def ready(self) -> None:
        """It is, or has said why not when it was opened."""

    def parcels(self, mails: Sequence[Mail]) -> Iterator[Parcel]:
        return (Parcel([mail]) for mail in mails)

    def send_parcel(self, parcel: Parcel, door: Door = open_door) -> Iterator[tuple[Mail, Answer]]:
        for mail in parcel.mails:
            yield mail, self._send(mail)

    def rest(self) -> timedelta:
        return timedelta(0)

    def _send(self, mail: Mail) -> Answer:
        try:
            return self._transport.send(mail)
        except TransportError:
            raise
        except Exception as answer:  # noqa: BLE001 - whatever it is, it is an answer
            return answer
