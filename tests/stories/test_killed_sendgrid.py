"""A run killed with -9 at any call to SendGrid: nothing is doubled, nothing forgotten, the rest is shown."""

import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import select

from engine.app.project import Project
from engine.app.running import run_once
from engine.clock import VirtualClock
from engine.delivery.transports.sendgrid import transport
from engine.store.tables import messages
from tests.conftest import NOW
from tests.delivery.post_office import let_leases_run_out
from tests.fake_sendgrid.hand import Hand, fake_sendgrid
from tests.shops import lay_out
from tests.stories.conftest import Aftersale

# A run that kills itself with -9 at the n-th event of that name; "settle" is before its own writing down.
RUN = dedent("""
    import os, signal, sys
    from datetime import datetime
    from pathlib import Path
    from engine.app.project import Project
    from engine.app.running import run_once
    from engine.clock import VirtualClock
    from engine.delivery.outbox import Outbox
    deadly, left = sys.argv[3], int(sys.argv[4])
    def live(event, *_):
        global left
        left -= event == deadly
        if event == deadly and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    settle = Outbox.settle
    def settled(*args):
        live("settle")
        done = settle(*args)
        live("settled")
        return done
    Outbox.settle = settled
    now = datetime.fromisoformat(sys.argv[2])
    project = Project(Path(sys.argv[1]), VirtualClock(now))
    sys.addaudithook(live)
    print("ready", os.getpid(), flush=True)
    sys.stdin.readline()
    run_once(project, now, progress=lambda _: None)
    project.close()
""")


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with some mails due now, in SQLite."""
    shop = tmp_path_factory.mktemp("killed") / "shop"
    lay_out(
        shop, 300, only={"win-back", "flagship-after-guide", "flagship-with-guide", "products", "segments"}
    )
    return shop


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    with fake_sendgrid(tmp_path / "records.jsonl") as fake:
        yield fake


@pytest.fixture
def shop(hand: Hand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, planned: Path) -> Path:
    """A copy of it that mails through the fake, ten at a time."""
    monkeypatch.setenv("AFTERSALE_DELIVERY__TRANSPORT", "sendgrid")
    monkeypatch.setenv("AFTERSALE_SECRETS__SENDGRID_KEY", hand.key)
    monkeypatch.setenv("AFTERSALE_SENDGRID__HOST", hand.url)
    monkeypatch.setenv("AFTERSALE_DELIVERY__BATCH", "10")
    shutil.copytree(planned, tmp_path / "shop")
    return tmp_path / "shop"


@contextmanager
def started(shop: Path, event: str = "none", number: int = 0) -> Iterator[subprocess.Popen[str]]:
    """A run that waits for a word before it begins, and kills itself at the event of that number."""
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(shop), NOW.isoformat(), event, str(number)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == f"ready {process.pid}\n"
        yield process


def go(process: subprocess.Popen[str]) -> int:
    process.communicate("go\n")
    return process.returncode


def outbox(shop: Path) -> dict[str, set[str]]:
    """The ids of mails by the state they are in; those that never enter delivery left out."""
    found: dict[str, set[str]] = defaultdict(set)
    project = Project(shop, VirtualClock(NOW))
    with project.store.reading() as connection:
        rows = connection.execute(select(messages.c.status, messages.c.message_id))
        for status, message_id in rows:
            found[status].add(message_id)
    project.close()
    found.pop("held_out", None)
    return found


def run_again(shop: Path) -> None:
    """The next run, once the leases of the dead one have run out."""
    project = Project(shop, VirtualClock(NOW))
    let_leases_run_out(project.store)
    run_once(project, NOW, progress=lambda _: None)
    project.close()


def check(shop: Path, hand: Hand) -> dict[str, set[str]]:
    """Nothing twice; what is said to be accepted was; what was and is not said to be is held and shown."""
    there, here = hand.ids(), outbox(shop)
    assert set(there.values()) <= {1}, "doubled"
    assert here.keys() <= {"accepted", "unknown"}, "each ends where a person can see it"
    assert here["accepted"] <= there.keys(), "said to be sent, and lost"
    assert there.keys() <= here["accepted"] | here["unknown"], "sent, and forgotten"
    return here


BATCHES = 10  # what one dead run can leave in doubt

DEATHS = [  # the event, its number, and how many mails of the batch in the air had been accepted
    ("http.client.send", 2, 0),  # the body of the first request
    ("settle", 1, None),
    ("settled", 1, None),
]


@pytest.mark.parametrize(("event", "number", "left"), DEATHS)
def test_a_run_that_dies_at_that_moment_doubles_and_forgets_nothing(
    shop: Path, hand: Hand, event: str, number: int, left: int | None
) -> None:
    with started(shop, event, number) as process:
        assert go(process) == -signal.SIGKILL, "it came to its end before"
    if left is not None:
        assert len(hand.mails()) == left
    run_again(shop)
    here = check(shop, hand)
    assert len(here["unknown"]) == (0 if event == "settled" else BATCHES)
    assert len(here["accepted"]) > BATCHES


@pytest.mark.parametrize(("after", "accept"), [(0, True), (1, False)])
def test_a_run_killed_while_the_provider_has_its_request(
    shop: Path, hand: Hand, after: int, accept: bool
) -> None:
    with started(shop) as process:
        hand.order(kill=process.pid, after=after, accept=accept)
        assert go(process) == -signal.SIGKILL
    run_again(shop)
    here = check(shop, hand)
    assert len(here["unknown"]) == BATCHES
    assert (len(hand.mails()) > len(here["accepted"])) >= accept


def test_a_run_amid_every_kind_of_trouble_loses_nothing(
    shop: Path, hand: Hand, monkeypatch: pytest.MonkeyPatch, aftersale: Aftersale
) -> None:
    """What the provider did not say is unknown and shown; a person settles it, and it leaves."""
    monkeypatch.setattr(transport, "FIRST_REST", timedelta(milliseconds=1))
    hand.order(reset=True, accept=True)
    hand.order(status=503)
    project = Project(shop, VirtualClock(NOW))
    ran = run_once(project, NOW, progress=lambda _: None)
    here = check(shop, hand)
    assert ran.delivered.unknown == len(here["unknown"]) == BATCHES + 1, "after the first only one was tried"
    project.close()
    told = aftersale("outbox", "--project", shop, "--status", "unknown", "--json").json
    assert {mail["message_id"] for mail in told["mails"]} == here["unknown"]
