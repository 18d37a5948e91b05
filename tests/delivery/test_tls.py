"""Why a connection could not be encrypted, in words that somebody can act on."""

import ssl

import pytest

from engine.delivery.transports.tls import in_words


def answered(said: bytes) -> ssl.SSLError:
    """What OpenSSL makes of a server that answers so."""
    came, gone = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(came, gone, server_hostname="mail.example")
    came.write(said)
    if not said:
        came.write_eof()
    with pytest.raises(ssl.SSLError) as raised:
        client.do_handshake()
    return raised.value


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"220 mail.example ESMTP\r\n", "it does not speak TLS at that port"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak TLS at that port"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "it speaks no TLS that is safe: 1.2 is the least"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "it and this machine have no safe way to encrypt in common"),
        (b"", "it hung up before the connection was encrypted"),
    ],
)
def test_what_a_server_answers_instead(said: bytes, words: str) -> None:
    assert in_words(answered(said)) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (10, "its certificate has expired; is the clock of this machine right?"),
        (18, "its certificate is signed by itself, and by no authority"),
        (20, "its certificate is signed by an authority that this machine does not trust"),
        (62, "its certificate is of another name"),
        (79, "its certificate is not good: as OpenSSL says it"),
    ],
)
def test_a_certificate_that_is_not_believed(number: int, words: str) -> None:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] (_ssl.c:1006)")
    error.verify_code, error.verify_message = number, "as OpenSSL says it"
    assert in_words(error) == words


def test_what_is_not_known_is_told_without_its_codes() -> None:
    error = ssl.SSLError(1, "[SSL: BAD_SIGNATURE] bad signature (_ssl.c:1006)")
    error.reason = "BAD_SIGNATURE"
    assert in_words(error) == "the encryption failed: bad signature"
    assert in_words(ssl.SSLError("?")) == "the encryption failed: nobody says why"
