"""What OpenSSL says of a connection that could not be encrypted, as a sentence that somebody can act on."""

import ssl
from collections.abc import Mapping

_CERTIFICATES: Mapping[int, str] = {  # by the numbers of OpenSSL
    9: "its certificate is not valid yet; is the clock of this machine right?",
    10: "its certificate has expired; is the clock of this machine right?",
    18: "its certificate is signed by itself, and by no authority",
    19: "its certificate is signed by an authority that this machine does not trust",
    20: "its certificate is signed by an authority that this machine does not trust",
    23: "its certificate was revoked",
    62: "its certificate is of another name",
    64: "its certificate is of another address",
}
_NO_TLS = "it does not speak TLS at that port"
_TOO_OLD = "it speaks no TLS that is safe: 1.2 is the least"
_NOTHING_SHARED = "it and this machine have no safe way to encrypt in common"
_HUNG_UP = "it hung up before the connection was encrypted"
_REASONS: Mapping[str, str] = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "UNSUPPORTED_PROTOCOL": _TOO_OLD,
    "TLSV1_ALERT_PROTOCOL_VERSION": _TOO_OLD,
    "NO_PROTOCOLS_AVAILABLE": _TOO_OLD,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _NOTHING_SHARED,
    "NO_SHARED_CIPHER": _NOTHING_SHARED,
    "DH_KEY_TOO_SMALL": _NOTHING_SHARED,
    "EE_KEY_TOO_SMALL": "the key of its certificate is too short to be safe",
    "CA_MD_TOO_WEAK": "its certificate is signed in a way that is not safe",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it wants a certificate of whoever sends, and there is none",
    "UNEXPECTED_EOF_WHILE_READING": _HUNG_UP,
}


def in_words(error: ssl.SSLError) -> str:
    """Why it could not be encrypted."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = _CERTIFICATES.get(getattr(error, "verify_code", 0))
        return said or f"its certificate is not good: {getattr(error, 'verify_message', error)}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _HUNG_UP
    reason = str(getattr(error, "reason", None) or "")  # one that was not made by OpenSSL has none
    return _REASONS.get(reason) or f"the encryption failed: {_plain(reason) or 'nobody says why'}"


def _plain(reason: str) -> str:
    return reason.replace("_", " ").lower()
