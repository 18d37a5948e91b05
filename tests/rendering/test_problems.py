"""Every mistake in copy is told before anything is sent, at the line where it stands."""

from pathlib import Path

import pytest

from engine.errors import Problem, Problems, SettingsError, UnknownName
from engine.settings.model import Settings
from engine.settings.shop import Shop
from tests.rendering.press import campaign_text, problems, studio, write_templates

OTHERS = {
    "layout.html": "<html>\n<body>{% block content %}{% endblock %}</body></html>",
    "one.html": "<b>1</b>",
    "whose.html": "{{ shop.name }}",
    "m.html": "{% macro hi(x) %}Hi {{ x }}{% endmacro %}",
    "bad-layout.html": "<p>\n{{ shop.nmae }}</p>{% block content %}{% endblock %}",
    "bad-macros.html": "\n\n{% macro hi(x) %}Hi {{ y }}{% endmacro %}",
    "broken.html": "one\ntwo\n{% if %}",
    "loop-1.html": "{% include 'loop-2.html' %}",
    "loop-2.html": "\n{% include 'loop-1.html' %}",
    "up.html": "{% extends 'down.html' %}",
    "down.html": "{% extends 'up.html' %}",
    "n.html": "{% macro hi(x) %}Hello {{ x }}{% endmacro %}{% macro twice() %}{{ hi('a') }}{{ hi('b') }}{% endmacro %}",
    "greets.html": "{% from 'm.html' import hi %}{% block content %}{% endblock %}",
}

# what, the template from its second line on, the file and line, the message, the hint
WRONG = [
    ("syntax", "{% if x %}", "a.html:2", "template syntax: Unexpected end of template", None),
    ("syntax on a later line", "a\nb\n{{ 1 + }}", "a.html:4", "template syntax:", None),
    ("Liquid's colon", "<p>\n{{ customer.first_name | default: 'you' }}", "a.html:3", "template syntax: expected token 'end of print statement', got ':'", "put what a filter takes into brackets: default('you')"),
    ("Liquid's name", "{{ shop.name|upcas }}", "a.html:2", "unknown filter 'upcas'", "did you mean 'upcase'?"),
    ("an unknown tag", "{% unsubscribe %}", "a.html:2", "template syntax: Encountered unknown tag 'unsubscribe'", None),
    ("a tag of an extension", "{% do x() %}", "a.html:2", "template syntax: Encountered unknown tag 'do'", None),
    ("a block twice", "{% block a %}{% endblock %}\n{% block a %}{% endblock %}", "a.html:3", "template syntax: block 'a' defined twice", None),
    ("an undefined variable", "<p>{{ custommer.first_name }}</p>", "a.html:2", "undefined variable 'custommer'", "did you mean 'customer'?"),
    ("an undefined variable in a test", "{% if plan %}x{% endif %}", "a.html:2", "undefined variable 'plan'", None),
    ("an undefined variable with a default", "{{ name|default('you') }}", "a.html:2", "undefined variable 'name'", None),
    ("a variable of a loop outside it", "{% for n in [1] %}{{ n }}{% endfor %}\n{{ m }}", "a.html:3", "undefined variable 'm'", None),
    ("an undefined attribute", "{{ customer.frist_name }}", "a.html:2", "undefined: customer has no 'frist_name'", "did you mean 'first_name'?"),
    ("an undefined item", "{{ customer['phone'] }}", "a.html:2", "undefined: customer has no 'phone'", None),
    ("an undefined attribute of a claim", "{% if owned('guide') %}{{ owned('guide').title }}{% endif %}", "a.html:2", "undefined: owned(…) has no 'title'", None),
    ("an undefined attribute of the shop", "{{ shop.adress }}", "a.html:2", "undefined: shop has no 'adress'", None),
    ("an attribute without a default", "{{ customer.attribute('plan') }}", "a.html:2", "customer.attribute needs a name in quotes and a default", None),
    ("an unknown filter", "{{ shop.name|uppr }}", "a.html:2", "unknown filter 'uppr'", "did you mean 'upper'?"),
    ("an unknown test", "{% if shop is lovely %}x{% endif %}", "a.html:2", "unknown test 'lovely'", None),
    ("the safe filter", "{{ customer.first_name|safe }}", "a.html:2", "the filter 'safe' is not allowed", "values of customers are always escaped; write markup in the template itself"),
    ("autoescape off", "{% autoescape false %}{{ customer.first_name }}{% endautoescape %}", "a.html:2", "autoescape cannot be switched", None),
    ("an unknown product", "{{ product('coarse').name }}", "a.html:2", "unknown product 'coarse'", "did you mean 'course'?"),
    ("a claim about no product", "{{ owned('coarse').name }}", "a.html:2", "owned: unknown product 'coarse'", "did you mean 'course'?"),
    ("a claim of its own", "{% macro owned(x) %}x{% endmacro %}{{ owned('guide') }}", "a.html:2", "'owned' cannot be given another meaning", None),
    ("a claim set", "{% set consumed = 1 %}", "a.html:2", "'consumed' cannot be given another meaning", None),
    ("outside the blocks", "{% extends 'layout.html' %}\n{% include 'm.html' %}", "a.html:3", "what stands outside the blocks is not shown", "put it into a block of the layout"),
    ("a call outside the blocks", "{% extends 'layout.html' %}{% from 'm.html' import hi %}\n{% call hi(1) %}x{% endcall %}", "a.html:3", "what stands outside the blocks is not shown", None),
    ("a block without a place", "{% extends 'layout.html' %}\n{% block contnet %}x{% endblock %}", "a.html:3", "'layout.html' has no block 'contnet', so this would not be shown", "did you mean 'content'?"),
    ("two blocks up", "{% extends 'layout.html' %}{% block content %}\n{{ super.super() }}{% endblock %}", "a.html:3", "super() stands for the next block only", None),
    ("a style that cannot be read", "<p\n style='p{'>x</p>", "a.html:3", "the style cannot be read", None),
    ("a missing include like the asking file", "{% include 'aa.html' %}", "a.html:2", "there is no template 'aa.html'", "did you mean 'm.html'?"),
    ("a missing include", "{% include 'layuot.html' %}", "a.html:2", "there is no template 'layuot.html'", "did you mean 'layout.html'?"),
    ("an include like no other", "{% include 'zzz/qqq/xyz.pdf' %}", "a.html:2", "there is no template 'zzz/qqq/xyz.pdf'", "the nearest there is: 'binary.html', 'layout.html', 'bad-layout.html'"),
    ("none of several includes", "{% include ['x.html', 'y.html'] %}", "a.html:2", "there is none of the templates x.html, y.html", None),
    ("an include made at run time", "{% include customer.country ~ '.html' %}", "a.html:2", "include needs a template's name in quotes", "a name made at run time cannot be checked"),
    ("a layout made at run time", "{% extends customer.country %}", "a.html:2", "extends needs a template's name in quotes", None),
    ("an include without context", "{% include 'one.html' without context %}\n{% include 'whose.html' without context %}", "a.html:3", "'whose.html' knows neither its reader nor the shop without context", "leave out: without context"),
    ("an import made at run time", "{% import shop.name as m %}{{ m.x() }}", "a.html:2", "import needs a template's name in quotes", None),
    ("a layout by if", "{% if shop.name %}{% extends 'layout.html' %}{% endif %}", "a.html:2", "extends must stand once, and outside every other tag", None),
    ("an imported file by a key", "{% import 'm.html' as q %}{{ q['hi'](1) }}", "a.html:2", "'q' is an imported file", "call its macros as q.macro(…)"),
    ("an imported file by another name", "{% import 'm.html' as q %}{% set z = q %}{{ z.hi(1) }}", "a.html:2", "'q' is an imported file", "call its macros as q.macro(…)"),
    ("an imported file within a tag", "{% import 'm.html' as q %}{% with z = q['hi'] %}{{ z(1) }}{% endwith %}", "a.html:2", "'q' is an imported file", "call its macros as q.macro(…)"),
    ("an imported file called by a key", "{% import 'm.html' as q %}{% call q['hi'](1) %}x{% endcall %}", "a.html:2", "'q' is an imported file", "call its macros as q.macro(…)"),
    ("a macro kept and not called", "{% import 'm.html' as q %}{% set z = q.hi %}{{ z(1) }}", "a.html:2", "'q' is an imported file", "call its macros as q.macro(…)"),
    ("two macros of one name", "{% macro hi(x) %}1{% endmacro %}{{ hi(1) }}{% macro hi(x) %}2{% endmacro %}", "a.html:2", "there are two macros of the name 'hi'", "give one of them another name"),
    ("two imports of one name", "{% block a %}{% from 'm.html' import hi %}{{ hi(1) }}{% endblock %}{% block b %}{% from 'n.html' import hi %}{% endblock %}", "a.html:2", "there are two macros of the name 'hi'", None),
    ("an import over a macro", "{% macro hi(x) %}1{% endmacro %}{% from 'm.html' import hi %}\n{{ hi(1) }}", "a.html:3", "there are two macros of the name 'hi'", None),
    ("two files of one name", "{% import 'm.html' as q %}{% import 'n.html' as q %}{{ q.hi(1) }}", "a.html:2", "there are two macros of the name 'hi'", None),
    ("a macro like one of the layout", "{% extends 'greets.html' %}{% from 'n.html' import hi %}\n{% block content %}{{ hi(1) }}{% endblock %}", "a.html:3", "there are two macros of the name 'hi'", None),
    ("a block within a macro", "{% macro m() %}{% block a %}x{% endblock %}{% endmacro %}{{ m() }}", "a.html:2", "a block cannot stand within a macro", "write it where the macro is called"),
    ("a block of its own by a key", "{% block a %}x{% endblock %}{{ self['a']() }}", "a.html:2", "'self' is the template itself", "write its blocks as self.name()"),
    ("the template kept", "{% block a %}x{% endblock %}{% set me = self %}{{ me.a() }}", "a.html:2", "'self' is the template itself", None),
    ("a missing macro", "{% from 'm.html' import hello %}{{ hello('x') }}", "a.html:2", "'m.html' has no macro 'hello'", None),
    ("climbing out", "{% include '../secret.html' %}", "a.html:2", "the template path '../secret.html' leaves templates/", "write the path below templates/"),
    ("climbing out of a folder", "{% include 'sub/../../secret.html' %}", "a.html:2", "the template path 'sub/../../secret.html' leaves templates/", None),
    ("an absolute path", "{% include '/etc/passwd' %}", "a.html:2", "the template path '/etc/passwd' leaves templates/", None),
    ("a drive", "{% extends 'C:\\\\secret.html' %}", "a.html:2", "leaves templates/", None),
    ("climbing out by a link", "{% include 'link.html' %}", "a.html:2", "the template 'link.html' leaves templates/ by a link", None),
    ("climbing out by a linked folder", "{% extends 'linked/secret.html' %}", "a.html:2", "the template 'linked/secret.html' leaves templates/ by a link", None),
    ("a mistake in the layout", "{% extends 'bad-layout.html' %}", "bad-layout.html:2", "undefined: shop has no 'nmae'", "did you mean 'name'?"),
    ("a mistake in a macro", "{% from 'bad-macros.html' import hi %}{{ hi('x') }}", "bad-macros.html:3", "undefined variable 'y'", None),
    ("a syntax error in an include", "{% include 'broken.html' %}", "broken.html:3", "template syntax:", None),
    ("an include that includes itself", "{% include 'loop-1.html' %}", "loop-2.html:2", "'loop-1.html' draws on itself", None),
    ("layouts in a ring", "{% extends 'up.html' %}", "down.html:1", "'up.html' draws on itself", None),
    ("not text", "{% include 'binary.html' %}", "a.html:2", "the template 'binary.html' is not text in UTF-8", "save it as UTF-8"),
    ("not UTF-8", "{% include 'latin.html' %}", "a.html:2", "the template 'latin.html' is not text in UTF-8 (byte 7)", None),
    ("a value without quotes", "<a href={{ shop.url }}>x</a>", "a.html:2", "the value of href needs quotes around it", None),
    ("a value for attributes", "<td\n {{ shop.name }}>x</td>", "a.html:3", "a value cannot stand for an attribute", None),
    ("a value in a style sheet", "<style>\np { color: {{ shop.name }} }</style>", "a.html:3", "a value within <style> cannot be made safe", None),
    ("a value in a script", "<script>x = '{{ shop.name }}'</script>", "a.html:2", "a value within <script> cannot be made safe", None),
    ("a script in a link", "<p>\n<a href='java&#115;cript:x({{ now.year }})'>x</a></p>", "a.html:3", "href runs a script, which no mail may", "link to a page"),
    ("a value behind another scheme", "<a href='cid:{{ shop.name }}'>x</a>", "a.html:2", "a value cannot follow 'cid:' in href", "begin it with https:, http:, mailto:, tel: or /"),
    ("a value behind half a scheme", "<a href='java{{ shop.name }}'>x</a>", "a.html:2", "a value cannot follow 'java' in href", None),
    ("a value behind half a scheme and a branch", "<a href='java{% if shop.name %}s{% endif %}{{ shop.name }}'>x</a>", "a.html:2", "a value cannot follow 'java' in href", None),
    ("a link to nothing", "<a href='{{ product('towel').url }}'>x</a>", "a.html:2", "cannot be rendered: an address is empty; leave the link or picture out where there is none: {% if … %}", None),
    ("a torn tag", "<p {% if shop.name %}class='x'>{% else %}>{% endif %}</p>", "a.html:2", "the tag <p> is torn apart by a statement", "write whole tags within a branch"),
    ("a style sheet elsewhere", "<link rel='stylesheet' href='x.css'>", "a.html:2", "no mail client loads a style sheet", "write it into <style>"),
    # what only shows when it is tried
    ("a value that is not there", "{{ product('towel').units['x'] }}", "a.html:2", "cannot be rendered: 'dict object' has no attribute 'x'", None),
    ("division by zero", "a\n{{ 1 // 0 }}", "a.html:3", "cannot be rendered: integer division or modulo by zero", None),
    ("for a customer without a name", "{{ customer.first_name[0] }}", "a.html:2", "cannot be rendered: str object has no element 0", None),
    ("for a customer whom nothing is proven of", "{% if not owned('guide') %}{{ 'x' + 1 }}{% endif %}", "a.html:2", "cannot be rendered: can only concatenate str", None),
    ("a bad date format", "{{ now|date('%Q') }}", "a.html:2", "cannot be rendered: the date format '%Q' cannot be read", None),
    ("money of no number", "{{ shop.name|money }}", "a.html:2", "cannot be rendered: money needs a number, not 'Slow Loaf'", None),
    ("a product that has no share", "{% if consumed('mug') %}{{ consumed('mug').share }}{% endif %}", "a.html:2", "cannot be rendered: 'mug' has no units", None),
    ("a claim that names no unit", "{% if consumed('guide') %}{{ consumed('guide').unit }}{% endif %}", "a.html:2", "cannot be rendered: this claim names no unit", None),
    ("a private attribute", "{{ ''.__class__ }}", "a.html:2", "cannot be rendered: access to attribute '__class__' of 'str' object is unsafe", None),
    ("a method that changes things", "{{ [1].append(2) }}", "a.html:2", "cannot be rendered: access to attribute 'append' of 'list' object is unsafe", None),
    ("too large a range", "{% for x in range(10**9) %}x{% endfor %}", "a.html:2", "cannot be rendered: Range too big", None),
    ("loops within loops", "{% for x in range(999) %}{% for y in range(999) %}x{% endfor %}{% endfor %}", "a.html:2", "cannot be rendered: more than 20,000 steps: does a loop end?", None),
    ("calls without end", "{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}", "a.html:2", "cannot be rendered: it calls itself without end", None),
    ("a tree of calls", "{% macro m(x) %}{% if x %}{{ m(x - 1) }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(40) }}", "a.html:2", "cannot be rendered: more than 20,000 steps", None),
    ("too long a text", "{{ 'x' * 10**9 }}", "a.html:2", "cannot be rendered: * would make more than a mail can hold", None),
    ("too large a number", "{{ 10 ** (10 ** 10) }}", "a.html:2", "cannot be rendered: ** would make more than a mail can hold", None),
    ("too wide a format", "{{ '%999999999d' % 1 }}", "a.html:2", "cannot be rendered: % would make more than a mail can hold", None),
    ("pictures only", "<img src='x.png'>", "a.html:1", "the plain text comes out empty", None),
    ("nothing at all", "{% if false %}x{% endif %}", "a.html:1", "the HTML comes out empty", None),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.html").write_text("secret")
    (tmp_path / "secret.html").write_text("secret")
    templates = write_templates(tmp_path / "templates", OTHERS)
    (templates / "link.html").symlink_to(tmp_path / "secret.html")
    (templates / "linked").symlink_to(tmp_path / "outside")
    (templates / "binary.html").write_bytes(b"\x89PNG\x00\xff")
    (templates / "latin.html").write_bytes(b"Hallo, \xfc")
    return templates


def place(folder: Path, problem: Problem) -> str:
    return f"{Path(problem.file).relative_to(folder)}:{problem.line}"


@pytest.mark.parametrize(("what", "body", "where", "message", "hint"), WRONG, ids=[case[0] for case in WRONG])
def test_a_mistake_is_told_where_it_is(
    what: str, body: str, where: str, message: str, hint: str | None, folder: Path
):
    found = [p for p in problems(folder, {"a.html": f"\n{body}"}) if message in p.message]
    assert [place(folder, problem) for problem in found] == [where]
    assert hint is None or found[0].hint == hint


def test_nobody_is_told_to_draw_on_what_is_being_drawn(tmp_path: Path):
    """The nearest name may be that of the mail whose layout asks."""
    templates = {
        "a.html": "{% extends 'frame.html' %}",
        "frame.html": "{% include 'b.html' %}",
        "zebra.html": "x",
    }
    (problem,) = problems(tmp_path, templates)
    assert problem.message == "there is no template 'b.html'"
    assert problem.hint == "did you mean 'zebra.html'?"


def test_a_column_is_told_where_a_word_is_wrong(folder: Path):
    (problem,) = problems(folder, {"a.html": "<p>Dear {{ customer.frist_name }}</p>"})
    assert (problem.line, problem.column) == (1, 21)


def test_all_mistakes_are_told_at_once(folder: Path):
    body = "{{ a1 }}\n{{ shop.b2 }}\n{{ 1|c3 }}\n{{ owned('d4').name }}\n{% include 'e5.html' %}"
    assert [problem.line for problem in problems(folder, {"a.html": body})] == [1, 2, 3, 4, 5]


FINE = [
    "{% extends 'layout.html' %}{% block content %}a{% block inner %}b{% endblock %}{% endblock %}",
    "{% for step in offers %}{{ step.title|default('x') }}{% endfor %}",
    "{% macro card(product, customer) %}{{ product.anything }}{{ customer['x'] }}{% endmacro %}x",
    "{% with shop = offers[0] %}{{ shop.price }}{% endwith %}",
    "{% set x = 'a' %}{% if shop.name %}{% set x = 'b' %}{% endif %}{{ x }}",
    "{% from 'm.html' import hi %}{{ hi(x=shop.name) }}{{ hi('y') }}",
    "{% block a %}{{ self.b() }}{% endblock %}{% block b %}x{% endblock %}",
    "{% macro hi(x) %}1{% endmacro %}{% from 'n.html' import twice %}{{ hi(1) }}{{ twice() }}",
    "{% extends 'greets.html' %}{% from 'm.html' import hi %}{% block content %}{{ hi('b') }}{% endblock %}",
    "{% for a in range(3) recursive %}{{ loop.index }}{{ loop.cycle('x', 'y') }}{% endfor %}",
    "{% set ns = namespace(n=1) %}{% set ns.n = 2 %}{{ ns.n }}{{ dict(a=1).a }}{{ cycler('x').next() }}{{ joiner()() }}x",
    "{% raw %}{{ nothing }}{% endraw %}",
    "{# {{ nothing }} #}x",
]


@pytest.mark.parametrize("body", FINE)
def test_what_is_fine_is_no_mistake(body: str, folder: Path):
    assert problems(folder, {"a.html": body}) == []


# ── subjects and the campaign's file ────────────────────────────────────────────────────────────

SUBJECTS = [
    ("Hi {{ custommer.name }}", "subject: undefined variable 'custommer'"),
    ("Hi {{ customer.frist_name }}", "subject: undefined: customer has no 'frist_name'"),
    ("{% if %}", "subject: template syntax: Expected an expression"),
    ("{{ owned('coarse').name }}", "subject: owned: unknown product 'coarse'"),
    ("{{ customer.last_name }}", "subject: the subject comes out empty"),
    ("{{ 1 // 0 }}", "subject: cannot be rendered: integer division or modulo by zero"),
]


@pytest.mark.parametrize(("subject", "message"), SUBJECTS)
def test_a_mistake_in_a_subject_is_told_in_the_campaign(subject: str, message: str, tmp_path: Path):
    (problem,) = problems(tmp_path, {"a.html": "<p>x</p>"}, subject)
    assert (problem.file, problem.line) == ("campaigns/0.yaml", 8)
    assert message in problem.message


TEMPLATES = [
    ("b.html", "there is no template 'b.html'", "did you mean 'a.html'?"),
    ("a.txt", "the template 'a.txt' is neither an .html nor an .mjml file", None),
    ("link.html", "the template 'link.html' leaves templates/ by a link", None),
    ("binary.html", "the template 'binary.html' is not text in UTF-8 (byte 0)", None),
]


@pytest.mark.parametrize(("template", "message", "hint"), TEMPLATES)
def test_a_template_that_cannot_be_had_is_told_in_the_campaign(template, message, hint, folder: Path):
    copy = studio(folder, {"a.html": "<p>x</p>", "a.txt": "x"}, campaign_text(template=template))
    (problem,) = copy.problems()["c"]
    assert (problem.file, problem.line, problem.message) == ("campaigns/0.yaml", 9, message)
    assert hint is None or problem.hint == hint


def test_a_mistake_concerns_every_campaign_that_uses_the_template(tmp_path: Path):
    campaigns = [campaign_text(name="c"), campaign_text(name="d"), campaign_text(name="e", template="b.html")]
    copy = studio(tmp_path, {"a.html": "{{ x }}", "b.html": "fine"}, *campaigns)
    assert set(copy.problems()) == {"c", "d"}


def test_claims_of_wrong_copy_are_refused(tmp_path: Path):
    with pytest.raises(Problems, match="undefined variable 'x'"):
        studio(tmp_path, {"a.html": "{{ x }}"}).claims("c", "one")


def test_claims_of_no_step_are_refused(tmp_path: Path):
    with pytest.raises(UnknownName, match="no step 'two'"):
        studio(tmp_path, {"a.html": "x"}).claims("c", "two")


def test_an_unknown_language_is_refused(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"shop\.locale"):
        studio(tmp_path, {"a.html": "x"}, settings=Settings(shop=Shop(locale="xx-nowhere")))
