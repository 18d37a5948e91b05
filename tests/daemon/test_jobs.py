"""The jobs of a daemon, one by one, in this process and on a clock that is moved by hand."""

import json
import logging
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread, Timer, get_ident
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from engine.app import running
from engine.app.doctoring import examine
from engine.app.failures import Failure, lately
from engine.app.hearing import take_in, take_in_facts
from engine.app.outbox import one
from engine.app.project import Project
from engine.clock import VirtualClock
from engine.daemon.jobs import MINUTE, Crew, jobs
from engine.daemon.logs import LOGGER, set_up
from engine.daemon.post import Post
from engine.daemon.sender import Sender
from engine.daemon.serve import _break_off, _mind_the_clock, _scheduled, told_to_stop
from engine.daemon.steady import Busy, Steady
from engine.daemon.wall import Wall
from engine.errors import NotAdopted, StoreLocked, StoreUnreachable, TransportError
from engine.planning.plan import make_plan
from engine.settings.shop import Shop
from engine.store.tables import customers, leases, messages, throttle
from tests.fake_sendgrid.hand import Hand, fake_sendgrid

HOUR = timedelta(hours=1)


class Listener(logging.Handler):
    """What was logged: events, and their values."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, dict[str, Any]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.events.append((record.getMessage(), record.event_values))

    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def values(self, name: str) -> list[dict[str, Any]]:
        return [values for event, values in self.events if event == name]


@pytest.fixture
def log() -> Iterator[Listener]:
    set_up("text")
    listener = Listener()
    LOGGER.addHandler(listener)
    yield listener
    LOGGER.handlers.clear()


@pytest.fixture
def project(small_shop: Path, tmp_path: Path, clock: VirtualClock) -> Iterator[Project]:
    opened = Project(Path(shutil.copytree(small_shop, tmp_path / "shop")), clock)
    yield opened
    opened.close()


@pytest.fixture
def post(project: Project) -> Post:
    return Post(project)


@pytest.fixture
def crew(post: Post, log: Listener) -> Crew:
    crew = Crew(post)
    crew.planner.lead()
    return crew


Sets = Callable[[float], None]


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Sets:
    """Sets the seconds that whoever asks is told."""
    moment = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: moment[0])
    return lambda seconds: moment.__setitem__(0, seconds)


def left(project: Project) -> int:
    return len(list((project.folder / "outbox").rglob("*.eml")))


# ── planning and sending ────────────────────────────────────────────────────────────────────────


def test_what_is_planned_is_sent(crew: Crew, post: Post, log: Listener) -> None:
    woken: list[str] = []
    post.wake = woken.append
    crew.planner.plan()
    assert woken == ["deliver"]
    crew.sender.deliver()
    [planned], [delivered] = log.values("planned"), log.values("delivered")
    assert planned["mails"] == delivered["accepted"] == left(post.project) > 0


def test_what_leaves_at_a_rate_is_told_once_a_minute(
    crew: Crew, project: Project, clock: VirtualClock, log: Listener, stopwatch: Sets, monkeypatch: Any
) -> None:
    """Else the log would have a line for each second."""
    monkeypatch.setenv("AFTERSALE_DELIVERY__PER_MINUTE", "60")
    crew.planner.plan()
    slow = Sender(Post(spread := Project(project.folder, clock)))
    for seconds in (0, 1, 2, 59, 61):
        stopwatch(seconds)
        with spread.store.writing() as connection:  # the next one may leave
            connection.execute(update(throttle).values(next_at=datetime.now(UTC) - timedelta(seconds=0.5)))
        slow.deliver()
    assert log.values("delivered") == [{"accepted": 1}, {"accepted": 4}]
    slow.deliver()
    slow.close()
    assert sum(each["accepted"] for each in log.values("delivered")) == left(project)
    spread.close()


def test_nothing_leaves_on_the_word_of_an_old_plan(crew: Crew, post: Post, clock: VirtualClock) -> None:
    """After days of rest a plan decides anew before anything leaves."""
    crew.planner.plan()
    clock.advance(HOUR)
    crew.sender.deliver()
    assert left(post.project) == 0
    crew.planner.plan()
    crew.sender.deliver()
    assert left(post.project) > 0


def test_a_plan_may_take_longer_than_the_lease(
    crew: Crew, post: Post, log: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is locked meanwhile, so that nobody else can lead."""

    def slowly(connection: Any, *words: Any) -> Any:
        connection.execute(update(leases).values(expires_at=datetime(1970, 1, 2, tzinfo=UTC)))
        return make_plan(connection, *words)

    monkeypatch.setattr(running, "make_plan", slowly)
    crew.planner.plan()
    other = Crew(Post(post.project))
    other.planner.lead()
    assert log.names() == ["leads", "planned", "stands by"]
    assert crew.planner.leads()


def test_nor_on_that_of_a_plan_that_is_yet_to_come(crew: Crew, post: Post, clock: VirtualClock) -> None:
    """A clock that ran ahead was set back: what it let fall due waits for a plan of now."""
    crew.planner.plan()
    clock.advance(-HOUR)
    crew.sender.deliver()
    assert left(post.project) == 0


def test_who_stands_by_does_not_plan_and_sends(crew: Crew, project: Project, log: Listener) -> None:
    other = Crew(Post(project))
    other.planner.lead()
    other.planner.plan()
    assert log.names() == ["leads", "stands by"]
    crew.planner.plan()
    other.sender.deliver()
    assert left(project) > 0


def test_a_lead_that_was_lost_is_told_and_asked_for_again(crew: Crew, post: Post, log: Listener) -> None:
    woken: list[str] = []
    post.wake = woken.append
    with post.project.store.writing() as connection:
        connection.execute(delete(leases))
    crew.planner.plan()
    assert log.names() == ["leads", "lead lost"]
    assert woken == ["lead"]
    assert left(post.project) == 0


def test_it_stops_between_two_mails_and_gives_back_the_rest(
    crew: Crew, post: Post, monkeypatch: pytest.MonkeyPatch, log: Listener
) -> None:
    crew.planner.plan()
    send = crew.sender._transport.send
    monkeypatch.setattr(crew.sender._transport, "send", lambda mail: (post.stopping.say(), send(mail))[1])
    crew.sender.deliver()
    assert left(post.project) == 1
    assert log.values("delivered") == [{"accepted": 1}]
    with post.project.store.reading() as connection:
        waiting = select(func.count()).where(messages.c.status == "scheduled")
        assert connection.scalar(waiting) == log.values("planned")[0]["mails"] - 1


def test_the_list_of_jobs_keeps_planning_and_sending_apart(crew: Crew, project: Project) -> None:
    threads = {job.name: job.threads for job in jobs(crew, project.settings)}
    assert {threads["lead"], threads["plan"]} == {"planning"}
    assert {threads["deliver"], threads["reconcile"]} == {"sending"}
    assert {threads[name] for name in ("reload", "listen", "notice", "sweep")} == {"chores"}


@pytest.mark.parametrize("zone", ["Europe/Helsinki", "Europe/Berlin"])
def test_the_nightly_job_goes_on_when_the_clocks_show_its_hour_twice(
    crew: Crew, project: Project, zone: str
) -> None:
    settings = project.settings.model_copy(update={"shop": Shop(timezone=zone)})
    [nightly] = [job.trigger for job in jobs(crew, settings) if job.name == "sweep"]
    at, nights = datetime(2026, 10, 23, 12, tzinfo=UTC), []
    for _ in range(3):
        at = nightly.get_next_fire_time(at, at)
        nights.append(at.astimezone(settings.zone))
    assert [f"{night:%d %H:%M}" for night in nights] == ["24 03:00", "25 03:00", "26 03:00"]


def test_a_clock_that_is_set_forward_lets_a_job_catch_up_with_nothing(crew: Crew, project: Project) -> None:
    for job in jobs(crew, project.settings):
        then = datetime(1970, 1, 1, tzinfo=UTC)
        now = then + timedelta(days=40 * 365)
        assert now < job.trigger.get_next_fire_time(then, now) <= now + timedelta(days=1), job.name


def test_a_clock_that_is_set_back_holds_up_no_job(
    crew: Crew, post: Post, log: Listener, stopwatch: Sets
) -> None:
    """Each would wait for the hour to pass once more, and this daemon for nothing else."""
    clock = VirtualClock(datetime.now(UTC) + HOUR)
    wall, scheduler = Wall(clock), _scheduled(crew, post, Busy())
    scheduler.start(paused=True)
    for job in scheduler.get_jobs():
        job.modify(next_run_time=clock.now())
    stopwatch(10)
    clock.advance(timedelta(seconds=9))
    _mind_the_clock(scheduler, wall)
    assert {job.next_run_time for job in scheduler.get_jobs()} == {clock.now() - timedelta(seconds=9)}
    clock.advance(-HOUR)
    _mind_the_clock(scheduler, wall)
    waits = {job.id: job.next_run_time - datetime.now(UTC) for job in scheduler.get_jobs()}
    scheduler.shutdown()
    assert all(waits[name] <= MINUTE for name in ("lead", "plan", "deliver", "reload", "listen"))
    assert log.values("clock set back") == [{"by": "3600s"}]


# ── files that change ───────────────────────────────────────────────────────────────────────────


def reload(crew: Crew) -> None:
    """Two looks: a file is taken when both found it the same."""
    crew.reader.reload()
    crew.reader.reload()


def edit(project: Project, name: str, old: str, new: str) -> None:
    path = project.folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    later = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(later, later))


def priority(post: Post) -> int:
    campaign = post.project.files.campaign("win-back")
    assert campaign
    return campaign.priority


def test_a_sound_change_is_taken_once_it_has_settled(crew: Crew, post: Post, log: Listener) -> None:
    crew.planner.plan()
    was = priority(post)
    edit(post.project, "campaigns/win-back.yaml", f"priority: {was}", "priority: 77")
    crew.reader.reload()
    assert priority(post) == was, "an editor may still be writing"
    crew.reader.reload()
    assert priority(post) == 77
    assert log.values("files taken") == [{"changed": "campaigns/win-back.yaml", "campaigns": 2}]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("campaigns/win-back.yaml", "priority:", "prioritty:"),
        ("campaigns/win-back.yaml", "campaign:", "\t:"),
        ("campaigns/products.yaml", "price:", "prize:"),
        ("templates/_layout.html", "{% block content %}", "{% blok content %}"),
    ],
)
def test_a_broken_file_never_replaces_a_good_one_and_is_told_once(
    crew: Crew, post: Post, log: Listener, file: str, old: str, new: str
) -> None:
    before = post.project
    edit(post.project, file, old, new)
    for _ in range(3):
        reload(crew)
    assert post.project is before
    told = log.values("file not taken")
    assert any(Path(file).name in each["at"] for each in told)
    assert log.names().count("files kept as they were") == 1
    crew.planner.plan()
    crew.sender.deliver()
    assert log.values("delivered")[0]["accepted"] > 0, "the daemon goes on with what it had"
    edit(post.project, file, new, old)
    reload(crew)
    assert post.project is not before
    assert log.values("files taken")


MISTAKEN = {
    "a word misspelt": lambda path: path.write_text("campaign: fresh\naudiance: {any: []}\n"),
    "not UTF-8": lambda path: path.write_bytes("campaign: caf\xe9\n".encode("latin-1")),
    "empty": lambda path: path.touch(),
    "a link to nothing": lambda path: path.symlink_to("nowhere.yaml"),
}


@pytest.mark.parametrize("write", MISTAKEN.values(), ids=MISTAKEN)
def test_a_mistake_in_a_new_file_is_told_once_and_nothing_taken(
    crew: Crew, post: Post, log: Listener, write: Callable[[Path], Any]
) -> None:
    before, file = post.project, post.project.folder / "campaigns/fresh.yaml"
    write(file)
    for _ in range(3):
        reload(crew)
    assert post.project is before
    told = log.values("file not taken")
    assert told
    assert all("campaigns/fresh.yaml" in each["at"] for each in told)
    assert log.values("files kept as they were") == [{"changed": "campaigns/fresh.yaml"}]
    file.unlink()
    reload(crew)
    assert post.project is not before


def test_what_was_wrong_at_the_start_may_stay_so(project: Project, log: Listener) -> None:
    (project.folder / "campaigns/fresh.yaml").write_text("campaign: fresh\naudiance: {any: []}\n")
    crew = Crew(post := Post(project))
    was = priority(post)
    edit(project, "campaigns/win-back.yaml", f"priority: {was}", "priority: 77")
    edit(project, "campaigns/fresh.yaml", "campaign:", "# a line more\ncampaign:")
    reload(crew)
    assert priority(post) == 77
    assert log.values("file not taken") == []


def test_products_that_are_missing_are_told_and_not_what_follows_from_it(
    crew: Crew, post: Post, log: Listener
) -> None:
    (post.project.folder / "campaigns/products.yaml").unlink()
    reload(crew)
    told = log.values("file not taken")
    assert [Path(each["at"]).name for each in told] == ["products.yaml"]
    assert log.names().count("files kept as they were") == 1


def test_a_campaign_that_has_sent_and_whose_file_is_gone_goes_on(
    crew: Crew, post: Post, log: Listener
) -> None:
    """Its file may be missing for a moment only; removing it for good takes a restart."""
    crew.planner.plan()
    crew.sender.deliver()
    before = post.project
    (post.project.folder / "campaigns/win-back.yaml").unlink()
    reload(crew)
    assert post.project is before
    assert "has sent mail, and is in no file any more" in log.values("file not taken")[0]["what"]


def test_changed_settings_are_told_and_not_taken(crew: Crew, post: Post, log: Listener) -> None:
    before = post.project
    edit(post.project, "config.yaml", "max: 1", "max: 2")
    reload(crew)
    assert post.project is before
    assert log.names()[1:] == ["settings changed"]


# ── errors ──────────────────────────────────────────────────────────────────────────────────────


def test_an_error_is_told_once_and_the_job_goes_on_later(post: Post, log: Listener, stopwatch: Sets) -> None:
    errors = [StoreLocked("held by another"), StoreLocked("held by another"), None]

    def job() -> None:
        if error := errors.pop(0):
            raise error

    steady = Steady("plan", job, post, Busy())
    for seconds in (0, 1, 2, 5, 6):
        stopwatch(seconds)
        steady()
    assert errors == [], "it rested in between"
    assert [name for name in log.names() if name != "leads"] == ["failed", "works again"]
    assert log.values("failed") == [{"job": "plan", "error": "held by another", "again_in": "2s"}]


WAY_OUT, HELD, OTHER = TransportError("the folder is full"), StoreLocked("held by another"), KeyError()
LIVES: dict[str, tuple[list[tuple[float, Exception | None]], list[str]]] = {
    # what a job does at which minute, and what another process knows in the end, the latest first
    "never": ([(0, None), (1, None)], []),
    "it goes on": ([(0, WAY_OUT), (5, WAY_OUT)], ["since 09:00Z: the folder is full"]),
    "it is over": ([(0, WAY_OUT), (30, None)], ["from 09:00Z to 09:30Z: the folder is full"]),
    "for another reason": ([(0, OTHER), (5, WAY_OUT)], ["since 09:00Z: the folder is full"]),
    "again at once": (
        [(0, WAY_OUT), (30, None), (35, WAY_OUT), (40, None)],
        ["from 09:00Z to 09:40Z: the folder is full"],
    ),
    "again later": (
        [(0, WAY_OUT), (30, None), (45, WAY_OUT)],
        ["since 09:45Z: the folder is full", "from 09:00Z to 09:30Z: the folder is full"],
    ),
    # where nothing can be written, it is told when it is over, and not where that was soon
    "the database": ([(0, HELD), (20, HELD)], []),
    "the database, for long": ([(0, HELD), (20, HELD), (40, None)], ["from 09:00Z to 09:40Z: held by another"]),
    "the database, for a moment": ([(0, HELD), (0.5, None)], []),
    "over a day ago": ([(0, WAY_OUT), (30, None), (24 * 60 + 31, None)], []),
}  # fmt: skip


@pytest.mark.parametrize(("life", "expected"), LIVES.values(), ids=LIVES)
def test_what_failed_is_known_to_other_processes(
    crew: Crew,
    post: Post,
    clock: VirtualClock,
    stopwatch: Sets,
    life: list[tuple[float, Exception | None]],
    expected: list[str],
) -> None:
    results, begun = [error for _, error in life], clock.now()

    def job() -> None:
        if error := results.pop(0):
            raise error

    steady = Steady("deliver", job, post, Busy())
    for minute, _ in life:
        stopwatch(60 * minute)
        clock.advance(begun + timedelta(minutes=minute) - clock.now())
        steady()
    told = [str(each) for each in failures(post.project)]
    assert [each.replace("2026-03-10 ", "").partition(" failed ")[2] for each in told] == expected
    assert all(each.startswith(f"job deliver on {socket.gethostname()} ") for each in told)


def failures(project: Project) -> list[Failure]:
    with project.store.reading() as connection:
        return lately(connection, project.clock.now())


def test_a_failure_ends_with_its_daemon(crew: Crew, post: Post, clock: VirtualClock) -> None:
    """Whether it says so, or dies."""

    def job() -> None:
        raise WAY_OUT

    Steady("deliver", job, post, Busy())()
    clock.advance(HOUR)
    [goes_on] = failures(post.project)
    with post.project.store.writing() as connection:
        died = {"expires_at": goes_on.since + HOUR / 2}
        connection.execute(update(leases).values(died))
    assert [each.until for each in failures(post.project)] == [goes_on.since + HOUR / 2]
    crew.leave()
    assert [each.until for each in failures(post.project)] == [clock.now()]


@pytest.mark.parametrize(
    ("every", "again"), [(timedelta(seconds=1), "2s"), (timedelta(minutes=1), "60s"), (None, None)]
)
def test_when_a_job_is_tried_again_is_told(
    post: Post, log: Listener, every: timedelta | None, again: str | None
) -> None:
    """One of every night has its next time tomorrow."""

    def job() -> None:
        raise WAY_OUT

    Steady("watch", job, post, Busy(), every)()
    assert [told.get("again_in") for told in log.values("failed")] == [again]


def test_a_foreign_error_is_told_without_its_text(post: Post, log: Listener) -> None:
    def job() -> None:
        raise ValueError("ann@example.com")

    Steady("plan", job, post, Busy())()
    [told] = log.values("failed")
    assert "ValueError at " in told["error"]
    assert "ann@example.com" not in str(log.events)


def test_what_a_server_says_of_an_address_is_told_and_kept_without_it(
    crew: Crew, post: Post, log: Listener
) -> None:
    def job() -> None:
        raise TransportError(
            "it refuses mail after mail: 550 5.7.1 <ann.o'hara@example.com>: Relay access denied"
        )

    Steady("deliver", job, post, Busy())()
    [told], [kept] = log.values("failed"), failures(post.project)
    assert told["error"] == kept.error == "it refuses mail after mail: 550 5.7.1 <…>: Relay access denied"


def test_a_database_that_is_gone_is_named_with_the_remedy(crew: Crew, post: Post, log: Listener) -> None:
    crew.planner.plan()
    (post.project.folder / "aftersale.db").unlink()
    Steady("plan", crew.planner.plan, post, Busy())()
    [told] = log.values("failed")
    assert "aftersale.db is gone (restore it from a backup" in told["error"]


def test_without_its_database_a_daemon_ends_all_the_same(crew: Crew, post: Post, log: Listener) -> None:
    (post.project.folder / "aftersale.db").unlink()
    crew.leave()
    [left_so] = log.values("left without a word")
    assert "aftersale.db is gone" in left_so["error"]


def test_once_the_database_is_gone_nothing_more_leaves(crew: Crew, post: Post) -> None:
    """Nobody would know of it; what was planned a moment ago waits as well."""
    crew.planner.plan()
    (post.project.folder / "aftersale.db").unlink()
    with pytest.raises(StoreUnreachable, match="is gone"):
        crew.sender.deliver()
    assert left(post.project) == 0


def test_nor_what_is_in_hand(crew: Crew, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.delivery.courier.ASKS_EVERY", 0)
    crew.planner.plan()
    database, send = post.project.folder / "aftersale.db", crew.sender._transport.send
    monkeypatch.setattr(crew.sender._transport, "send", lambda mail: (database.unlink(), send(mail))[1])
    with pytest.raises(StoreUnreachable, match="is gone"):
        crew.sender.deliver()
    assert left(post.project) == 1


def test_a_database_that_was_exchanged_ends_the_daemon(post: Post, log: Listener) -> None:
    def job() -> None:
        raise NotAdopted("exchanged")

    Steady("plan", job, post, Busy())()
    assert post.stopping.said()
    assert isinstance(post.trouble, NotAdopted)


@pytest.mark.parametrize(("at_work", "code"), [("plan", 0), ("deliver", 1)])
def test_what_does_not_end_in_time_is_broken_off(
    crew: Crew, project: Project, log: Listener, monkeypatch: pytest.MonkeyPatch, at_work: str, code: int
) -> None:
    """A plan leaves no trace. Mails that are with the transport are another matter, but the lead is given up."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    busy = Busy()
    busy.begin(at_work)
    busy.begin("reload")
    busy.end("reload")
    left = busy.wait(0)
    assert left == [at_work]
    _break_off(left, crew.planner)
    assert codes == [code]
    other = Crew(Post(project))
    other.planner.lead()
    assert other.planner.leads() is (at_work != "plan")
    assert log.values("broken off") == [{"jobs": at_work, "mails_under_way": code == 1}]


# ── the rest ────────────────────────────────────────────────────────────────────────────────────


def test_files_put_into_the_watched_folder_are_imported_by_the_leader(
    crew: Crew, project: Project, log: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_WATCH__FOLDER", "inbox")
    (project.folder / "inbox").mkdir()
    watching = Project(project.folder, project._clock)
    other = Crew(Post(watching))
    crew.inbox._post.project = watching
    (project.folder / "inbox" / "customers.csv").write_text(
        "email,first_name\nzoe@example.com,Zoe\nnobody,X\n"
    )
    for each in (other, other, crew, crew):
        each.inbox.watch()
    watching.close()
    assert log.values("imported") == [
        {
            "file": "customers.csv",
            "kind": "customers",
            "read": 2,
            "inserted": 1,
            "updated": 0,
            "unchanged": 0,
            "skipped": 0,
            "rejected": 1,
        }
    ]
    assert "zoe" not in str(log.events).lower()


def test_a_file_with_nothing_in_it_is_a_warning(
    project: Project, log: Listener, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_WATCH__FOLDER", "inbox")
    (project.folder / "inbox").mkdir()
    (project.folder / "inbox" / "customers.csv").write_text("email,first_name\n")
    watching = Project(project.folder, project._clock)
    crew = Crew(Post(watching))
    crew.planner.lead()
    for _ in range(2):
        crew.inbox.watch()
    watching.close()
    assert [each["read"] for each in log.values("imported")] == [0]
    assert [record.levelname for record in caplog.records if record.getMessage() == "imported"] == ["WARNING"]


def test_a_source_that_fell_silent_is_told_once_a_day(
    crew: Crew, project: Project, clock: VirtualClock, log: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_SECRETS__WOOCOMMERCE_WEBHOOK", "a secret")
    open_to_it = Project(project.folder, clock)
    crew.listener._post.project = open_to_it
    last = clock.now()
    take_in_facts(open_to_it, "woocommerce", [("e1", {})])
    crew.planner.plan()
    crew.listener.listen()
    for days in (7, 1):
        clock.advance(timedelta(days=days))
        crew.planner.lead()
        crew.listener.notice()
    open_to_it.close()
    assert [(each["source"], each["since"]) for each in log.values("source silent")] == [
        ("woocommerce", last.isoformat().replace("+00:00", "Z"))
    ]


def test_files_kept_long_enough_are_removed(
    crew: Crew, project: Project, clock: VirtualClock, log: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_RETENTION__MAILS", "30d")
    crew.planner.plan()
    crew.sender.deliver()
    (project.folder / "rejects").mkdir(exist_ok=True)
    young, old = (project.folder / "rejects" / name for name in ("young.csv", "old.csv"))
    for file, days in ((young, 89), (old, 91)):
        file.write_text("x")
        at = (clock.now() - timedelta(days=days)).timestamp()
        os.utime(file, (at, at))
    keeping = Project(project.folder, clock)
    crew.sweeper._post.project = keeping
    mails = left(project)
    crew.sweeper.sweep()
    assert (left(project), young.exists(), old.exists()) == (mails, True, False)
    clock.advance(timedelta(days=31))
    os.utime(young, (clock.now().timestamp(),) * 2)
    crew.sweeper.sweep()
    keeping.close()
    assert (left(project), young.exists()) == (0, True)
    assert log.values("swept") == [
        {"rejects": 1, "mails": 0, "events": 0},
        {"rejects": 0, "mails": mails, "events": 0},
    ]


# ── what comes back ─────────────────────────────────────────────────────────────────────────────


def told(project: Project, names: str) -> str:
    """SendGrid tells all this of one mail that has left; the mail's id."""
    with project.store.reading() as connection:
        mail = connection.execute(
            select(messages.c.customer_id, messages.c.message_id, messages.c.address)
            .where(messages.c.status == "accepted")
            .order_by(messages.c.message_id)
        ).first()
    assert mail
    ours = {"aftersale_customer": str(mail.customer_id), "aftersale_message": mail.message_id}
    at = int(project.clock.now().timestamp()) - 60
    events = [
        {"event": name, "email": mail.address, "timestamp": at + n, "sg_event_id": f"e{n}", "type": "bounce"}
        | ours
        | ({"status": "5.1.1", "reason": "550 no such user"} if name == "bounce" else {})
        for n, name in enumerate(names.split())
    ]
    take_in(project, json.dumps(events))
    return str(mail.message_id)


def test_what_was_told_is_taken_up_by_the_leader(crew: Crew, project: Project, log: Listener) -> None:
    crew.planner.plan()
    crew.sender.deliver()
    mail = told(project, "processed delivered open dreamt_of")
    take_in(project, '[{"sg_event_id": "broken"}]')
    other = Crew(Post(project))
    other.listener.listen()
    assert log.values("events") == []
    crew.listener.listen()
    assert log.values("events") == [{"applied": 3, "ignored": 1, "parked": 1, "accepted": 0, "rejected": 0}]
    assert log.values("events parked")[0]["events"] == 1
    shown = one(project, mail)
    assert [event["kind"] for event in shown["came_back"]] == ["processed", "delivered", "opened"]
    assert shown["outcome"] == "opened"
    [finding] = [each for each in examine(project) if each.about == "events"]
    assert (finding.said, finding.sound) == ("0 yet to be taken up; 1 could not be taken up", False)
    other.sender.close()


def test_facts_that_were_told_are_taken_up_by_the_leader(crew: Crew, project: Project, log: Listener) -> None:
    told = {"type": "identify", "userId": "u9", "traits": {"email": "nina@loaf.example"}}
    take_in_facts(project, "segment", [("m1", told), ("m2", {"type": "dreamt"}), ("m3", {"type": "group"})])
    [file] = project.spool.events.files()
    file.write_bytes(file.read_bytes() + b"torn")
    crew.listener.listen()
    assert log.values("torn lines dropped")[0]["lines"] == 1
    assert log.values("facts received") == [{"applied": 1, "ignored": 1, "parked": 1, "nobody": 0, "test": 0}]
    assert log.values("events parked")[0]["events"] == 1
    with project.store.reading() as connection:
        assert (
            connection.scalar(select(customers.c.shop_id).where(customers.c.email == "nina@loaf.example"))
            == "u9"
        )


def test_words_that_were_kept_long_enough_are_forgotten(
    crew: Crew, project: Project, clock: VirtualClock, log: Listener
) -> None:
    crew.planner.plan()
    crew.sender.deliver()
    told(project, "delivered")
    crew.listener.listen()
    crew.sweeper.sweep()
    clock.advance(timedelta(days=31))
    crew.sweeper.sweep()
    assert [values["events"] for values in log.values("swept")] == [1]


# ── mails of unknown fate ───────────────────────────────────────────────────────────────────────


def test_an_unknown_mail_is_looked_up_late_and_ever_more_seldom(
    by_sendgrid: Hand, project: Project, clock: VirtualClock, log: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_SENDGRID__LOOK_UP", "logs")
    by_sendgrid.order(reset=True, times=99)  # nothing is accepted
    crew = Crew(post := Post(Project(project.folder, clock)))
    assert "look up" in {job.name for job in jobs(crew, post.project.settings)}
    crew.planner.lead()
    crew.planner.plan()
    with suppress(TransportError):  # as after any outage
        crew.sender.deliver()
    looked: list[int] = []
    for minute in range(1, 61):
        clock.advance(timedelta(minutes=1))
        crew.planner.lead()
        before = len(by_sendgrid.asked())
        crew.finder.look()
        looked += [minute] if len(by_sendgrid.asked()) > before else []
    assert looked == [5, 10, 20, 40]
    assert {values["found"] for values in log.values("looked up")} == {0}
    clock.advance(timedelta(days=31))
    crew.planner.lead()
    crew.finder.look()
    assert len(log.values("looked up")) == 4  # nobody stores it any more
    crew.leave()


# ── lists of suppressed addresses ───────────────────────────────────────────────────────────────


@pytest.fixture
def by_sendgrid(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """A fake SendGrid, and the settings of a shop that mails through it."""
    with fake_sendgrid(tmp_path / "records.jsonl") as hand:
        for name, value in {
            "DELIVERY__TRANSPORT": "sendgrid",
            "SECRETS__SENDGRID_KEY": hand.key,
            "SENDGRID__HOST": hand.url,
        }.items():
            monkeypatch.setenv(f"AFTERSALE_{name}", value)
        yield hand


def test_lists_are_compared_where_mails_leave_by_sendgrid(
    by_sendgrid: Hand, project: Project, clock: VirtualClock, log: Listener
) -> None:
    crew = Crew(Post(Project(project.folder, clock)))
    assert "suppressions" in {job.name for job in jobs(crew, crew.lists._post.project.settings)}
    assert "suppressions" not in {job.name for job in jobs(crew, project.settings)}
    by_sendgrid.put_on_lists(bounces={"gone@loaf.example": int(clock.now().timestamp()) - 60})
    crew.lists.compare()
    assert log.values("suppressions") == []  # it does not lead
    crew.planner.lead()
    crew.lists.compare()
    assert log.values("suppressions") == [{"new": 1, "put": 0, "refused": 0, "missing": 0, "lifted": 0}]
    crew.leave()


def test_a_key_without_the_right_is_told_once_and_mails_still_leave(
    by_sendgrid: Hand, project: Project, clock: VirtualClock, log: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_sendgrid.order(status=403, at="/v3/suppression/", times=99)
    post = Post(Project(project.folder, clock))
    crew = Crew(post)
    crew.planner.lead()
    compare = Steady("suppressions", crew.lists.compare, post, Busy())
    for hours in range(3):
        monkeypatch.setattr("time.monotonic", lambda hours=hours: 1e6 + 3600 * hours)
        compare()
    [failed] = log.values("failed")
    assert "may not do this" in failed["error"]
    crew.planner.plan()
    crew.sender.deliver()
    assert log.values("delivered")[0]["accepted"] == len(by_sendgrid.mails()) > 0
    crew.leave()


def test_a_daemon_that_is_told_to_stop_waits_for_no_list(
    by_sendgrid: Hand, project: Project, clock: VirtualClock, log: Listener
) -> None:
    by_sendgrid.order(status=429, headers={"Retry-After": "600"}, at="/v3/suppression/")
    crew = Crew(post := Post(Project(project.folder, clock)))
    crew.planner.lead()
    post.stopping.say()
    crew.lists.compare()
    assert log.values("suppressions") == [{"broken_off": True}]
    crew.leave()


def test_a_daemon_that_leaves_is_not_there_any_more(crew: Crew, project: Project) -> None:
    crew.leave()
    with project.store.reading() as connection:
        rows = connection.execute(select(leases.c.name, leases.c.expires_at)).all()
    assert [name for name, _ in rows] == ["planner"]
    other = Crew(Post(project))
    other.planner.lead()
    assert other.planner.leads()


def test_a_signal_that_any_thread_got_is_heard(project: Project) -> None:
    """The system may hand it to another one than waits for it."""
    post, late = Post(project), []
    timer = Timer(30, lambda: (late.append("it was never heard"), post.stopping.say()))
    timer.start()
    with told_to_stop(post):
        other = Thread(target=lambda: signal.pthread_kill(get_ident(), signal.SIGTERM))
        Timer(0.1, other.start).start()  # while the main thread waits
        post.stopping.wait()
    timer.cancel()
    assert not late
