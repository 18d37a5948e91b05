"""Plain text derived from a template once is the plain text of each mail."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.rendering.constructs import CONSTRUCTS, Construct
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
    for number, context in enumerate(construct.contexts):
        plain = template.render("plain", **context)
        raw = "{% raw %}" + plain + "{% endraw %}"
        once = prepared(tmp_path / str(number), {"a.html": raw}).render("text")
        mine = template.render("text", **context)
        assert gathered(mine) == gathered(once), context
        assert all(link in mine for link in Links(plain).found)
        assert not re.search(r"<(p|table|td|tr|a|b|div|span|style)\b", mine)
