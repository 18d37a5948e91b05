"""Threads for what is posted. Pages have those of the framework, so nobody waits there behind a crowd that
tells something, or behind readers whose wishes wait for the database.
"""

from asyncio import get_running_loop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
NUMBER = 8


class Threads:
    """A few of them, for one kind of request; what is too many waits for its turn."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(NUMBER, thread_name_prefix=name)

    async def do(self, what: Callable[..., T], *args: Any) -> T:
        """What it returns or raises."""
        return await get_running_loop().run_in_executor(self._pool, partial(what, *args))
