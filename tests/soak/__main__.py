"""`python -m tests.soak`: prints the counts, and ends with 1 where a promise was broken."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.soak.providers import PROVIDERS
from tests.soak.round import Chosen, Told, soak


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    options.add_argument("--seconds", type=float, default=120, help="how long trouble lasts; default: 120")
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--transport", choices=sorted(PROVIDERS), default="sendgrid")
    options.add_argument("--customers", type=int, default=800)
    options.add_argument(
        "--seed", default=str(random.randrange(10**6)), help="of all that is chosen at random"
    )
    options.add_argument(
        "--keep", type=Path, help="a new folder for the shop and its logs; default: none, removed"
    )
    given = options.parse_args()
    chosen = Chosen(given.seconds, given.database, given.transport, given.customers, given.seed)
    _say(f"soak: {chosen.transport} on {chosen.database}, {chosen.seconds:g} s, --seed {chosen.seed}")
    if given.keep:
        given.keep.mkdir(parents=True)
        return _told(soak(chosen, given.keep.resolve(), _say))
    with tempfile.TemporaryDirectory(prefix="aftersale-soak-") as folder:
        return _told(soak(chosen, Path(folder), _say))


def _told(told: Told) -> int:
    _say(", ".join(f"{number:,} {what}" for what, number in sorted(told.did.items())))
    for when, reckoning in (("when trouble had ended", told.at_the_end), ("settled by hand", told.settled)):
        _say(f"\n{when}:\n" + "\n".join(reckoning.lines()))
        for what, ids in reckoning.broken.items():
            for mail in sorted(ids)[:5]:
                _say(f"  {what}: {mail}")
    for wrong in told.wrong:
        _say(f"wrong: {wrong}")
    _say("\nevery promise was kept" if told.kept() else "\nA PROMISE WAS BROKEN")
    return 0 if told.kept() else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
