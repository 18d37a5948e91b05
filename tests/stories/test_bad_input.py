"""Mistakes, each with a clear word of where and what, and with nothing else lost."""

import io
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from sqlalchemy import text

from engine.facts import importing
from engine.store import connect
from engine.store.connect import Store
from tests.stories.conftest import Aftersale


@pytest.fixture
def shop(light_shop: Path) -> Path:
    return light_shop


SOUND = """\
campaign: extra
audience: {bought: {product: starter-guide}}
steps:
  - id: hello
    after: 0
    email: {subject: Hello, template: win-back/focaccia.html}
"""

# what is changed in the sound campaign, and what check says of it
CAMPAIGN_MISTAKES = {
    "an unknown condition": (
        ("{bought: {product: starter-guide}}", "{bougt: {product: starter-guide}}"),
        "campaigns/extra.yaml:2:12: unknown condition 'bougt' (did you mean 'bought'?)",
    ),
    "a word of templates": (
        ("{bought: {product: starter-guide}}", "{owned: {product: starter-guide}}"),
        "campaigns/extra.yaml:2:12: unknown condition 'owned' (a rule says bought, or subscribed",
    ),
    "the other word of templates": (
        ("{bought: {product: starter-guide}}", "{not_consumed: {product: starter-guide}}"),
        "campaigns/extra.yaml:2:12: unknown condition 'not_consumed' (a rule says not: {consumed: …}",
    ),
    "a condition of a later version": (
        ("{bought: {product: starter-guide}}", "{tier: {is: gold}}"),
        "campaigns/extra.yaml:2:12: the condition 'tier' is not in this version",
    ),
    "a wrong type": (
        ("product: starter-guide}", "product: starter-guide, at_least: many}"),
        "campaigns/extra.yaml:2:45: at_least: write a whole number",
    ),
    "a word that is not one": (
        ("product: starter-guide}", "product: starter-guide, older: 3d}"),
        "campaigns/extra.yaml:2:45: unknown key 'older' (did you mean 'older_than'?)",
    ),
    "a duration without its unit": (
        ("product: starter-guide}", "product: starter-guide, within: 30}"),
        "campaigns/extra.yaml:2:45: within: 30 is not a duration",
    ),
    "an unknown product": (
        ("starter-guide", "startr-guide"),
        "campaigns/extra.yaml:2:21: unknown product 'startr-guide' (did you mean 'starter-guide'?)",
    ),
    "an unknown segment": (
        ("{bought: {product: starter-guide}}", "{segment: lapsd}"),
        "campaigns/extra.yaml:2:12: unknown segment 'lapsd' (did you mean 'lapsed'?)",
    ),
    "an unknown campaign": (
        ("{bought: {product: starter-guide}}", "{received: {campaign: win-bak}}"),
        "campaigns/extra.yaml:2:23: unknown campaign 'win-bak' (did you mean 'win-back'?)",
    ),
    "an unknown step of a campaign": (
        ("{bought: {product: starter-guide}}", "{received: {campaign: win-back, step: focacia}}"),
        "campaigns/extra.yaml:2:43: 'win-back' has no step 'focacia' (did you mean 'focaccia'?)",
    ),
    "a subscription of what is none": (
        ("{bought: {product: starter-guide}}", "{subscribed: {product: flagship}}"),
        "campaigns/extra.yaml:2:25: 'flagship' is no subscription but of kind 'core' (give it `kind:",
    ),
    "a renewal of what is over": (
        (
            "{bought: {product: starter-guide}}",
            "{subscribed: {product: membership, status: expired, renews_within: 7d}}",
        ),
        "campaigns/extra.yaml:2:12: subscribed: renews_within is about an active subscription; leave status out",
    ),
    "a cancellation of what is running": (
        (
            "{bought: {product: starter-guide}}",
            "{subscribed: {product: membership, status: active, cancelled_within: 7d}}",
        ),
        "campaigns/extra.yaml:2:12: subscribed: cancelled_within goes with status: cancelled or expired",
    ),
    "a renewal and a cancellation at once": (
        (
            "{bought: {product: starter-guide}}",
            "{subscribed: {product: membership, renews_within: 7d, cancelled_within: 7d}}",
        ),
        "campaigns/extra.yaml:2:12: subscribed: what was cancelled does not renew",
    ),
    "a renewal within no time": (
        ("{bought: {product: starter-guide}}", "{subscribed: {product: membership, renews_within: 0}}"),
        "campaigns/extra.yaml:2:12: subscribed: renews_within: 0 can never hold",
    ),
    "an id that is taken": (
        ("campaign: extra", "campaign: win-back"),
        "is also the id of campaigns/",
    ),
    "an unknown key": (
        ("steps:", "holdot: 5%\nsteps:"),
        "campaigns/extra.yaml:3:1: unknown key 'holdot' (did you mean 'holdout'?)",
    ),
    "a key twice": (
        ("steps:", "audience: {segment: lapsed}\nsteps:"),
        'campaigns/extra.yaml:3:1: duplicate key "audience"',
    ),
    "a key of a later version": (
        ("    after: 0", "    after: 0\n    task: call them"),
        "campaigns/extra.yaml:6:5: 'task' is not in this version",
    ),
    "no such template": (
        ("focaccia.html", "focacia.html"),
        "campaigns/extra.yaml:6:",
    ),
    "a template outside templates/": (
        ("win-back/focaccia.html", "../config.yaml"),
        "campaigns/extra.yaml:6:29: template: '../config.yaml' leaves templates/",
    ),
    "a broken subject": (
        ("subject: Hello", 'subject: "Hello {{ customer.first_nam }}"'),
        "campaigns/extra.yaml:6:",
    ),
    "not YAML": (("steps:", "steps: ]["), "campaigns/extra.yaml:3:"),
    "an offer that is not sold": (
        ("steps:", "offers: [cake]\nsteps:"),
        "campaigns/extra.yaml:3:10: unknown product 'cake'",
    ),
    "a step id twice": (
        (
            "    email:",
            "    email: {subject: A, template: win-back/focaccia.html}\n  - id: hello\n    after: 1d\n    email:",
        ),
        "campaigns/extra.yaml:7:5: the step id 'hello' is taken already",
    ),
}


@pytest.mark.parametrize("mistake", CAMPAIGN_MISTAKES)
def test_a_campaign_with_a_mistake_is_told_and_the_others_go_on(
    aftersale: Aftersale, shop: Path, mistake: str
) -> None:
    (old, new), expected = CAMPAIGN_MISTAKES[mistake]
    assert old in SOUND
    Path("campaigns/extra.yaml").write_text(SOUND.replace(old, new))
    said = aftersale("check")
    assert said.code == 1
    assert expected in said.err
    ran = aftersale("run", "--once", "--json")
    assert ran.code == 1
    assert expected in ran.err
    assert {"stalled-learner"} <= {count["campaign"] for count in ran.json["decided"]}
    assert "extra" not in {count["campaign"] for count in ran.json["decided"]}


TEMPLATE_MISTAKES = {
    "an undefined variable": ("<p>{{ custmer.first_name }}</p>", "templates/own.html:1"),
    "an undefined attribute": ("<p>\n{{ customer.surname }}</p>", "templates/own.html:2"),
    "a syntax error": ("<p>\n\n{% if customer.first_name %}</p>", "templates/own.html:3"),
    "an unknown filter": ("<p>{{ customer.first_name | shout }}</p>", "templates/own.html:1"),
    "an unknown product in a claim": ("<p>{{ owned('gide').name }}</p>", "templates/own.html:1"),
    "an include that climbs out": ("{% include '../config.yaml' %}", "templates/own.html:1"),
    "an include that is not there": ("{% include 'nowhere.html' %}", "templates/own.html:1"),
}


@pytest.mark.parametrize("mistake", TEMPLATE_MISTAKES)
def test_a_template_with_a_mistake_stops_its_campaign_only(
    aftersale: Aftersale, shop: Path, mistake: str
) -> None:
    copy, expected = TEMPLATE_MISTAKES[mistake]
    Path("templates/own.html").write_text(copy)
    Path("campaigns/extra.yaml").write_text(SOUND.replace("win-back/focaccia.html", "own.html"))
    said = aftersale("check")
    assert said.code == 1
    assert expected in said.err
    assert aftersale("preview", "--json", "--days", 0).json["audiences"].keys() == {
        "stalled-learner",
        "win-back",
    }


def test_a_campaign_that_cannot_be_read_makes_no_other_one_wrong(aftersale: Aftersale, shop: Path) -> None:
    rule = "{received: {campaign: win-back}}"
    Path("campaigns/extra.yaml").write_text(SOUND.replace("{bought: {product: starter-guide}}", rule))
    Path("campaigns/win-back.yaml").write_text("campaign: win-back\nsteps: [")
    told = aftersale("check").err.splitlines()
    assert [line.split(":")[0] for line in told] == ["campaigns/win-back.yaml"]


def test_every_mistake_is_told_at_once(aftersale: Aftersale, shop: Path) -> None:
    Path("campaigns/extra.yaml").write_text(
        dedent("""\
        campaign: Extra!
        holdot: 5%
        audience:
          all:
            - bougt: {product: starter-guide}
            - bought: {product: gide}
            - consumed: {product: flagship, unit: lesson-99}
        steps:
          - {id: hello, after: soon, email: {subject: Hello, template: win-back/focaccia.html}}
        """)
    )
    told = aftersale("check").err.splitlines()
    assert [line.split(":")[1] for line in told] == ["1", "2", "5", "6", "7", "9"]


def test_one_mistake_does_not_hide_another(aftersale: Aftersale, shop: Path) -> None:
    wrong = SOUND.replace("campaign: extra", "campaign: win-back").replace(
        "product: starter-guide}", "product: startr-guide, within: soon}"
    )
    Path("campaigns/extra.yaml").write_text(wrong)
    told = aftersale("check").err
    assert "unknown product 'startr-guide'" in told
    assert "'soon' is not a duration" in told
    assert "'win-back' is also the id of" in told


def test_a_transport_that_is_none_stops_before_anything_is_planned(
    aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_DELIVERY__TRANSPORT", "foldr")
    said = aftersale("run", "--once")
    assert (said.code, "did you mean 'folder'?" in said.err) == (10, True)
    monkeypatch.delenv("AFTERSALE_DELIVERY__TRANSPORT")
    assert aftersale("status", "--json").json["mails"] == []


def test_what_is_known_of_customers_is_nobody_elses_to_read(aftersale: Aftersale, shop: Path) -> None:
    aftersale("preview", "--html", "pages")
    aftersale("run", "--once")
    for private in ("aftersale.db", "pages", "pages/mails", "outbox"):
        assert Path(private).stat().st_mode & 0o077 == 0, private


def test_a_circle_of_segments(aftersale: Aftersale, shop: Path) -> None:
    Path("campaigns/segments.yaml").write_text(
        "segments:\n  lapsed: {segment: quiet}\n  quiet: {not: {segment: gone}}\n  gone: {segment: lapsed}\n"
    )
    win_back = Path("campaigns/win-back.yaml")
    win_back.write_text(win_back.read_text().replace("steps:", "while: {segment: lapsed}\nsteps:", 1))
    said = aftersale("check")
    told = "segments.yaml:2:3: segments refer to each other in a circle: lapsed → quiet → gone → lapsed"
    assert (said.code, [line for line in said.err.splitlines() if told in line] != []) == (1, True), said.err
    assert "win-back.yaml" not in said.err
    assert aftersale("run", "--once").code == 1
    assert not Path("outbox").exists()


def test_a_bomb_of_aliases(aftersale: Aftersale, shop: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    Path("campaigns/bomb.yaml").write_text("\n".join(lines))
    said = aftersale("check")
    assert (said.code, "aliases expand to more than a file may hold" in said.err) == (1, True)


def test_a_bomb_of_segments(aftersale: Aftersale, shop: Path) -> None:
    file = Path("campaigns/segments.yaml")
    doubled = "{{any: [{{segment: s{0}}}, {{not: {{segment: s{0}}}}}]}}".format
    tower = ["  s0: {ordered: {at_least: 1}}", *(f"  s{n}: {doubled(n - 1)}" for n in range(1, 41))]
    sound = file.read_text().rstrip()
    line = len(sound.splitlines()) + 1
    file.write_text("\n".join([sound, *tower, ""]))
    steps = "steps:\n  - {id: a, after: 0, email: {subject: Hello, template: win-back/focaccia.html}}\n"
    Path("campaigns/bomb.yaml").write_text(f"campaign: bomb\naudience: {doubled(7)}\n{steps}")
    told = "more than 1,000 rules, with its segments written out"
    assert [each.split(" (")[0] for each in aftersale("check").err.splitlines()] == [
        f"campaigns/bomb.yaml:2:1: audience: {told}",
        f"campaigns/segments.yaml:{line + 8}:3: s8: {told}",
    ]
    file.write_text("\n".join([sound, *tower[:8], ""]))
    Path("rule.yaml").write_text(doubled(7))
    assert f"rule.yaml: the rule: {told}" in aftersale("segment", "--rule", "rule.yaml").err


def test_a_binary_file_among_the_campaigns(aftersale: Aftersale, shop: Path) -> None:
    Path("campaigns/picture.yaml").write_bytes(bytes(range(256)))
    said = aftersale("check")
    assert (said.code, "campaigns/picture.yaml: not text" in said.err) == (1, True)


def test_settings_that_are_wrong(aftersale: Aftersale, shop: Path) -> None:
    Path("config.yaml").write_text("shop: {nme: x}\nfrequency: {max: 0}\ndatabase: sqlite:///aftersale.db\n")
    said = aftersale("check")
    assert said.code == 10
    assert "config.yaml:1:8: unknown key 'nme' (did you mean 'name'?)" in said.err
    assert "config.yaml:2:13: max: input should be greater than or equal to 1" in said.err


def test_a_password_in_the_settings(aftersale: Aftersale, shop: Path) -> None:
    Path("config.yaml").write_text("database: postgresql://me:secret@localhost/shop\n")
    said = aftersale("check")
    assert said.code == 10
    assert "AFTERSALE_DATABASE" in said.err
    assert "secret" not in said.err


def test_a_folder_that_is_no_project(aftersale: Aftersale) -> None:
    said = aftersale("preview")
    assert said.code == 10
    assert "there is no config.yaml" in said.err
    assert "aftersale init" in said.err


GOOD_ORDER = "{},ann@example.com,2026-03-01T10:00:00Z,flagship,1,97.00\n"
ORDER_MISTAKES = {
    "a naive date": ("b,bob@example.com,2026-03-01 10:00:00,flagship,1,97.00", "zone"),
    "a day that is not": ("b,bob@example.com,2026-02-30T10:00:00Z,flagship,1,97.00", "2026-02-30"),
    "a huge amount": ("b,bob@example.com,2026-03-01T10:00:00Z,flagship,1,1e30", "1e30"),
    "a negative amount": ("b,bob@example.com,2026-03-01T10:00:00Z,flagship,1,-5.00", "-5.00"),
    "no number": ("b,bob@example.com,2026-03-01T10:00:00Z,flagship,one,97.00", "one"),
    "an invalid address": (
        "b,bob at example.com,2026-03-01T10:00:00Z,flagship,1,97.00",
        "bob at example.com",
    ),
    "too few fields": ("b,bob@example.com,2026-03-01T10:00:00Z", "fewer"),
    "wrong encoding": (b"b,b\xf6b@example.com,2026-03-01T10:00:00Z,flagship,1,97.00", "utf-8"),
}


@pytest.mark.parametrize("mistake", ORDER_MISTAKES)
def test_a_bad_row_is_set_aside_and_the_good_ones_land(
    aftersale: Aftersale, shop: Path, mistake: str
) -> None:
    row, expected = ORDER_MISTAKES[mistake]
    raw = row if isinstance(row, bytes) else row.encode()
    header = b"order_id,email,at,sku,quantity,unit_price\n"
    Path("own.csv").write_bytes(
        header + GOOD_ORDER.format("a").encode() + raw + b"\n" + GOOD_ORDER.format("c").encode()
    )
    said = aftersale("import", "own.csv", "--as", "orders", "--json")
    [summary] = said.json["files"]
    assert (summary["read"], summary["inserted"], summary["rejected"]) == (3, 2, 1)
    assert expected in Path(summary["rejects_file"]).read_text(errors="replace")


def test_a_quote_that_is_never_closed(aftersale: Aftersale, shop: Path) -> None:
    header = "order_id,email,at,sku,quantity,unit_price\n"
    Path("own.csv").write_text(
        header + GOOD_ORDER.format("a") + GOOD_ORDER.format('"b') + GOOD_ORDER.format("c")
    )
    [summary] = aftersale("import", "own.csv", "--as", "orders", "--json").json["files"]
    assert summary["inserted"] >= 1
    assert summary["rejected"] >= 1
    assert "quote" in Path(summary["rejects_file"]).read_text()


def test_a_binary_file_of_facts(aftersale: Aftersale, shop: Path) -> None:
    Path("own.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    said = aftersale("import", "own.csv", "--as", "orders")
    assert said.code == 14
    assert "own.csv" in said.err


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("import", "nowhere.csv", "--as", "orders"), 14, "nowhere.csv"),
        (("import", "data/orders.csv", "--as", "ordrs"), 11, "did you mean 'orders'?"),
        (("explain", "nobody@example.com"), 12, "nobody is known as 'nobody@example.com'"),
        (("explain", "ann@example.com", "win-bak"), 11, "did you mean 'win-back'?"),
        (("preview", "win-bak"), 11, "did you mean 'win-back'?"),
        (("segment", "lapsd"), 11, "did you mean 'lapsed'?"),
        (("segment",), 2, "say which"),
        (("preview", "--at", "yesterday"), 2, "not an instant with a time zone"),
        (("preview", "--at", "2026-03-01T10:00"), 2, "not an instant with a time zone"),
        (("run", "--json"), 2, "--json needs --once"),
        (("suppress", "nonsense"), 2, "not an e-mail address"),
        (("init", "."), 30, "is not an empty folder"),
        (("prview",), 2, "Did you mean 'preview'?"),
    ],
)
def test_a_command_called_wrongly(
    aftersale: Aftersale, shop: Path, words: tuple[str, ...], code: int, expected: str
) -> None:
    said = aftersale(*words)
    assert said.code == code
    assert expected in said.err
    assert "Traceback" not in said.err


@contextmanager
def held_by_another(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def test_a_database_that_another_process_holds(
    aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "BUSY_MILLISECONDS", 2_000)
    monkeypatch.setattr(connect, "SILENT_MILLISECONDS", 10)
    with held_by_another(shop / "aftersale.db"):
        said = aftersale("run", "--once")
        assert (said.code, "held by another process" in said.err) == (22, True)
        assert "another process is writing to the database; waiting up to 2 s" in said.err
        assert aftersale("preview", "--days", 0).code == 0, "readers are not disturbed"
    assert aftersale("run", "--once").code == 0


def test_a_database_from_a_newer_version(aftersale: Aftersale, shop: Path) -> None:
    store = Store("sqlite:///aftersale.db")
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    said = aftersale("status")
    assert (said.code, "newer version" in said.err) == (24, True)


def test_a_file_that_is_no_database(aftersale: Aftersale, shop: Path) -> None:
    for old in shop.glob("aftersale.db*"):
        old.unlink()
    Path("aftersale.db").write_text("not a database at all, but long enough to be taken for one\n" * 20)
    said = aftersale("status")
    assert (said.code, "not a database" in said.err) == (21, True)


def test_a_database_that_does_not_answer(
    aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_DATABASE", "postgresql://nobody:secret@127.0.0.1:1/none")
    said = aftersale("status")
    assert said.code == 21
    assert "secret" not in said.err


ODD_CAMPAIGNS = {
    "a tag that would run something": (
        'campaign: !!python/object/apply:os.system ["id"]\n',
        "is not allowed here",
    ),
    "a count beyond all measure": (
        SOUND.replace("starter-guide}", "starter-guide, at_least: 99999999999999999999999}"),
        "campaigns/extra.yaml:2:45: at_least: input should be less than or equal to",
    ),
    "an amount beyond all measure": (
        SOUND.replace("{bought: {product: starter-guide}}", "{spent: {at_least: 1e30}}"),
        "campaigns/extra.yaml:2:20: at_least: input should be less than or equal to",
    ),
    "an instant before all calendars": (
        SOUND.replace("starter-guide}", "starter-guide, since: '0001-01-01T00:00+14:00'}"),
        "campaigns/extra.yaml:2:45: since: '0001-01-01T00:00+14:00' is not an instant",
    ),
    "a rule longer than a database takes": (
        SOUND.replace(
            "{bought: {product: starter-guide}}",
            f"{{any: [{', '.join(['{bought: {product: starter-guide}}'] * 3000)}]}}",
        ),
        "more than 300 rules in one file",
    ),
}


@pytest.mark.parametrize("oddity", ODD_CAMPAIGNS)
def test_an_odd_campaign_is_told_and_stops_no_other(aftersale: Aftersale, shop: Path, oddity: str) -> None:
    text, expected = ODD_CAMPAIGNS[oddity]
    Path("campaigns/extra.yaml").write_text(text)
    said = aftersale("check")
    assert (said.code, expected in said.err) == (1, True), said.err
    assert aftersale("preview", "--json", "--days", 0).json["audiences"].keys() >= {"win-back"}


def test_a_merge_key_is_read_as_what_it_brings(aftersale: Aftersale, shop: Path) -> None:
    merged = SOUND.replace("    email: {subject: Hello,", "    email: {<<: {subject: Hello},")
    Path("campaigns/extra.yaml").write_text(merged)
    assert aftersale("check").code == 0


@pytest.mark.parametrize("at", ["0001-01-01T00:00Z", "9999-12-31T23:59Z", "0001-01-01T00:00+14:00"])
def test_an_instant_outside_the_calendar(aftersale: Aftersale, shop: Path, at: str) -> None:
    said = aftersale("segment", "lapsed", "--at", at)
    assert (said.code, "not an instant" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("AFTERSALE_SHOP__NMAE", "x", "the environment variable AFTERSALE_SHOP__NMAE: unknown key 'nmae'"),
        (
            "AFTERSALE_HOLDOUT",
            "xx",
            "the environment variable AFTERSALE_HOLDOUT: holdout: 'xx' is not a percentage",
        ),
        ("AFTERSALE_SHOP", "xx", "shop"),
        (
            "AFTERSALE_STAGING__ONLY",
            '["nobody-at-all"]',
            "the environment variable AFTERSALE_STAGING__ONLY: ",
        ),
        ("AFTERSALE_SHOP__CURRENCY", "XQZ", "'XQZ' is not a currency"),
        (
            "AFTERSALE_DELIVERY__FOLDER",
            "../../esc",
            "'../../esc' climbs out of the project; write the whole path",
        ),
        ("AFTERSALE_DELIVERY__FOLDER", "mails/../..", "climbs out of the project"),
        ("AFTERSALE_DELIVERY__FOLDER", "~nobody-at-all/mails", "is no place"),
        ("AFTERSALE_DELIVERY__FOLDER", " ", "name a folder"),
        ("AFTERSALE_NONSENSE", "1", "AFTERSALE_NONSENSE is not a setting"),
    ],
)
def test_a_variable_that_is_wrong_is_told_by_its_name(
    aftersale: Aftersale,
    shop: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    expected: str,
) -> None:
    monkeypatch.setenv(variable, value)
    said = aftersale("check")
    assert (said.code, expected in said.err) == (10, True), said.err


@pytest.mark.parametrize("written", ["{}/mails", "~/mails"])
def test_a_folder_for_mails_elsewhere_is_named_in_whole(
    aftersale: Aftersale, shop: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    elsewhere = shop.parent / "elsewhere"
    monkeypatch.setenv("HOME", str(elsewhere))
    monkeypatch.setenv("AFTERSALE_DELIVERY__FOLDER", written.format(elsewhere))
    assert aftersale("run", "--once").code == 0
    assert list((elsewhere / "mails" / "mails").rglob("*.eml"))
    assert not Path("outbox").exists()


FILES_READ = ("config.yaml", "campaigns/win-back.yaml", "campaigns/products.yaml", "campaigns/segments.yaml")


@pytest.mark.parametrize("file", FILES_READ)
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(aftersale: Aftersale, shop: Path, file: str) -> None:
    Path(file).unlink()
    os.mkfifo(file)
    said = aftersale("check")
    assert said.code in (1, 10)
    assert f"{file}: not a file" in said.err


def test_a_pipe_in_the_place_of_a_map_is_not_waited_for(aftersale: Aftersale, shop: Path) -> None:
    os.mkfifo("map.yaml")
    said = aftersale("import", "data/orders.csv", "--map", "map.yaml")
    assert (said.code != 0, "map.yaml: not a file" in said.err) == (True, True)


@pytest.mark.parametrize("template", ["win-back/focaccia.html", "win-back/focaccia.txt"])
def test_a_pipe_in_the_place_of_a_template_is_not_waited_for(
    aftersale: Aftersale, shop: Path, template: str
) -> None:
    path = Path("templates", template)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    said = aftersale("check")
    assert (said.code, f"the template {template!r} is not a file" in said.err) == (1, True)


def test_pages_for_a_place_that_is_a_file(aftersale: Aftersale, shop: Path) -> None:
    said = aftersale("preview", "--html", "config.yaml")
    assert (said.code, "no pages can be written" in said.err) == (2, True)


def test_a_mistake_in_the_products_is_not_buried_under_what_follows_from_it(
    aftersale: Aftersale, shop: Path
) -> None:
    products = Path("campaigns/products.yaml").read_text()
    Path("campaigns/products.yaml").write_text(products.replace("kind: tripwire", "kind: tripwre"))
    told = aftersale("check").err.splitlines()
    assert len(told) == 1
    assert told[0].startswith("campaigns/products.yaml:")


def test_a_key_said_twice_hides_no_other_mistake_of_its_file(aftersale: Aftersale, shop: Path) -> None:
    """Nor does it make the file's campaign one that vanished."""
    twice = {
        "products.yaml": "products:\n  a: {name: A, name: B}\n  b: {nam: C}\n",
        "segments.yaml": "segments:\n  x: {bougt: {any: true}}\n  x: {bought: {any: true}}\n",
        "extra.yaml": SOUND.replace("steps:", "topic: a\ntopic: b\nholdot: 5%\nsteps:"),
    }
    for name, written in twice.items():
        (shop / "campaigns" / name).write_text(written)
    told = aftersale("check").err
    for said in (
        'products.yaml:2:16: duplicate key "name"',
        "products.yaml:3:7: unknown key 'nam'",
        "segments.yaml:2:7: unknown condition 'bougt'",
        'segments.yaml:3:3: duplicate key "x"',
        'extra.yaml:4:1: duplicate key "topic"',
        "extra.yaml:5:1: unknown key 'holdot'",
    ):
        assert f"campaigns/{said}" in told
    config = Path("config.yaml").read_text()
    Path("config.yaml").write_text(config + "\nholdout: 2%\nholdout: 3%\nfrequencie: {}\n")
    told = aftersale("check").err
    assert 'duplicate key "holdout"' in told
    assert "unknown key 'frequencie'" in told


@pytest.mark.parametrize("name", ["extra.yaml", "products.yaml", "segments.yaml"])
def test_a_link_out_of_the_project_is_not_followed(
    aftersale: Aftersale, shop: Path, tmp_path: Path, name: str
) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("password: hunter2\n")
    (shop / "campaigns" / name).unlink(missing_ok=True)
    (shop / "campaigns" / name).symlink_to(secret)
    said = aftersale("check")
    assert f"campaigns/{name}: leads out of the project by a link (put the file itself there)" in said.err
    assert "password" not in said.err + said.out
    assert str(tmp_path) not in said.err + said.out


def test_a_link_within_the_project_is_told_by_its_own_name(aftersale: Aftersale, shop: Path) -> None:
    (shop / "shared").mkdir()
    (shop / "shared" / "one.yaml").write_text(SOUND.replace("steps:", "holdot: 5%\nsteps:"))
    (shop / "campaigns" / "extra.yaml").symlink_to("../shared/one.yaml")
    (shop / "campaigns" / "more").symlink_to("../shared")
    said = aftersale("check")
    assert "campaigns/extra.yaml:3:1: unknown key 'holdot'" in said.err
    assert (
        "campaigns/more: is a link to a folder, which is not read (put the folder itself there)" in said.err
    )


def test_a_campaign_behind_a_link_has_not_vanished(aftersale: Aftersale, shop: Path, tmp_path: Path) -> None:
    """Its runs must not end because its file is not read."""
    assert aftersale("run", "--once").code == 0
    away = tmp_path / "win-back.yaml"
    (shop / "campaigns" / "win-back.yaml").rename(away)
    (shop / "campaigns" / "win-back.yaml").symlink_to(away)
    assert "is in no file any more" not in aftersale("check").err


GOING_ON = [
    ("run", "--once"),
    ("preview", "--days", 0),
    ("segment", "lapsed"),
    ("explain", "ann@example.com"),
]


@pytest.mark.parametrize("words", GOING_ON)
def test_who_goes_on_without_a_campaign_says_so_with_the_exit_code(
    aftersale: Aftersale, shop: Path, words: tuple[object, ...]
) -> None:
    Path("campaigns/extra.yaml").write_text(SOUND.replace("steps:", "holdot: 5%\nsteps:"))
    said = aftersale(*words)
    assert (said.code, said.err.count("unknown key 'holdot'"), bool(said.out)) == (1, 1, True)
    Path("campaigns/extra.yaml").unlink()
    assert aftersale(*words).code == 0
    Path("campaigns/segments.yaml").write_text("segments: {x: {bougt: {any: true}}}")
    said = aftersale(*words)
    assert (said.code, said.err.count("unknown condition 'bougt'"), said.out) == (1, 1, "")


ANN = "ann@example.com"


class Ends(io.RawIOBase):
    """A place to write to that is full, as /dev/full is."""

    def writable(self) -> bool:
        return True

    def write(self, _: Any) -> int:
        raise OSError(28, "No space left on device")


def printed_to(monkeypatch: pytest.MonkeyPatch, place: Any, encoding: str = "utf-8") -> io.TextIOWrapper:
    """Standard output is there from now on."""
    stream = io.TextIOWrapper(place, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    return stream


@pytest.mark.parametrize(
    "words",
    [("status",), ("segment", "lapsed", "--ids"), ("segment", "lapsed", "--json", "--ids"), ("schema",)],
    ids=" ".join,
)
def test_output_that_cannot_be_written(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, shop: Path, words: tuple[str, ...]
) -> None:
    printed_to(monkeypatch, io.BufferedWriter(Ends()))
    said = aftersale(*words)
    assert (said.code, said.err.splitlines()[-2:]) == (
        19,
        [
            "error: standard output cannot be written: No space left on device",
            "hint:  see where it leads to, and whether there is room",
        ],
    )


def test_a_terminal_without_our_letters(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, shop: Path
) -> None:
    with sqlite3.connect("aftersale.db") as connection:
        connection.execute("UPDATE customers SET first_name = 'Zoë'")
    monkeypatch.setenv("AFTERSALE_DELIVERY__TRANSPORT", "console")
    for words in (("explain", ANN), ("doctor",), ("explain", ANN, "--json"), ("run", "--once")):
        shown = io.BytesIO()
        stream = printed_to(monkeypatch, shown, "ascii")
        said = aftersale(*words)
        stream.flush()
        told = shown.getvalue().decode("ascii")
        assert json.loads(told)["customer"]["first_name"] == "Zoë" if "--json" in words else "?" in told, (
            said.err
        )
    with sqlite3.connect("aftersale.db") as connection:
        states = {row[0] for row in connection.execute("SELECT status FROM messages")}
    assert states == {"accepted", "held_out"}


def test_a_document_is_not_mixed_with_mails(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, shop: Path
) -> None:
    monkeypatch.setenv("AFTERSALE_DELIVERY__TRANSPORT", "console")
    said = aftersale("run", "--once", "--json")
    assert (said.code, said.out, "'console' prints mails" in said.err) == (2, "", True)


def test_reasons_that_are_not_listed_are_counted(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, light_project: Path
) -> None:
    monkeypatch.setattr(importing, "MOST_REASONS", 1)
    wrong = "a@example.com,then\nb@example.com,then\nbob,\n"
    Path("people.csv").write_text(f"email,known_at\nann@example.com,\n{wrong}")
    said = aftersale("import", "people.csv").out
    assert "people.csv: rejected 2: known_at is not a date" in said
    assert "people.csv: rejected 1 for 1 other reason" in said
    [file] = aftersale("import", "people.csv", "--json").json["files"]
    assert (len(file["reasons"]), file["other_reasons"]) == (1, 1)


@pytest.mark.parametrize("words", ["preview", "segment lapsed", "explain ann@example.com", "status"])
def test_who_only_asks_makes_no_database(
    aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, light_project: Path, words: str
) -> None:
    monkeypatch.setenv("AFTERSALE_DATABASE", "sqlite:///aftersail.db")
    said = aftersale(*words.split())
    assert (said.code, said.out) == (21, "")
    assert said.err.splitlines()[0] == "error: there is no database aftersail.db yet"
    assert not list(Path().glob("*.db*"))
