"""MJML after Jinja2, once for each shape of a mail: the same document as MJML for each mail would be."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.rendering.mail import Mail, one_line
from engine.rendering.mjml_body import MjmlBody, mjml_body
from engine.rendering.mjml_source import compiled
from engine.rendering.preparing import Preparation
from engine.rendering.rendered import render
from engine.rendering.sources import Library
from engine.store.connect import Store
from tests.conftest import NOW
from tests.rendering.press import (
    CATALOGUE,
    SETTINGS,
    MailEnvironment,
    Shopfront,
    campaign_text,
    parsed,
    studio,
    write_templates,
)
from tests.rendering.test_inline import Elements
from tests.world import Attribute, Person

PAGE = "<mjml><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>"


def page(content: str, head: str = "") -> str:
    body = f"<mj-section><mj-column>{content}</mj-column></mj-section>"
    return PAGE.replace("{head}", head).replace("{body}", body)


MACROS = {
    "m.mjml": '{% macro knob(text, url) %}<mj-button href="{{ url }}">{{ text }}</mj-button>{% endmacro %}'
    "{% macro card() %}<mj-text><b>{{ caller() }}</b></mj-text>{% endmacro %}"
    "{% macro shout(x) %}{{ x }}!{% endmacro %}",
    "layout.mjml": "<mjml><mj-head><mj-title>{{ name }}</mj-title></mj-head><mj-body>{% block content %}{% endblock %}</mj-body></mjml>",
}
FROM = "{% from 'm.mjml' import knob, card, shout %}"
SHAPES = {  # everything that can stand between Jinja2 and MJML
    "text": page("<mj-text>Hi {{ name }}, {{ name }}</mj-text>"),
    "blanks": page("<mj-text> {{ name }} </mj-text><mj-text>{{ name }} {{ pad }}</mj-text>"),
    "a link": page('<mj-text><a href="{{ url }}" title="{{ name }}">{{ name }}</a></mj-text>'),
    "a button": page('<mj-button href="{{ url }}" title="{{ name }}">{{ name }}</mj-button>'),
    "a picture": page('<mj-image src="{{ url }}" alt="{{ name }}" href="{{ url }}" />'),
    "a title and a preview": page(
        "<mj-text>x</mj-text>", "<mj-title>{{ name }}</mj-title><mj-preview>{{ name }}</mj-preview>"
    ),
    "a class and a colour": page('<mj-text css-class="{{ name }}" color="{{ colour }}">x</mj-text>'),
    "a width": page('<mj-image src="https://x.example/p.png" width="{{ width }}px" alt="" />'),
    "if": page("{% if a %}<mj-text>{{ name }}</mj-text>{% else %}<mj-divider />{% endif %}"),
    "columns by if": PAGE.replace("{head}", "").replace(
        "{body}",
        "<mj-section>{% for r in rows %}<mj-column><mj-text>{{ r }}{{ loop.index }}</mj-text></mj-column>{% endfor %}</mj-section>",
    ),
    "a table": page("<mj-table>{% for r in rows %}<tr><td>{{ r }}</td></tr>{% endfor %}</mj-table>"),
    "macros": FROM + page("{{ knob(name, url) }}{% call card() %}{{ name }}{% endcall %}"),
    "a macro in a macro": FROM + page("<mj-text>{{ shout(shout(name)) }}</mj-text>"),
    "a macro in both kinds of place": "{% macro say(x) %}{{ x }}{% endmacro %}"
    + page('<mj-text>{{ say(name) }}</mj-text><mj-image src="https://x.example/p.png" width="{{ say(width) }}px" alt="" />'),
    "a macro in a filter": FROM + page("<mj-text>{{ shout(name) | upper }} {{ shout(name) | length }}</mj-text>"),
    "kept": page("{% set x %}<i>{{ name }}</i>{% endset %}<mj-text>{{ x }}{% if x == '<i>Ann</i>' %}!{% endif %}</mj-text>"),
    "filtered": page("<mj-text>{% filter upper %}{{ name }}{% endfilter %}</mj-text>"),
    "raw": page("<mj-raw><p class='{{ name }}'>{{ name }}</p></mj-raw>"),
    "a layout": "{% extends 'layout.mjml' %}{% block content %}<mj-section><mj-column><mj-text>{{ name }}</mj-text></mj-column></mj-section>{% endblock %}",
    "social": page('<mj-social><mj-social-element name="x" href="{{ url }}">{{ name }}</mj-social-element></mj-social>'),
    "a comment": page("<mj-text>x<!-- said -->{{ name }}</mj-text>"),
    "a hero": PAGE.replace("{head}", "").replace("{body}", '<mj-hero background-url="{{ url }}"><mj-text>{{ name }}</mj-text></mj-hero>'),
}  # fmt: skip
NAMES = [
    "Ann", "", " Ann ", "a\\b", 'say "x"', "it's", "<mj-text>", "</mj-text>", "&amp;", "&#64976;0&#64977;", "{{ name }}",
    "नमस्ते ❤️", "\u0301", "\ufdd00\ufdd1", "a\nb", "<mj-include path='m.mjml'/>", "]]>", "-->",
]  # fmt: skip


class Both:
    """One template as it is written mail by mail, and by shapes."""

    def __init__(self, folder: Path, text: str) -> None:
        library = Library(write_templates(folder, {"a.mjml": text, **MACROS}))
        html, plain = (MailEnvironment(SETTINGS, html=html) for html in (True, False))
        preparation = Preparation(library, CATALOGUE, html, plain)
        untouched = preparation.draft(library.read("a.mjml"), ".html")
        trees = {file.source.name: file.tree for file in untouched.files}
        self.plain = html.with_trees(trees).get_template("a.mjml")
        self.body = mjml_body(preparation, preparation.draft(library.read("a.mjml"), ".html"), None, ())

    def agree(self, **context) -> None:
        each = compiled(render(self.plain, context))
        (_, _, mine), _ = self.body.write(context)
        assert texts(mine) == texts(each), context
        assert attributes(mine) == attributes(each), context


def texts(html: str) -> list[object]:
    return [found if isinstance(found, str) else found[0] for found in Elements(parsed(html)).found]


def attributes(html: str) -> list[object]:
    """What tags say beside their style, which is inlined in one of the two."""
    return [found[:2] for found in Elements(parsed(html)).found if not isinstance(found, str)]


@pytest.mark.parametrize("what", SHAPES)
def test_a_shape_filled_is_the_mail_itself(what: str, tmp_path: Path):
    both = Both(tmp_path, SHAPES[what])
    usual = {"url": "https://x.example/?a=1&b=2", "colour": "red", "width": 300, "pad": "", "a": True}
    for name in NAMES:
        both.agree(**usual | {"name": one_line(name), "rows": ["r", one_line(name)]})
    both.agree(
        **usual | {"name": "Ann", "rows": [], "a": False, "pad": "x", "url": "https://x.example/a?b='c'"}
    )


@given(name=st.text(max_size=12), rows=st.lists(st.text(max_size=5), max_size=3), a=st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_values_are(name: str, rows: list[str], a: bool, tmp_path: Path):
    if "both" not in CACHE:
        CACHE["both"] = Both(tmp_path, ALL)
    CACHE["both"].agree(
        name=one_line(name), rows=list(map(one_line, rows)), a=a, url="https://x.example", pad=""
    )


ALL = FROM + page(
    '<mj-text>{{ name }}{% if a %} and {{ name }}{% endif %}</mj-text>{{ knob(name, url) }}<mj-image src="{{ url }}" alt="{{ name }}" />'
    "<mj-table>{% for r in rows %}<tr><td>{{ r }}</td></tr>{% endfor %}</mj-table>",
    "<mj-title>{{ name }}</mj-title>",
)
CACHE: dict[str, Both] = {}


def test_mails_of_one_shape_cost_one_pass_of_mjml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    both = Both(tmp_path, SHAPES["if"])
    made: list[str] = []
    monkeypatch.setattr(
        "engine.rendering.mjml_body.compiled", lambda text: made.append(text) or compiled(text)
    )
    for name in ("Ann", "Bob", "Cleo"):
        for a in (True, False):
            list(both.body.write({"name": name, "a": a}))
    assert len(made) == 2
    assert isinstance(both.body, MjmlBody)


# ── as a step's template ────────────────────────────────────────────────────────────────────────

FINE = page(
    '<mj-text>Hello <b>{{ customer.first_name }}</b></mj-text><mj-button href="https://x.example/?a=1&amp;b=2">Go</mj-button>'
    "<mj-text>{% if owned('guide') %}You have {{ owned('guide').name }}.{% endif %}"
    ' <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>'
)


def test_a_mail_in_mjml(store: Store, tmp_path: Path):
    people = {n: Person(NOW, email=f"c{n}@x.example") for n in (1, 2)}
    front = Shopfront(store, people, {1: {"first_name": "<Ann>"}, 2: {"first_name": "Bob"}})
    mails = front.mails(studio(tmp_path, {"a.mjml": FINE}, campaign_text(template="a.mjml")), NOW)
    assert all(isinstance(mail, Mail) for mail in mails)
    assert "<b>&lt;Ann&gt;</b>" in mails[0].html
    assert "<b>Bob</b>" in mails[1].html
    assert "\ufdd0" not in mails[0].html + mails[0].text
    assert mails[0].text.startswith("Hello <Ann>\n\nGo: https://x.example/?a=1&b=2\n\nUnsubscribe: mailto:")
    assert [mail.evidence for mail in mails] == [(), ()]


def test_a_claim_holds_a_mail_in_mjml(store: Store, tmp_path: Path):
    text = page("<mj-text>{{ owned('guide').name }}</mj-text>")
    (mail,) = Shopfront(store, {1: Person(NOW, email="a@x.example")}).mails(
        studio(tmp_path, {"a.mjml": text}, campaign_text(template="a.mjml")), NOW
    )
    assert mail.reason == "claim_unproven"


def test_no_value_makes_a_link_run(store: Store, tmp_path: Path):
    text = page(
        "<mj-button href=\"{{ customer.attribute('page', default='https://x.example') }}\">x</mj-button>"
    )
    pages = ["javascript:alert(1)", "", "/a", "https://y.example"]
    people = {
        n: Person(NOW, email="a@x.example", attributes=[Attribute("page", NOW, to)])
        for n, to in enumerate(pages, 1)
    }
    mails = Shopfront(store, people).mails(
        studio(tmp_path, {"a.mjml": text}, campaign_text(template="a.mjml")), NOW
    )
    assert [isinstance(mail, Mail) for mail in mails] == [False, False, True, True]
    assert 'href="https://loaf.example/a"' in mails[2].html


def test_text_by_hand_stands_beside_mjml(store: Store, tmp_path: Path):
    front = Shopfront(store, {1: Person(NOW, email="a@x.example")}, {1: {"first_name": "Ann"}})
    templates = {"a.mjml": FINE, "a.txt": "Dear {{ customer.first_name }}."}
    (mail,) = front.mails(studio(tmp_path, templates, campaign_text(template="a.mjml")), NOW)
    assert mail.text == "Dear Ann.\n"


# what, the template from its second line on, the line, the message, the hint
WRONG = [
    ("an unknown component", page("<mj-txt>x</mj-txt>"), 2, "there is no <mj-txt> in MJML", "did you mean 'mj-text'?"),
    ("a component in the wrong place", "<mjml><mj-body>\n<mj-text>x</mj-text></mj-body></mjml>", 3, "<mj-text> cannot stand in <mj-body>", "put it into <mj-column> or <mj-hero>"),
    ("HTML in the wrong place", page("\n<p>x</p>"), 3, "<p> cannot stand in <mj-column>", "put HTML into <mj-text> or <mj-raw>"),
    ("words in the wrong place", page("\nHello"), 3, "text cannot stand in <mj-column>", "put it into <mj-text>"),
    ("a value in the wrong place", page("\n{{ customer.first_name }}"), 3, "text cannot stand in <mj-column>", "put it into <mj-text>"),
    ("a tag that is not closed", page("\n<mj-text>x"), 3, "the tag <mj-text> is not closed", "write </mj-text>"),
    ("HTML that is not closed", page("<mj-text>\n<b>x</mj-text>"), 3, "the tag <b> is not closed", "write </b>"),
    ("a tag that closes nothing", page("<mj-text>x\n</i></mj-text>"), 3, "</i> closes nothing", None),
    ("in one branch", page("<mj-text>x</mj-text>{% if customer.country %}\n<mj-txt />{% endif %}"), 3, "there is no <mj-txt> in MJML", "did you mean 'mj-text'?"),
    ("an include", page("\n<mj-include path='/etc/passwd' type='html' />"), 3, "<mj-include> is switched off", "write {% include 'the-file.mjml' %}"),
    ("an ampersand", page("<mj-text>\na & b</mj-text>"), 3, "'&' cannot stand by itself in MJML", "write &amp;"),
    ("less than", page("<mj-text>\na <3 b</mj-text>"), 3, "'<' cannot stand by itself in MJML", "write &lt;"),
    ("no quotes", page("\n<mj-image src=x alt='' />"), 3, "the value of src needs quotes around it", None),
    ("a doctype", f"<!doctype html>\n{page('')}", 2, "a doctype has no place in MJML", "begin with <mjml>"),
    ("a value in a comment", page("<mj-text>\n<!-- {{ customer.first_name }} --></mj-text>"), 3, "a value in a comment cannot be made safe", "write {# such a comment #}"),
    ("no MJML at all", "<p>x</p>", 2, "<p> cannot stand outside <mjml>", None),
    ("a macro's tag", "{% macro m() %}\n<mj-txt />{% endmacro %}" + page("{{ m() }}"), 3, "there is no <mj-txt> in MJML", "did you mean 'mj-text'?"),
    ("an unknown name", page("<mj-text>\n{{ custmer.email }}</mj-text>"), 3, "undefined variable 'custmer'", "did you mean 'customer'?"),
    ("what only the library refuses", "<mjml></mjml>x", 2, "text cannot stand in no tag", "put it into <mj-text>"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "line", "message", "hint"), WRONG, ids=[case[0] for case in WRONG])
def test_a_mistake_in_mjml_has_its_line(what, text, line, message, hint, tmp_path: Path):
    templates = {"a.mjml": f"{{# one #}}\n{text}"}
    found = studio(tmp_path, templates, campaign_text(template="a.mjml")).problems()["c"]
    assert (Path(found[0].file).name, found[0].line, found[0].message, found[0].hint) == (
        "a.mjml",
        line,
        message,
        hint,
    )


def test_what_is_kept_for_later_is_no_mistake(tmp_path: Path):
    text = "{% set x %}words{% endset %}" + page("<mj-text>{{ x }}</mj-text>")
    assert studio(tmp_path, {"a.mjml": text}, campaign_text(template="a.mjml")).problems() == {}


def test_nothing_is_loaded_that_nobody_asked_for():
    html = compiled(page("<mj-text>x</mj-text>"))
    assert not re.search(r"fonts\.googleapis|<link", html)
    with pytest.raises(ValueError, match="include"):
        compiled(page("<mj-include path='README.md' type='html' />"))
