"""A mail as the bytes that leave, whatever the way."""

from email.errors import MessageError

from engine.delivery.transports.base import Refused
from engine.rendering.eml import to_bytes
from engine.rendering.mail import Mail


def as_bytes(mail: Mail) -> bytes:
    """Raises Refused for what cannot be put into a mail."""
    try:
        return to_bytes(mail)
    except (ValueError, MessageError) as error:
        msg = f"it cannot be put into a mail: {error}"
        raise Refused(msg) from error
