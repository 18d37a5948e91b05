"""What may be asked of the account beside sending: its lists, and what became of a mail.

Every question may be asked twice, so what was not answered is asked again, a few times. How often it may
be asked at all is the provider's to say, by 429 and by its X-RateLimit headers.
"""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import orjson

from engine.delivery.transports.sendgrid.answers import pause, words
from engine.delivery.transports.sendgrid.key import api_key
from engine.delivery.transports.sendgrid.wire import NoAnswer, Response, Unreachable, Wire
from engine.errors import TransportError
from engine.settings.model import Settings

TRIES = 5
FIRST_WAIT, LONGEST_WAIT = 2.0, 60.0  # seconds, where it does not say how long
LONGEST_ANSWER = 200_000_000
FORBIDDEN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)

Wait = Callable[[float], None]


class Unanswerable(Exception):
    """The question is wrong, or about something that is not there; `status` tells which."""

    def __init__(self, response: Response) -> None:
        super().__init__(words(response))
        self.status = response.status


class Account:
    """Asks one question after the other. `wait` sleeps for so many seconds; what it raises ends it."""

    def __init__(self, settings: Settings, wait: Wait = time.sleep, *, apart: float = 0.0) -> None:
        self._host = settings.sendgrid.host
        self._wire = Wire(settings.sendgrid, api_key(settings.secrets), longest=LONGEST_ANSWER)
        self._wait = wait
        self._apart = apart  # seconds from one question to the next
        self._began = False
        self._used_up = 0.0  # for how many seconds it answers nothing more

    def get(self, path: str, query: Mapping[str, Any], right: str) -> Any:
        """What stands there. `right` is the one that the key needs, for whoever has to give it.

        Raises Unanswerable, and TransportError where no answer is to be had.
        """
        return self._asked("GET", f"{path}?{urlencode(query)}" if query else path, b"", right)

    def post(self, path: str, body: Mapping[str, Any], right: str) -> Any:
        """The same for a question, or a wish, that is a body."""
        return self._asked("POST", path, orjson.dumps(body), right)

    def close(self) -> None:
        self._wire.close()

    def _asked(self, method: str, path: str, body: bytes, right: str) -> Any:
        said = ""
        for number in range(TRIES):
            if rest := self._rest(number):
                self._wait(rest)
            self._began, self._used_up = True, 0.0
            try:
                response = self._wire.ask(method, path, body)
            except (NoAnswer, Unreachable) as error:
                said = str(error)
                continue
            self._take_note(response)
            if 200 <= response.status < 300 and response.body is not None:
                return response.body
            said = words(response)
            self._give_up_on(response, right)
        msg = f"SendGrid gave no usable answer at {self._host}: {said}"
        raise TransportError(msg, hint="it is asked again next time; nothing was lost")

    def _rest(self, number: int) -> float:
        """For how many seconds to wait before it is asked, for the first time or the `number`th once more."""
        backoff = min(FIRST_WAIT * 2 ** (number - 1), LONGEST_WAIT) if number else 0.0
        return max(self._used_up or backoff, self._apart if self._began else 0.0)

    @staticmethod
    def _give_up_on(response: Response, right: str) -> None:
        """Raise what asking again cannot change."""
        if response.status in FORBIDDEN:
            msg = f"the key of SendGrid may not do this: {words(response)}"
            raise TransportError(msg, hint=f"give it the right {right} there: Settings, API Keys")
        if 300 <= response.status < 500 and response.status not in AGAIN:
            raise Unanswerable(response)

    def _take_note(self, response: Response) -> None:
        """For how long it is to be left alone, as it says."""
        left = response.headers.get("x-ratelimit-remaining", "").strip()
        if response.status in AGAIN or left == "0":
            told = pause(response.headers, time.time())
            self._used_up = told.total_seconds() if told else 0.0
