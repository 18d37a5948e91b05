"""Signed links: what one is for and which mail it came with, so that nobody can make one up.

A token is the id of a mail in a short form, and its HMAC by a key that belongs to the purpose alone. The
same mail has the same token whenever it is written, and a token made for one purpose opens no other.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from itsdangerous import BadSignature, Signer


class Purpose(StrEnum):
    """What a link does, and the beginning of its path."""

    UNSUBSCRIBE = "u"
    VIEW = "m"


class Forged(Exception):
    """No token of ours, or not for this purpose."""


class Links:
    """The links of one shop, to its public address."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._signers = {purpose: _signer(secret, purpose) for purpose in Purpose}

    def to(self, purpose: Purpose, message_id: str) -> str:
        """The whole address."""
        return f"{self._url}/{purpose}/{self.token(purpose, message_id)}"

    def token(self, purpose: Purpose, message_id: str) -> str:
        short = urlsafe_b64encode(UUID(message_id).bytes).rstrip(b"=")
        return self._signers[purpose].sign(short).decode()

    def read(self, purpose: Purpose, token: str) -> str:
        """The id of the mail. Raises Forged."""
        try:
            short = self._signers[purpose].unsign(token)
            return str(UUID(bytes=urlsafe_b64decode(short + b"==")))
        except (BadSignature, ValueError) as error:
            raise Forged from error


def _signer(secret: str, purpose: Purpose) -> Signer:
    """With the key of the purpose, which is worked out here and not once more for each mail."""
    whole = Signer(secret, salt=f"aftersale.{purpose.name}", key_derivation="hmac", digest_method=sha256)
    return Signer(whole.derive_key(), key_derivation="none", digest_method=sha256)
