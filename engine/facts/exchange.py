"""Money of another currency in the shop's own, at the rate of its day."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from sqlalchemy import Connection, select

from engine.clock import from_micros
from engine.facts.assembly import digest_of
from engine.facts.columns import Money
from engine.facts.model import Line, Order, Refund
from engine.facts.refusal import NoRate
from engine.facts.values.numbers import minor
from engine.store.tables import rates

OLDEST = timedelta(days=7)
_EXACT = Context(prec=60)  # 13 digits of an amount times 27 of a rate are never rounded before their time


class Exchange:
    """The rates that some amounts need. Days are those of the shop's zone."""

    def __init__(self, money: Money, zone: ZoneInfo) -> None:
        self._money = money
        self._zone = zone
        self._rates: dict[str, tuple[list[date], list[Decimal]]] = {}

    def load(self, connection: Connection, currencies: Iterable[str]) -> None:
        """Read all rates of these currencies."""
        foreign = sorted({*currencies} - {self._money.currency})
        if foreign:
            asked = select(rates.c.currency, rates.c.day, rates.c.rate).order_by(rates.c.day)
            for currency, day, rate in connection.execute(asked.where(rates.c.currency.in_(foreign))):
                days, values = self._rates.setdefault(currency, ([], []))
                days.append(day)
                values.append(Decimal(rate))

    def in_shops_currency(self, order: Order) -> Order:
        """The order with its amounts in the shop's currency. Raises Refused where a rate is missing.

        What went back of a line is changed at the rate of its order, a credit at the rate of its own day.
        """
        if order.currency == self._money.currency:
            return order
        currency = order.currency
        rate = self._rate(currency, order.at) if order.sales else Decimal()
        lines = [line._replace(amount=self._changed(line.amount, currency, rate)) for line in order.lines]
        return order._replace(
            amount=self._total(order, lines, rate),
            lines=lines,
            refunds=[self._refund(each, currency, rate) for each in order.refunds],
            credits=[self._refund(each, currency, self._rate(currency, each.at)) for each in order.credits],
            digest=digest_of(order.digest, str(rate)),
        )

    def on(self, day: date, amount: int, currency: str) -> int:
        """Minor units of the shop's currency for those of any, at that day's rate. Raises Refused."""
        if currency == self._money.currency:
            return amount
        return self._changed(amount, currency, self._rate_of(currency, day))

    def at(self, at: int, amount: int, currency: str) -> int:
        """The same, at the rate of the day of an instant. Raises Refused."""
        return self.on(self._day(at), amount, currency)

    def _total(self, order: Order, lines: Sequence[Line], rate: Decimal) -> int:
        """Where the lines make up the whole as charged, they make up the whole as changed."""
        if lines and sum(line.amount for line in order.lines) == order.charged:
            return sum(line.amount for line in lines)
        return self._changed(order.charged, order.currency, rate)

    def _refund(self, refund: Refund, currency: str, rate: Decimal) -> Refund:
        return refund._replace(amount=self._changed(refund.amount, currency, rate))

    def _changed(self, amount: int, currency: str, rate: Decimal) -> int:
        """Minor units of the shop's currency for those of another, rounded half to even."""
        major = Decimal(amount).scaleb(-get_currency_precision(currency))
        unit = Decimal(1).scaleb(-self._money.digits)
        ours = _EXACT.multiply(major, rate).quantize(unit, ROUND_HALF_EVEN, _EXACT)
        return minor(ours, self._money.digits)

    def _rate(self, currency: str, at: int) -> Decimal:
        return self._rate_of(currency, self._day(at))

    def _day(self, at: int) -> date:
        return from_micros(at).astimezone(self._zone).date()

    def _rate_of(self, currency: str, day: date) -> Decimal:
        """The latest rate at most seven days old."""
        days, values = self._rates.get(currency, ([], []))
        place = bisect_right(days, day)
        if not place or day - days[place - 1] > OLDEST:
            msg = f"has no exchange rate of its day or the {OLDEST.days} days before; import rates first"
            raise NoRate(msg, currency, f"{day}")
        return values[place - 1]
