"""What names a mail: its key, and the id that follows from it."""

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID, uuid5

_NAMESPACE = UUID("5b6f0d0c-6a0e-5d0e-9f38-0c7f9a8d2f11")


class MailKey(NamedTuple):
    """Nothing else can make the same mail twice."""

    customer_id: int
    campaign_id: str
    step_id: str
    spell: int

    @property
    def message_id(self) -> str:
        """The UUIDv5 of the key: the same mail has the same id, whoever makes it and whenever."""
        return _message_id(self)


@lru_cache(maxsize=10_000)  # a mail on its way is asked several times
def _message_id(key: MailKey) -> str:
    return str(uuid5(_NAMESPACE, f"{key.customer_id}/{key.campaign_id}/{key.step_id}/{key.spell}"))
