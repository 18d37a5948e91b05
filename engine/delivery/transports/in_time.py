"""An answer must be whole in time. The time-out of a socket begins anew with every byte that comes."""

import time
from contextlib import suppress
from io import BufferedReader, RawIOBase
from socket import socket


class InTime(RawIOBase):
    """What comes from the other side, until so many seconds after `begin`; then TimeoutError."""

    def __init__(self, sock: socket, seconds: float) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._sock, self._seconds = sock, seconds
        self.begin()

    def begin(self) -> None:
        """An answer is waited for from now on."""
        self._end = time.monotonic() + self._seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]
        left = self._end - time.monotonic()
        if left <= 0:
            msg = "timed out"
            raise TimeoutError(msg)
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            with suppress(OSError):  # it was closed meanwhile
                self._sock.settimeout(self._seconds)

    def close(self) -> None:
        self._raw.close()
        super().close()


def in_time(sock: socket, seconds: float) -> tuple[BufferedReader, InTime]:
    """A file to read the answers of that socket from, and what its time is begun by."""
    raw = InTime(sock, seconds)
    return BufferedReader(raw), raw
