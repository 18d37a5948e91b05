"""The `sendgrid` transport: SendGrid's web API, version 3."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import orjson

from engine.clock import format_duration
from engine.delivery.transports.base import (
    Answer,
    Door,
    NotNow,
    OutcomeUnknown,
    Parcel,
    Receipt,
    Refused,
    Trace,
    TryAgain,
    open_door,
)
from engine.delivery.transports.sendgrid import payload
from engine.delivery.transports.sendgrid.answers import Meaning, Verdict, verdict
from engine.delivery.transports.sendgrid.key import api_key
from engine.delivery.transports.sendgrid.moulds import Mould, Moulds
from engine.delivery.transports.sendgrid.wire import NoAnswer, Unreachable, Wire
from engine.delivery.transports.streak import ALIKE, Streak, alike
from engine.errors import SettingsError, TransportError
from engine.rendering.mail import Mail
from engine.settings.model import Settings

LOGGER = logging.getLogger("aftersale")
IN_VAIN = 5  # requests in a row without a usable answer
COMPARED = 3  # mails of each request that are put together here first, as the provider would
FIRST_REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=5)
LONGEST_ID = 200
WRONG = "400 "  # how a refusal by the provider begins; it says too large with 413
NOT_NOW = "not handed over: those it was to leave with had trouble"

Answers = Iterator[tuple[Mail, Answer]]


@dataclass(frozen=True)
class Moulded(Parcel):
    """Mails of one step that go in one request; without a mould it is a single one."""

    mould: Mould | None = None


class SendGridTransport:
    """Hands mails over in requests of up to `sendgrid.batch`. Nothing it accepts can be looked up again."""

    name: ClassVar[str] = "sendgrid"
    exactly_once: ClassVar[bool] = False

    def __init__(
        self, settings: Settings, folder: Path, stopwatch: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings.sendgrid
        self._secrets = settings.secrets
        self._patience = _patience(settings)
        self._stopwatch = stopwatch
        self._moulds = Moulds(payload.MOST_TAGS, payload.MOST_BYTES, payload.TAG)
        self._silent = 0  # requests in a row of which nobody knows what became
        self._vain = 0  # the same, since that was last told
        self._busy = 0  # requests in a row that it had no time for
        self._streak = Streak()  # of mails that were refused alone
        self._rest_until = 0.0

    @cached_property
    def _wire(self) -> Wire:
        """Opened when it is needed: who only looks needs no key."""
        return Wire(self._settings, api_key(self._secrets), self._stopwatch)

    # ── what every transport can do ─────────────────────────────────────────────────────────────

    def send(self, mail: Mail) -> Receipt:
        """One mail in a request of its own."""
        for _, answer in self.send_parcel(Moulded([mail])):
            if isinstance(answer, Receipt):
                return answer
            raise answer
        raise OutcomeUnknown

    def flush(self) -> None:
        """What was accepted is so already."""

    def look_up(self, message_id: str, planned_at: datetime) -> Trace:
        """Its events tell, or a person; to ask for a mail takes seconds, so that is a job of its own."""
        return Trace.CANNOT_TELL

    def close(self) -> None:
        if "_wire" in self.__dict__:
            self._wire.close()

    # ── several at once ─────────────────────────────────────────────────────────────────────────

    def ready(self) -> None:
        """Raises SettingsError where there is no key, or none that could be one."""
        api_key(self._secrets)

    def parcels(self, mails: Sequence[Mail]) -> Iterator[Parcel]:
        """Those of one step together, an address never twice. While it is in doubt, they go one by one."""
        self.ready()
        self._give_up_in_time()
        for group in _alike(mails, self._settings.batch):
            for mould, fitting in self._moulds.sorted_in(group):
                yield from self._packed(mould, fitting)

    def _give_up_in_time(self) -> None:
        """An outage ends the run, rather than put one mail after the other in doubt."""
        if self._busy >= IN_VAIN:
            self._busy = 0
            msg = f"SendGrid had no time {IN_VAIN} times in a row"
            raise TransportError(msg, hint="its limits may be too low for this many mails; they all wait")
        if self._vain >= IN_VAIN:
            self._vain = 0
            msg = f"SendGrid gave no usable answer {IN_VAIN} times in a row"
            raise TransportError(
                msg, hint="see aftersale outbox --status unknown; all others are still there"
            )

    def _packed(self, mould: Mould | None, mails: Sequence[Mail]) -> Iterator[Moulded]:
        left = list(mails)
        while left:
            number = 1 if mould is None or self._silent else len(left)
            yield Moulded(left[:number], mould if number > 1 else None)
            left = left[number:]

    def send_parcel(self, parcel: Parcel, door: Door = open_door) -> Answers:
        """See `Together`. What the provider refuses for a single mail's sake goes again without it.

        Where it refuses all of them in the same words, they are not to blame: they wait, and that is raised.
        """
        refused: list[tuple[Mail, Refused]] = []
        taken = False
        for mail, answer in self._answers(parcel, door):
            if isinstance(answer, Refused):
                refused.append((mail, answer))
            else:
                taken = True
                yield mail, answer
        if not taken and (said := self._not_their_fault([answer for _, answer in refused])):
            yield from _all([mail for mail, _ in refused], TryAgain(said))
            msg = f"SendGrid refuses one mail after the other in the same words: {said}"
            raise TransportError(msg, hint="they wait, as all others do; mend what it names")
        yield from refused

    def _answers(self, parcel: Parcel, door: Door) -> Answers:
        end = self._stopwatch() + self._patience
        mould = parcel.mould if isinstance(parcel, Moulded) else None
        answered, waiting = self._request(mould, list(parcel.mails))
        yield from answered
        while waiting:
            mails = waiting.pop()
            if self.rest() or self._stopwatch() > end:
                yield from _all(mails, NotNow(NOT_NOW))
            elif mails := list(door(mails)):
                answered, again = self._request(mould, mails)
                yield from answered
                waiting += again

    def _not_their_fault(self, refused: Sequence[Refused]) -> str:
        """What was said of all of them, where it was said too often to be about single mails; else ''."""
        words = [str(answer) for answer in refused]
        if not all(said.startswith(WRONG) for said in words):
            return ""
        if len(words) > 1:
            self._streak.end()
            return words[0] if len(words) >= ALIKE and len(set(map(alike, words))) == 1 else ""
        return words[0] if words and self._streak.refused(words[0]) else ""

    def rest(self) -> timedelta:
        return timedelta(seconds=max(self._rest_until - self._stopwatch(), 0))

    # ── one request ─────────────────────────────────────────────────────────────────────────────

    def _request(
        self, mould: Mould | None, mails: list[Mail]
    ) -> tuple[list[tuple[Mail, Answer]], list[list[Mail]]]:
        """What is known now of each mail, and those that go again, by request."""
        try:
            body = self._body(mould, mails)
        except (payload.Collision, Refused, UnicodeError, orjson.JSONEncodeError) as trouble:
            if len(mails) > 1:
                return [], [[mail] for mail in reversed(mails)]
            return [(mails[0], _refused(trouble))], []
        if body is None:
            LOGGER.warning("mails of %s do not come out of a common request as written; they go alone",
                           "/".join(mails[0].key[1:3]))  # fmt: skip
            return [], [[mail] for mail in reversed(mails)]
        return self._understood(self._post(body), mails)

    def _body(self, mould: Mould | None, mails: list[Mail]) -> bytes | None:
        """The request; None where plain replacement would not give the mails back as they were written."""
        if mould is None or len(mails) == 1:
            return payload.to_json(payload.alone(mails[0], self._settings))
        request = payload.moulded(mould, mails, self._settings)
        if any(payload.unlike(request, mail, number) for number, mail in enumerate(mails[:COMPARED])):
            return None
        return payload.to_json(request)

    def _post(self, body: bytes) -> tuple[Verdict, str | None]:
        """The verdict, and the name that the provider gave to what it accepted."""
        try:
            response = self._wire.post(body)
        except Unreachable as error:
            msg = f"SendGrid cannot be reached at {self._settings.host}: {error}"
            raise TransportError(msg, hint=_NETWORK) from error
        except NoAnswer as error:
            return Verdict(Meaning.UNKNOWN, f"no answer: {error}"), None
        given = response.headers.get("x-message-id")
        return verdict(response, sandbox=self._settings.sandbox), given and given[:LONGEST_ID]

    def _understood(
        self, answer: tuple[Verdict, str | None], mails: list[Mail]
    ) -> tuple[list[tuple[Mail, Answer]], list[list[Mail]]]:
        said, given = answer
        self._take_note(said)
        match said.meaning:
            case Meaning.ACCEPTED:
                self._streak.end()
                return list(_all(mails, Receipt(given))), []
            case Meaning.UNKNOWN:
                return list(_all(mails, OutcomeUnknown(said.said))), []
            case Meaning.BUSY:
                return list(_all(mails, NotNow(said.said))), []
            case Meaning.USELESS:
                msg = f"SendGrid takes no mail from here: {said.said}"
                raise TransportError(msg, hint=_HINTS.get(said.said[:3], "see docs/sendgrid.md"))
        return _corrected(said, mails)

    def _take_note(self, said: Verdict) -> None:
        """How it fares, and for how long it is left alone now."""
        unknown = said.meaning is Meaning.UNKNOWN
        self._silent, self._vain = (self._silent + 1, self._vain + 1) if unknown else (0, 0)
        self._busy = self._busy + 1 if said.meaning is Meaning.BUSY else 0
        if times := self._silent + self._busy:
            rest = said.pause or min(FIRST_REST * 2 ** min(times - 1, 10), LONGEST_REST)
            self._rest_until = self._stopwatch() + rest.total_seconds()


_NETWORK = (
    "check the network and sendgrid.host; the authority of a proxy on the way goes into the file that "
    "SSL_CERT_FILE names. What has not left is still in the outbox"
)
_HINTS = {
    "401": "check AFTERSALE_SECRETS__SENDGRID_KEY",
    "403": "the key needs the right Mail Send, and sender.email must be verified there",
    "404": "check sendgrid.host",
}


def _corrected(said: Verdict, mails: list[Mail]) -> tuple[list[tuple[Mail, Answer]], list[list[Mail]]]:
    """After a request that was refused as a whole: who is to blame stays behind, the others go again."""
    if len(mails) == 1:
        return [(mails[0], Refused(said.said))], []
    blamed = {number: why for number, why in said.wrong.items() if number < len(mails)}
    if not blamed:
        half = len(mails) // 2
        return [], [mails[half:], mails[:half]]  # the last one goes first
    refused: list[tuple[Mail, Answer]] = [
        (mails[number], Refused(f"400 {why}")) for number, why in sorted(blamed.items())
    ]
    rest = [mail for number, mail in enumerate(mails) if number not in blamed]
    return refused, [rest] if rest else []


def _all(mails: Sequence[Mail], answer: Answer) -> Answers:
    return ((mail, answer) for mail in mails)


def _refused(trouble: Exception) -> Refused:
    """Why a single mail cannot be put into a request."""
    if isinstance(trouble, Refused):
        return trouble
    return Refused("it holds what is no character, and cannot be put into a request")


def _alike(mails: Sequence[Mail], most: int) -> list[list[Mail]]:
    """In their order, those that may share a request: all that is said once is the same for them."""
    groups: dict[Any, list[dict[str, Mail]]] = {}
    for mail in mails:
        said = (mail.key.campaign_id, mail.key.step_id, mail.from_address, mail.from_name, mail.reply_to)
        lots, address = groups.setdefault(said, []), mail.to_address.casefold()
        lot = next((lot for lot in lots if address not in lot and len(lot) < most), None)
        if lot is None:
            lots.append(lot := {})
        lot[address] = mail
    return [list(lot.values()) for lots in groups.values() for lot in lots]


def _patience(settings: Settings) -> float:
    """For how long requests may follow one another in one parcel: the last one still ends in its lease."""
    request = settings.sendgrid.timeout + settings.sendgrid.connect_timeout
    left = settings.delivery.lease / 2 - request
    if left <= timedelta(0):
        msg = f"sendgrid.timeout and connect_timeout make {format_duration(request)}, too long for the lease"
        raise SettingsError(msg, hint="make delivery.lease more than twice as long as both together")
    return left.total_seconds()
