"""The week that ends at `now`: the bundled campaigns, planned and written over the invented shop."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from engine.campaigns.load import load_files
from engine.campaigns.model import BACK_END, Campaign, Step
from engine.clock import EPOCH, VirtualClock
from engine.facts.importing import ImportJob, ImportSummary, import_files
from engine.planning.book import Book
from engine.planning.desk import Desk
from engine.planning.forecast import assume_sent
from engine.planning.keys import MailKey
from engine.planning.merge import merge
from engine.planning.plan import make_plan
from engine.planning.reasons import Reason
from engine.planning.state import kept
from engine.rendering.mail import Mail, MailOrder, Unwritable
from engine.rendering.studio import Studio
from engine.rules.model import All, Condition, Scope
from engine.settings.load import load_settings
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.ids import IdFactory
from engine.store.migrate import ensure_current
from engine.store.tables import customers, decisions
from engine.trials.demo_shop import FILES, write_demo_shop
from engine.trials.demo_shop.cast import STORIES
from engine.trials.starter import copy_starter

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
WEEK, TICK = timedelta(days=7), timedelta(hours=12)


@dataclass
class Week:
    """A project in a folder, and all that was decided and written in its week."""

    folder: Path
    reasons: dict[str, set[tuple[int, str, str]]] = field(default_factory=lambda: defaultdict(set))
    mails: list[Mail] = field(default_factory=list)
    unwritten: list[Unwritable] = field(default_factory=list)
    summaries: Sequence[ImportSummary] = ()

    def __post_init__(self) -> None:
        copy_starter(self.folder, now=NOW)
        self.settings: Settings = load_settings(self.folder)
        files = load_files(self.folder / "campaigns", self.settings.holdout)
        self.studio = Studio(self.folder / "templates", files, self.settings)
        self.store = Store(f"sqlite:///{self.folder}/aftersale.db")
        ensure_current(self.store)
        self.book = Book(
            files,
            self.settings,
            {(c.id, s.id): self.studio.claims(c.id, s.id) for c in files.campaigns for s in c.steps},
        )

    def read(self, number: int) -> None:
        write_demo_shop(self.folder / "data", seed=7, customers=number, now=NOW)
        self.summaries = import_files(
            self.store,
            self.settings,
            self.book.files.catalogue,
            [ImportJob(self.folder / "data" / name) for name in FILES],
            now=NOW,
            ids=IdFactory(VirtualClock(NOW), seed=1),
            rejects_folder=self.folder / "rejects",
            progress=lambda _: None,
        )

    def live(self) -> None:
        now = NOW - WEEK
        while now <= NOW:
            with self.store.writing() as connection:
                desk = make_plan(connection, self.book, kept(), now)
                self._note(connection, desk, now)
                merge(connection, self.book, desk, kept(), now)
                assume_sent(connection, kept())
            now += TICK

    def _note(self, connection: Connection, desk: Desk, now: datetime) -> None:
        orders = []
        for run in connection.execute(select(desk.runs)):
            self.reasons[run.reason].add((run.customer_id, run.campaign_id, run.step_id))
            if run.reason == Reason.DUE:
                key = MailKey(run.customer_id, run.campaign_id, run.step_id, run.spell)
                orders.append(MailOrder(key, now))
        for written in self.studio.compose(connection, orders, now):
            if isinstance(written, Mail):
                self.mails.append(written)
            else:
                self.unwritten.append(written)

    def fate(self, email: str, campaign: str) -> list[tuple[str, str]]:
        """The last word on each step, in the order it was spoken."""
        theirs = (
            select(decisions.c.step_id, decisions.c.reason)
            .join(customers, customers.c.customer_id == decisions.c.customer_id)
            .where(customers.c.email == email, decisions.c.campaign_id == campaign)
            .order_by(decisions.c.at)
        )
        with self.store.reading() as connection:
            return [tuple(row) for row in connection.execute(theirs)]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    """The whole shop, in full."""
    week = Week(tmp_path_factory.mktemp("demo"))
    week.read(2000)
    week.live()
    return week


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Week:
    """Only those whose lives are told, and nobody held out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFTERSALE_HOLDOUT", "0%")
        week = Week(tmp_path_factory.mktemp("cast"))
    week.read(len(STORIES))
    week.live()
    return week


def test_every_row_lands(week: Week) -> None:
    assert [(each.kind, each.rejected, each.notes) for each in week.summaries] == [
        ("customers", 0, ()),
        ("consent", 0, ()),
        ("orders", 0, ()),
        ("subscriptions", 0, ()),
        ("consumption", 0, ()),
    ]


def test_nothing_is_wrong_with_the_templates(week: Week) -> None:
    assert [str(p) for problems in week.studio.problems().values() for p in problems] == []


FEW = {"membership-renews", "flour-refill", "thank-you"}  # whose people are few by their nature


def test_each_back_end_mail_goes_to_many(week: Week) -> None:
    back = {campaign.id: campaign for campaign in week.book.campaigns if campaign.track == BACK_END}
    sent = Counter((mail.key.campaign_id, mail.key.step_id) for mail in week.mails)
    sent = Counter({key: number for key, number in sent.items() if key[0] in back})
    steps = {(campaign.id, step.id) for campaign in back.values() for step in campaign.steps}
    assert set(sent) == steps
    assert all(mails >= (12 if campaign in FEW else 48) for (campaign, _), mails in sent.items())


@pytest.mark.parametrize(
    "reason",
    [
        Reason.DUE, Reason.NO_CONSENT, Reason.OWNS_OFFER, Reason.HELD_OUT, Reason.FREQUENCY_CAP,
        Reason.GOAL_REACHED, Reason.OPEN_TRANSACTION, Reason.WHEN_NOT_MET,
    ],
)  # fmt: skip
def test_the_week_shows_the_reason(week: Week, reason: Reason) -> None:
    assert week.reasons[reason]


def test_every_mail_can_be_written_and_reads_as_a_letter(week: Week) -> None:
    assert week.unwritten == []
    assert all(mail.subject and "None" not in mail.text and "{{" not in mail.subject for mail in week.mails)
    assert all("12 Wharf Lane" in mail.html and "Unsubscribe" in mail.html for mail in week.mails)


def test_a_name_with_markup_is_shown_as_it_is_written(week: Week) -> None:
    bobs = [mail for mail in week.mails if "<b>Bob</b>" in mail.to_name]
    assert bobs
    assert all("<b>Bob</b>" not in mail.html and "&lt;b&gt;Bob&lt;/b&gt;" in mail.html for mail in bobs)


def test_a_greeting_without_a_name_is_still_a_greeting(week: Week) -> None:
    assert any("Hello," in mail.html for mail in week.mails)


@pytest.mark.parametrize(
    ("name", "campaign", "fate"),
    [
        (
            "ann",
            "flagship-after-guide",
            [("half-a-loaf", "due"), ("flat-bread", "due"), ("last-word", "due")],
        ),
        ("ben", "stalled-learner", [("your-place", "due"), ("in-the-way", "due")]),
        ("cleo", "win-back", [("from-the-oven", "due"), ("focaccia", "due")]),
        (
            "dan",
            "flagship-after-guide",
            [(s, "no_consent") for s in ("half-a-loaf", "flat-bread", "last-word")],
        ),
        ("fay", "win-back", [("from-the-oven", "owns_offer"), ("focaccia", "owns_offer")]),
        ("gus", "stalled-learner", [("your-place", "due"), ("in-the-way", "due")]),
        ("gus", "win-back", [("from-the-oven", "due")]),
        ("hal", "stalled-learner", [("your-place", "due"), ("in-the-way", "goal_reached")]),
        ("iris", "flour-refill", [("bottom-of-the-bag", "due"), ("last-scoop", "due")]),
        ("june", "membership-renews", [("next-month", "due")]),
        ("kay", "thank-you", [("on-the-house", "due")]),
        ("otto", "flagship-after-guide", [("half-a-loaf", "due"), ("flat-bread", "goal_reached")]),
    ],
)
def test_the_cast_live_the_lives_they_are_told_to(
    cast: Week, name: str, campaign: str, fate: list[tuple[str, str]]
) -> None:
    assert cast.fate(f"{name}@example.com", campaign) == fate


def test_the_cap_held_the_second_campaign_that_wanted_gus(cast: Week) -> None:
    held = {(campaign, step) for _, campaign, step in cast.reasons[Reason.FREQUENCY_CAP]}
    assert ("win-back", "from-the-oven") in held


def test_eva_is_left_in_peace_until_her_checkout_is_a_day_old(cast: Week) -> None:
    assert len(cast.reasons[Reason.OPEN_TRANSACTION]) == 1
    to_eva = [mail.planned_at for mail in cast.mails if mail.to_address == "eva@example.com"]
    bought = NOW - WEEK + timedelta(days=0.3)
    assert to_eva[0] > bought + cast.settings.front_end.quiet


def all_mails(week: Week) -> list[tuple[Campaign, Step]]:
    return [(campaign, step) for campaign in week.book.campaigns for step in campaign.steps]


def test_who_gets_a_mail_implies_all_that_it_says_unguarded(week: Week) -> None:
    scope = Scope(EPOCH, week.book.files.catalogue, week.book.files.segments)
    for campaign, step in all_mails(week):
        rules = (campaign.audience, campaign.while_, step.when)
        known = All(tuple(rule for rule in rules if rule is not None))
        for claim in week.studio.claims(campaign.id, step.id):
            assert isinstance(claim, Condition), f"{campaign.id}/{step.id}: nothing can imply {claim}"
            assert known.implies(claim, scope), f"{campaign.id}/{step.id}: {claim.sentence(scope)}"
