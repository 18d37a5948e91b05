"""What copy claims of a person, and what keeps it true."""

from pathlib import Path

import pytest

from engine.rendering.claims import Claims, find_claims
from engine.rendering.environment import MailEnvironment
from engine.rendering.reading import Reader
from engine.rendering.sources import Library
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.consumed import Consumed
from engine.rules.model import Not
from tests.rendering.press import CATALOGUE, SETTINGS, campaign_text, studio, write_templates

MACROS = {
    "m.html": "{% macro praise() %}You finished {{ consumed('course').units_done }}.{% endmacro %}"
    "{% macro careful() %}{% if consumed('course') %}Well done with {{ consumed('course').name }}.{% endif %}{% endmacro %}"
    "{% macro unused() %}{{ owned('towel').name }}{% endmacro %}"
    "{% macro box() %}<div>{{ caller() }}</div>{% endmacro %}",
    "part.html": "{{ owned('guide').name }}",
    "base.html": "{{ owned('mug').name }}{% block x %}{{ owned('towel').name }}{% endblock %}"
    "{% if owned('course') %}{% block y %}{% endblock %}{% endif %}",
}


def read(folder: Path, body: str) -> Claims:
    library = Library(write_templates(folder, {"a.html": body, **MACROS}))
    reader = Reader(library, MailEnvironment(SETTINGS, html=True))
    events = reader.read(library.read("a.html"))
    assert not reader.problems
    return find_claims(events, CATALOGUE)


# the template, and what it claims of everybody
UNGUARDED = [
    ("nothing at all", "<p>Hello</p>", []),
    ("bare", "{{ owned('guide').name }}", ["owned('guide')"]),
    ("written out itself", "{{ owned('guide') }}", ["owned('guide')"]),
    ("twice", "{{ owned('guide').name }}{{ owned('guide').url }}", ["owned('guide')"]),
    ("with words, in any order", "{{ owned('guide', within='30d', at_least=2).name }}", ["owned('guide', at_least=2, within='30d')"]),
    ("in quotes of the other kind", '{{ owned("guide").name }}', ["owned('guide')"]),
    ("guarded", "{% if owned('guide') %}{{ owned('guide').name }}{% endif %}", []),
    ("guarded by something else", "{% if owned('mug') %}{{ owned('guide').name }}{% endif %}", ["owned('guide')"]),
    ("guarded by customer's name", "{% if customer.first_name %}{{ owned('guide').name }}{% endif %}", ["owned('guide')"]),
    ("behind the guard", "{% if owned('guide') %}x{% endif %}{{ owned('guide').name }}", ["owned('guide')"]),
    ("in the else", "{% if owned('guide') %}x{% else %}{{ owned('guide').name }}{% endif %}", ["owned('guide')"]),
    ("in the else of a not", "{% if not owned('guide') %}x{% else %}{{ owned('guide').name }}{% endif %}", []),
    ("in an elif", "{% if a %}x{% elif owned('guide') %}{{ owned('guide').name }}{% endif %}", []),
    ("behind a not in an elif", "{% if not owned('guide') %}x{% elif b %}{{ owned('guide').name }}{% endif %}", []),
    ("guarded twice over", "{% if owned('guide') %}{% if a %}{{ owned('guide').name }}{% endif %}{% endif %}", []),
    ("guarded with and", "{% if a and owned('guide') %}{{ owned('guide').name }}{% endif %}", []),
    ("guarded with or", "{% if a or owned('guide') %}{{ owned('guide').name }}{% endif %}", ["owned('guide')"]),
    ("else of an or of nots", "{% if a or not owned('guide') %}x{% else %}{{ owned('guide').name }}{% endif %}", []),
    ("and in a test", "{% if owned('guide') and owned('guide').quantity > 1 %}x{% endif %}", []),
    ("bare in a comparison", "{% if owned('guide').quantity > 1 %}x{% endif %}", ["owned('guide')"]),
    ("inline if", "{{ owned('guide').name if owned('guide') }}", []),
    ("inline if with else", "{{ 'x' if not owned('guide') else owned('guide').name }}", []),
    ("the wrong side of an inline if", "{{ 'x' if owned('guide') else owned('guide').name }}", ["owned('guide')"]),
    ("written out with and", "{{ owned('guide') and owned('guide').name }}", ["owned('guide')"]),
    ("written out with or", "{{ owned('guide') or 'your guide' }}", []),
    ("or, the wrong side", "{{ customer.first_name or owned('guide').name }}", ["owned('guide')"]),
    ("default", "{{ owned('guide')|default('your guide') }}", []),
    ("default of a part", "{{ owned('guide').name|default('your guide') }}", ["owned('guide')"]),
    ("is defined", "{% if owned('guide') is defined %}{{ owned('guide').name }}{% endif %}", []),
    ("whether it is defined is always defined", "{% if (owned('guide') is defined) is defined %}{{ owned('guide').name }}{% endif %}", ["owned('guide')"]),
    ("only asked", "{% if owned('guide') %}yes{% endif %}", []),
    ("in a loop", "{% for n in range(2) %}{{ owned('guide').name }}{% endfor %}", ["owned('guide')"]),
    ("within a loop that tests it", "{% for n in [1] if owned('guide') %}{{ owned('guide').name }}{% endfor %}", []),
    ("in the else of such a loop", "{% for n in [1] if owned('guide') %}x{% else %}{{ owned('guide').name }}{% endfor %}", ["owned('guide')"]),
    ("in an argument of a filter block", "{% filter replace('x', owned('guide').name) %}x{% endfilter %}", ["owned('guide')"]),
    ("in the first argument of a filter block", "{% filter default(owned('guide')) %}x{% endfilter %}", ["owned('guide')"]),
    ("in an argument", "{{ 'x'.join([owned('guide').name]) }}", ["owned('guide')"]),
    ("more than the guard proves", "{% if consumed('guide') %}{{ consumed('guide', at_least='50%').share }}{% endif %}", ["consumed('guide', at_least='50%')"]),
    ("less than the guard proves", "{% if consumed('guide', at_least='50%') %}{{ consumed('guide').share }}{% endif %}", []),
    ("a unit proves use", "{% if consumed('guide', unit='c1') %}{{ consumed('guide').share }}{% endif %}", []),
    ("use proves no unit", "{% if consumed('guide') %}{{ consumed('guide', unit='c1').unit }}{% endif %}", ["consumed('guide', unit='c1')"]),
    ("a longer span is looser", "{% if owned('guide', within='7d') %}{{ owned('guide', within='30d').name }}{% endif %}", []),
    ("owning proves no use", "{% if owned('guide') %}{{ consumed('guide').share }}{% endif %}", ["consumed('guide')"]),
    ("the last unit needs one", "{{ consumed('guide').last_unit }}", ["consumed('guide')", "consumed('guide').last_unit"]),
    ("the last unit, in brackets", "{{ consumed('guide')['last_unit'] }}", ["consumed('guide')", "consumed('guide').last_unit"]),
    ("use proves no last unit", "{% if consumed('guide', at_least='50%') %}{{ consumed('guide').last_unit }}{% endif %}", ["consumed('guide').last_unit"]),
    ("a unit is one", "{% if consumed('guide', unit='c1') %}{{ consumed('guide').last_unit }}{% endif %}", []),
    ("a unit long ago is none of late", "{% if consumed('guide', unit='c1') %}{{ consumed('guide', within='7d').last_unit }}{% endif %}", ["consumed('guide', within='7d')", "consumed('guide', within='7d').last_unit"]),
    ("the last of a unit is the unit", "{{ consumed('guide', unit='c1').last_unit }}", ["consumed('guide', unit='c1')"]),
    ("the last unit guarded by itself", "{% if consumed('guide') and consumed('guide').last_unit %}{{ consumed('guide').last_unit }}{% endif %}", []),
    ("the last unit guarded by being defined", "{% if consumed('guide') and consumed('guide').last_unit is defined %}{{ consumed('guide').last_unit }}{% endif %}", []),
    ("the last unit or something else", "{% if consumed('guide') %}{{ consumed('guide').last_unit or 'it' }}{% endif %}", []),
    ("the last unit with a default", "{% if consumed('guide') %}{{ consumed('guide').last_unit|default('it') }}{% endif %}", []),
    ("absence", "{{ not_consumed('guide', unit='c2').name }}", ["not_consumed('guide', unit='c2')"]),
    ("absence guarded by itself", "{% if not_consumed('guide') %}{{ not_consumed('guide').name }}{% endif %}", []),
    ("absence guarded by a not", "{% if not consumed('guide') %}{{ not_consumed('guide').name }}{% endif %}", []),
    ("absence in the else", "{% if consumed('guide') %}x{% else %}{{ not_consumed('guide').name }}{% endif %}", []),
    ("use in the else of absence", "{% if not_consumed('guide') %}x{% else %}{{ consumed('guide').share }}{% endif %}", []),
    ("a macro that is called", "{% from 'm.html' import praise %}{{ praise() }}", ["consumed('course')"]),
    ("a macro that is not called", "{% from 'm.html' import praise, unused %}x", []),
    ("a macro with its own guard", "{% from 'm.html' import careful %}{{ careful() }}", []),
    ("a guard around a call reaches no macro", "{% from 'm.html' import praise %}{% if consumed('course') %}{{ praise() }}{% endif %}", ["consumed('course')"]),
    ("a module", "{% import 'm.html' as m %}{{ m.praise() }}", ["consumed('course')"]),
    ("the body of a call keeps its guard", "{% from 'm.html' import box %}{% if owned('guide') %}{% call box() %}{{ owned('guide').name }}{% endcall %}{% endif %}", []),
    ("the body of a call", "{% from 'm.html' import box %}{% call box() %}{{ owned('guide').name }}{% endcall %}", ["owned('guide')"]),
    ("an include", "{% include 'part.html' %}", ["owned('guide')"]),
    ("an include within a guard", "{% if owned('guide') %}{% include 'part.html' %}{% endif %}", []),
    ("a layout", "{% extends 'base.html' %}", ["owned('mug')", "owned('towel')"]),
    ("a block replaced", "{% extends 'base.html' %}{% block x %}{% endblock %}", ["owned('mug')"]),
    ("super", "{% extends 'base.html' %}{% block x %}{{ super() }}{% endblock %}", ["owned('mug')", "owned('towel')"]),
    ("a block within a guard of the layout", "{% extends 'base.html' %}{% block x %}{% endblock %}{% block y %}{{ owned('course').name }}{% endblock %}", ["owned('mug')"]),
    ("outside the blocks of a child", "{% extends 'base.html' %}{{ owned('course').name }}{% block x %}{% endblock %}", ["owned('mug')"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "claims"), UNGUARDED, ids=[case[0] for case in UNGUARDED])
def test_claims_of_everybody(what: str, body: str, claims: list[str], tmp_path: Path):
    found = read(tmp_path, body)
    assert not found.problems
    assert sorted(claim.said for claim in found.unguarded) == sorted(claims)


# the template, the column of what is wrong, and the message
WRONG = [
    ("unknown product", "{{ owned('giude').name }}", "owned: unknown product 'giude'", "did you mean 'guide'?"),
    ("unknown word", "{{ owned('guide', withn='3d').name }}", "owned: unknown word 'withn'", "did you mean 'within'?"),
    ("unknown unit", "{{ consumed('guide', unit='c9').unit }}", "consumed: 'guide' has no unit 'c9'", "there is: c1, c2, c3"),
    ("no units to share", "{{ consumed('mug', at_least='50%').share }}", "consumed: 'mug' has no units to take a share of", None),
    ("bad duration", "{{ owned('guide', within='soon').name }}", "owned: within: 'soon' is not a duration", None),
    ("bad share", "{{ consumed('guide', at_least=0.5).share }}", "consumed: at_least: 0.5 is not a percentage", None),
    ("a bare number of pieces", "{{ owned('guide', quantity=3).name }}", "owned: quantity: write keys and values", "such as quantity={'at_least': 3}"),
    ("a word of the pieces", "{{ owned('guide', quantity={'at_lest': 3}).name }}", "owned: unknown word 'at_lest'", "did you mean 'at_least'?"),
    ("a word for a count", "{{ owned('guide', at_least='many').name }}", "owned: at_least: write a whole number", None),
    ("two questions", "{{ consumed('guide', unit='c1', completed=True).unit }}", "consumed: say one of at_least, unit and completed", None),
    ("never true", "{{ owned('guide', within='1d', older_than='9d').name }}", "owned: older_than is longer than within", None),
    ("true of who has none", "{{ owned('guide', at_most=3).name }}", "owned: at_most also holds for who has none", "say at_least=1 too"),
    ("no product", "{{ owned().name }}", "owned: name one product", None),
    ("two products", "{{ owned('guide', 'mug').name }}", "owned: name one product", None),
    ("a kind", "{{ owned('guide', kind='core').name }}", "owned: unknown word 'kind'", "a claim is about one product"),
    ("a variable", "{% set x = 'guide' %}{{ owned(x).name }}", "owned: its arguments must be written out", None),
    ("worked out", "{{ owned('gui' ~ 'de').name }}", "owned: its arguments must be written out", None),
    ("a starred argument", "{{ owned(*['guide']).name }}", "owned: write its arguments out", None),
    ("set", "{% set x = owned('guide') %}{{ x.name }}", "owned cannot be kept under another name", None),
    ("a part of it set", "{% set x = owned('guide').name %}{{ x }}", "owned cannot be kept under another name", None),
    ("a set block", "{% set x %}{{ owned('guide').name }}{% endset %}{{ x }}", "owned cannot be kept under another name", None),
    ("the filter of a set block", "{% set x | replace('x', owned('guide').name) %}x{% endset %}{{ x }}", "owned cannot be kept under another name", None),
    ("with", "{% with x = owned('guide') %}{{ x.name }}{% endwith %}", "owned cannot be kept under another name", None),
    ("looped over", "{% for x in [owned('guide')] %}{{ x.name }}{% endfor %}", "owned cannot be kept under another name", None),
    ("handed to a macro", "{% macro m(x) %}{{ x.name }}{% endmacro %}{{ m(owned('guide')) }}", "owned cannot be kept under another name", None),
    ("the default of a macro", "{% macro m(x=owned('guide')) %}{{ x.name }}{% endmacro %}{{ m() }}", "owned cannot be kept under another name", None),
    ("the function itself", "{% set f = owned %}{{ f('guide').name }}", "owned is called where it is used", None),
    ("through a filter", "{{ ['guide']|map('upper')|map(owned)|join }}", "owned is called where it is used", None),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "message", "hint"), WRONG, ids=[case[0] for case in WRONG])
def test_a_wrong_claim_is_told_with_its_line(
    what: str, body: str, message: str, hint: str | None, tmp_path: Path
):
    found = read(tmp_path, f"<p>one</p>\n<p>two</p>\n{body}")
    told = found.problems[0]
    assert message in told.message
    assert hint is None or told.hint == hint
    assert (told.file, told.line) == (str(tmp_path / "a.html"), 3)


def test_a_studio_gives_claims_as_rules(tmp_path: Path):
    body = (
        "{{ consumed('guide', at_least='50%').share }}{% if owned('mug') %}{{ owned('mug').name }}{% endif %}"
    )
    subject = "{{ not_consumed('course').name }}"
    copy = studio(tmp_path, {"a.html": body}, campaign_text(subject))
    assert copy.problems() == {}
    assert copy.claims("c", "one") == (
        Not(Consumed(product="course")),
        Consumed.model_validate({"product": "guide", "at_least": "50%"}),
    )


def test_claims_of_a_text_written_by_hand_count(tmp_path: Path):
    copy = studio(tmp_path, {"a.html": "<p>x</p>", "a.txt": "{{ owned('guide').name }}"})
    assert copy.claims("c", "one") == (Bought(product="guide"),)
