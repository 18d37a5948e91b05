"""How many random worlds are lived through: a few in every run of the tests, thousands by `make worlds`."""

import os


def so_many(few: int) -> int:
    """As many as AFTERSALE_TEST_WORLDS says, else a few."""
    return int(os.environ.get("AFTERSALE_TEST_WORLDS", few))
