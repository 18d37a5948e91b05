"""Styles inlined into a template once are the styles inlined into each mail."""

from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from engine.rendering.inline import declarations
from tests.rendering.constructs import CONSTRUCTS, PAGE, Construct
from tests.rendering.press import inlined, parsed, prepared


class Elements(HTMLParser):
    """The tags of a document with what they look like, and its text; style sheets left out."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[Any] = []
        self._sheet = False
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._sheet = tag == "style"
        found = dict(attrs)
        look = effective(found.pop("style", "") or "")
        self.found.append((tag, found, look))

    def handle_endtag(self, tag: str) -> None:
        self._sheet = False
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        if not self._sheet:
            self.found.append(data)

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))


def effective(style: str) -> dict[str, str]:
    """What a style attribute comes to: the last word on each property, unless an important one was said."""
    said: dict[str, str] = {}
    for declaration in declarations(unescape(style)):
        name, _, value = declaration.partition(": ")
        if "!important" in value or "!important" not in said.get(name, ""):
            said[name] = value.replace('"', "'")
    return said


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=lambda construct: construct.what)
def test_inlining_the_template_is_inlining_the_mail(construct: Construct, tmp_path: Path):
    template = prepared(tmp_path, construct.templates)
    for context in construct.contexts:
        plain = template.render("plain", **context)
        mine = template.render("html", **context)
        assert Elements(parsed(mine)).found == Elements(inlined(plain)).found, context
