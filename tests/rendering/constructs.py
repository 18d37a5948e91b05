"""Templates with everything Jinja2 can do in the middle of HTML, each with the contexts to try it in."""

from dataclasses import dataclass, field
from itertools import product

STYLE = """<style>
p { margin: 0 0 9px } td { padding: 4px } .hot { color: red } .cold { color: blue } .big { font-size: 20px }
.button { background: #123; color: #fff } .card .name { font-weight: bold } ul li { margin-left: 2px }
a:hover { color: green } @media (max-width: 600px) { .button { width: 100% !important } }
</style>"""
PAGE = "<!doctype html><html><head><title>t</title>" + STYLE + "</head><body>{}</body></html>"
MACROS = {
    "m.html": (
        "{% macro button(text, url) %}<table><tr><td><a class='button' href=\"{{ url }}\">{{ text }}</a></td></tr></table>"
        "{% endmacro %}"
        '{% macro row(x) %}<tr><td class="hot">{{ x }}</td></tr>{% endmacro %}'
        '{% macro card() %}<div class="card">{{ caller() }}</div>{% endmacro %}'
        "{% macro both(x) %}{{ button(x, 'https://b.example/' ~ x) }}<p class=\"big\">{{ x }}</p>{% endmacro %}"
    )
}
CONTEXTS = [
    {"a": a, "b": b, "rows": rows, "name": "Ann <&>", "url": "https://x.example/?a=1&b=2"}
    for a, b, rows in product((True, False), (True, False), ([], ["r1"], ["r1", "r2", "r3"]))
]


@dataclass
class Construct:
    what: str
    body: str
    files: dict[str, str] = field(default_factory=dict)
    whole: bool = False  # the body is the whole template, not what stands within <body>

    @property
    def templates(self) -> dict[str, str]:
        return {"a.html": self.body if self.whole else PAGE.replace("{}", self.body), **MACROS, **self.files}


LAYOUT = {
    "layout.html": PAGE.replace(
        "{}",
        "<div class='big'>{% block head %}<p>head</p>{% endblock %}</div><table><tr><td>{% block content %}{% endblock %}"
        "</td></tr></table>{% if a %}{% block foot %}<p class='cold'>foot</p>{% endblock %}{% endif %}",
    )
}
CONSTRUCTS = [
    Construct("plain text", "<p>Hello</p>"),
    Construct("a value", "<p class='hot'>{{ name }}</p>"),
    Construct("a value in a link", "<p><a class='button' href=\"{{ url }}\">Go to {{ name }}</a></p>"),
    Construct("a filter", "<p>{{ name|upper }} {{ rows|join(', ') }}</p>"),
    Construct("if", "{% if a %}<p class='hot'>yes</p>{% endif %}<p>end</p>"),
    Construct("if, elif, else", "{% if a %}<p class='hot'>1</p>{% elif b %}<p class='cold'>2</p>{% else %}<p>3</p>{% endif %}"),
    Construct("if within if", "{% if a %}<p>{% if b %}<b class='hot'>x</b>{% else %}<i class='cold'>y</i>{% endif %}</p>{% else %}{% if b %}<p class='big'>z</p>{% endif %}{% endif %}"),
    Construct("a loop of paragraphs", "{% for r in rows %}<p class='hot'>{{ r }}</p>{% endfor %}"),
    Construct("a loop of rows", "<table>{% for r in rows %}<tr><td class='hot'>{{ r }}</td></tr>{% endfor %}</table>"),
    Construct("a loop of rows in a body", "<table><tbody>{% for r in rows %}<tr>{% if a %}<td class='hot'>{{ loop.index }}</td>{% endif %}<td>{{ r }}</td></tr>{% endfor %}</tbody></table>"),
    Construct("a loop with else", "<ul>{% for r in rows %}<li>{{ r }}</li>{% else %}<li class='cold'>none</li>{% endfor %}</ul>"),
    Construct("a loop with a test", "<ul>{% for r in rows if r != 'r2' %}<li class='big'>{{ r }}</li>{% endfor %}</ul>"),
    Construct("a loop within a loop", "<ul>{% for r in rows %}<li>{{ r }}<ul>{% for q in rows %}<li class='hot'>{{ q }}</li>{% endfor %}</ul></li>{% endfor %}</ul>"),
    Construct("a class by if", '<p class="{% if a %}hot{% else %}cold{% endif %}">x</p>'),
    Construct("a class by if without else", '<p class="big{% if a %} hot{% endif %}">x</p>'),
    Construct("a class by elif", '<p class="{% if a %}hot{% elif b %}cold{% else %}big{% endif %}">x</p>'),
    Construct("an attribute by if", '<p {% if a %}class="hot"{% endif %}>x</p>'),
    Construct("an attribute by if and else", '<p {% if a %}class="hot"{% else %}class="cold" title="t"{% endif %}>x</p>'),
    Construct("a target by if", "<p><a class='hot' href=\"{% if a %}https://1.example{% else %}{{ url }}{% endif %}\">go</a></p>"),
    Construct("a style of its own", "<p class='hot' style=\"padding: 1px\">x</p>"),
    Construct("a style with a value", "<p class='hot' style=\"width: {{ rows|length }}px\">x</p>"),
    Construct("an important style", "<p class='hot' style='color: green !important'>x</p>"),
    Construct("set", "{% set greeting = 'Hi ' ~ name %}<p class='hot'>{{ greeting }}</p>"),
    Construct("set as a block", "{% set part %}<b class='hot'>{{ name }}</b>{% endset %}<p>{{ part }} and {{ part }}</p>"),
    Construct("with", "{% with x = name %}<p class='cold'>{{ x }}</p>{% endwith %}"),
    Construct("raw", "<p class='hot'>{% raw %}{{ not a value }} {% nor this %}{% endraw %}</p>"),
    Construct("a comment", "<p class='hot'>x</p>{# <p class='cold'>{{ nothing }}</p> #}<p>y</p>"),
    Construct("whitespace control", "<p class='hot'>\n  {%- if a -%}\n  yes\n  {%- endif -%}\n</p>\n{%- for r in rows -%}\n<p> {{- r -}} </p>\n{%- endfor %}"),
    Construct("a filter block", "{% filter trim %} <p class='hot'>x {{ name }}</p> {% endfilter %}"),
    Construct("an inline if", "<p class='hot'>{{ name if a else 'nobody' }}{{ 'b' if b }}</p>"),
    Construct("an HTML comment", "<!-- {{ name }} <p class='hot'>no</p> --><p class='hot'>x</p>"),
    Construct("a conditional comment", "<!--[if mso]><table><tr><td class='hot'><![endif]--><p class='hot'>x</p><!--[if mso]></td></tr></table><![endif]-->"),
    Construct("a macro of its own", "{% macro m(x) %}<p class='hot'>{{ x }}</p>{% endmacro %}{{ m(name) }}{% if a %}{{ m('again') }}{% endif %}"),
    Construct("an imported macro", "{% from 'm.html' import button %}<p>x</p>{{ button('Go', url) }}"),
    Construct("an imported macro by another name", "{% from 'm.html' import button as b2 %}{{ b2(name, url) }}"),
    Construct("a module", "{% import 'm.html' as m %}{{ m.button('Go', url) }}<table>{% for r in rows %}{{ m.row(r) }}{% endfor %}</table>"),
    Construct("a macro that calls a macro", "{% from 'm.html' import both %}{{ both(name) }}"),
    Construct("a call block", "{% from 'm.html' import card %}{% call card() %}<p class='name'>{{ name }}</p>{% endcall %}"),
    Construct("an include", "<table><tr><td>{% include 'part.html' %}</td></tr></table>", {"part.html": "<p class='hot'>{{ name }}</p>"}),
    Construct("an include in a loop", "<ul>{% for r in rows %}{% include 'part.html' %}{% endfor %}</ul>", {"part.html": "<li class='hot'>{{ r }}</li>"}),
    Construct("an include of the first there is", "{% include ['no.html', 'part.html'] %}{% include 'no.html' ignore missing %}", {"part.html": "<p class='hot'>p</p>"}),
    Construct("a layout", "{% extends 'layout.html' %}{% block content %}<p class='hot'>{{ name }}</p>{% endblock %}", LAYOUT, whole=True),
    Construct("a comment before a layout", "<!-- ours -->{% extends 'layout.html' %}{% block content %}<p class='hot'>{{ name }}</p>{% endblock %}", LAYOUT, whole=True),
    Construct("super", "{% extends 'layout.html' %}{% block head %}{{ super() }}<p class='cold'>more</p>{% endblock %}{% block content %}x{% endblock %}", LAYOUT, whole=True),
    Construct("two layouts", "{% extends 'middle.html' %}{% block content %}{{ super() }}<b class='cold'>inner</b>{% endblock %}", LAYOUT | {"middle.html": "{% extends 'layout.html' %}{% block content %}<p class='hot'>middle</p>{% endblock %}{% block foot %}<p class='big'>mid foot</p>{% endblock %}"}, whole=True),
    Construct("a layout with imports", "{% extends 'layout.html' %}{% from 'm.html' import button %}{% set word = 'Set ' ~ name %}{% block content %}{{ button(word, url) }}{% endblock %}", LAYOUT, whole=True),
    Construct("a block used twice", PAGE.replace("{}", "{% block t %}<b class='hot'>{{ name }}</b>{% endblock %}<p>{{ self.t() }}</p>"), whole=True),
    Construct("styles in a block", "{% extends 'styled.html' %}{% block css %}.more { top: 1px } {{ super() }}{% endblock %}{% block content %}<p class='more hot'>x</p>{% endblock %}", {"styled.html": "<html><head><style>{% block css %}.hot { color: red }{% endblock %}</style></head><body>{% block content %}{% endblock %}</body></html>"}, whole=True),
    Construct("a fragment without a page", STYLE + "<p class='hot'>{{ name }}</p>", whole=True),
    Construct("a table opened in either branch", "{% if a %}<table class='hot'>{% else %}<table class='cold'>{% endif %}<tr><td>x</td></tr></table>"),
    Construct("a namespace", "{% set ns = namespace(n=0) %}{% for r in rows %}{% set ns.n = ns.n + 1 %}{% endfor %}<p class='hot'>{{ ns.n }}</p>"),
    Construct("quotes in fonts", "<style>.q { font-family: 'Segoe UI', \"Times New Roman\" }</style><p class='q' title='{{ name }}'>x</p><p class='q' style='top: 1px'>y</p>"),
]  # fmt: skip
