"""What chance makes of a customer: the first checkout, reading, coming back, drifting away."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.trials.demo_shop.dice import Dice
from engine.trials.demo_shop.ledger import NOTHING, Ledger, Line, Order
from engine.trials.demo_shop.people import BACK_AGAIN

OPENINGS = {"guide": 62, "course": 7, "kitchen": 15, "sheet": 9, "letters only": 7}
KITCHEN = {
    "flour": 34,
    "basket": 16,
    "blade": 14,
    "jar": 10,
    "iron-pot": 8,
    "first-bake-set": 9,
    "shaping-cards": 9,
}
WAKING_HOURS = (7, 8, 9, 10, 12, 13, 14, 16, 17, 18, 19, 20, 20, 21, 21, 22)
SALE = Decimal("0.20")
MONTH = timedelta(days=30)


class Life:
    """One customer's life with the shop, up to `now`."""

    def __init__(self, ledger: Ledger, dice: Dice, now: datetime) -> None:
        self.ledger, self.dice, self.now = ledger, dice, now
        self.person = ledger.person

    def live(self) -> None:
        opening = self.dice.weighted(OPENINGS)
        start = self.person.known_at + self.dice.minutes(0, 20)
        if opening == "guide":
            self._begin_with_guide(start)
        elif opening == "course":
            self._begin_with_course(start)
        elif opening == "kitchen":
            self._begin_in_kitchen(start)
        elif opening == "sheet":
            self._begin_with_sheet(start)
        self._consent(start, letters_only=opening == "letters only")

    # ── How it begins ───────────────────────────────────────────────────────────────────────────

    def _begin_with_guide(self, at: datetime) -> None:
        """The $7 guide, a bump in the same order, an upsell a few minutes later in the same checkout."""
        guide = self.ledger.line("starter-guide")
        lines = [guide, self.ledger.line("shaping-cards", "bump")] if self.dice.happens(0.28) else [guide]
        checkout = f"co-{self.person.shop_id}"
        self._fail_first(at, lines, checkout)
        self._order(at, lines, checkout)
        owns_course = self._upsell(at + self.dice.minutes(2, 9), checkout, bumped=len(lines) > 1)
        self._send_back(guide, at, chance=0.05)
        read_to = self._read("starter-guide", guide, at + self.dice.minutes(4, 2000))
        if not owns_course:
            self._think_about_course(at, read_to)
        if self.dice.happens(0.55):
            self._shop(at + self.dice.days(4, 40))

    def _begin_with_course(self, at: datetime) -> None:
        self._own_course(at, checkout_id=f"co-{self.person.shop_id}")

    def _begin_in_kitchen(self, at: datetime) -> None:
        self._order(at, self._kitchen_lines())
        if self.dice.happens(0.6):
            self._shop(at + self.dice.days(20, 80))

    def _begin_with_sheet(self, at: datetime) -> None:
        """A free download makes a prospect; some become customers later."""
        self._order(at, [self.ledger.line("dough-sheet")])
        if self.dice.happens(0.35):
            later = self._waking(at + self.dice.days(2, 60))
            guide = self.ledger.line("starter-guide")
            self._order(later, [guide])
            self._think_about_course(later, self._read("starter-guide", guide, later))

    def _upsell(self, at: datetime, checkout: str, *, bumped: bool) -> bool:
        """What is shown after the first order; True where the course was taken."""
        if self.dice.happens(0.05):
            self._own_course(at, "upsell", checkout)
            return True
        if self.dice.happens(0.10):
            self._own_rye(at, "upsell", checkout)
        elif not bumped and self.dice.happens(0.07):
            self._order(at, [self.ledger.line("shaping-cards", "downsell")], checkout)
        return False

    # ── Courses ─────────────────────────────────────────────────────────────────────────────────

    def _think_about_course(self, since: datetime, read_to: datetime | None) -> None:
        """Who read half of the guide is six times as likely to want more."""
        if self.dice.happens(0.36 if read_to else 0.06):
            self._own_course(self._waking((read_to or since) + self.dice.days(3, 34)))

    def _own_course(self, at: datetime, position: str = "core", checkout_id: str = "") -> None:
        course = self.ledger.line("flagship", position, less=SALE if self.dice.happens(0.1) else NOTHING)
        self._order(at, [course], checkout_id)
        self._send_back(course, at, chance=0.06)
        finished_half = self._read("flagship", course, at + self.dice.days(0, 5))
        if self.dice.happens(0.6 if finished_half else 0.2):
            self._join(self._waking(at + self.dice.days(10, 60)))
        if finished_half and self.dice.happens(0.25):
            self._own_rye(self._waking(finished_half + self.dice.days(5, 50)))

    def _own_rye(self, at: datetime, position: str = "core", checkout_id: str = "") -> None:
        rye = self.ledger.line("dark-rye", position)
        self._order(at, [rye], checkout_id)
        self._read("dark-rye", rye, at + self.dice.days(1, 12))

    def _read(self, sku: str, line: Line, at: datetime) -> datetime | None:
        """Unit after unit, with pauses, until they stall. The time when half was done, if it ever was."""
        units = self.ledger.owned_units(sku)
        done, half = at, None
        for number, unit in enumerate(units, start=1):
            if at > (line.refunded_at or self.now):
                return half
            if not self.dice.happens(self._keeps_on(number)):
                self._stall(sku, unit, at)
                return half
            done = self._complete(sku, unit, at)
            half = done if number * 2 >= len(units) and half is None else half
            at = done + self._pause()
        self.ledger.use(sku, "", "completed", done, 100)
        return half

    def _pause(self) -> timedelta:
        """Some days between two units; now and then life comes in between."""
        return self.dice.days(20, 70) if self.dice.happens(0.06) else self.dice.days(0.3, 4.5)

    def _keeps_on(self, number: int) -> float:
        """Most never get going, and zeal carries the others."""
        return 0.85 if number == 1 else 0.72 + 0.27 * self.person.zeal

    def _complete(self, sku: str, unit: str, at: datetime) -> datetime:
        if self.dice.happens(0.4):
            self.ledger.use(sku, unit, "started", at)
        done = at + self.dice.minutes(8, 45)
        self.ledger.complete(sku, [(unit, done)])
        return done

    def _stall(self, sku: str, unit: str, at: datetime) -> None:
        if self.dice.happens(0.45):
            self.ledger.use(sku, unit, "started", at)
            if self.dice.happens(0.4):
                self.ledger.use(sku, unit, "progressed", at + self.dice.minutes(3, 9), self.dice.whole(5, 80))

    # ── Coming back ─────────────────────────────────────────────────────────────────────────────

    def _join(self, at: datetime) -> None:
        """The membership: paid every thirty days, baked along on some Saturdays, left at some point."""
        while at < self.now:
            ends = at + MONTH
            self.ledger.renew("membership", at, ends)
            for saturday in self._saturdays(at):
                if self.dice.happens(0.5):
                    self.ledger.use("membership", "", "progressed", saturday)
            if self.dice.happens(0.1):
                self.ledger.cancel("membership", at + self.dice.days(3, 27), ends)
                return
            at = self._fall_behind(ends) if self.dice.happens(0.04) else ends

    def _fall_behind(self, at: datetime) -> datetime:
        """A card is refused; some days later it is paid after all."""
        self.ledger.fall_behind("membership", at)
        return at + self.dice.days(1, 9)

    @staticmethod
    def _saturdays(after: datetime) -> Iterator[datetime]:
        first = after.replace(hour=15, minute=0) + timedelta(days=(5 - after.weekday()) % 7)
        four = (first + timedelta(weeks=week) for week in range(4))
        return (saturday for saturday in four if saturday > after)

    def _shop(self, at: datetime) -> None:
        """Flour and tools, the fonder the sooner, until they drift away."""
        while at < self.now:
            line = self._order(self._waking(at), self._kitchen_lines()).lines[0]
            self._send_back(line, at, chance=0.03)
            if self.dice.happens(0.36 - 0.2 * self.person.fondness):
                return
            at += timedelta(days=12) + self.dice.days_around(115 - 90 * self.person.fondness)

    def _kitchen_lines(self) -> list[Line]:
        several = {self.dice.weighted(KITCHEN): None for _ in range(self.dice.one_of((1, 1, 1, 2, 3)))}
        return [self.ledger.line(sku, quantity=self._quantity(sku)) for sku in several]

    def _quantity(self, sku: str) -> int:
        return self.dice.one_of((1, 1, 1, 2, 3)) if sku == "flour" else 1

    # ── Orders, refunds, consent ────────────────────────────────────────────────────────────────

    def _order(self, at: datetime, lines: list[Line], checkout_id: str = "") -> Order:
        """The first order comes from an advertisement, later ones mostly do not."""
        visit = None if checkout_id or not self.ledger.orders else self.dice.one_of(BACK_AGAIN)
        return self.ledger.buy(at, *lines, visit=visit, checkout_id=checkout_id)

    def _fail_first(self, at: datetime, lines: list[Line], checkout_id: str) -> None:
        """Now and then a card is refused and the order stays unpaid."""
        if self.dice.happens(0.03):
            copies = [self.ledger.line(line.sku, line.position) for line in lines]
            self.ledger.buy(at - self.dice.minutes(2, 6), *copies, checkout_id=checkout_id, paid=False)

    def _send_back(self, line: Line, bought_at: datetime, *, chance: float) -> None:
        if self.dice.happens(chance):
            share = Decimal("0.5") if self.dice.happens(0.2) else Decimal(1)
            self.ledger.refund(line, self._waking(bought_at + self.dice.days(2, 24)), share)

    def _consent(self, at: datetime, *, letters_only: bool) -> None:
        """Most agree, some say no, some are never asked; some change their mind."""
        if letters_only or self.dice.happens(0.80):
            self.ledger.agree(at, "newsletter form" if letters_only else "checkout")
            self._change_mind(at)
        elif self.dice.happens(0.3):
            self.ledger.decline(at, "checkout")

    def _change_mind(self, agreed_at: datetime) -> None:
        if self.dice.happens(0.11):
            left = agreed_at + self.dice.days(3, 200)
            self.ledger.decline(left)
            if self.dice.happens(0.1):
                self.ledger.agree(left + self.dice.days(10, 60), "newsletter form")

    def _waking(self, at: datetime) -> datetime:
        """The same day, at an hour when people where they live are awake."""
        zone = ZoneInfo(self.person.place.timezone or "America/New_York")
        hour, minute = self.dice.one_of(WAKING_HOURS), self.dice.whole(0, 59)
        return at.astimezone(zone).replace(hour=hour, minute=minute).astimezone(UTC)
