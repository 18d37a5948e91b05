"""Sending through SendGrid's API to a sink on this machine: many mails a request, against one by one.

The sink takes everything at once, so what is measured is our own work and the bytes on the wire.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import jinja2
from pydantic import SecretStr
from sendgrid import SendGridAPIClient
from sendgrid.helpers import mail as library

from benchmarks.bench import Bench
from benchmarks.child import Failed, peak
from benchmarks.clocks import took
from benchmarks.findings import Aim, Finding
from benchmarks.shop import NOW
from benchmarks.sink import Taken, Way, sink
from engine.app.previewing import previewing
from engine.app.project import Project
from engine.app.running import plan_now
from engine.clock import VirtualClock
from engine.delivery import deliver
from engine.delivery.transports.base import Receipt
from engine.delivery.transports.sendgrid import SendGridTransport
from engine.planning.state import be_the_planner
from engine.rendering.claims import CLAIMS, say
from engine.rendering.context import Surroundings
from engine.rendering.environment import CLAIM, MailEnvironment
from engine.rendering.mail import Mail
from engine.settings.model import Settings

KEY = "SG.sink"
ONE_BY_ONE = 500  # mails: the library is slow, and the same for each
MAILS = 5_000
FASTER, SMALLER, RENDERS = Aim(15, at_least=True), Aim(10, at_least=True), Aim(2)


def ask(bench: Bench) -> Iterator[Finding]:
    """The mails that the smaller shop would get now, of the step of which there are most."""
    folder = bench.folder / "batched"
    shutil.copytree(bench.shop(bench.small), folder, dirs_exist_ok=True)
    project = Project(folder, VirtualClock(NOW))
    mails = _mails(project)
    with sink() as way:
        settings = settings_to(project.settings, way)
        ours = _sent(way, partial(_batched, settings, mails), len(mails))
        few = mails[:ONE_BY_ONE]
        theirs = _sent(way, partial(_one_by_one, way, few), len(few))
        yield Finding(
            "a mail, batched, one by one with the library", ours.seconds, "s", theirs.seconds, FASTER
        )
        yield Finding("bytes of a mail, likewise", ours.bytes, "bytes", theirs.bytes, SMALLER)
        yield from _whole_path(project, settings)
    project.close()


def settings_to(settings: Settings, way: Way) -> Settings:
    """The settings with that sink in the provider's place."""
    secrets = settings.secrets.model_copy(update={"sendgrid_key": SecretStr(KEY)})
    there = settings.sendgrid.model_copy(update={"host": way.url})
    return settings.model_copy(update={"secrets": secrets, "sendgrid": there})


def _mails(project: Project) -> list[Mail]:
    with previewing(project, NOW) as preview:
        mails = list(preview.mails())
    steps = Counter((mail.key.campaign_id, mail.key.step_id) for mail in mails)
    [(most, _)] = steps.most_common(1)
    return [mail for mail in mails if (mail.key.campaign_id, mail.key.step_id) == most][:MAILS]


@dataclass(frozen=True)
class Each:
    """What one mail took."""

    seconds: float
    bytes: float


def _sent(way: Way, send: Callable[[], object], mails: int) -> Each:
    before = way.taken()
    seconds = took(send)
    taken: Taken = way.taken().since(before)
    return Each(seconds / mails, taken.bytes / mails)


def _batched(settings: Settings, mails: Sequence[Mail]) -> None:
    transport = SendGridTransport(settings, Path())
    for parcel in transport.parcels(mails):
        answers = [answer for _, answer in transport.send_parcel(parcel)]
        if not all(isinstance(answer, Receipt) for answer in answers):
            msg = "the sink did not take everything"
            raise Failed(msg)
    transport.close()


def _one_by_one(way: Way, mails: Sequence[Mail]) -> None:
    """As the library's own examples do."""
    client = SendGridAPIClient(KEY, host=way.url)
    for mail in mails:
        message = library.Mail(
            from_email=(mail.from_address, mail.from_name),
            to_emails=(mail.to_address, mail.to_name),
            subject=mail.subject,
            plain_text_content=mail.text,
            html_content=mail.html,
        )
        message.header = [library.Header(*header) for header in mail.headers]
        client.send(message)


# ── the whole path ──────────────────────────────────────────────────────────────────────────────


def _whole_path(project: Project, settings: Settings) -> Iterator[Finding]:
    """From the outbox to the answer, all in this process's time; and stock Jinja2 with the same facts."""
    rendered = _rendered_barely(project)
    plan_now(project, NOW, partial(be_the_planner, owner="benchmarks"))
    transport = SendGridTransport(settings, Path())
    way = deliver.Way(project.store, project.studio, transport, settings, "benchmarks", lambda _: None)
    project.studio.problems()  # what is made once is made
    start = time.process_time()
    done = deliver.deliver(way, NOW)
    took_each = (time.process_time() - start) / done.accepted
    transport.close()
    yield Finding(
        "a mail's whole path, a bare render, processor", took_each, "s", rendered, RENDERS, str(done)
    )
    yield Finding("memory of all this", peak(), "MB")


def _rendered_barely(project: Project) -> float:
    """Processor time of one mail's HTML by an environment of Jinja2 as it comes."""
    pages = _pages(project)
    for template, context in pages:
        template.render(context)  # what is compiled once is compiled
    start = time.process_time()
    for template, context in pages:
        template.render(context)
    return (time.process_time() - start) / len(pages)


def _pages(project: Project) -> list[tuple[jinja2.Template, Mapping[str, Any]]]:
    """Each mail of the plan as its template, and all that the template is given."""
    loader = jinja2.FileSystemLoader(project.folder / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True)
    environment.filters |= MailEnvironment(project.settings, html=True).filters
    contexts: list[Mapping[str, Any]] = []
    kept = Surroundings.context

    def keep(ours: Surroundings, *given: Any) -> Mapping[str, Any]:
        contexts.append(kept(ours, *given))
        return contexts[-1]

    with mock.patch.object(Surroundings, "context", keep):
        mails = _mails(project)[:ONE_BY_ONE]
    steps = {(c.id, step.id): step for c in project.files.campaigns for step in c.steps}
    template = environment.get_template(steps[mails[0].key[1:3]].email.template)
    wanted = [c for c in contexts if (c["campaign"].id, c["step"].id) == mails[0].key[1:3]]
    return [(template, _callable(context)) for context in wanted[:ONE_BY_ONE]]


def _callable(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Claims are asked by what they say in prepared templates, and by their arguments in those as written."""

    def asked(kind: str) -> Callable[..., Any]:
        return lambda sku, **words: context[CLAIM](say(kind, sku, words))

    return {**context, **{kind: asked(kind) for kind in CLAIMS}, "preheader": ""}
