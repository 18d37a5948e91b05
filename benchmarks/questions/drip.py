"""The same mail to everybody by django-drip-campaigns: from the question who is due to the last answer.

A letter of 25 kB in which fifteen places differ from reader to reader, the same words in both templates.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.bench import Bench
from benchmarks.child import ROOT
from benchmarks.findings import Aim, Finding
from benchmarks.questions.batched import settings_to
from benchmarks.questions.day import TEMPLATE, shop_of_everybody
from benchmarks.shop import NOW
from benchmarks.sink import sink
from engine.app.previewing import previewing
from engine.app.project import Project
from engine.app.running import plan_now
from engine.delivery.deliver import Way, deliver
from engine.delivery.transports.sendgrid import SendGridTransport
from engine.planning.state import be_the_planner

MOST = 5_000  # mails by them: each takes as long as the one before
FASTER = Aim(30, at_least=True)
PATIENCE = 10  # seconds until a server listens
SAID = "Good bread takes time, and little else: flour, water, salt and patience."
LONG = 24  # times, in each half of a part
FOOT = '<p><a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ shop.postal_address }}</p>'


class Spent(NamedTuple):
    """Seconds for each mail, on the wall and of the sender's processor."""

    wall: float
    processor: float


def ask(bench: Bench) -> Iterator[Finding]:
    """Both leave to a sink on this machine, each by the way it is made for; then theirs to nowhere at all."""
    if find_spec("drip") is None:
        bench.say("left out: django-drip-campaigns is not installed (the extra `bench` brings it)")
        return
    project = shop_of_everybody(bench, "drip", bench.small.customers)
    letter = _letter("customer.first_name", "customer.email", FOOT)
    (project.folder / "templates" / TEMPLATE).write_text(letter, encoding="utf-8")
    asked = _for_them(project)
    ours = _ours(project)
    with _smtp_sink() as port:
        theirs = _theirs(bench.folder / "drip-smtp", asked, port)
    thrown_away = _theirs(bench.folder / "drip-nowhere", asked, None)
    yield Finding("a mail, whole run, django-drip-campaigns by SMTP", ours.wall, "s", theirs.wall, FASTER)
    yield Finding("the same, processor time", ours.processor, "s", theirs.processor)
    yield Finding("the same, against theirs thrown away unsent", ours.processor, "s", thrown_away.processor)
    project.close()


def _ours(project: Project) -> Spent:
    with sink() as there:
        settings = settings_to(project.settings, there)
        transport = SendGridTransport(settings, Path())
        project.studio.problems()  # what is made once is made
        way = Way(project.store, project.studio, transport, settings, "benchmarks", lambda _: None)
        start, begun = time.perf_counter(), time.process_time()
        plan_now(project, NOW, partial(be_the_planner, owner="benchmarks"))
        done = deliver(way, NOW).accepted
        spent = Spent((time.perf_counter() - start) / done, (time.process_time() - begun) / done)
        transport.close()
    return spent


def _theirs(folder: Path, asked: Mapping[str, Any], port: int | None) -> Spent:
    folder.mkdir()
    (folder / "drip.json").write_text(json.dumps({**asked, "port": port}), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "benchmarks.django_drip", str(folder)], cwd=ROOT, check=True)
    spent = json.loads((folder / "dripped.json").read_text(encoding="utf-8"))
    return Spent(spent["seconds"] / spent["sent"], spent["processor"] / spent["sent"])


def _for_them(project: Project) -> Mapping[str, Any]:
    """Their template, and the people it is for."""
    with previewing(project, NOW) as preview:
        mails = [mail for mail, _ in zip(preview.mails(), range(MOST), strict=False)]
    return {
        "subject": mails[0].subject,
        "html": _letter("user.first_name", "user.email", ""),
        "users": [(mail.to_address, mail.to_name.split()[0]) for mail in mails],
    }


def _letter(name: str, address: str, foot: str) -> str:
    words = " ".join(SAID for _ in range(LONG))
    part = f"<p>Dear {{{{ {name} }}}}, {words}</p><p>We write to {{{{ {address} }}}}. {words}</p>"
    return f"<html><body>{part * 7}<p>Yours, and good baking, {{{{ {name} }}}}!</p>{foot}</body></html>"


@contextmanager
def _smtp_sink() -> Iterator[int]:
    """A mail server that takes everything and keeps nothing, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "aiosmtpd",
        "-n",
        "-c",
        "aiosmtpd.handlers.Sink",
        "-l",
        f"127.0.0.1:{port}",
    ]
    with subprocess.Popen(command) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(port)
