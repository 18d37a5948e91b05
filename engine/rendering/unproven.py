"""What stands for a fact that is not there."""

from functools import lru_cache

from jinja2 import StrictUndefined
from jinja2.exceptions import UndefinedError


class ClaimUnproven(UndefinedError):
    """The mail was about to say of the customer what no fact proves."""


class Unproven(StrictUndefined):
    """What an unproven claim returns: false in a test, ClaimUnproven anywhere else."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


@lru_cache(maxsize=1_000)
def unproven(said: str) -> Unproven:
    """The stand-in for a claim, or a part of one, that no fact proves."""
    return Unproven(f"no fact proves {said}", exc=ClaimUnproven)
