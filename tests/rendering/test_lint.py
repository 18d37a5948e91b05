"""Advice on copy without mistakes: what makes a mail read badly, or land where nobody looks."""

from pathlib import Path

import pytest

from engine.rendering.lint import lint_page
from engine.rendering.preparing import Preparation
from engine.rendering.sources import Library
from engine.settings.shop import Shop, Utm
from tests.rendering.press import (
    CATALOGUE,
    SETTINGS,
    MailEnvironment,
    campaign_text,
    prepared,
    studio,
    write_templates,
)

FOOT = '<p><a href="{{ unsubscribe_url }}">Leave</a> {{ shop.postal_address }}</p>'
HIDDEN = '<div class="preheader">{% block preheader %}x{% endblock %}</div>'
SOUND = HIDDEN + "\n<p>Hello</p>\n" + FOOT

# what, the template, the line, what is said
CASES = [
    ("no way out", HIDDEN + "<p>{{ shop.postal_address }}</p>", 1, "there is no unsubscribe link"),
    ("no address", HIDDEN + '<p><a href="{{ unsubscribe_url }}">x</a></p>', 1, "there is no postal address"),
    ("no preheader", "<p>x</p>" + FOOT, 1, "there is no preheader, so inboxes show whatever comes first"),
    ("a layout's preheader that nothing fills", "<div hidden>{{ preheader }}</div>" + FOOT, 7, "there is no preheader, so inboxes show whatever comes first"),
    ("no alt", SOUND + '\n<img src="https://x.example/a.png" width="9">', 4, "this picture has no alt text, and many readers show no pictures"),
    ("no width", SOUND + '\n<img src="https://x.example/a.png" alt="">', 4, "this picture has no width"),
    ("http", SOUND + '\n<a href="http://x.example/a">x</a>', 4, "'http://x.example/a' is not encrypted"),
    ("http and a value", SOUND + '\n<a href="http://x.example/{{ shop.name }}">x</a>', 4, "'http://x.example/…' is not encrypted"),
    ("a value in a query", SOUND + '\n<a href="https://x.example/a?n={{ customer.first_name }}">x</a>', 4, "a customer's value in a query is not encoded"),
    ("a script", SOUND + "\n<script>x()</script>", 4, "<script> does nothing in most mail readers"),
    ("a form", SOUND + "\n<form></form>", 4, "<form> does nothing in most mail readers"),
    ("a link to nowhere", SOUND + '\n<a href="#">x</a>', 4, "this link leads nowhere"),
    ("a link without utm", SOUND + '\n<a href="{% for x in [1] %}/a{% endfor %}">x</a>', 4, "this link gets no utm_ words, for a statement makes its address"),
    ("too large", SOUND + "{% for n in range(9000) %}<p>{{ n }} more</p>{% endfor %}", 1, "the HTML comes to 143 kB, and Gmail clips a mail at 102 kB"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "line", "message"), CASES, ids=[case[0] for case in CASES])
def test_what_is_warned_of(what: str, text: str, line: int, message: str, tmp_path: Path):
    settings = SETTINGS.model_copy(update={"utm": Utm(source="x")})
    copy = studio(tmp_path, {"a.html": text}, settings=settings)
    assert copy.problems() == {}
    assert [(warning.line, warning.message) for warning in copy.warnings()] == [(line, message)]


FINE = [
    SOUND,
    SOUND + '<img src="https://x.example/a.png" alt="" width="9">',
    SOUND + '<script type="application/ld+json">{}</script>',
    SOUND
    + '<a href="https://x.example/{{ customer.first_name }}?n={{ customer.first_name | url_encode }}">x</a>',
    SOUND + '<a href="{{ shop.url }}">x</a><a name="here">x</a><a href="#here">x</a>',
    "{% macro foot() %}" + FOOT + "{% endmacro %}" + HIDDEN + "{{ foot() }}",
]


@pytest.mark.parametrize("text", FINE)
def test_what_needs_no_warning(text: str, tmp_path: Path):
    assert studio(tmp_path, {"a.html": text}).warnings() == []


def test_mjml_is_looked_at_as_it_is_written(tmp_path: Path):
    text = (
        "<mjml><mj-head><mj-preview>x</mj-preview></mj-head><mj-body><mj-section><mj-column>\n"
        f'<mj-image src="https://x.example/a.png" />\n<mj-button href="http://x.example">x</mj-button><mj-text>{FOOT}</mj-text>'
        "</mj-column></mj-section></mj-body></mjml>"
    )
    copy = studio(tmp_path, {"a.mjml": text}, campaign_text(template="a.mjml"))
    assert copy.problems() == {}
    assert [(warning.line, warning.message[:20]) for warning in copy.warnings()] == [
        (2, "this picture has no "),
        (3, "'http://x.example' i"),
    ]


def test_text_by_hand_owes_the_same(tmp_path: Path):
    copy = studio(tmp_path, {"a.html": SOUND, "a.txt": "Hello"})
    assert [Path(warning.file).name for warning in copy.warnings()] == ["a.txt", "a.txt"]


def test_what_is_owed_needs_no_way_out(tmp_path: Path):
    owed = campaign_text().replace("offers: [course]", "transactional: true")
    copy = studio(tmp_path, {"a.html": HIDDEN + "<p>x</p>"}, owed)
    assert copy.problems() == {}
    assert [warning.message for warning in copy.warnings()] == ["there is no postal address"]


def test_wrong_copy_gets_no_advice(tmp_path: Path):
    assert studio(tmp_path, {"a.html": "{{ x }}"}).warnings() == []


def test_an_empty_postal_address_is_told_of_the_settings(tmp_path: Path):
    copy = studio(tmp_path, {"a.html": SOUND}, settings=SETTINGS.model_copy(update={"shop": Shop()}))
    assert [str(warning) for warning in copy.warnings()] == [
        "config.yaml: shop.postal_address is empty (write it there; the law asks for it at the foot of every mail)"
    ]


@pytest.mark.real_data
def test_real_mails_are_survived(real_data: Path, tmp_path: Path):
    """Styles, text, addresses and advice, over what people really send: none is lost."""
    mails = sorted((real_data / "email_html").rglob("*.html"))
    assert len(mails) > 60
    html, text = (MailEnvironment(SETTINGS, html=html) for html in (True, False))
    found = set()
    for number, path in enumerate(mails):
        mail = path.read_text(encoding="utf-8")
        folder = write_templates(
            tmp_path / str(number),
            {"a.html": f"{{% raw %}}{mail}{{% endraw %}}"},
        )
        preparation = Preparation(Library(folder), CATALOGUE, html, text)
        draft = preparation.draft(Library(folder).read("a.html"), ".html")
        found |= {warning.message for warning in lint_page(draft, html.shopfront, tagged=True)}
        ready = preparation.as_html_and_text(draft, (("utm_source", "x"),))
        assert all(part.template.render() is not None for part in ready)
    assert any("is not encrypted" in message for message in found)
    assert prepared(tmp_path, {"a.html": "<p>x</p>"}).render("text") == "x\n\n"
