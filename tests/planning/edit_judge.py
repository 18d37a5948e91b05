"""What an edit may do to people in flight, as docs/edits.md has it, told once more in slow, plain Python.

Before and after every tick the rows of the store are held against it: who begins, what is decided and
why, to which step a run goes on and when that is due, what becomes of a mail that was planned.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from engine.campaigns.model import EVERY_DAY, Campaign, Step, Waiting
from engine.planning.slots import TAKES_A_SLOT
from tests import oracle
from tests.planning.harness import Shop
from tests.planning.wall import NAMES, shows
from tests.planning.worlds import SUPPRESSED, consents
from tests.world import Person

Row = Mapping[str, Any]
RunKey = tuple[int, str, int]  # customer, campaign, spell
MailKey = tuple[int, str, int, str]  # and step
BY_THE_CLOCK = ("outside_window", "quiet_hours", "too_late", "never_open")
ENDS = ("goal_reached", "while_ended", "campaign_removed")
NOT_FOR_OWED = ("no_consent", "owns_offer", "another_offer", "minimum_gap", "frequency_cap", "held_out")


class Kept(NamedTuple):
    """What the store has at an instant."""

    runs: dict[RunKey, Row]
    mails: dict[MailKey, Row]
    decisions: dict[MailKey, Row]


def kept(shop: Shop) -> Kept:
    def mail_key(row: Row) -> MailKey:
        return (*_run_key(row), row["step_id"])

    return Kept(
        {_run_key(row): row for row in shop.rows("enrollments")},
        {mail_key(row): row for row in shop.rows("messages")},
        {mail_key(row): row for row in shop.rows("decisions")},
    )


def _run_key(row: Row) -> RunKey:
    return row["customer_id"], row["campaign_id"], row["spell"]


@dataclass
class Judge:
    """It remembers what a person would who had watched all the time."""

    shop: Shop
    orders: dict[str, list[list[str]]] = field(default_factory=lambda: defaultdict(list))  # of steps
    inside: dict[str, set[int]] = field(default_factory=dict)  # whom an audience held at the last look
    behind: dict[RunKey, set[str]] = field(default_factory=lambda: defaultdict(set))  # steps decided upon
    left: Counter[MailKey] = field(default_factory=Counter)

    def judge(self, now: datetime, paused: frozenset[str], before: Kept, after: Kept) -> None:
        """Raises AssertionError where the tick did what it should not, or left out what it should do."""
        sound = {campaign.id: campaign for campaign in self.shop.book.campaigns}
        tick = Tick(self, now, paused, sound, before, after)
        tick.entries()
        for key in after.runs:
            tick.run(key)
        for mail in before.mails:
            tick.mail(mail)
        tick.caps()
        tick.offers()
        self._remember(sound, now, after)

    def sent(self, before: Kept, after: Kept) -> None:
        """What the carrier did: each mail leaves once at most."""
        for key, mail in after.mails.items():
            if mail["status"] == "accepted" and before.mails[key]["status"] != "accepted":
                self.left[key] += 1
                assert self.left[key] == 1, f"{key} left twice"

    def ahead(self, campaign: Campaign, step_id: str) -> list[Step]:
        """The steps after that one; where the file has it no more, from the first on that came after it."""
        steps = {step.id: step for step in campaign.steps}
        now = list(steps)
        if step_id in steps:
            return [steps[each] for each in now[now.index(step_id) + 1 :]]
        before = next(ids for ids in reversed(self.orders[campaign.id]) if step_id in ids)
        left = [each for each in before[before.index(step_id) + 1 :] if each in steps]
        return [steps[each] for each in now[now.index(left[0]) :]] if left else []

    def _remember(self, sound: Mapping[str, Campaign], now: datetime, after: Kept) -> None:
        for campaign in sound.values():
            ids = [step.id for step in campaign.steps]
            if not self.orders[campaign.id] or self.orders[campaign.id][-1] != ids:
                self.orders[campaign.id].append(ids)
            self.inside[campaign.id] = {
                who for who, person in self.shop.people.items() if in_audience(campaign, person, now)
            }
        for (who, campaign_id, spell, step), decision in after.decisions.items():
            if decision["verdict"] != "hold":
                self.behind[who, campaign_id, spell].add(step)


@dataclass
class Tick:
    """One tick, and what was before and after it."""

    memory: Judge
    now: datetime
    paused: frozenset[str]
    sound: Mapping[str, Campaign]
    before: Kept
    after: Kept

    # ── who begins ──────────────────────────────────────────────────────────────────────────────

    def entries(self) -> None:
        """Everybody in an audience who may begin has begun, and nobody else."""
        begun = {key for key in self.after.runs if key not in self.before.runs}
        assert begun == set(self._who_may_begin()), "who begins"

    def _who_may_begin(self) -> Iterator[RunKey]:
        for campaign in self.sound.values():
            for who, person in self.memory.shop.people.items():
                theirs = [run for key, run in self.before.runs.items() if key[:2] == (who, campaign.id)]
                if in_audience(campaign, person, self.now) and self._may_begin(campaign, who, theirs):
                    yield who, campaign.id, len(theirs) + 1

    def _may_begin(self, campaign: Campaign, who: int, theirs: list[Row]) -> bool:
        if any(run["status"] == "active" for run in theirs):
            return False
        if not theirs or not campaign.enter.repeats:
            return not theirs
        if campaign.enter.again_after:
            last = max(run["entered_at"] for run in theirs)
            return bool(last + campaign.enter.again_after <= self.now)
        return who not in self.memory.inside.get(campaign.id, set())

    # ── where a run stands ──────────────────────────────────────────────────────────────────────

    def run(self, key: RunKey) -> None:
        was, run = self._was(key), self.after.runs[key]
        assert run["held_out"] == was["held_out"], f"{key}: the lot is that of the day of entry"
        if was["status"] != "active":
            assert run == was, f"{key}: it has ended"
        elif key[1] not in self._in_files():
            assert self._stands(run) == ("exited", "campaign_removed"), f"{key}: in no file"
        elif key[1] not in self.sound:
            assert run == was, f"{key}: a broken file stands still"
        else:
            self._sound_run(key, was, run)

    def _was(self, key: RunKey) -> Row:
        """A run before the tick; one that begins now stands at its first step."""
        if key in self.before.runs:
            return self.before.runs[key]
        run, first = self.after.runs[key], self.sound[key[1]].steps[0]
        assert run["entered_at"] == self.now
        due = self.now + first.after
        share = self.sound[key[1]].holdout
        assert share not in (0, 1) or run["held_out"] == (share == 1)
        return {
            **run,
            "status": "active",
            "exit_reason": "",
            "step_id": first.id,
            "due_at": due,
            "wake_at": due,
        }

    def _sound_run(self, key: RunKey, was: Row, run: Row) -> None:
        ended = self._ends_by_its_mail(key)
        decided = self._decided((*key, was["step_id"]))
        again = self._waits((*key, was["step_id"]))
        if ended:
            assert self._stands(run) == ("exited", ended), f"{key}: ends with its mail"
        elif decided is None or again:
            assert was["wake_at"] > self.now, f"{key}: is due, and nobody decided"
            assert self._at(run) == self._at(was), f"{key}: no edit moves it"
        else:
            self._check_verdict(key, was, decided)
            self._check_place(key, was, run, decided)

    def _check_place(self, key: RunKey, was: Row, run: Row, decided: Row) -> None:
        """It waits on, ends here, goes on to the next step, or is through."""
        campaign, reason = self.sound[key[1]], decided["reason"]
        if decided["verdict"] == "hold":
            assert self._at(run) == self._at(was), f"{key}: is held where it stands"
            assert run["wake_at"] > self.now or decided["at"] == self.now
            return
        if self._ends_the_run(key, was["step_id"], reason):
            assert self._stands(run) == ("exited", reason), f"{key}: ends"
            return
        ahead = self.memory.ahead(campaign, was["step_id"])
        behind = self.memory.behind[key] | {was["step_id"]}
        following = next((step for step in ahead if step.id not in behind), None)
        if following is not None:
            expected = ("active", following.id, self.now + following.after)
            assert self._at(run) == expected, f"{key}: goes on from {was['step_id']}"
        elif reason == "step_removed" and not ahead:
            assert self._stands(run) == ("exited", "step_removed"), f"{key}: no step is left"
        else:
            assert run["status"] == "finished", f"{key}: is through"

    def _ends_the_run(self, key: RunKey, step_id: str, reason: str) -> bool:
        step = self._step(key[1], step_id)
        usual = self.memory.shop.settings.hold
        exits = step is not None and step.hold.under(Waiting(usual.at_most, usual.then)).then == "exit"
        return reason in ENDS or (reason == "expired" and exits)

    def _ends_by_its_mail(self, key: RunKey) -> str:
        """The reason, where a mail that was planned before is decided anew, and its run ends with that."""
        for mail, decision in self.after.decisions.items():
            again = mail[:3] == key and decision["at"] == self.now and self._waits(mail)
            if again and self._ends_the_run(key, mail[3], decision["reason"]):
                return str(decision["reason"])
        return ""

    # ── what is decided ─────────────────────────────────────────────────────────────────────────

    def _check_verdict(self, key: RunKey, was: Row, decided: Row) -> None:
        campaign, reason = self.sound[key[1]], decided["reason"]
        early = was["wake_at"] > self.now and was["due_at"] > self.now
        expected = self._expected(key, was["step_id"], was["entered_at"])
        if early:
            assert reason == "goal_reached" == (self._goal(key, was["entered_at"]) or ""), f"{key}: too early"
            return
        assert reason in expected, f"{key} at {was['step_id']}: {reason}, and not {expected}"
        if reason == "held_out":
            assert was["held_out"], f"{key}: is not held out"
        if reason == "due":
            assert not was["held_out"], f"{key}: is held out, and mailed"
        if campaign.transactional:
            assert reason not in NOT_FOR_OWED, f"{key}: owed, and {reason}"
        if reason == "frequency_cap":
            assert self._is_full(key), f"{key}: is held by a cap that has room"

    def _expected(self, key: RunKey, step_id: str, entered_at: datetime) -> tuple[str, ...]:
        """The reasons that may be given, by the files as they are now."""
        who, campaign_id, _ = key
        campaign, person = self.sound[campaign_id], self.memory.shop.people[who]
        step = self._step(campaign_id, step_id)
        if step is None:
            return ("step_removed",)
        if self._goal(key, entered_at):
            return ("goal_reached",)
        if campaign.while_ is not None and not oracle.judge(campaign.while_, person, self.now):
            return ("while_ended",)
        if not self._open(who, campaign, step):
            return BY_THE_CLOCK
        late = ("too_late",) if step.send.late == "skip" else ()
        return (*late, *self._by_policies(campaign, step, person))

    def _by_policies(self, campaign: Campaign, step: Step, person: Person) -> tuple[str, ...]:
        barred = SUPPRESSED.get(person.email or "")
        owed = campaign.transactional
        asked = {
            "when_not_met": step.when is not None and not oracle.judge(step.when, person, self.now),
            "paused": campaign.id in self.paused,
            "not_a_customer": not oracle.is_customer(person, self.now),
            "no_address": not person.email,
            "suppressed": barred is not None and not (owed and barred == "unsubscribed"),
            "no_consent": not owed and not consents(person, campaign.topic, self.now),
            "owns_offer": not owed and owns(person, campaign.offers, self.now),
        }
        caught = next((reason for reason, catches in asked.items() if catches), None)
        if caught:
            return (caught,)
        held = (
            () if owed else ("open_transaction", "cool_down", "another_offer", "minimum_gap", "frequency_cap")
        )
        return (*held, *(("expired",) if held else ()), "due", "held_out")

    def _goal(self, key: RunKey, entered_at: datetime) -> str:
        """The reason, where the goal was reached by what happened after entry."""
        goal, person = self.sound[key[1]].goal, self.memory.shop.people[key[0]]
        later = replace(person, orders=[order for order in person.orders if order.at > entered_at])
        return "goal_reached" if goal is not None and oracle.judge(goal, later, self.now) else ""

    def _open(self, who: int, campaign: Campaign, step: Step) -> bool:
        zone, send = self.memory.shop.people[who].timezone, step.send
        days = [NAMES[day] for day in send.days]
        windowed = send.days != EVERY_DAY or not send.between.whole_day
        if windowed and not shows(zone, self.now, str(send.between), days):
            return False
        quiet = self.memory.shop.settings.quiet_hours
        return campaign.transactional or quiet is None or not shows(zone, self.now, str(quiet), list(NAMES))

    # ── what becomes of a mail ──────────────────────────────────────────────────────────────────

    def mail(self, key: MailKey) -> None:
        """One that was planned before: it goes, waits or is cancelled by the files as they are now."""
        was, mail = self.before.mails[key], self.after.mails[key]
        if was["status"] != "scheduled":
            assert mail == was, f"{key}: is settled"
        elif key[1] not in self._in_files():
            assert (mail["status"], mail["error"]) == ("cancelled", "not sent: campaign_removed")
        elif key[1] not in self.sound or was["due_at"] > self.now:
            assert mail == was, f"{key}: waits"
        else:
            self._anew(key, mail)

    def _anew(self, key: MailKey, mail: Row) -> None:
        run, decided = self.before.runs[key[:3]], self._decided(key)
        assert decided is not None, f"{key}: is due, and nobody decided"
        expected = self._expected(key[:3], key[3], run["entered_at"])
        assert decided["reason"] in expected, f"{key}: {decided['reason']}, and not {expected}"
        match decided["verdict"]:
            case "send":
                assert (mail["status"], mail["slot_at"]) == ("scheduled", self.now), f"{key}: goes"
            case "hold":
                assert mail["status"] == "scheduled", f"{key}: is held"
                assert mail["due_at"] > self.now, f"{key}: is held"
            case "skip":
                told = f"not sent: {decided['reason']}"
                assert (mail["status"], mail["error"]) == ("cancelled", told), f"{key}: is cancelled"

    # ── caps and offers ─────────────────────────────────────────────────────────────────────────

    def caps(self) -> None:
        """Whoever is given a slot now has one free in every span that ends now, by the settings as they are."""
        for key, mail in self.after.mails.items():
            if self._given(key, mail) and mail["topic"]:
                for most, per, topic in self._spans(mail["topic"]):
                    used = sum(map(_goes, self._counted(key[0], per, topic)))
                    assert used <= most, f"{key}: over the cap of {most} in {per}"

    def _is_full(self, key: RunKey) -> bool:
        topic = self.sound[key[1]].topic
        caps = [each for each in self.memory.shop.settings.frequency if each.topic in (None, topic)]
        return any(len(self._counted(key[0], cap.per, cap.topic)) >= cap.max for cap in caps)

    def _spans(self, topic: str) -> Iterator[tuple[int, timedelta, str | None]]:
        house = self.memory.shop.settings
        yield from ((cap.max, cap.per, cap.topic) for cap in house.frequency if cap.topic in (None, topic))
        yield 1, house.minimum_gap, None

    def _counted(self, who: int, per: timedelta, topic: str | None) -> list[Row]:
        """The mails of that customer whose slot is in the span that ends now, held ones among them."""
        theirs = [mail for key, mail in self.after.mails.items() if key[0] == who and mail["topic"]]
        counted = [
            mail for mail in theirs if mail["status"] in TAKES_A_SLOT and topic in (None, mail["topic"])
        ]
        return [mail for mail in counted if per and self.now - per < _slot(mail) <= self.now]

    def offers(self) -> None:
        """Who gets an offer now has none under way from another campaign, and gets no other one."""
        offering = {campaign.id for campaign in self.sound.values() if campaign.offers}
        given = {
            key[:2] for key, mail in self.after.mails.items() if self._given(key, mail) and key[1] in offering
        }
        assert max(Counter(who for who, _ in given).values(), default=0) <= 1, "two offers at once"
        for key, mail in self.before.mails.items():
            run = self.after.runs[key[:3]]
            under_way = mail["status"] in TAKES_A_SLOT and run["status"] == "active" and key[1] in offering
            if under_way and not self._waits(key):
                others = [who for who, campaign in given if campaign != key[1] and who == key[0]]
                assert not others, f"{key} is under way, and another offer goes"

    def _given(self, key: MailKey, mail: Row) -> bool:
        """It got its slot at this tick."""
        fresh = self.before.mails.get(key) != mail and _slot(mail) == self.now
        return fresh and mail["status"] in TAKES_A_SLOT and _goes(mail)

    # ── small words ─────────────────────────────────────────────────────────────────────────────

    def _in_files(self) -> frozenset[str]:
        return self.memory.shop.book.files.ids or frozenset()

    def _step(self, campaign_id: str, step_id: str) -> Step | None:
        return next((step for step in self.sound[campaign_id].steps if step.id == step_id), None)

    def _decided(self, key: MailKey) -> Row | None:
        decision = self.after.decisions.get(key)
        return decision if decision and decision["at"] == self.now else None

    def _waits(self, key: MailKey) -> bool:
        """There was a mail of that step already that had not left."""
        return key in self.before.mails

    @staticmethod
    def _stands(run: Row) -> tuple[str, str]:
        return run["status"], run["exit_reason"]

    @staticmethod
    def _at(run: Row) -> tuple[str, str, datetime]:
        return run["status"], run["step_id"], run["due_at"]


def in_audience(campaign: Campaign, person: Person, now: datetime) -> bool:
    """The back end holds customers only."""
    return oracle.is_customer(person, now) and oracle.judge(campaign.audience, person, now)


def owns(person: Person, skus: tuple[str, ...], now: datetime) -> bool:
    lines = [line for order in person.orders if order.paid and order.at <= now for line in order.lines]
    return any(line.sku in skus and not (line.refunded_at and line.refunded_at <= now) for line in lines)


def _slot(mail: Row) -> datetime:
    at: datetime = mail["slot_at"] or mail["planned_at"]
    return at


def _goes(mail: Row) -> bool:
    """It has left, or was decided upon since it fell due; what is held waits to be decided anew."""
    return mail["status"] != "scheduled" or bool(mail["due_at"] <= _slot(mail))
