"""aftersale explain"""

from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from engine.app.explaining import Explained, explain_customer
from engine.app.leaving import not_sending
from engine.app.reporting import not_adopted
from engine.cli import show
from engine.cli.options import HERE, AsJson, At, ProjectFolder, instant, opened
from engine.cli.wrong import tell_what_is_wrong
from engine.planning.explain import Explanation
from engine.planning.reasons import Reason
from engine.rules.explain import Answer


def command(
    customer: Annotated[str, typer.Argument(help="e-mail address, shop id or customer id")],
    campaign: Annotated[str | None, typer.Argument(help="one campaign; default: all")] = None,
    at: At = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Why a customer gets a campaign's mails, or does not; and their transactions."""
    with opened(project, asks=True) as shop:
        end = tell_what_is_wrong(shop)
        stranger, unusable = not_adopted(shop), not_sending(shop)
        explained = explain_customer(shop, customer, None if at is None else instant(shop, at), campaign)
    if as_json:
        show.document(
            {
                "at": explained.at,
                "not_adopted": stranger,
                "not_sending": unusable,
                "customer": explained.customer,
                **explained.purchases.as_json(),
                "campaigns": [each.as_json() for each in explained.campaigns],
            }
        )
    else:
        for line in show.in_the_way(stranger, unusable):
            show.out().print(Text(line), soft_wrap=True)
        _print(explained)
    raise end


def _print(explained: Explained) -> None:
    who = explained.customer
    name = f"{who['first_name']} {who['last_name']}".strip()
    console = show.out()
    console.print(Text(f"{name} <{who['email'] or 'no address'}>".strip(), style="bold"))
    since, at = f"{who['known_at']:%Y-%m-%d}", f"{explained.at:%Y-%m-%d %H:%M}Z"
    console.print(Text(f"customer {who['customer_id']}, known since {since}, as of {at}"))
    _print_purchases(explained)
    for each in explained.campaigns:
        console.print()
        console.print(Text(each.campaign, style="bold"), Text(f"— {each.summary}"))
        console.print(_tree(each.audience))
        _print_history(each)


def _print_purchases(explained: Explained) -> None:
    for told in explained.purchases.transactions:
        show.out().print()
        rows = [
            (line.order, f"{line.at:%Y-%m-%d %H:%M}Z", line.product, line.position, line.because, line.end)
            for line in told.lines
        ]
        show.out().print(Text(told.sentence(explained.at)), soft_wrap=True)
        show.out().print(show.table("", ("order", "at", "product", "position", "because", "end"), rows))
    for checkout in explained.purchases.checkouts:
        show.out().print(Text(checkout.sentence), soft_wrap=True)


def _tree(answer: Answer, root: Tree | None = None) -> Tree:
    mark = Text("✓ " if answer.holds else "✗ ", style="green" if answer.holds else "red")
    line = mark + Text(answer.sentence) + Text(f"  [{answer.actual}]" if answer.actual else "", style="dim")
    branch = root.add(line) if root is not None else Tree(line)
    for part in answer.parts:
        _tree(part, branch)
    return branch


def _print_history(each: Explanation) -> None:
    rows = [
        (
            f"{row['at']:%Y-%m-%d %H:%M}Z",
            f"run {row['spell']}",
            row["step_id"],
            row["verdict"],
            Reason(row["reason"]).sentence,
            row["detail"],
        )
        for row in each.decisions
    ]
    if rows:
        show.out().print(show.table("", ("decided", "", "step", "", "because", ""), rows))
    _print_mails(each)


def _print_mails(each: Explanation) -> None:
    """Each mail so far, and the version of the campaign's file that it was made from."""
    rows = [
        (
            f"{mail['planned_at']:%Y-%m-%d %H:%M}Z",
            f"run {mail['spell']}",
            mail["step_id"],
            mail["status"].replace("_", " "),
            mail["error"] or "",
            mail["version"],
            _since(each.versions.get(mail["version"])),
        )
        for mail in each.messages
    ]
    if rows:
        columns = ("mail planned", "", "step", "", "because", "by version", "in force since")
        show.out().print(show.table("", columns, rows))


def _since(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z" if at else ""
