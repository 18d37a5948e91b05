"""From a link in a mail to a mail that never leaves: by a real server, in this process."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest
from sqlalchemy import select, update

from engine.app.erasing import erase
from engine.app.hearing import drain
from engine.app.person import known
from engine.app.project import Project
from engine.app.replaying import list_parked, replay
from engine.app.running import run_once
from engine.clock import VirtualClock
from engine.errors import SettingsError
from engine.facts import wishes
from engine.facts.suppression import suppress, suppression
from engine.facts.wishes import ONE_CLICK, PAGE
from engine.links import Links, Purpose
from engine.settings.load import load_settings
from engine.store.tables import consents, customers, inbound, messages
from engine.web.server import Server
from tests.conftest import NOW
from tests.daemon.conftest import make_shop

URL = "https://mail.loaf.example/letters"
SECRET = "a long text that nobody guesses"  # noqa: S105 - signs the links of this test


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Site:
    """A shop that has mailed, and its web server."""

    project: Project
    address: str
    taken: set[int] = field(default_factory=set)

    def ask(self, method: str, path: str, body: str | None = None) -> Answer:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        with closing(HTTPConnection(urlsplit(self.address).netloc, timeout=60)) as connection:
            connection.request(method, path, body, kind)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())

    def mails(self) -> list[Any]:
        files = sorted(self.project.folder.glob("outbox/mails/*/*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    def rows(self, **columns: Any) -> list[Any]:
        where = [messages.c[name] == value for name, value in columns.items()]
        with self.project.store.reading() as connection:
            return list(connection.execute(select(messages).where(*where).order_by(messages.c.message_id)))

    def consents(self, customer_id: int) -> list[tuple[str, bool, str]]:
        columns = (consents.c.topic, consents.c.granted, consents.c.source)
        with self.project.store.reading() as connection:
            ours = consents.c.source.in_((ONE_CLICK, PAGE))
            asked = select(*columns).where(consents.c.customer_id == customer_id, ours)
            return [tuple(row) for row in connection.execute(asked.order_by(consents.c.at))]

    def suppression(self, address: str) -> str | None:
        with self.project.store.reading() as connection:
            return suppression(connection, address)

    def path(self, message_id: str, purpose: Purpose = Purpose.UNSUBSCRIBE) -> str:
        return f"/{purpose}/{Links(URL, SECRET).token(purpose, message_id)}"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for the whole module: each test has a reader of its own."""
    folder = tmp_path_factory.mktemp("site") / "shop"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFTERSALE_WEB__PORT", "0")
        patch.setenv("AFTERSALE_WEB__URL", URL)
        patch.setenv("AFTERSALE_SECRETS__SIGNING", SECRET)
        if request.param == "postgres":
            patch.setenv("AFTERSALE_DATABASE", request.getfixturevalue("new_postgres")())
        make_shop(folder, customers=90)
        project = Project(folder, VirtualClock(NOW))
        run_once(project, NOW, lambda _: None)
        server = Server(project)
        server.start()
        yield Site(project, server.address)
        server.stop()
        project.close()


@pytest.fixture
def mail(site: Site) -> Any:
    """One that was sent to somebody whom no other test writes to."""
    found = next(m for m in site.rows(status="accepted") if m.customer_id not in site.taken)
    site.taken.add(found.customer_id)
    return found


def test_every_mail_carries_both_ways_out_and_they_lead_where_they_should(site: Site) -> None:
    mails = site.mails()
    assert mails
    for mail in mails:
        said = re.fullmatch(rf"<{URL}(/u/[\w.-]+)>, <mailto:[^>]+>", mail["List-Unsubscribe"])
        assert said is not None, mail["List-Unsubscribe"]
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        html = mail.get_body(("html",)).get_content()
        assert f'href="{URL}{said[1]}"' in html, "the same link is in the mail, and nothing is added to it"
        assert re.search(rf'href="{URL}/m/[\w.-]+"', html)
    assert site.ask("GET", said[1]).status == 200


def test_a_get_never_unsubscribes_and_its_page_is_private(site: Site, mail: Any) -> None:
    answer = site.ask("GET", site.path(mail.message_id))
    assert answer.status == 200
    assert mail.address not in answer.body
    assert f"{mail.address[0]}•••@" in answer.body
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    assert "<script" not in answer.body
    head = site.ask("HEAD", site.path(mail.message_id))
    assert (head.status, head.body) == (200, ""), "a scanner looks whether the link is alive"
    assert site.consents(mail.customer_id) == []
    assert site.suppression(mail.address) is None


def test_one_click_stops_the_topic_at_once_and_twice_is_once(site: Site, mail: Any) -> None:
    again = {"status": "scheduled", "due_at": NOW, "slot_at": NOW, "message_id": None, "settled_at": None}
    with site.project.store.writing() as connection:  # one more mail to the same customer, planned already
        waits = messages.c.message_id == mail.message_id
        row = dict(connection.execute(select(messages).where(waits)).mappings().one())
        other = row | again | {"spell": 7, "attempt": 0, "address": None, "evidence": None}
        connection.execute(messages.insert(), [other])
    for _ in range(2):
        answer = site.ask("POST", site.path(mail.message_id), "List-Unsubscribe=One-Click")
        assert (answer.status, answer.body) == (200, "You are unsubscribed.\n")
    assert site.consents(mail.customer_id) == [("marketing", False, "one click")]
    run_once(site.project, NOW, lambda _: None)
    [left] = site.rows(customer_id=mail.customer_id, spell=7)
    assert (left.status, left.error) == ("cancelled", "the customer said no to its topic meanwhile")
    files = site.project.folder.glob(f"outbox/mails/*/{left.message_id}.eml")
    assert not list(files), "the door asked: nothing of it has left"


def test_the_page_saves_a_choice_of_topics_and_takes_it_back(site: Site, mail: Any) -> None:
    path = site.path(mail.message_id)
    none = site.ask("POST", f"{path}/topics", "")
    assert "You get no letters from us" in none.body
    assert site.consents(mail.customer_id) == [("marketing", False, "preference page")]
    stopped = site.ask("POST", f"{path}/all", "")
    assert "Done: you get no more of our letters." in stopped.body
    assert site.suppression(mail.address) == "unsubscribed"
    clock = site.project.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(timedelta(hours=1))
    back = site.ask("POST", f"{path}/topics", urlencode({"topic": "marketing"}))
    assert 'value="marketing" checked' in back.body
    assert site.suppression(mail.address) is None


def test_who_complained_cannot_be_subscribed_by_a_page(site: Site, mail: Any) -> None:
    with site.project.store.writing() as connection:
        suppress(connection, mail.address, "complaint", "test", NOW)
    answer = site.ask("POST", f"{site.path(mail.message_id)}/topics", "topic=marketing")
    assert "Write to us to have that changed" in answer.body
    assert site.suppression(mail.address) == "complaint"


def test_forged_links_and_those_of_another_purpose_lead_nowhere(site: Site, mail: Any) -> None:
    good, view = site.path(mail.message_id), site.path(mail.message_id, Purpose.VIEW)
    other = Links(URL, "another text that nobody guesses").token(Purpose.UNSUBSCRIBE, mail.message_id)
    forged = ["/u/x", "/u/" + quote("ü.ü"), good[:-1], good + "a", view.replace("/m/", "/u/"), f"/u/{other}"]
    for path in forged:
        for method, more in (("GET", ""), ("POST", ""), ("POST", "/all"), ("POST", "/topics")):
            answer = site.ask(method, path + more, "" if method == "POST" else None)
            assert (answer.status, "leads nowhere" in answer.body) == (404, True), (method, path)
    assert site.ask("GET", good.replace("/u/", "/m/")).status == 404
    assert site.consents(mail.customer_id) == []
    assert site.suppression(mail.address) is None


def test_a_form_has_its_measure(site: Site, mail: Any) -> None:
    path = site.path(mail.message_id)
    assert site.ask("POST", f"{path}/topics", "topic=" + "x" * 20_000).status == 413
    assert site.ask("POST", f"{path}/topics", "a&" * 2_000).status == 400


def test_a_mail_is_shown_again_byte_for_byte_or_not_at_all(site: Site) -> None:
    mail = next(
        m for m in site.rows(status="accepted", campaign_id="win-back") if m.customer_id not in site.taken
    )
    [file] = site.project.folder.glob(f"outbox/mails/*/{mail.message_id}.eml")
    sent = message_from_bytes(file.read_bytes(), policy=policy.default)
    path = site.path(mail.message_id, Purpose.VIEW)
    answer = site.ask("GET", path)
    assert answer.body.splitlines() == sent.get_body(("html",)).get_content().splitlines()
    assert "form-action 'none'" in answer.headers["content-security-policy"]
    campaign = site.project.folder / "campaigns/win-back.yaml"
    before = campaign.read_text()
    campaign.write_text(before.replace("priority:", "cool_down: {after_purchase: 1d}\npriority:"))
    changed = site.ask("GET", path)
    campaign.write_text(before)
    assert (changed.status, "can no longer be shown" in changed.body) == (410, True)


def test_what_people_are_called_is_text_on_every_page(site: Site, mail: Any) -> None:
    bad = "<script>alert(1)</script>"
    with site.project.store.writing() as connection:
        theirs = customers.c.customer_id == mail.customer_id
        connection.execute(update(customers).where(theirs).values(first_name=bad, email='<b>"@x.example'))
        here = messages.c.message_id == mail.message_id
        connection.execute(update(messages).where(here).values(address='<b>"@<i>.example'))
    page = site.ask("GET", site.path(mail.message_id))
    shown = site.ask("GET", site.path(mail.message_id, Purpose.VIEW))
    assert page.status == 200
    for answer in (page, shown):
        assert bad not in answer.body
        assert "<i>.example" not in answer.body
    assert "script-src" not in page.headers["content-security-policy"], "default-src 'none' covers it"


def test_the_links_of_who_was_erased_say_that_nothing_is_known(site: Site, mail: Any) -> None:
    person = known(site.project, mail.address)
    assert person is not None
    erase(site.project, person, NOW)
    path = site.path(mail.message_id)
    for method in ("GET", "POST"):
        answer = site.ask(method, path)
        assert (answer.status, "Nothing is known of this mail" in answer.body) == (410, True)
    assert site.ask("GET", site.path(mail.message_id, Purpose.VIEW)).status == 410


@pytest.fixture
def busy(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Another writer has the database, until this is called."""
    if site.project.store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has more than one writer")
    monkeypatch.setattr(wishes, "PATIENCE", 10)
    file = site.project.store.engine.url.database
    with closing(sqlite3.connect(str(file), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other.rollback


@pytest.mark.parametrize(
    ("more", "said", "then"),
    [
        ("", "You are unsubscribed.", ([("marketing", False, ONE_CLICK)], None)),
        ("/all", "Done: you get no more of our letters.", ([], "unsubscribed")),
        ("/topics", "Saved.", ([("marketing", False, PAGE)], None)),
    ],
)
def test_a_wish_holds_though_another_has_the_database(
    site: Site, mail: Any, busy: Callable[[], None], more: str, said: str, then: Any
) -> None:
    path = site.path(mail.message_id)
    for _ in range(2):
        answer = site.ask("POST", path + more, "")
        assert (answer.status, said in answer.body) == (200, True)
    assert "You get no letters from us" in site.ask("GET", path).body, "the page knows what waits"
    assert (site.consents(mail.customer_id), site.suppression(mail.address)) == ([], None)
    assert site.project.wishes.pending().concerns(mail.customer_id, "")
    assert site.ask("POST", path[:-1] + more, "").status == 404, "whose token is forged wishes nothing"
    busy()
    drain(site.project)
    assert (site.consents(mail.customer_id), site.suppression(mail.address)) == then
    assert "You get no letters from us" in site.ask("GET", path).body


def test_a_wish_is_carried_out_once_and_the_last_one_counts(
    site: Site, mail: Any, busy: Callable[[], None]
) -> None:
    """Its process dies between the database and the file, and the reader has another wish by then."""
    path, clock = site.path(mail.message_id), site.project.clock
    assert isinstance(clock, VirtualClock)
    assert site.ask("POST", path, "").status == 200
    clock.advance(timedelta(minutes=1))
    assert site.ask("POST", f"{path}/topics", "topic=marketing").status == 200, "it stands in line"
    files = {file: file.read_bytes() for file in site.project.spool.wishes.files()}
    assert 'value="marketing" checked' in site.ask("GET", path).body
    busy()
    drain(site.project)
    said = [("marketing", False, ONE_CLICK), ("marketing", True, PAGE)]
    assert site.consents(mail.customer_id) == said
    for file, text in files.items():
        file.write_bytes(text)
    drain(site.project)
    assert site.consents(mail.customer_id) == said
    with site.project.store.reading() as connection:
        rows = connection.execute(select(inbound).where(inbound.c.source == wishes.SOURCE))
        assert {(row.outcome, row.body) for row in rows} == {("applied", "")}


def test_a_wish_that_cannot_be_carried_out_is_parked_and_takes_no_other_with_it(
    site: Site, busy: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    two = [m for m in site.rows(status="accepted") if m.customer_id not in site.taken][:2]
    site.taken.update(m.customer_id for m in two)
    carry_out = wishes.carry_out

    def fails(connection: Any, wish: Any, at: Any) -> Any:
        if wish.message_id == two[0].message_id:
            raise RuntimeError
        return carry_out(connection, wish, at)

    monkeypatch.setattr(wishes, "carry_out", fails)
    for each in two:
        assert site.ask("POST", site.path(each.message_id), "").status == 200
    busy()
    drain(site.project)
    no = [("marketing", False, ONE_CLICK)]
    assert [site.consents(each.customer_id) for each in two] == [[], no]
    [parked], _ = list_parked(site.project, wishes.SOURCE, 9)
    assert parked.error == "it cannot be carried out: RuntimeError"
    monkeypatch.setattr(wishes, "carry_out", carry_out)
    replay(site.project, wishes.SOURCE, NOW, whole=True)
    assert [site.consents(each.customer_id) for each in two] == [no, no]


@pytest.mark.parametrize("elsewhere", ["gone", "exchanged"])
def test_a_no_is_not_taken_for_a_database_that_nobody_finds_again(
    site: Site, mail: Any, elsewhere: str
) -> None:
    """An open file would take it, and lose it."""
    if site.project.store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL is no file of ours")
    file = Path(str(site.project.store.engine.url.database))
    aside = file.rename(file.with_suffix(".aside"))
    if elsewhere == "exchanged":
        file.touch()
    assert site.ask("POST", site.path(mail.message_id), "").status == 503
    aside.replace(file)


def test_no_public_address_without_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFTERSALE_SECRETS__SIGNING", raising=False)
    (tmp_path / "config.yaml").write_text(f"web: {{url: '{URL}'}}")
    with pytest.raises(SettingsError, match="AFTERSALE_SECRETS__SIGNING is not"):
        load_settings(tmp_path)
