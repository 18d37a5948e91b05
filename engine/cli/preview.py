"""aftersale preview"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from engine.app.preview_pages import write_pages
from engine.app.previewing import NOBODY_IN, Day, Moment, Preview, no_mail_due, nothing_in, previewing
from engine.app.reporting import not_adopted
from engine.app.vanished import everything_wrong
from engine.campaigns.names import Names
from engine.cli import show
from engine.cli.options import HERE, AsJson, At, ProjectFolder, instant, opened
from engine.cli.wrong import tell_what_is_wrong
from engine.facts.lookup import find_customer
from engine.planning.keys import MailKey
from engine.planning.readout import Count
from engine.planning.reasons import Reason
from engine.rendering.mail import Mail
from engine.rules.words import times

SAMPLE = 5


def command(
    campaign: Annotated[str | None, typer.Argument(help="show one campaign; default: all")] = None,
    customer: Annotated[str | None, typer.Option("--customer", help="show one customer's timeline")] = None,
    days: Annotated[int, typer.Option("--days", min=0, max=366, help="how many days to look ahead")] = 7,
    html: Annotated[
        Path | None, typer.Option("--html", help="write pages with the mails to this folder")
    ] = None,
    at: At = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Who gets what when, and who does not and why. Nothing is sent, and nothing is written down."""
    with opened(project, asks=True) as shop:
        asked = None if at is None else instant(shop, at)
        end = tell_what_is_wrong(shop)
        campaign = campaign and shop.known_campaign(campaign)
        only = None
        if customer is not None:
            with shop.store.reading() as connection:
                only = find_customer(connection, customer)
        stranger = not_adopted(shop)
        if stranger and not as_json:
            show.out().print(Text(show.not_mailing(stranger)), soft_wrap=True)
        with previewing(shop, asked, campaign=campaign, only=only) as preview:
            if html is not None:
                with preview.aside():
                    show.talk().print(f"wrote {write_pages(preview, html, days, campaign)}")
            if as_json:
                _document(preview, days, campaign, stranger)
            elif customer is not None and html is None:
                _print_timeline(preview, customer, days, campaign)
            elif html is None:
                _print(preview, days, campaign)
    raise end


def _document(preview: Preview, days: int, campaign: str | None, stranger: str | None) -> None:
    """The order of the parts matters: the calendar moves the imagined state on."""
    names = preview.names
    wanted = (mail for mail in preview.mails() if campaign in (None, names.campaign(mail.key.campaign_id)))
    parts: dict[str, Any] = {
        "at": preview.now,
        "not_adopted": stranger,
        "audiences": {c: n for c, n in preview.audiences().items() if campaign in (None, c)},
        "entering": {c: n for c, n in preview.entering().items() if campaign in (None, c)},
        "counts": [count.as_json() for count in preview.counts() if campaign in (None, count.campaign)],
        "mails": (_mail(mail, names) for mail in wanted),
        "unwritable": _unwritable(preview, campaign),
        "timeline" if preview.only is not None else "calendar": _later(preview, days, campaign),
        "problems": [problem.as_json() for problem in everything_wrong(preview.project)],
    }
    show.document(parts)


def _mail(mail: Mail, names: Names) -> dict[str, Any]:
    return {
        "message_id": mail.message_id,
        "customer_id": mail.key.customer_id,
        "campaign": names.campaign(mail.key.campaign_id),
        "step": names.step(mail.key.campaign_id, mail.key.step_id),
        "spell": mail.key.spell,
        "to": mail.to_address,
        "subject": mail.subject,
    }


def _unwritable(preview: Preview, campaign: str | None) -> Iterator[dict[str, Any]]:
    for each in preview.unwritable:
        if campaign in (None, preview.names.campaign(each.key.campaign_id)):
            yield {**preview.names.row(each.key._asdict()), "reason": each.reason, "message": each.message}


def _later(preview: Preview, days: int, campaign: str | None) -> Iterator[dict[str, Any]]:
    if preview.only is not None:
        for moment in preview.timeline(days):
            if campaign in (None, moment.answer.campaign):
                yield {"at": moment.at, "forecast": moment.forecast, **moment.answer.__dict__}
        return
    for day in preview.calendar(days):
        if campaign in (None, day.campaign):
            yield day.as_json()


def _print(preview: Preview, days: int, campaign: str | None) -> None:
    """What is shown is gathered first: the calendar moves the imagined state on."""
    counts = [count for count in preview.counts() if campaign in (None, count.campaign)]
    audiences = {c: n for c, n in preview.audiences().items() if campaign in (None, c)}
    entering = preview.entering()
    mails = preview.sample(SAMPLE, campaign)
    calendar = [day for day in preview.calendar(days) if campaign in (None, day.campaign)]
    console = show.out()
    console.print(Text(f"At {preview.now:%Y-%m-%d %H:%M}Z, a run would do this", style="bold"))
    if nothing := nothing_in(audiences, counts, calendar, days):
        console.print(nothing)
        return
    rows = [(c, n, entering.get(c, 0), *_totals(counts, c)) for c, n in audiences.items()]
    columns = ("campaign", "in the audience", "entering", "mails", "held", "passed over")
    console.print(show.table("", columns, rows))
    _print_reasons(counts)
    _print_sample(preview, mails)
    _print_calendar(calendar, days)


def _print_reasons(counts: list[Count]) -> None:
    columns = ("campaign", "step", "people", "", "because")
    show.out().print(show.table("\nWhy", columns, map(_reason, counts)) if counts else f"\n{NOBODY_IN}.")


def _totals(counts: list[Count], campaign: str) -> tuple[int, int, int]:
    def total(verdict: str) -> int:
        return sum(c.people for c in counts if c.campaign == campaign and c.verdict == verdict)

    mails = sum(count.people for count in counts if count.campaign == campaign and count.leaves)
    return mails, total("hold"), total("skip")


def _reason(count: Count) -> tuple[Any, ...]:
    verdict = "" if count.verdict == "none" else count.verdict
    return count.campaign, count.step, count.people, verdict, Reason(count.reason).sentence


def _print_sample(preview: Preview, mails: list[Mail]) -> None:
    rows = [(mail.to_address, mail.subject, *_step(preview, mail.key)) for mail in mails]
    console = show.out()
    if rows:
        console.print(show.table("\nA few of the mails", ("to", "subject", "campaign", "step"), rows))
    for each in preview.unwritable[:SAMPLE]:
        what = f"{' '.join(_step(preview, each.key))}, customer {each.key.customer_id}"
        console.print(Text(f"cannot be written: {what}: {each.message}", style="red"))


def _step(preview: Preview, key: MailKey) -> tuple[str, str]:
    return preview.names.campaign(key.campaign_id), preview.names.step(key.campaign_id, key.step_id)


def _print_calendar(listed: list[Day], days: int) -> None:
    if not listed:
        show.out().print(f"\n{no_mail_due(days).capitalize()}.")
        return
    rows = [(d.day, d.campaign, d.step, d.mails, "forecast" if d.forecast else "now") for d in listed]
    ahead = (
        f"Mails of the next {times(days, 'day')} (forecasts: as if nobody bought, used or changed anything)"
    )
    title = f"\n{ahead if days else 'Mails that leave now'}"
    show.out().print(show.table(title, ("day", "campaign", "step", "mails", ""), rows))


def _print_timeline(preview: Preview, customer: str, days: int, campaign: str | None) -> None:
    moments = [m for m in preview.timeline(days) if campaign in (None, m.answer.campaign)]
    if not moments:
        show.out().print("No step of any campaign falls due. Ask why: aftersale explain", customer)
        return
    title = f"{customer}, the next {times(days, 'day')}"
    columns = ("at", "campaign", "step", "", "because", "")
    show.out().print(show.table(title, columns, map(_moment, moments)))


def _moment(moment: Moment) -> tuple[str, ...]:
    answer = moment.answer
    at = f"{moment.at:%Y-%m-%d %H:%M}Z"
    because = Reason(answer.reason).sentence + (f" ({answer.detail})" if answer.detail else "")
    return at, answer.campaign, answer.step, answer.verdict, because, "forecast" if moment.forecast else "now"
