"""aftersale outbox"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from engine.app.controlling import meant, release, require_some, resolve, retry
from engine.app.leaving import not_sending
from engine.app.looking_up import look_up
from engine.app.outbox import Asked, Listed, known_status, listed, one, whom
from engine.app.project import Project
from engine.cli import show
from engine.cli.options import HERE, AsJson, ProjectFolder, Yes, confirmed, instant, opened
from engine.delivery.rows import Attempt
from engine.delivery.states import Status
from engine.errors import UsageError
from engine.rules.words import them, times

app = typer.Typer(add_completion=False, invoke_without_command=True)
What = Annotated[str, typer.Argument(help="a campaign's id, or the id of one mail")]


@app.callback()
def command(
    context: typer.Context,
    status: Annotated[
        str | None, typer.Option("--status", help=f"only mails in that state: {', '.join(Status)}")
    ] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="only mails of that campaign")] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", help="only mails to one: address, shop id or id")
    ] = None,
    most: Annotated[int, typer.Option("--most", help="how many to list", min=1, max=100_000)] = 50,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """List mails by the state they are in, the latest first. Commands below it act on some of them."""
    if context.invoked_subcommand:
        return
    with opened(project, asks=True) as shop:
        state = known_status(status) if status else None
        asked = Asked(state, campaign, whom(shop, customer) if customer else None, most)
        mails, count = listed(shop, asked)
        unusable = not_sending(shop)
    if as_json:
        show.document({"count": count, "not_sending": unusable, "mails": [mail.as_json() for mail in mails]})
    else:
        if unusable:
            show.out().print(Text(show.not_sending(unusable)), soft_wrap=True)
        _print(mails, count)


@app.command("show", help="Show all that is known of one mail.")
def show_one(
    message_id: Annotated[str, typer.Argument(help="the id of the mail")],
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Show all that is known of one mail: its way so far, why it was planned, what proves its claims."""
    with opened(project, asks=True) as shop:
        told = one(shop, message_id)
    if as_json:
        show.document(told)
        return
    rows = [(name, _said(value)) for name, value in told.items() if value not in (None, [], "")]
    show.out().print(show.table("", ("", ""), rows))


@app.command("release", help="Let mails leave that were held for a look.")
def release_some(
    what: What, yes: Yes = False, project: ProjectFolder = HERE, as_json: AsJson = False
) -> None:
    """Let mails leave that are held since the database was adopted. The next plan decides about them anew."""
    with opened(project) as shop:
        mails = meant(shop, what, [Status.HELD])
        require_some(mails, f"of {what} is held")
        confirmed(f"{times(len(mails), 'held mail')} of {what} will leave. Release {them(len(mails))}?", yes)
        done = release(shop, mails, instant(shop, None))
    if as_json:
        show.document({"released": done})
    else:
        show.out().print(f"{done:,} released")


@app.command("retry", help="Let mails go again that were rejected, once the cause is mended.")
def retry_some(what: What, yes: Yes = False, project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """Let mails go again that were rejected for what is mended by now. The next plan decides about them anew.

    Those whose window is over, or whose readers have moved on, do not leave any more.
    """
    with opened(project) as shop:
        mails = meant(shop, what, [Status.REJECTED])
        require_some(mails, f"of {what} was rejected")
        told = times(len(mails), "rejected mail")
        confirmed(f"{told} of {what} will be tried again. Is the cause mended?", yes)
        done = retry(shop, mails, instant(shop, None))
    if as_json:
        show.document({"retried": done})
    else:
        show.out().print(f"{done:,} to go again")


@app.command("resolve", help="Say what became of mails of which nobody can tell.")
def resolve_some(
    what: What,
    accepted: Annotated[bool, typer.Option("--accepted", help="never send it again")] = False,
    look: Annotated[
        bool,
        typer.Option("--look-up", help="ask SendGrid, as sendgrid.look_up says; what it has was accepted"),
    ] = False,
    not_sent: Annotated[bool, typer.Option("--not-sent", help="decide about it anew")] = False,
    yes: Yes = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Say what became of mails whose fate is unknown. Ask the provider first: a wrong word doubles a mail."""
    if [accepted, not_sent, look].count(True) != 1:
        msg = "say one of --accepted, --not-sent and --look-up"
        raise UsageError(msg)
    with opened(project) as shop:
        mails = meant(shop, what, [Status.UNKNOWN])
        require_some(mails, f"of {what} is of unknown fate")
        if look:
            _look_up(shop, mails, as_json=as_json)
            return
        fate = "left, and will never be sent again" if accepted else "did not leave, and will be sent"
        confirmed(f"{times(len(mails), 'mail')} of {what} {fate}. Is that so?", yes)
        done = resolve(shop, mails, accepted=accepted, now=instant(shop, None))
    if as_json:
        show.document({"resolved": done})
    else:
        show.out().print(f"{done:,} resolved")


def _look_up(shop: Project, mails: Sequence[Attempt], *, as_json: bool) -> None:
    done = look_up(shop, mails)
    if as_json:
        show.document(done.as_json())
        return
    show.out().print(f"{done.found:,} found, and accepted")
    if done.not_found:
        show.out().print(f"{done.not_found:,} not found, which proves nothing: unknown as before")


def _print(mails: Sequence[Listed], count: int) -> None:
    columns = ("mail", "campaign", "step", "customer", "state", "due", "what happened")
    rows = [
        (m.message_id, m.campaign, m.step, str(m.customer_id), m.status, _at(m.due_at), m.error or "")
        for m in mails
    ]
    show.out().print(
        show.table(
            f"{len(mails):,} of {times(count, 'mail')}", columns, rows, unbroken=("mail", "customer", "due")
        )
    )


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}Z"


def _said(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    return value if isinstance(value, str) else show.plain(value)
