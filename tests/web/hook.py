"""SendGrid's side of the webhook in a test: a key of its own, signatures, and requests over a socket."""

import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
MOMENT = "X-Twilio-Email-Event-Webhook-Timestamp"


class Signer:
    """Holds the private key; `key` is what a shop would copy into its settings."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        spki = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key = b64encode(spki).decode()

    def sign(self, body: bytes, at: datetime | int) -> dict[str, str]:
        moment = str(at if isinstance(at, int) else int(at.timestamp()))
        signed = self._private.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {SIGNATURE: b64encode(signed).decode(), MOMENT: moment}


def written(*events: Any) -> bytes:
    """As SendGrid writes them: with a line's end behind."""
    return json.dumps(list(events), separators=(",", ":")).encode() + b"\r\n"


def post(address: str, body: Any, headers: Mapping[str, str], timeout: float = 60) -> tuple[int, Any]:
    """The status, and what the answer says."""
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=timeout)) as connection:
        connection.request("POST", "/webhooks/sendgrid", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
