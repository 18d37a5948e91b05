"""Styles inlined into a template once are the styles inlined into each mail."""

import re
from html import unescape
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from engine.rendering.sightings import declarations
from tests.rendering.constructs import CONSTRUCTS, CONTEXTS, Construct
from tests.rendering.press import inlined, parsed, prepared

INVISIBLE = ("head", "meta", "title", "style", "base", "link", "script", "br")
IMPLIED = ("tbody",)  # which a parser adds where nobody wrote it; a rule for `*` reaches that, too


class Elements(HTMLParser):
    """The tags of a document with what they look like, and its text; style sheets left out."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self._sheet = False
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._sheet = tag == "style"
        found = dict(attrs)
        style = found.pop("style", "") or ""
        look = effective(style) if tag not in INVISIBLE + IMPLIED else {}
        self.found.append((tag, found, look))

    def handle_endtag(self, tag: str) -> None:
        self._sheet = False
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        if not self._sheet:
            self.found.append(data)

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))


def effective(style: str) -> dict[str, str]:
    """What a style attribute comes to: the last word on each property, unless an important one was said."""
    said: dict[str, str] = {}
    for declaration in declarations(unescape(style)):
        name, _, value = declaration.partition(": ")
        if "!important" in value or "!important" not in said.get(name, ""):
            said[name] = value.replace('"', "'")
    return said


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=lambda construct: construct.what)
def test_inlining_the_template_is_inlining_the_mail(construct: Construct, tmp_path: Path):
    template = prepared(tmp_path, construct.templates)
    for context in CONTEXTS:
        plain = template.render("plain", **context)
        mine = template.render("html", **context)
        assert Elements(parsed(mine)).found == Elements(inlined(plain)).found, context


@pytest.mark.real_data
def test_real_mails_are_inlined_as_css_inline_does(real_data: Path, tmp_path: Path):
    mails = sorted((real_data / "email_html").rglob("*.html"))
    assert len(mails) > 60
    for number, path in enumerate(mails):
        mail = path.read_text(encoding="utf-8")
        template = prepared(tmp_path / str(number), {"a.html": f"{{% raw %}}{mail}{{% endraw %}}"})
        assert Elements(parsed(template.render("html"))).found == Elements(inlined(mail)).found, path


# the style sheet, the body, and what of the style sheet has to stay
STAYS = [
    ("nothing", "p { margin: 0 }", "<p>x</p>", ""),
    ("a query", "@media (max-width: 9px) { p { top: 1px } }", "<p>x</p>", "@media (max-width: 9px) { p { top: 1px } }"),
    ("dark mode", "p { color: red } @media (prefers-color-scheme: dark) { p { color: pink } }", "<p>x</p>", "@media (prefers-color-scheme: dark) { p { color: pink } }"),
    ("a pointer", "a { color: red } a:hover { color: blue }", "<a>x</a>", "a:hover { color: blue; }"),
    ("a hack for a client", "#outlook a { padding: 0 }", "<p>x</p>", "#outlook a { padding: 0; }"),
    ("a font", "@font-face { font-family: x }", "<p>x</p>", "@font-face { font-family: x }"),
    ("a class made by a value", ".hot { color: red } .big { top: 1px }", "<p class='{{ name }}'>x</p>", ".hot { color: red; } .big { top: 1px; }"),
    ("what depends on a loop", "li + li { top: 1px } li { left: 2px }", "<ul>{% for r in rows %}<li>{{ r }}</li>{% endfor %}</ul>", "li + li { top: 1px } li { left: 2px }"),
    ("what depends on an if", "p + p { top: 1px }", "{% if a %}<p>x</p>{% endif %}<p>y</p>", "p + p { top: 1px }"),
    ("what depends on either if", "p + p { top: 1px }", "{% if a %}<p>x</p>{% endif %}{% if name %}<p>y</p>{% endif %}", "p + p { top: 1px }"),
    ("a sheet for print", "</style><style media='print'>p { color: black }", "<p>x</p>", "p { color: black }"),
    ("a sheet by if", "</style>{% if a %}<style>p { top: 1px }</style>{% endif %}<style>", "<p>x</p>", "p { top: 1px }"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "css", "body", "rest"), STAYS, ids=[case[0] for case in STAYS])
def test_what_no_tag_can_carry_stays_in_the_style_sheet(what, css, body, rest, tmp_path: Path):
    template = prepared(
        tmp_path, {"a.html": f"<html><head><style>{css}</style></head><body>{body}</body></html>"}
    )
    html = template.render("html", a=True, name="hot", rows=["1", "2"])
    sheets = " ".join(re.findall(r"<style[^>]*>(.*?)</style>", html, re.S)).split()
    assert sheets == rest.split()


ALWAYS = [
    ("li { left: 2px } li + li { top: 1px }", "{% for r in rows %}<li>{{ r }}</li>{% endfor %}", "left: 2px"),
    (
        ".a { color: red; top: 1px } .b .a { color: blue }",
        "{% if a %}<p class='b'>{% endif %}<i class='a'>x</i>{% if a %}</p>{% endif %}",
        "top: 1px",
    ),
]


@pytest.mark.parametrize(("css", "body", "always"), ALWAYS)
def test_only_what_always_applies_is_written_onto_a_tag(css: str, body: str, always: str, tmp_path: Path):
    template = prepared(tmp_path, {"a.html": f"<style>{css}</style>{body}"})
    for a, rows in product((True, False), (["1"], ["1", "2"])):
        html = template.render("html", a=a, rows=rows)
        assert set(re.findall(r'style="([^"]*)"', html)) == {always}
        assert css in html


def test_everything_but_styles_stays_as_it_was_written(tmp_path: Path):
    odd = "<!DOCTYPE html>\n<TABLE Border=0><tr>\n<TD  class=x >&nbsp;&copy;</TD>\n<p>unclosed<br/>\n<!--[if mso]><v:rect /><![endif]-->"
    template = prepared(tmp_path, {"a.html": f"{odd}<style></style>"})
    assert template.render("html") == f"{odd}<style></style>"


def test_no_style_sheet_is_read_from_disk(tmp_path: Path):
    (tmp_path / "evil.css").write_text("p { color: red }")
    body = f"<link rel='stylesheet' href='{tmp_path}/evil.css'><style>@import url('{tmp_path}/evil.css');</style><p>x</p>"
    assert "red" not in prepared(tmp_path, {"a.html": body}).render("html")


def test_more_ways_than_can_be_tried_leave_the_sheet_as_it_is(tmp_path: Path):
    branches = "".join(f"{{% elif n == {n} %}}<p class='hot'>{n}</p>" for n in range(1, 150))
    body = f"<style>.hot {{ color: red }}</style>{{% if n == 0 %}}<p class='hot'>0</p>{branches}{{% endif %}}"
    template = prepared(tmp_path, {"a.html": body})
    assert template.render("html", n=0).endswith("</style><p style=\"color: red\" class='hot'>0</p>")
    assert template.render("html", n=149) == "<style>.hot { color: red }</style><p class='hot'>149</p>"
