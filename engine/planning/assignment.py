"""Who is held out: a draw that is fixed for each customer and campaign, and even over all of them.

Every customer has a lot, a random number below the prime P. A campaign maps it by lot·a + b modulo P,
with a and b from a hash of its id: a pairwise independent family (Carter and Wegman, 1979), computed
by the database for everybody at once. Two campaigns hold out unrelated people.
"""

import hashlib
from decimal import Decimal

from sqlalchemy import BigInteger, ColumnElement, cast

P = 2**31 - 1
SALT = "holdout"


def draw(campaign_id: str, salt: str = SALT) -> tuple[int, int]:
    """The campaign's own a (1 to P-1) and b (0 to P-1)."""
    digest = hashlib.sha256(f"{salt}/{campaign_id}".encode()).digest()
    return 1 + int.from_bytes(digest[:8]) % (P - 1), int.from_bytes(digest[8:16]) % P


def threshold(share: Decimal) -> int:
    """Below it a mapped lot is held out."""
    return int(share * P)


def held_out(
    lot: ColumnElement[int], a: ColumnElement[int], b: ColumnElement[int], below: ColumnElement[int]
) -> ColumnElement[bool]:
    """SQL: the customer of that lot is held out."""
    return (cast(lot, BigInteger) * a + b) % P < below
