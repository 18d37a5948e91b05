"""Text from a file as a value, or the reason why not: `words`, `addresses`, `instants`, `numbers`.

A parser takes text without surrounding space, never blank, and returns the value or raises Refused.
"""

from collections.abc import Callable
from typing import Any

Parse = Callable[[str], Any]
