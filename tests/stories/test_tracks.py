"""The story of a shop whose funnel is told: what closes a transaction, and what explain says of it."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.clock import VirtualClock
from tests.stories.conftest import Aftersale

ORDERS = """order_id,email,at,sku,amount,checkout_id,position
1,ann@shop.example,2026-03-09T10:00Z,starter-guide,7,ch1,
2,ann@shop.example,2026-03-09T10:10Z,flagship,97,,
3,ann@shop.example,2026-03-09T10:30Z,mug,15,,bump
4,ann@shop.example,2026-03-10T08:00Z,mug,15,ch1,
"""
UNPAID = """order_id,email,at,sku,amount,paid
5,ann@shop.example,2026-03-10T08:40Z,mug,15,no
"""
FUNNEL = """email,what,at,checkout_id
ann@shop.example,completed,2026-03-09T10:20Z,ch1
ann@shop.example,checkout_started,2026-03-10T08:30Z,ch9
"""


@pytest.fixture
def shop(aftersale: Aftersale, tmp_path: Path) -> Callable[..., Any]:
    assert aftersale("init", ".").code == 0
    for name, text in (("orders.csv", ORDERS), ("funnel.csv", FUNNEL)):
        (tmp_path / name).write_text(text)
    assert aftersale("import", "orders.csv", "funnel.csv").code == 0
    return aftersale


def test_explain_tells_what_opened_and_closed_a_transaction(shop: Aftersale) -> None:
    told = shop("explain", "ann@shop.example").out
    assert (
        "transaction 1 (front end): opened 2026-03-09 10:00Z by order 1, closed 2026-03-09 10:20Z, "
        "when its funnel was completed" in told
    )
    assert (
        "transaction 2 (back end): opened 2026-03-09 10:30Z by order 3, closed 2026-03-09 11:30Z, "
        "when front_end.window had passed" in told
    )
    assert "checkout ch9: started 2026-03-10 08:30Z, open until an order or 2026-03-11 08:30Z" in told


def test_explain_tells_of_an_order_that_is_not_paid_yet(shop: Aftersale) -> None:
    Path("unpaid.csv").write_text(UNPAID)
    assert shop("import", "unpaid.csv").code == 0
    said = (
        "order 5: placed 2026-03-10 08:40Z and not paid, a checkout open until an order or 2026-03-11 08:40Z"
    )
    assert said in shop("explain", "ann@shop.example").out


def test_explain_tells_where_each_line_stands_and_why(shop: Aftersale) -> None:
    first, second = shop("explain", "ann@shop.example", "--json").json["transactions"]
    lines = [
        (line["order"], line["position"], line["because"], line["end"])
        for line in (*first["lines"], *second["lines"])
    ]
    assert lines == [
        ("1", "core", "its order opened the transaction", "front"),
        ("2", "upsell", "added to the transaction", "front"),
        ("4", "upsell", "added to the transaction", "front"),
        ("3", "bump", "the source says so", "back"),
    ]


def test_explain_of_an_instant_knows_what_had_happened_by_then(shop: Aftersale) -> None:
    told = shop("explain", "ann@shop.example", "--at", "2026-03-09T10:15Z").out
    assert "opened 2026-03-09 10:00Z by order 1, open until 2026-03-09 11:00Z" in told
    assert "transaction 2" not in told


PAGE = Path(__file__).parents[2] / "docs" / "tracks.md"
YES = "email,topic,granted,at\nann@shop.example,marketing,yes,2026-03-01T00:00Z\n"


def _lay_out_the_page(folder: Path) -> None:
    """The campaigns and templates that the page of the two tracks shows."""
    text = PAGE.read_text(encoding="utf-8")
    (folder / "templates" / "tracks").mkdir()
    for name, template in zip(("door", "use"), _blocks(text, "html+jinja"), strict=True):
        (folder / "templates" / "tracks" / f"{name}.html").write_text(template)
    for number, campaign in enumerate(_blocks(text, "yaml")):
        (folder / "campaigns" / f"page-{number}.yaml").write_text(campaign)


def _blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{re.escape(kind)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_page_of_the_two_tracks_tells_the_truth(
    aftersale: Aftersale, light_project: Path, clock: VirtualClock
) -> None:
    """The same product in both tracks, each with copy of its own; and never at the same time."""
    _lay_out_the_page(light_project)
    assert aftersale("check").code == 0
    order = (
        f"order_id,email,at,sku,amount\n1,ann@shop.example,{clock.now():%Y-%m-%dT%H:%MZ},starter-guide,7\n"
    )
    used = "".join(
        f"ann@shop.example,starter-guide,chapter-{n},completed,{clock.now():%Y-%m-%dT%H:%MZ}\n"
        for n in range(1, 5)
    )
    for name, told in (
        ("orders.csv", order),
        ("consent.csv", YES),
        ("consumption.csv", "email,sku,unit,kind,at\n" + used),
    ):
        Path(name).write_text(told)
        assert aftersale("import", name).code == 0
    sent = []
    for wait in (
        timedelta(minutes=5),
        timedelta(minutes=20),
        timedelta(hours=20),
        timedelta(days=4),
        timedelta(days=1),
    ):
        clock.advance(wait)
        aftersale("run", "--once")
        sent.append(len([*Path("outbox").rglob("*.eml")]))
    assert sent == [1, 2, 2, 2, 3]


@pytest.mark.parametrize(
    ("bought", "told"), [("2026-03-10T08:55Z", ["flagship-with-guide"]), ("2026-03-01T10:00Z", [])]
)
def test_who_bought_the_guide_long_ago_is_not_told_that_they_just_did(
    aftersale: Aftersale, clock: VirtualClock, bought: str, told: list[str]
) -> None:
    assert aftersale("init", ".").code == 0
    lines = ("order_id,email,at,sku,amount", f"1,ann@a.example,{bought},starter-guide,7")
    Path("orders.csv").write_text("\n".join((*lines, "2,ann@a.example,2026-03-10T08:58Z,jar,18")))
    Path("consent.csv").write_text("email,topic,granted,at\nann@a.example,marketing,true,2026-03-01T10:00Z\n")
    assert aftersale("import", "orders.csv", "consent.csv").code == 0
    clock.advance(timedelta(minutes=10))
    assert aftersale("run", "--once").code == 0
    mails = [mail.read_text() for mail in Path("outbox").rglob("*.eml")]
    assert [re.findall("X-Aftersale-Campaign: (.*)", mail)[0] for mail in mails] == told


FRONT = """\
campaign: extra
track: front-end
audience: {bought: {product: starter-guide}}
steps:
  - id: one
    after: 5m
    email: {subject: Hello, template: plain.html}
"""
USED = "{all: [{bought: {product: starter-guide}}, {not: {consumed: {product: starter-guide}}}]}"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("audience: {bought: {product: starter-guide}}", f"audience: {USED}"),
            "campaigns/extra.yaml:3:61: audience: consumed: not in a front-end campaign",
        ),
        (("steps:", f"goal: {USED}\nsteps:"), "campaigns/extra.yaml:4:57: goal: consumed: not in"),
        (
            ("    after: 5m", "    after: 5m\n    when: {consumed: {product: starter-guide}}"),
            "campaigns/extra.yaml:7:12: when: consumed: not in a front-end campaign",
        ),
        (
            ("{bought: {product: starter-guide}}", "{segment: used-it}"),
            "campaigns/extra.yaml:3:1: audience: consumed",
        ),
        (
            ("after: 5m", "after: 60m"),
            "campaigns/extra.yaml:6:5: after: 1h after the transaction opened it is closed",
        ),
        (
            ("after: 5m", "after: 1d"),
            "campaigns/extra.yaml:6:5: after: a front-end campaign counts in minutes",
        ),
        (
            ("after: 5m", "after: {local_days: 0}"),
            "campaigns/extra.yaml:6:5: after: a front-end campaign counts in minutes",
        ),
        (
            ("after: 5m", "after: 5m\n    send: {days: [mon]}"),
            "campaigns/extra.yaml:7:5: send: a front-end campaign waits for no window",
        ),
        (
            ("steps:", "on: {bought: {product: starter-guide}}\nsteps:"),
            "campaigns/extra.yaml:4:1: on: not in a front-end campaign",
        ),
        (
            ("steps:", "cool_down: {after_purchase: 3d}\nsteps:"),
            "campaigns/extra.yaml:4:1: cool_down: not in a front-end campaign",
        ),
        (
            ("plain.html", "used.html"),
            "templates/used.html:2:10: consumed('starter-guide') in front-end copy",
        ),
        (
            (
                "track: front-end\naudience: {bought: {product: starter-guide}}",
                "on: {bought: {product: starter-guide, end: front}}\naudience: {ordered: {}}",
            ),
            "campaigns/extra.yaml:2:39: on: bought with end: front is an open order, and the first step comes 5m",
        ),
    ],
)
def test_check_refuses_what_crosses_the_line_and_says_where(
    aftersale: Aftersale, light_project: Path, change: tuple[str, str], told: str
) -> None:
    segments = Path("campaigns/segments.yaml")
    segments.write_text(segments.read_text() + "  used-it: {consumed: {product: starter-guide}}\n")
    for name, told_of in (
        ("plain", "Thank you"),
        ("used", "{% if consumed('starter-guide') %}Read?{% endif %}"),
    ):
        Path(f"templates/{name}.html").write_text(f"<p>{{{{ preheader }}}}Hello</p>\n<p>{told_of}</p>")
    assert change[0] in FRONT
    Path("campaigns/extra.yaml").write_text(FRONT.replace(*change, 1))
    said = aftersale("check")
    assert said.code == 1
    assert told in said.err
    assert said.err.count("extra.yaml") + said.err.count("used.html") == 1


BACK = FRONT.replace("track: front-end\n", "")
ON = "on: {bought: {product: starter-guide, position: core}}\nsteps:"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("steps:", ON),
            "extra.yaml:3:39: on: bought with position: core is an open order, and the first step",
        ),
        (
            ("steps:", "on: {bought: {product: starter-guide}}\nsteps:"),
            "extra.yaml:3:1: on: bought is an open order, and the first step comes 5m later (wait 25h or more",
        ),
        (("steps:", "transactional: true\non: {bought: {product: starter-guide}}\nsteps:"), None),
        (
            ("steps:", "while: {bought: {any: true, within: 12h}}\nsteps:"),
            "extra.yaml:3:1: while: holds only within 1d of an order, so no mail ever goes",
        ),
        (
            ("steps:", "while: {all: [{spent: {at_least: 1}}, {segment: new}]}\nsteps:"),
            "extra.yaml:3:1: while: holds",
        ),
        (
            ("    after: 5m", "    after: 5m\n    when: {last_order: {within: 23h}}"),
            "extra.yaml:6:5: when: holds only",
        ),
        (
            (
                "steps:",
                "while: {any: [{bought: {any: true, within: 12h}}, {started: {product: mug}}]}\nsteps:",
            ),
            None,
        ),
        (
            ("steps:", "while: {spent: {at_least: 1, within: 12h}}\nsteps:"),
            "extra.yaml:3:1: while: holds only",
        ),
        (("steps:", "while: {spent: {at_most: 9, within: 12h}}\nsteps:"), None),
        (("steps:", "while: {not: {bought: {any: true, within: 12h}}}\nsteps:"), None),
        (("steps:", "while: {bought: {any: true, within: 24h}}\nsteps:"), None),
        (("steps:", "while: {ordered: {at_most: 3, within: 12h}}\nsteps:"), None),
    ],
)
def test_check_refuses_a_back_end_that_would_mail_inside_of_an_order_or_never(
    aftersale: Aftersale, light_project: Path, change: tuple[str, str], told: str | None
) -> None:
    segments = Path("campaigns/segments.yaml")
    segments.write_text(segments.read_text() + "  new: {first_order: {within: 12h}}\n")
    Path("templates/plain.html").write_text("<p>{{ preheader }}Hello</p>")
    Path("campaigns/extra.yaml").write_text(
        BACK.replace(*change, 1).replace("product: mug", "product: flagship")
    )
    said = aftersale("check")
    mistakes = [line for line in said.err.splitlines() if "extra.yaml" in line and "warning" not in line]
    assert (said.code, len(mistakes)) == ((1, 1) if told else (0, 0)), said.err
    assert (told or "") in said.err


def test_a_back_end_mail_that_waits_for_the_quiet_is_warned_of(
    aftersale: Aftersale, light_project: Path
) -> None:
    Path("templates/plain.html").write_text("<p>{{ preheader }}Hello</p>")
    text = BACK.replace("steps:", "on: {bought: {product: starter-guide}}\nsteps:")
    Path("campaigns/extra.yaml").write_text(text.replace("5m", "24h"))
    said = aftersale("check")
    told = "extra.yaml:6:5: after: 1d later the order is open or just closed, so the mail waits"
    assert (said.code, f"warning: campaigns/{told}" in said.err) == (0, True), said.err
    Path("campaigns/extra.yaml").write_text(text.replace("5m", "25h"))
    assert "the mail waits" not in aftersale("check").err


@pytest.mark.parametrize("track", [FRONT, BACK])
def test_an_offer_of_what_the_whole_audience_owns_is_warned_of(
    aftersale: Aftersale, light_project: Path, track: str
) -> None:
    Path("templates/plain.html").write_text("<p>{{ preheader }}Hello</p>")
    Path("campaigns/extra.yaml").write_text(
        track.replace("steps:", "offers: [flagship, starter-guide]\nsteps:")
    )
    line = track[: track.index("steps:")].count("\n") + 1
    told = f"extra.yaml:{line}:20: offers: whoever is in the audience owns 'starter-guide', so nobody gets a mail"
    said = aftersale("check")
    assert (said.code, f"warning: campaigns/{told}" in said.err) == (0, True), said.err
    rule = "{any: [{bought: {product: starter-guide}}, {bought: {product: jar}}]}"
    Path("campaigns/extra.yaml").write_text(
        track.replace("{bought: {product: starter-guide}}", rule).replace(
            "steps:", "offers: [starter-guide]\nsteps:"
        )
    )
    assert "nobody gets a mail" not in aftersale("check").err


def test_what_crosses_the_line_is_told_together_with_all_else(
    aftersale: Aftersale, light_project: Path
) -> None:
    Path("templates/plain.html").write_text("<p>{{ preheader }}Hello</p>")
    wrong = FRONT.replace("audience: {bought: {product: starter-guide}}", f"on: 5\naudience: {USED}")
    for text, waits in (
        (wrong.replace("after: 5m", "after: 2h") + "offers: [nothing]\n", 1),
        (wrong.replace("after: 5m", "after: soon"), 0),
        (wrong.replace("audience: {all: [", "audience: {all: [{segment: nobody}, ").replace("5m", "2h"), 1),
    ):
        Path("campaigns/extra.yaml").write_text(text)
        said = aftersale("check").err
        assert "consumed: not in a front-end campaign" in said
        assert "on: not in a front-end campaign" in said
        assert said.count("after the transaction opened it is closed") == waits
        assert said.count("unknown product 'nothing'") + said.count("'soon'") + said.count("'nobody'") == 1


@pytest.mark.parametrize(("refused", "mails"), [("2026-03-10T08:56Z", 0), ("2026-03-09T08:56Z", 1)])
def test_the_bundled_front_end_takes_a_no_for_a_no(
    aftersale: Aftersale, clock: VirtualClock, refused: str, mails: int
) -> None:
    assert aftersale("init", ".").code == 0
    Path("orders.csv").write_text(
        "order_id,email,at,sku,amount\n1,ann@a.example,2026-03-10T08:55Z,starter-guide,7\n"
    )
    Path("consent.csv").write_text("email,topic,granted,at\nann@a.example,marketing,true,2026-03-01T10:00Z\n")
    Path("funnel.csv").write_text(f"email,what,sku,at\nann@a.example,offer_refused,flagship,{refused}\n")
    assert aftersale("import", "orders.csv", "consent.csv", "funnel.csv").code == 0
    clock.advance(timedelta(minutes=10))
    assert aftersale("run", "--once").code == 0
    assert len([*Path("outbox").rglob("*.eml")]) == mails


@pytest.mark.parametrize("track", [FRONT, BACK])
@pytest.mark.parametrize(
    ("rule", "refused"),
    [
        ("{not: {bought: {any: true}}}", True),
        ("{not: {ordered: {}}}", True),
        ("{ordered: {at_most: 0}}", True),
        ("{not: {any: [{ordered: {}}, {bought: {product: starter-guide}}]}}", True),
        ("{all: [{segment: strangers}, {attribute: {name: bakes, is: weekly}}]}", True),
        ("{any: [{segment: strangers}, {bought: {product: starter-guide}}]}", False),
        ("{not: {bought: {product: starter-guide}}}", False),
        ("{not: {bought: {any: true, within: 30d}}}", False),
        ("{ordered: {at_most: 0, within: 30d}}", False),
        ("{ordered: {at_most: 0, amount: {at_least: 50}}}", False),
        ("{bought: {any: true, at_most: 0, end: back}}", False),
    ],
)
def test_check_refuses_a_campaign_for_people_who_bought_nothing(
    aftersale: Aftersale, light_project: Path, track: str, rule: str, refused: bool
) -> None:
    segments = Path("campaigns/segments.yaml")
    segments.write_text(segments.read_text() + "  strangers: {not: {ordered: {}}}\n")
    Path("templates/plain.html").write_text("<p>{{ preheader }}Hello</p>")
    Path("campaigns/extra.yaml").write_text(track.replace("{bought: {product: starter-guide}}", rule))
    said = aftersale("check")
    line = track[: track.index("audience")].count("\n") + 1
    told = f"extra.yaml:{line}:1: audience: holds nobody but people who have bought nothing, so no mail ever goes"
    assert (said.code, told in said.err) == (int(refused), refused)


@pytest.mark.parametrize("waits", ["25h", "{local_days: 2}"])
def test_a_back_end_campaign_may_begin_on_the_front_end_and_wait(
    aftersale: Aftersale, light_project: Path, waits: str
) -> None:
    on = "on: {bought: {product: starter-guide, end: front}}\naudience: {ordered: {}}"
    Path("templates/plain.html").write_text("<p>{{ preheader }}Hello</p>")
    text = FRONT.replace("track: front-end\naudience: {bought: {product: starter-guide}}", on)
    Path("campaigns/extra.yaml").write_text(text.replace("after: 5m", f"after: {waits}"))
    assert aftersale("check").code == 0
