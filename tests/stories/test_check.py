"""check: everything that can be known of the files, in one go, and nothing that follows from something told."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.stories.conftest import Aftersale


@pytest.fixture
def project(light_project: Path) -> Path:
    return light_project


def told(aftersale: Aftersale) -> list[str]:
    """What check says of the files, a line for each problem."""
    said = aftersale("check")
    assert said.code == 1, said.out
    assert "Traceback" not in said.err
    return said.err.splitlines()


MISSPELLED = """\
campaign: win-back
holdot: 5%
audience: {bougt: {product: starter-guide}}
offers: [cake]
steps:
  - id: hello
    after: 0
    email: {subject: "Hi {{ custmer.first_name }}", template: win-back/nowhere.html}
  - id: hello
    aftr: 1d
    email: {subject: Hello, template: own.html}
  - id: again
    after: 1d
    email: {subjct: Hello, template: broken.html}
"""


def test_a_misspelled_key_hides_nothing_else(aftersale: Aftersale, project: Path) -> None:
    Path("campaigns/extra.yaml").write_text(MISSPELLED)
    Path("templates/own.html").write_text("<p>{{ owned('gide').name }}</p>")
    Path("templates/broken.html").write_text("<p>\n{% if %}</p>")
    expected = [
        "campaigns/extra.yaml:2:1: unknown key 'holdot' (did you mean 'holdout'?)",
        "campaigns/extra.yaml:3:12: unknown condition 'bougt' (did you mean 'bought'?)",
        "campaigns/extra.yaml:4:10: unknown product 'cake'",
        "campaigns/extra.yaml:8:13: subject: undefined variable 'custmer' (did you mean 'customer'?)",
        "campaigns/extra.yaml:8:53: there is no template 'win-back/nowhere.html'",
        "campaigns/extra.yaml:9:5: the step id 'hello' is taken already",
        "campaigns/extra.yaml:10:5: unknown key 'aftr' (did you mean 'after'?)",
        "campaigns/extra.yaml:14:13: unknown key 'subjct' (did you mean 'subject'?)",
        "campaigns/win-back.yaml:",
        "templates/broken.html:2:",
        "templates/own.html:1:",
    ]
    found = told(aftersale)
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("audience:", "audiance:", "campaigns/extra.yaml:2:1: unknown key 'audiance' (did you mean 'audience'?)"),
        ("offers:", "ofers:", "campaigns/extra.yaml:3:1: unknown key 'ofers' (did you mean 'offers'?)"),
        ("[flagship]", "[cake]", "campaigns/extra.yaml:3:10: unknown product 'cake'"),
        ("template:", "tmplate:", "campaigns/extra.yaml:7:30: unknown key 'tmplate' (did you mean 'template'?)"),
        ("subject: Hello", "subject: 5", "campaigns/extra.yaml:7:13: subject: write text"),
        ("win-back/focaccia.html", "../a.html", "campaigns/extra.yaml:7:30: template: '../a.html' leaves templates/"),
        ("email: {", "emial: {", "campaigns/extra.yaml:7:5: unknown key 'emial' (did you mean 'email'?)"),
        ("id: hello", "id: Hello", "campaigns/extra.yaml:5:5: id: 'Hello' is not an id"),
    ],
)  # fmt: skip
def test_one_mistake_is_told_once(
    aftersale: Aftersale, project: Path, old: str, new: str, expected: str
) -> None:
    sound = dedent(
        """\
        campaign: extra
        audience: {bought: {product: starter-guide}}
        offers: [flagship]
        steps:
          - id: hello
            after: 0
            email: {subject: Hello,  template: win-back/focaccia.html}
        """
    )
    Path("templates/win-back/focaccia.html").write_text("<p>Try {{ offers[0].name }}</p>")
    Path("campaigns/win-back.yaml").unlink()
    Path("campaigns/extra.yaml").write_text(sound)
    assert aftersale("check").code == 0
    Path("campaigns/extra.yaml").write_text(sound.replace(old, new))
    [line] = told(aftersale)
    assert line.startswith(expected)


@pytest.mark.parametrize("key", ["task", "webhook", "audience", "grant", "variants"])
def test_a_step_that_is_no_mail_misses_none(aftersale: Aftersale, project: Path, key: str) -> None:
    Path("campaigns/extra.yaml").write_text(
        "campaign: extra\naudience: {bought: {product: starter-guide}}\n"
        f"steps:\n  - {{id: hello, after: 0, {key}: [it]}}\n"
    )
    [line] = told(aftersale)
    assert line.startswith(f"campaigns/extra.yaml:4:27: '{key}' is not in this version")


def test_products_that_are_wrong_are_not_missed_in_templates(aftersale: Aftersale, project: Path) -> None:
    Path("campaigns/products.yaml").write_text("products: {flagship: {nme: The course}}\n")
    Path("campaigns/extra.yaml").write_text(
        "campaign: extra\naudience: {segment: lapsed}\nsteps:\n"
        "  - {id: a, after: 0, email: {subject: \"{{ product('flagship').name }}\", template: gone.html}}\n"
        "  - {id: b, after: 0, email: {subject: \"{{ owned('flagship') }}\", template: win-back/focaccia.html}}\n"
    )
    found = told(aftersale)
    assert [line for line in found if "extra.yaml" in line and "there is no template" in line]
    assert not [line for line in found if "unknown product" in line]


@pytest.mark.parametrize("name", ["extra.YAML", "extra.Yml", "deep/extra.yml", "deep/products.yaml"])
def test_a_campaign_is_read_whatever_its_ending_looks_like(
    aftersale: Aftersale, project: Path, name: str
) -> None:
    path = Path("campaigns") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("campaign: extra\n")
    assert [line.split(": ")[0] for line in told(aftersale)] == [f"campaigns/{name}"] * 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("products.yml", "campaigns/products.yml: is not read (call it products.yaml)"),
        ("Segments.yaml", "campaigns/Segments.yaml: is not read (call it segments.yaml)"),
    ],
)
def test_a_shared_file_under_a_name_nobody_reads(
    aftersale: Aftersale, project: Path, name: str, expected: str
) -> None:
    Path("campaigns", name).write_text("{}\n")
    assert told(aftersale) == [expected]


def test_no_folder_of_campaigns(aftersale: Aftersale, project: Path) -> None:
    Path("campaigns").rename("elsewhere")
    assert [line.split(" (")[0] for line in told(aftersale)] == ["campaigns: there is no such folder"]
    assert "0 sound campaigns" in aftersale("check").out


def test_a_folder_without_a_campaign(aftersale: Aftersale, project: Path) -> None:
    for path in Path("campaigns").glob("*.yaml"):
        if path.name not in ("products.yaml", "segments.yaml"):
            path.unlink()
    assert [line.split(" (")[0] for line in told(aftersale)] == ["campaigns: there is no campaign in it"]


PLAIN = """\
campaign: plain
audience: {ordered: {at_least: 1}}
steps:
  - {id: a, after: 0, email: {subject: Hello, template: win-back/focaccia.html}}
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("at_least: 1", "at_least: true", "at_least: write a whole number"),
        ("at_least: 1", 'at_least: "3"', "at_least: write a whole number"),
        ("steps:", "priority: true\nsteps:", "priority: write a whole number"),
        ("steps:", "while:\nsteps:", "while: write a rule, or leave the key out"),
        ("steps:", "goal:\nsteps:", "goal: write a rule, or leave the key out"),
        ("after: 0,", "after: 0, when: ,", "when: write a rule, or leave the key out"),
        ("steps:", "offers: flagship\nsteps:", "offers: write a list, such as [one, two]"),
        ("subject: Hello", 'subject: ""', "subject: must not be empty"),
        ("{ordered: {at_least: 1}}", "{segment: [lapsed]}", "write keys and values"),
        ("{ordered: {at_least: 1}}", '{attribute: {name: a, exists: "no"}}', "exists: write true or false"),
        ("{ordered: {at_least: 1}}", "{attribute: {name: a, in: []}}", "in: must not be empty"),
        ("{ordered: {at_least: 1}}", "{bought: {any: false}}", "any: can only be true"),
    ],
)
def test_a_value_of_the_wrong_type(
    aftersale: Aftersale, project: Path, old: str, new: str, expected: str
) -> None:
    Path("campaigns/plain.yaml").write_text(PLAIN.replace(old, new))
    [found] = told(aftersale)
    assert found.startswith("campaigns/plain.yaml:")
    assert expected in found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("price: 1e30", "price: input should be less than or equal to 1000000000"),
        ('url: "javascript:alert(1)"', "url: 'javascript:alert(1)' is not a web address"),
    ],
)
def test_a_product_that_cannot_be(aftersale: Aftersale, project: Path, words: str, expected: str) -> None:
    file = Path("campaigns/products.yaml")
    file.write_text(f"{file.read_text()}\n  odd: {{name: Odd, {words}}}\n")
    [found] = told(aftersale)
    assert expected in found


def test_the_name_of_a_segment(aftersale: Aftersale, project: Path) -> None:
    file = Path("campaigns/segments.yaml")
    file.write_text(f"{file.read_text()}\n  Bad Name: {{ordered: {{at_least: 1}}}}\n")
    [found] = told(aftersale)
    assert "'Bad Name' is not a name for a segment" in found


WINDOWS = """\
campaign: windows
audience: {bought: {product: starter-guide}}
steps:
  - {id: a, after: 0, send: {between: 22:30-07:00}, email: {subject: A, template: win-back/a-loaf-on-us.html}}
  - {id: b, after: 0, send: {days: [mo]}, email: {subject: A, template: win-back/a-loaf-on-us.html}}
  - {id: c, after: 0, send: {between: 9:00-25:00}, email: {subject: A, template: win-back/a-loaf-on-us.html}}
  - {id: d, after: 0, send: {timezone: Berlin}, email: {subject: A, template: win-back/a-loaf-on-us.html}}
  - {id: e, after: 0, send: {skip_holidays: XX}, email: {subject: A, template: win-back/a-loaf-on-us.html}}
  - {id: f, after: 0, send: {late: skip}, email: {subject: A, template: win-back/a-loaf-on-us.html}}
  - {id: g, after: {local_days: three}, email: {subject: A, template: win-back/a-loaf-on-us.html}}
"""


def test_windows_that_cannot_be(aftersale: Aftersale, project: Path) -> None:
    template = next(Path("templates/win-back").iterdir()).name
    lines = WINDOWS.replace("a-loaf-on-us.html", template).splitlines(keepends=True)
    config = Path("config.yaml")
    config.write_text(config.read_text().replace("quiet_hours: none", "quiet_hours: 21:00-08:00"))
    Path("campaigns/windows.yaml").write_text("".join(lines))
    expected = [
        "campaigns/windows.yaml:5:30: days: 'mo' is not a day; write mon, tue, wed, thu, fri, sat, sun, or mon-fri",
        "campaigns/windows.yaml:6:30: between: 25:00 is not a time of day",
        "campaigns/windows.yaml:7:30: timezone: unknown time zone 'Berlin'; write it as Europe/Berlin",
        "campaigns/windows.yaml:8:30: skip_holidays: 'XX' is not a country whose holidays are known",
        "campaigns/windows.yaml:9:23: send: late: skip needs a window: name days, between or skip_holidays",
        "campaigns/windows.yaml:10:13: after: write a duration such as 3d, or {local_days: 3}",
    ]
    for line, want in zip(told(aftersale), expected, strict=True):
        assert line.startswith(want), line
    Path("campaigns/windows.yaml").write_text("".join(lines[:4]))
    [line] = told(aftersale)
    want = "campaigns/windows.yaml:4:30: between 22:30-07:00 lies wholly within quiet_hours (21:00-08:00)"
    assert line.startswith(want)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("{bougth: {any: true}}", "2:6: nothing begins with 'bougth' (did you mean 'bought'?)"),
        ("{bought: {product: gide}}", "2:15: unknown product 'gide'"),
        (
            "{bought: {product: flour, at_least: 2}}",
            "2:31: 'at_least' cannot stand under on: (ask it of the audience)",
        ),
        ("{consumed: {product: starter-guide}}", "2:6: name the unit that is completed"),
        ("{consumed: {product: starter-guide, unit: c}}", "2:41: 'starter-guide' has no unit 'c'"),
        ("{renews: {product: club, before: 7d}}", "2:15: unknown product 'club'"),
        ("{renews: {product: membership}}", "2:6: 'before' is missing"),
        ("{date: tomorrow}", "2:6: 'tomorrow' is not a date with a time (by the shop's clock"),
        ("{date: 2026-02-30 09:00}", "2:6: '2026-02-30 09:00' is not a date with a time"),
        ('{cron: "0 9 * *"}', "2:6: '0 9 * *': write five fields"),
        ('{cron: "0 9 1 * 1"}', "2:6: '0 9 1 * 1': write a day of the month or a day of the week, not both"),
        ('{cron: "0 9 * * 8"}', "2:6: '0 9 * * 8': '8' is not a day of the week"),
        ('{cron: "0 9 31 2 *"}', "2:6: '0 9 31 2 *': no month has such a day"),
        ('{cron: "61 9 * * *"}', "2:6: '61 9 * * *': "),
        ("", "2:1: on: write"),
    ],
)
def test_triggers_that_cannot_be(aftersale: Aftersale, project: Path, on: str, expected: str) -> None:
    template = next(Path("templates/win-back").iterdir()).name
    mail = f"{{subject: A, template: win-back/{template}}}"
    text = f"campaign: begins\non: {on}\naudience: {{ordered: {{}}}}\nsteps: [{{id: a, after: 0, email: {mail}}}]\n"
    Path("campaigns/begins.yaml").write_text(text)
    [line] = told(aftersale)
    assert line.startswith(f"campaigns/begins.yaml:{expected}"), line


@pytest.mark.parametrize(
    ("dates", "past"), [("2026-03-09 08:00", True), ("[2026-01-01 09:00, 2026-03-11 23:00]", False)]
)
def test_a_campaign_whose_dates_are_past_is_warned_of(
    aftersale: Aftersale, project: Path, dates: str, past: bool
) -> None:
    campaign = Path("campaigns/win-back.yaml")
    campaign.write_text(campaign.read_text() + f"on: {{date: {dates}}}\n")
    said = aftersale("check")
    assert said.code == 0
    assert ("this is past, so nobody begins by it any more" in said.err) == past


def test_a_warning_is_told_and_fails_only_a_strict_check(aftersale: Aftersale, project: Path) -> None:
    assert aftersale("check", "--strict").code == 0
    Path("templates/win-back/focaccia.html").write_text("<p>No way out</p>{{ shop.postal_address }}")
    campaign = Path("campaigns/win-back.yaml")
    lines = campaign.read_text().splitlines(keepends=True)
    campaign.write_text("".join(line for line in lines if "preheader: Five minutes" not in line))
    said = aftersale("check")
    assert said.code == 0
    assert said.out == "no mistakes, 2 warnings: 2 sound campaigns, 12 products, 8 segments\n"
    assert [line.partition(" (")[0] for line in said.err.splitlines()] == [
        "warning: templates/win-back/focaccia.html:1:1: there is no preheader, so inboxes show whatever comes first",
        "warning: templates/win-back/focaccia.html:1:1: there is no unsubscribe link",
    ]
    assert aftersale("check", "--strict").code == 1
    told = aftersale("check", "--json")
    assert (told.code, told.json["problems"], len(told.json["warnings"])) == (0, [], 2)
