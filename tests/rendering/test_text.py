"""Plain text derived from a template once is the plain text of each mail."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.rendering.constructs import CONSTRUCTS, CONTEXTS, Construct
from tests.rendering.press import prepared


class Links(HTMLParser):
    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def gathered(text: str) -> str:
    """Without a view to how many blank lines there are."""
    return re.sub(r"\s*\n\s*", "\n", text).strip()


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=lambda construct: construct.what)
def test_text_of_the_template_is_text_of_the_mail(construct: Construct, tmp_path: Path):
    template = prepared(tmp_path / "template", construct.templates)
    for number, context in enumerate(CONTEXTS):
        plain = template.render("plain", **context)
        raw = "{% raw %}" + plain + "{% endraw %}"
        once = prepared(tmp_path / str(number), {"a.html": raw}).render("text")
        mine = template.render("text", **context)
        assert gathered(mine) == gathered(once), context
        assert all(link in mine for link in Links(plain).found)
        assert not re.search(r"<(p|table|td|tr|a|b|div|span|style)\b", mine)


@pytest.mark.real_data
def test_no_link_of_a_real_mail_is_lost(real_data: Path, tmp_path: Path):
    for number, path in enumerate(sorted((real_data / "email_html").rglob("*.html"))):
        mail = path.read_text(encoding="utf-8")
        text = prepared(tmp_path / str(number), {"a.html": f"{{% raw %}}{mail}{{% endraw %}}"}).render("text")
        links = [link.removeprefix("mailto:") for link in Links(mail).found if link.strip("#")]
        assert [link for link in links if link not in text] == [], path
        assert not re.search(r"\n\n\n|<[a-z/!]|&[a-z]+;|[ \t]\n", text.strip()), path


HTML = [
    ("paragraphs", "<p>one</p><p>two</p>", "one\n\ntwo"),
    ("blanks", "<p>  one \n  <b> two</b>  </p>\n\n\n<p>three</p>", "one two\n\nthree"),
    ("a break", "<p>one<br>two<br/><br />three</p>", "one\ntwo\n\nthree"),
    ("headings", "<h1>Title</h1><h2>Part</h2>text", "Title\n\nPart\n\ntext"),
    ("divisions", "<div><div>one</div><div>two</div></div>three", "one\ntwo\nthree"),
    ("entities", "<p>Fish &amp; chips &lt;b&gt; &copy;&nbsp;2026</p>", "Fish & chips <b> © 2026"),
    ("a list", "<ul><li>one</li><li><p>two</p></li></ul>end", "- one\n- two\n\nend"),
    ("a numbered list", "<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
    ("a list in a list", "<ul><li>one<ul><li>deep</li></ul></li><li>two</li></ul>", "- one\n  - deep\n- two"),
    ("a numbered list of unknown length", "<ol>{% for r in rows %}<li>{{ r }}</li>{% endfor %}</ol>", "- r1\n- r2"),
    ("a link with blanks", "<p>Read <a href=' https://x.example '>this</a></p>", "Read this (https://x.example)"),
    ("a link with blanks and a value", "<p>Read <a href=' {{ url }}/a '>this</a></p>", "Read this (https://v.example/a)"),
    ("a link", "<p>Read <a href='https://x.example'>this</a>, please.</p>", "Read this (https://x.example), please."),
    ("a button", "<table><tr><td><a href='https://x.example'> Go </a></td></tr></table>", "Go: https://x.example"),
    ("a button by a macro", "{% macro b(t, u) %}<table><tr><td><a href='{{ u }}'>{{ t }}</a></td></tr></table>{% endmacro %}<p>x</p>{{ b('Go', 'https://x.example') }}", "x\n\nGo: https://x.example"),
    ("a link that is its text", "<p><a href='https://x.example'>x.example</a> <a href='mailto:a@x.example'>a@x.example</a></p>", "x.example a@x.example"),
    ("a value that is its link", "<p>See <a href='{{ url }}'>{{ url }}</a></p>", "See https://v.example"),
    ("a link by a picture", "<p><a href='https://x.example'><img src='i.png' alt='Our shop'></a></p>", "Our shop: https://x.example"),
    ("a link by a picture of nothing", "<p><a href='https://x.example'><img src='i.png' alt=''></a></p>", "https://x.example"),
    ("a link to nowhere", "<p><a href='#'>top</a> <a name='x'>here</a></p>", "top here"),
    ("two links in a line", "<p><a href='https://1.example'>one</a> <a href='https://2.example'>two</a></p>", "one (https://1.example) two (https://2.example)"),
    ("a link opened in either branch", "<p>{% if a %}<a href='https://1.example'>{% else %}<a href='{{ url }}'>{% endif %}Go</a></p>", "https://1.example Go"),
    ("a target made in a loop", "<p><a href='https://x.example/{% for r in rows %}{{ r }},{% endfor %}'>Go</a></p>", "https://x.example/r1,r2, Go"),
    ("a picture", "<p><img src='i.png' alt='A loaf'> and <img src='i.png'></p>", "A loaf and"),
    ("a preheader", "<div style='display:none'>pre {{ url }}</div><p>x</p>", "x"),
    ("a preheader by class", "<style>.pre { display: none }</style><div class='pre'>pre <b>x</b></div><p>x</p>", "x"),
    ("a preheader without height", "<div style='max-height:0; overflow:hidden'>pre</div><p>x</p>", "x"),
    ("hidden by attribute", "<p hidden>pre</p><p>x</p>", "x"),
    ("a macro in what is hidden", "{% macro m() %}<b>m</b>{% endmacro %}<div style='display:none'>{{ m() }}</div><p>{{ m() }}</p>", "m"),
    ("an include in what is hidden", "<div style='display:none'>{% include 'part.html' %}</div><p>{% include 'part.html' %}</p>", "part"),
    ("a name set in what is hidden", "<div style='display:none'>{% set x %}<b>kept</b>{% endset %}{{ x }}</div><p>{{ x }}</p>", "kept"),
    ("half hidden", "{% if a %}<div style='display:none'>{% else %}<div>{% endif %}x</div>", "x"),
    ("the head", "<html><head><title>t {{ url }}</title><style>p { top: 1px }</style></head><body><p>x</p></body></html>", "x"),
    ("a comment", "<p>x<!-- not {{ url }} this --></p>", "x"),
    ("cells", "<table><tr><td>Bread</td><td>$5</td></tr><tr><td>Rolls</td><td>$2</td></tr></table>", "Bread $5\nRolls $2"),
    ("a rule", "<p>x</p><hr><p>y</p>", "x\n\n---\n\ny"),
    ("as it is", "<pre>  a\n   b</pre>", "a\n   b"),
    ("padding that nobody sees", "<p>x&zwnj;&#8203;&#847;y</p>", "xy"),
    ("a paragraph by if", "<p>x</p>{% if a %}<p>y</p>{% endif %}<p>z</p>", "x\n\ny\n\nz"),
    ("a paragraph by if that is not", "<p>x</p>{% if not a %}<p>y</p>{% endif %}<p>z</p>", "x\n\nz"),
    ("words by if", "<p>x{% if a %} and y{% endif %}.</p><p>z</p>", "x and y.\n\nz"),
    ("words or a paragraph by if", "{% if a %}words{% else %}<p>y</p>{% endif %}<p>z</p>", "words\n\nz"),
    ("rows by if", "<p>x</p><table>{% if not a %}<tr><td>y</td></tr>{% endif %}<tr><td><p>z</p></td></tr></table>", "x\n\nz"),
    ("paragraphs in a loop", "{% for r in rows %}<p>{{ r }}</p>{% endfor %}<p>z</p>", "r1\n\nr2\n\nz"),
    ("a value of markup", "<p>{{ '<b>' }}</p>", "<b>"),
    ("a value escaped by hand", "<p>{{ '<b>'|e }}</p>", "<b>"),
    ("a value in several lines", "<p>{{ 'one\n  two' }}</p>", "one\n  two"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "html", "text"), HTML, ids=[case[0] for case in HTML])
def test_text_of_html(what: str, html: str, text: str, tmp_path: Path):
    template = prepared(tmp_path, {"a.html": html, "part.html": "<i>part</i>"})
    assert template.render("text", a=True, rows=["r1", "r2"], url="https://v.example").strip() == text
