"""What names a mail: its key, and the id that follows from it."""

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
        return str(uuid5(_NAMESPACE, f"{self.customer_id}/{self.campaign_id}/{self.step_id}/{self.spell}"))
