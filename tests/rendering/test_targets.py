"""Links made whole and given their utm_ words, once for each template; what the author wrote stays."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from engine.rendering.targets import Shopfront, utm_words
from engine.settings.model import Settings
from engine.settings.shop import Shop, Utm
from engine.store.connect import Store
from tests.conftest import NOW
from tests.rendering.press import SETTINGS, campaign_text, problems, studio
from tests.rendering.press import Shopfront as Front
from tests.world import Attribute, Person

UTM = Utm(source="letters", domains=("learn.example",))
WITH_UTM = SETTINGS.model_copy(update={"utm": UTM})
SHOPFRONT = Shopfront.of(WITH_UTM)
PAIRS = utm_words(WITH_UTM, "c", "one")
ALL = "utm_source=letters&utm_medium=email&utm_campaign=c&utm_content=one"

LINKS = [
    ("https://loaf.example", f"https://loaf.example?{ALL}"),
    ("https://loaf.example/a", f"https://loaf.example/a?{ALL}"),
    ("http://loaf.example/a", f"http://loaf.example/a?{ALL}"),
    ("https://www.loaf.example/a", f"https://www.loaf.example/a?{ALL}"),
    ("https://kurs.loaf.example/a", f"https://kurs.loaf.example/a?{ALL}"),
    ("https://learn.example/a", f"https://learn.example/a?{ALL}"),
    ("HTTPS://Loaf.Example/a", f"HTTPS://Loaf.Example/a?{ALL}"),
    ("https://loaf.example/a?b=c", f"https://loaf.example/a?b=c&{ALL}"),
    ("https://loaf.example/a?b=c&", f"https://loaf.example/a?b=c&{ALL}"),
    ("https://loaf.example/a?", f"https://loaf.example/a?{ALL}"),
    ("https://loaf.example/a?b=%20c;d#e?f", f"https://loaf.example/a?b=%20c;d&{ALL}#e?f"),
    ("https://loaf.example/#/page?b=c", f"https://loaf.example/?{ALL}#/page?b=c"),
    ("https://loaf.example/a?utm_source=mine", "https://loaf.example/a?utm_source=mine&utm_medium=email&utm_campaign=c&utm_content=one"),
    ("https://loaf.example/a?UTM_Source=", "https://loaf.example/a?UTM_Source=&utm_medium=email&utm_campaign=c&utm_content=one"),
    (f"https://loaf.example/?{ALL}", f"https://loaf.example/?{ALL}"),
    ("https://loaf.example:8443/a", f"https://loaf.example:8443/a?{ALL}"),
    ("/a", f"https://loaf.example/a?{ALL}"),
    ("/a#b", f"https://loaf.example/a?{ALL}#b"),
    ("?a=b", f"https://loaf.example?a=b&{ALL}"),
    ("//loaf.example/a", f"https://loaf.example/a?{ALL}"),
    ("//other.example/a", "https://other.example/a"),
    ("https://other.example/a", "https://other.example/a"),
    ("https://notloaf.example/a", "https://notloaf.example/a"),
    ("https://loaf.example.evil.example/", "https://loaf.example.evil.example/"),
    ("https://loaf.example@evil.example/", "https://loaf.example@evil.example/"),
    ("https://[broken/", "https://[broken/"),
    ("#top", "#top"),
    ("mailto:ida@loaf.example", "mailto:ida@loaf.example"),
    ("tel:+491", "tel:+491"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "whole"), LINKS)
def test_a_link(address: str, whole: str):
    assert SHOPFRONT.link(address, PAIRS) == whole
    assert SHOPFRONT.link(whole, PAIRS) == whole


def test_nothing_is_added_without_a_source():
    assert utm_words(SETTINGS, "c", "one") == ()
    assert utm_words(Settings(utm=Utm(source="a b&c", medium="")), "c", "one")[0] == ("utm_source", "a b&c")
    pairs = utm_words(Settings(utm=Utm(source="a b&c", medium="")), "c", "one")
    assert (
        SHOPFRONT.link("/", pairs)
        == "https://loaf.example/?utm_source=a%20b%26c&utm_campaign=c&utm_content=one"
    )


@pytest.mark.parametrize("domain", ["https://learn.example", "learn.example/a", "learn", "", "a b.example"])
def test_a_domain_is_a_host(domain: str):
    with pytest.raises(ValidationError, match="is no host"):
        Utm(domains=(domain,))


HTML = ALL.replace("&", "&amp;")
PAGE = "customer.attribute('page', default='')"
# what stands in a template, what in the mail of somebody whose page is https://loaf.example/mine?x=1&y=2
TEMPLATES = [
    ("as it is", '<a href="https://loaf.example/a?b=1&amp;c=2#d">x</a>', f'<a href="https://loaf.example/a?b=1&amp;c=2&amp;{HTML}#d">x</a>'),
    ("a value", '<a href="{{ page }}">x</a>', f'<a href="https://loaf.example/mine?x=1&amp;y=2&amp;{HTML}">x</a>'),
    ("a value of the shop", '<a href="{{ shop.url }}">x</a>', f'<a href="https://loaf.example?{HTML}">x</a>'),
    ("a value and more", '<a href="{{ shop.url }}/a?b={{ customer.first_name }}#c">x</a>', f'<a href="https://loaf.example/a?b=Ann&amp;{HTML}#c">x</a>'),
    ("a value in the query", "<a class='k' href='https://loaf.example/a?b={{ customer.first_name|urlencode }}'>x</a>", f"<a class='k' href='https://loaf.example/a?b=Ann&amp;{HTML}'>x</a>"),
    ("if", '<a href="{% if customer.first_name %}/a{% else %}/b{% endif %}?c=d">x</a>', f'<a href="https://loaf.example/a?c=d&amp;{HTML}">x</a>'),
    ("a macro", '{% macro to(u) %}<a href="{{ u }}">x</a>{% endmacro %}{{ to("/a") }}{{ to(page) }}', f'<a href="https://loaf.example/a?{HTML}">x</a><a href="https://loaf.example/mine?x=1&amp;y=2&amp;{HTML}">x</a>'),
    ("a macro that writes an address", '{% macro to(u) %}https://loaf.example/{{ u }}?a=1&amp;b=2{% endmacro %}<a href="{{ to("a") }}">x</a>', f'<a href="https://loaf.example/a?a=1&amp;b=2&amp;{HTML}">x</a>'),
    ("the author's own", '<a href="/a?utm_campaign=spring">x</a>', '<a href="https://loaf.example/a?utm_campaign=spring&amp;utm_source=letters&amp;utm_medium=email&amp;utm_content=one">x</a>'),
    ("somebody else", '<a href="https://other.example/{{ customer.first_name }}">x</a>', '<a href="https://other.example/Ann">x</a>'),
    ("an anchor", '<a href="#a">x</a>', '<a href="#a">x</a>'),
    ("a picture", '<p>x<img src="/a.png" alt="" width="9"></p>', '<p>x<img src="https://loaf.example/a.png" alt="" width="9"></p>'),
    ("a picture by a value", '<p>x<img src="/{{ customer.first_name }}.png" alt=""></p>', '<p>x<img src="https://loaf.example/Ann.png" alt=""></p>'),
    ("a background", '<table background="/a.png"><tr><td>x</td></tr></table>', '<table background="https://loaf.example/a.png"><tr><td>x</td></tr></table>'),
    ("without quotes", "<a class=k href=/a>x</a>", f'<a class=k href="https://loaf.example/a?{HTML}">x</a>'),
    ("an area", '<p>x</p><map><area href="/a"></map>', f'<p>x</p><map><area href="https://loaf.example/a?{HTML}"></map>'),
]  # fmt: skip


def written(store: Store, folder: Path, body: str):
    page = Attribute("page", NOW, "https://loaf.example/mine?x=1&y=2")
    front = Front(store, {1: Person(NOW, email="a@x.example", attributes=[page])}, {1: {"first_name": "Ann"}})
    text = "{% set page = " + PAGE + " or shop.url %}" + body
    return front.mails(studio(folder, {"a.html": text}, campaign_text(), settings=WITH_UTM), NOW)[0]


@pytest.mark.parametrize(("what", "body", "said"), TEMPLATES, ids=[case[0] for case in TEMPLATES])
def test_a_template(what: str, body: str, said: str, store: Store, tmp_path: Path):
    assert written(store, tmp_path, body).html == said


def test_the_way_out_is_left_alone(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Even where it leads to the shop itself, and through a macro."""
    monkeypatch.setattr(
        "engine.rendering.context.Surroundings.unsubscribe_url", lambda *_: "https://loaf.example/u"
    )
    body = (
        '{% macro to(u) %}<a href="{{ u }}">x</a>{% endmacro %}<a href="{{ unsubscribe_url }}">x</a>'
        '{{ to(unsubscribe_url) }}<a href="{{ unsubscribe_url }}#a">x</a>'
    )
    link = '<a href="https://loaf.example/u">x</a>'
    assert written(store, tmp_path, body).html == link * 2 + '<a href="https://loaf.example/u#a">x</a>'


def test_text_keeps_links_as_they_are_read(store: Store, tmp_path: Path):
    body = '<p><a href="/a">Go</a></p><p><a href="https://loaf.example/b">https://loaf.example/b</a></p><p><a href="{{ page }}">{{ page }}</a></p>'
    said = "Go: https://loaf.example/a\n\nhttps://loaf.example/b\n\nhttps://loaf.example/mine?x=1&y=2\n"
    assert written(store, tmp_path, body).text == said


def test_steps_that_share_a_template_have_their_own_words(tmp_path: Path):
    campaigns = [campaign_text(name="c"), campaign_text(name="d")]
    copy = studio(tmp_path, {"a.html": '<a href="/a">x</a>'}, *campaigns, settings=WITH_UTM)
    assert copy.problems() == {}
    bodies = [copy._copy(name, "one").edition("").body for name in ("c", "d")]
    pages = [next(iter(body.write({})))[2] for body in bodies]
    assert ["utm_campaign=c" in pages[0], "utm_campaign=d" in pages[1]] == [True, True]


UNSHOWN = [
    ('<img src="http://x.example/a.png">', "no reader shows a picture from 'http:'"),
    ('<img src="data:image/png;base64,AAAA">', "no reader shows a picture from 'data:'"),
    ('<img src="cid:logo">', "no reader shows a picture from 'cid:'"),
    ('<td background="http://x.example/a.png">x</td>', "no reader shows a picture from 'http:'"),
]


@pytest.mark.parametrize(("body", "message"), UNSHOWN)
def test_a_picture_that_nobody_would_see(body: str, message: str, tmp_path: Path):
    (problem,) = problems(tmp_path, {"a.html": f"<p>x</p>\n{body}"})
    assert (problem.line, problem.message) == (2, message)


def test_a_shop_without_encryption_shows_no_relative_pictures(tmp_path: Path):
    shop = Settings(shop=Shop(url="http://loaf.example"))
    copy = studio(tmp_path, {"a.html": '<p>x<img src="/{{ shop.name }}.png"></p>'}, settings=shop)
    (problem,) = copy.problems()["c"]
    assert "a picture is shown from an https:// address" in problem.message
