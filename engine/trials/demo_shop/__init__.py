"""A bakery school with invented customers, the same ones for the same seed.

`dice` is chance with a seed, `people` invents who they are (with `names`), `ledger` keeps what one of
them did, `lives` lets chance decide what that is, `cast` writes twelve lives by hand, `traffic` invents the
visitors before the orders and what they cost, and `files` puts it all down as canonical CSV.
"""

from engine.trials.demo_shop.files import FILES, TRAFFIC, write_demo_shop

__all__ = ["FILES", "TRAFFIC", "write_demo_shop"]
