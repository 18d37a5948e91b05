"""What is worked out once for a template changes no byte of any mail: written quickly is written plainly."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Template, nodes

from engine.app.project import Project
from engine.campaigns.model import Campaign, Step
from engine.clock import EPOCH
from engine.planning.keys import MailKey
from engine.rendering.body import HtmlBody
from engine.rendering.context import CustomerCard, ShopCard, Surroundings
from engine.rendering.copy import CopyDesk
from engine.rendering.edition import Edition
from engine.rendering.environment import begin_rendering
from engine.rendering.mail import MailOrder
from engine.rendering.rendered import Failed
from engine.rendering.tryout import specimen_book
from engine.trials.starter import copy_starter
from tests.conftest import NOW, ROOT
from tests.rendering.constructs import CONSTRUCTS, CONTEXTS, MACROS, PAGE, Construct
from tests.rendering.press import CATALOGUE, prepared

SAME = {
    "shop": ShopCard("Slow & Loaf", "https://loaf.example", "USD", "1 <Lane>", "en-US"),
    "product": CATALOGUE.choose,
    "locale": "en-US",
}
NOTED = (
    "{% macro note(text, strong=False) %}<p>{% if strong %}<b>{{ text }}</b>{% else %}{{ text }}{% endif %} "
    "{{ shop.name }}{% for n in range(2) %}{{ loop.index }}{{ n }}{% endfor %}</p>{% endmacro %}"
)


def construct(what: str, body: str, **files: str) -> Construct:
    named = {name.replace("_html", ".html"): text for name, text in files.items()}
    return Construct(what, body, named, whole=body.startswith("{% extends"))


MORE = [
    construct("a constant", "<p>{{ shop.name }} {{ shop.postal_address|upper }} {{ locale }}</p>"),
    construct("a product", "<p>{{ product('guide').name }}: {{ product('guide').price|money }}</p>"),
    construct("an address", '<p><a href="{{ shop.url }}">{{ shop.name }}</a></p>'),
    construct("a constant macro", NOTED + "{{ note('a & b') }}{{ note(shop.name, strong=True) }}{{ note(name) }}"),
    construct("an imported constant macro", "{% from 'm.html' import button %}{{ button('Go', shop.url) }}{{ button(name, url) }}"),
    construct("a macro of macros", "{% from 'm.html' import both %}{{ both('x') }}{{ both(name) }}"),
    construct("a macro, filtered", NOTED + "{{ note('a')|upper }}{{ (note('a') ~ shop.name)|length }}"),
    construct("an imported macro that sees the shop", "{% from 'n.html' import note %}{{ note('a') }}{{ note(name) }}", n_html=NOTED),
    construct("a macro that sees the mail", "{% macro m(x) %}{{ x }} {{ name }}{% endmacro %}<p>{{ m('x') }}</p>"),
    construct("a macro with a name of its own", "{% macro m(x) %}{% set y = x ~ shop.name %}{{ y }}{% endmacro %}<p>{{ m('x') }}</p>"),
    construct("a macro whose name is set in a branch", "{% macro m(x) %}{% if x == 'y' %}{% set name = 'own' %}{% endif %}{{ name|default('none') }}{% endmacro %}<p>{{ m('x') }}{{ m('y') }}</p>"),
    construct("a macro that calls itself", "{% macro m(n) %}{{ n }}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}<p>{{ m(3) }}</p>"),
    construct("a caller", "{% macro m() %}{{ caller() }}{{ shop.name }}{% endmacro %}{% call m() %}<p>{{ shop.name }} {{ name }}</p>{% endcall %}"),
    construct("a macro twice", "{% macro m() %}1{% endmacro %}<p>{{ m() }}</p>{% macro m() %}2{% endmacro %}<p>{{ m() }}</p>"),
    construct("a macro in a branch", "{% if a %}{% macro m() %}1{% endmacro %}{% else %}{% macro m() %}2{% endmacro %}{% endif %}<p>{{ m() }}</p>"),
    construct("one name, two macros", "{% from 'm.html' import row as m %}<table>{{ m('r') }}</table>{% include 'i.html' %}", i_html="{% macro m(x) %}<p>{{ x }}</p>{% endmacro %}{{ m('q') }}"),
    construct("the shop by another meaning", "{% set shop = {'name': name} %}<p>{{ shop.name }}</p>"),
    construct("the shop in a loop", "{% for shop in rows %}<p>{{ shop }}</p>{% endfor %}<p>{{ shop.name }}</p>"),
    construct("the shop as a parameter", "{% macro m(shop) %}{{ shop }}{% endmacro %}<p>{{ m(name) }} {{ shop.name }}</p>"),
    construct("the shop, set in a layout's child", "{% extends 'l.html' %}{% set shop = {'name': name} %}{% block b %}{{ shop.name }}{% endblock %}", l_html="<p>{{ shop.name }}</p><p>{% block b %}{% endblock %}</p>"),
    construct("the shop in an include", "{% with locale = name %}{% include 'i.html' %}{% endwith %}", i_html="<p>{{ locale }}</p>"),
    construct("super of constants", "{% extends 'l.html' %}{% block b %}{{ super()|upper }}{{ shop.name }}{% endblock %}", l_html="<p>{% block b %}{{ shop.name }} & {{ name }}{% endblock %}</p>{{ self.b() }}"),
    construct("a filter block", "{% filter upper %}<p>{{ shop.name }} {{ name }}</p>{% endfilter %}{% filter escape %}{{ shop.name }}{% endfilter %}"),
    construct("a block that is compared", "{% set part %}{{ shop.name }}{% endset %}{% if part == 'Slow &amp; Loaf' %}<p>same</p>{% else %}<p>{{ part }}</p>{% endif %}"),
    construct("a block that is empty", "{% set part %}{{ '' }}{% endset %}<p>{% if part %}{{ part }}{% else %}none{% endif %}</p>"),
    construct("whitespace control", "<p>\n  {{- shop.name -}}\n  x {{ locale }}\n</p>\n{%- if a -%} {{ shop.name }} {%- endif -%}"),
    construct("in a branch", "{% if a %}<p>{{ shop.name }}</p>{% elif shop.name == name %}<p>{{ locale }}</p>{% endif %}"),
    construct("a loop over constants", "{% for word in ['a', shop.name] %}<p>{{ word }} {{ shop.name }}</p>{% endfor %}"),
    construct("words within words", "<p>{{ '{{ name }}' }} {{ shop.name|replace('&', '{% x %}') }}</p>"),
    construct("a number, a list, none", "<p>{{ 1.50 }} {{ [shop.name, 2] }} {{ none }} {{ true }} {{ 'b' if shop.name == 'x' }}</p>"),
    construct("what differs each time", "<p>{{ cycler('a', 'b').next() }}{{ joiner('x')() }}</p>"),
    construct("no template but text", "<p>Hello</p>"),
]  # fmt: skip


@pytest.mark.parametrize("construct", [*CONSTRUCTS, *MORE], ids=lambda construct: construct.what)
def test_written_quickly_is_written_plainly(construct: Construct, tmp_path: Path) -> None:
    quick = prepared(tmp_path, construct.templates, same=SAME)
    plain = prepared(tmp_path, construct.templates)
    for context in CONTEXTS:
        for which in ("html", "text"):
            shown = {**context, **SAME}
            assert quick.quick(which, **shown) == stock(getattr(plain, which), shown), (which, context)


def stock(template: Template, context: Mapping[str, Any]) -> str:
    """By nothing but Jinja2."""
    begin_rendering()
    return template.render(context)


# the body of a template, and whether nothing of it is left to be done for each mail
WORKED_OUT = [
    ("{{ shop.name }} {{ product('guide').price|money }}", True),
    ("{% from 'm.html' import both %}{{ both(shop.name) }}", True),
    (NOTED + "{{ note('x') }}", True),
    ("{{ name }}", False),
    ("{{ shop.name ~ name }}", False),
    ("{{ ['a', shop.name]|random }}", False),
    ("{{ ['a', shop.name]|map('random')|list }}", False),
    ("{{ shop.nmae }}", False),
    ("{{ product('gudie').name }}", False),
    ("{% set locale = 1 %}{{ locale }}", False),
]


@pytest.mark.parametrize(("body", "all_of_it"), WORKED_OUT)
def test_constants_are_worked_out_and_nothing_else(body: str, all_of_it: bool, tmp_path: Path) -> None:
    files = {"a.html": PAGE.replace("{}", body), **MACROS}
    tree = prepared(tmp_path, files, same=SAME).ready["html"].draft.files[0].tree
    written = [part for node in tree.body if isinstance(node, nodes.Output) for part in node.nodes]
    assert all_of_it == all(isinstance(part, nodes.TemplateData) for part in written)


@pytest.mark.parametrize("body", ["{{ shop.nmae }}", "{{ product('gudie').name }}", "{{ shop.name|money }}"])
def test_a_constant_that_is_a_mistake_is_told_at_its_line(body: str, tmp_path: Path) -> None:
    quick = prepared(tmp_path, {"a.html": f"<p>\n\n{body}</p>"}, same=SAME)
    with pytest.raises(Failed) as told:
        quick.quick("html", **SAME)
    assert (told.value.name, told.value.line) == ("a.html", 3)


# ── what comes with the engine ──────────────────────────────────────────────────────────────────

PEOPLE = [
    CustomerCard("Ann", "O'Hara", "ann@example.com", "GB", "en", "Europe/London"),
    CustomerCard("<b>&amp;\"'</b>", email="b@example.com", locale="de-AT"),
    CustomerCard(email="c@example.com"),
]


class Unknowing(Surroundings):
    """Of whom nothing is the same in every mail."""

    def same(self, locale: str) -> Mapping[str, Any]:
        return {}


def test_every_bundled_mail_is_what_jinja2_makes_of_it(tmp_path: Path) -> None:
    copy_starter(tmp_path / "shop", now=NOW)
    project = Project(tmp_path / "shop")
    about = project.settings, project.files.catalogue
    surroundings = Surroundings(*about)
    quick, plain = _desk(project, surroundings), _desk(project, Unknowing(*about))
    steps = [(campaign, step) for campaign in project.files.campaigns for step in campaign.steps]
    assert len({step.email.template for _, step in steps}) == len(list((ROOT / "templates").glob("*/*.html")))
    for campaign, step in steps:
        quickly, edition = (desk.copy(campaign, step).edition("") for desk in (quick, plain))
        for context in _contexts(campaign, step, edition, surroundings):
            said = [text for _, _, text in quickly.parts(context)]
            assert said == list(_plainly(edition, context)), step.email.template


def _desk(project: Project, surroundings: Surroundings) -> CopyDesk:
    return CopyDesk(project.folder / "templates", surroundings, project.files.segments)


def _contexts(
    campaign: Campaign, step: Step, edition: Edition, surroundings: Surroundings
) -> Iterator[Mapping[str, Any]]:
    """Everybody with all the claims proven, and without each of those that need not be."""
    order = MailOrder(MailKey(7, campaign.id, step.id, 1), EPOCH)
    claims = [claim for draft in edition.drafts for claim in draft.claims.all.values()]
    must_be = {claim.said for draft in edition.drafts for claim in draft.claims.unguarded}
    for customer in PEOPLE:
        for missing in ("", *{claim.said for claim in claims} - must_be):
            book = specimen_book([c for c in claims if c.said != missing], order, surroundings)
            yield surroundings.context(campaign, order, customer, book)


def _plainly(edition: Edition, context: Mapping[str, Any]) -> Iterator[str]:
    """Subject, preheader, HTML and text by nothing but Jinja2."""
    shown = {**context, "locale": edition.locale, "preheader": ""}
    yield stock(edition.subject.template, shown)
    if edition.preheader:
        shown["preheader"] = stock(edition.preheader.template, shown)
        yield shown["preheader"]
    assert isinstance(edition.body, HtmlBody)
    yield stock(edition.body.html.template, shown)
    yield stock(edition.body.text.template, shown)
