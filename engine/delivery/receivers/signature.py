"""Whether SendGrid spoke: a signature over the moment and the body, word for word."""

from datetime import datetime, timedelta

from sendgrid.helpers.eventwebhook import EventWebhook

from engine.clock import EPOCH
from engine.errors import SettingsError
from engine.settings.load import CONFIG_FILE

OLDEST = timedelta(hours=25)  # SendGrid tries again for a day; whether it then signs anew is not documented
AHEAD = timedelta(minutes=10)  # of our clock
LONGEST = 12  # digits of a moment
SECOND = timedelta(seconds=1)


class Verifier:
    """Knows the key. What is older than a day, or from the future, is refused, whoever signed it.

    A younger repetition does no harm: each event is kept once, by its id.
    """

    def __init__(self, key: str) -> None:
        try:
            self._webhook = EventWebhook(key)
        except ValueError as error:
            msg = f"{CONFIG_FILE}: sendgrid.webhook_key: this is no verification key"
            raise SettingsError(msg, hint="copy it anew from SendGrid's settings") from error

    def accepts(self, body: bytes, signature: str | None, moment: str | None, now: datetime) -> bool:
        if not signature or not moment or not _is_fresh(moment, now):
            return False
        try:
            return bool(self._webhook.verify_signature(body.decode(), signature, moment))
        except (ValueError, TypeError):  # no UTF-8, no base64, or nothing that could be a signature
            return False


def _is_fresh(moment: str, now: datetime) -> bool:
    if not (moment.isascii() and moment.isdigit() and len(moment) <= LONGEST):
        return False
    age = (now - EPOCH) - int(moment) * SECOND
    return -AHEAD <= age <= OLDEST
