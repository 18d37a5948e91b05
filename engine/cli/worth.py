"""What reports look like in a terminal."""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from rich.text import Text

from engine.cli import show
from engine.reports.constraint import WORDS, Constraint, Judged, Standing
from engine.reports.funnel import FunnelReport, Group, Reached
from engine.reports.ledger import Return
from engine.reports.sources import HORIZONS, Line, SourcesReport, Verdict
from engine.reports.touch import UNKNOWN, named
from engine.reports.ways import Rate
from engine.rules.words import times
from engine.settings.shop import Shop


def money(minor: float, shop: Shop) -> str:
    """Minor units as an amount of the shop's currency."""
    digits = get_currency_precision(shop.currency)
    return f"{minor / 10**digits:,.{digits}f} {shop.currency}"


def print_funnel(found: FunnelReport, shop: Shop, by: str | None) -> None:
    console = show.out()
    title = f"Funnel of {times(found.visitors, 'visitor')}, first seen {_days(found, shop)}"
    columns = ("stage", "visitors", "came on", "of", "95% sure", "target", "from", "")
    console.print(show.table(title, columns, map(_stage_row, found.stages)))
    for line in _said(found, shop):
        console.print(line, markup=False)
    console.print()
    print_constraint(found.constraint, shop)
    if by:
        names = [stage.stage.name for stage in found.stages if stage.rate]
        rows = [_group_row(group, names, shop) for group in found.groups]
        console.print(show.table(f"\nBy {by}", (by, "visitors", *names, "net each"), rows))


def _stage_row(stage: Reached) -> tuple[object, ...]:
    if stage.rate is None or stage.judged is None:
        return (stage.stage.name, stage.visitors, "", "", "", "", "", "")
    judged = stage.judged
    target = (_percent(judged.target), judged.measure) if judged.target is not None else ("", "")
    sure = _sure(stage.rate) if stage.rate.of else ""
    share = _percent(stage.rate.share)
    return (
        *(stage.stage.name, stage.visitors, share, f"{stage.rate.of:,}", sure),
        *(*target, _standing(judged)),
    )


def _standing(judged: Judged) -> str:
    if judged.standing is Standing.NOBODY and judged.stage.is_offer:
        return "nobody took it"
    return WORDS[judged.standing]


def _said(found: FunnelReport, shop: Shop) -> Iterator[str]:
    for what, rate in (
        ("opt-in rate", found.opt_in),
        ("sales conversion", found.sales),
        ("order form abandoned", found.abandoned),
    ):
        if rate and rate.of:
            yield f"{what}: {_percent(rate.share)} ({_sure(rate)})"
    if found.visitors:
        yield f"first orders, refunds off: {money(found.money / found.visitors, shop)} a visitor"
    if found.machines:
        yield f"left out: {times(found.machines, 'bot')}"
    if found.bought_before:
        yield f"left out: {found.bought_before:,} who had bought before they were first seen"
    if not found.visitors:
        yield "no visitor was first seen then: import visits, as a file of funnel, or tell the events API"


def print_constraint(found: Constraint, shop: Shop) -> None:
    console = show.out()
    console.print(Text(f"The constraint: {constraint_sentence(found, shop)}", style="bold"))


def constraint_sentence(found: Constraint, shop: Shop) -> str:
    """The constraint in one sentence, or why none is named."""
    judged = found.judged
    if judged is None:
        return f"none can be named: {found.why_none}"
    if judged.gain is None or judged.target is None:
        return f"{judged.stage.name}: nobody came through, of {judged.rate.of:,}"
    whence = "its target" if judged.measure == "config.yaml" else f"what {judged.measure} has"
    return (
        f"{judged.stage.name}. At {_percent(judged.target)}, {whence}, instead of "
        f"{_percent(judged.rate.share)} it would bring {money(judged.gain, shop)} more for each visitor, "
        f"{money(found.total or 0, shop)} for these {found.visitors:,}"
    )


def _group_row(group: Group, names: Iterable[str], shop: Shop) -> tuple[object, ...]:
    each = money(group.money / group.visitors, shop) if group.visitors else ""
    shares = (_percent(group.rates[name].share) if group.rates[name].of else "" for name in names)
    return (group.name or UNKNOWN, group.visitors, *shares, each)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _sure(rate: Rate) -> str:
    return f"{rate.interval.low:.1%} to {rate.interval.high:.1%}"


def print_sources(found: SourcesReport, shop: Shop) -> None:
    console = show.out()
    title = f"Spend and return, {_days(found, shop)}"
    ages = [f"{days} d" for days in HORIZONS]
    columns = (found.by, "spent", "buyers", "each", "at once", *ages, "95% sure", "even", "margin", "")
    rows = [_line_row(line, shop) for line in found.lines]
    console.print(show.table(title, columns, rows, unbroken=columns[1:]))
    for said in _sources_said(found, shop):
        console.print(said, markup=False)


def _line_row(line: Line, shop: Shop) -> tuple[object, ...]:
    spent, each = (_whole(sum_, shop) for sum_ in (line.spend, line.each))
    back = f"day {line.breaks_even}" if line.breaks_even else ("not yet" if line.spend else "")
    margin = "" if line.margin is None else f"{line.margin / line.margin_of:.0%}"
    verdict = line.verdict
    return (
        *(traffic_name(line), spent, line.customers, each, _gain(line.front_roi)),
        *(_gain(each_age.roi) for each_age in line.returns),
        *(_gain_sure(line.deciding), back, margin, verdict),
    )


def traffic_name(line: Line) -> str:
    """Such as `google / spring`; customers for whom nothing was paid are told apart."""
    name = named(line.traffic.names)
    if not name:
        return UNKNOWN
    return name if line.traffic.paid_for else f"{name}, unpaid"


def _sources_said(found: SourcesReport, shop: Shop) -> Iterator[str]:
    every = len(found.months)
    old = ", ".join(f"{days} days: {found.mature[days]}" for days in sorted(found.mature))
    yield "what came back beyond what was spent: at once by the first order, and by days from then on"
    yield f"months old enough, of {every}: {old}; younger ones are left out, with their spend"
    yield f"95% sure, and scale, hold or stop: by {times(found.payback, 'day')}"
    spent = sum(line.spend for line in found.lines)
    lost = [line for line in found.lines if not line.traffic.known]
    yield f"spent in all: {money(spent, shop)}"
    for line in lost:
        front = money(line.front, shop)
        yield f"not attributed: {times(line.customers, 'customer')}, {front} at first; spread over no source"
    if not spent:
        yield "no spend is known: import it, as a file of day, source, campaign, ad, amount"


def verdicts(found: SourcesReport, verdict: Verdict) -> list[str]:
    """The names of the traffic of that verdict, the dearest first."""
    return [traffic_name(line) for line in found.lines if line.verdict is verdict]


def _whole(minor: float | None, shop: Shop) -> str:
    """An amount without its cents; nothing where there is none."""
    return f"{minor / 10 ** get_currency_precision(shop.currency):,.0f}" if minor else ""


def _days(found: FunnelReport | SourcesReport, shop: Shop) -> str:
    """From the first day to the last, by the shop's clock."""
    zone = ZoneInfo(shop.timezone)
    return " to ".join(f"{at.astimezone(zone):%Y-%m-%d}" for at in (found.since, found.until))


def _gain(share: float | None) -> str:
    return "" if share is None else f"{share:+.0%}"


def _gain_sure(found: Return) -> str:
    if found.interval is None:
        return ""
    return f"{found.interval.low:+.0%}…{found.interval.high:+.0%}"
