"""Whatever a template looks like: who satisfies its claims of everybody is never told what is not proven."""

from itertools import product

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jinja2 import Template

from engine.clock import EPOCH
from engine.rendering.context import PLAIN, ClaimBook
from engine.rendering.environment import CLAIM, MailEnvironment
from engine.rendering.evidence import specimen
from engine.rendering.mjml_body import mjml_body
from engine.rendering.preparing import Draft, Preparation
from engine.rendering.rendered import Failed, render
from engine.rendering.sources import FileSource, Library
from tests.rendering.press import CATALOGUE, SETTINGS

CLAIMS = ["owned('guide')", "owned('mug')", "consumed('guide')", "not_consumed('guide')"]
claims = st.sampled_from(CLAIMS)
tests = st.recursive(
    claims,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, inner).map(lambda pair: "({} and {})".format(*pair)),
        st.tuples(inner, inner).map(lambda pair: "({} or {})".format(*pair)),
        inner.map("({}) is defined".format),
    ),
    max_leaves=4,
)
words = st.one_of(
    st.just("text "),
    claims.map("{{{{ {}.name }}}}".format),
    claims.map("{{{{ {} or 'nothing' }}}}".format),
    st.tuples(claims, tests).map(lambda pair: "{{{{ {}.name if {} else 'nothing' }}}}".format(*pair)),
    st.tuples(tests, claims).map(lambda pair: "{{% if {} and {}.name %}}x{{% endif %}}".format(*pair)),
)
LOOP = "{{% for n in [1] if {} %}}{}{{% else %}}{}{{% endfor %}}"
IF = "{{% if {} %}}{}{{% elif {} %}}{}{{% else %}}{}{{% endif %}}"
bodies = st.recursive(
    words,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(tests, inner, tests, inner, inner).map(lambda parts: IF.format(*parts)),
        st.tuples(tests, inner, inner).map(lambda parts: LOOP.format(*parts)),
    ),
    max_leaves=8,
)
PEOPLE = [  # by which of the claims hold
    {claim for claim, holds in zip(CLAIMS, (*owned, used, not used), strict=True) if holds}
    for *owned, used in product((True, False), repeat=3)
]


@pytest.fixture(scope="module")
def preparation(tmp_path_factory: pytest.TempPathFactory) -> Preparation:
    html, text = (MailEnvironment(SETTINGS, html=html, plain=PLAIN) for html in (True, False))
    return Preparation(Library(tmp_path_factory.mktemp("none")), CATALOGUE, html, text)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
def test_nothing_unproven_is_ever_said(body: str, preparation: Preparation):
    draft = read(preparation, body)
    judge(draft, preparation.as_html_and_text(draft)[0].template)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
def test_nor_is_it_where_holes_are_left_for_mjml(body: str, preparation: Preparation):
    draft = read(preparation, body)
    judge(draft, mjml_body(preparation, draft, None, ())._shape.template)


def read(preparation: Preparation, body: str) -> Draft:
    draft = preparation.draft(FileSource("a.html", body, "a.html"), ".html")
    assume(not [problem for problem in draft.problems if "cannot be kept" not in problem.message])
    return draft


def judge(draft: Draft, template: Template) -> None:
    must_hold = {claim.said for claim in draft.claims.unguarded}
    for held in PEOPLE:
        known = held & draft.claims.all.keys()
        book = ClaimBook({said: specimen(draft.claims.all[said], CATALOGUE, EPOCH) for said in known})
        fate = what_becomes(template, book)
        assert fate == "written" or (fate == "waits" and not must_hold <= held)
        assert set(book.made) <= held


def what_becomes(template: Template, book: ClaimBook) -> str:
    try:
        render(template, {CLAIM: book.claim})
    except Failed as failed:
        return "waits" if failed.unproven else failed.message
    return "written"
