"""The languages that copy is written in, and which of them a customer gets.

A template has a variant for a language in the file beside it: `story.de.html` beside `story.html`.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from engine.campaigns.wording import Words, known_locale
from engine.rendering.sources import Library

USUAL = ""  # the copy for everybody whom no other is for, in the shop's language


def nearest_locale(wanted: str, there: Collection[str]) -> str | None:
    """`de-AT`, else `de`, else None: the locale itself, else without its last parts."""
    by_name = {name.lower(): name for name in there if name}
    parts = wanted.replace("_", "-").lower().split("-")
    candidates = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((by_name[name] for name in candidates if name in by_name), None)


def variants(template: str, library: Library) -> Mapping[str, str]:
    """The files beside a template that hold it in other languages, by locale."""
    path = PurePosixPath(template)
    found = {}
    for name in library.names:
        other = PurePosixPath(name)
        middle = other.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix)
        if name == f"{path.parent / path.stem}.{middle}{path.suffix}" and known_locale(middle) == middle:
            found[middle] = name
    return found


def written_in(words: Words) -> Iterator[str]:
    """The languages that words are written in; none where they are the same in all."""
    if not isinstance(words, str):
        yield from (name for name, _ in words)


def usual_locale(words: Words, shop: str) -> str | None:
    """The one among the languages of the words that is the shop's. None: there is no such."""
    return nearest_locale(shop, list(written_in(words)))


def in_language(words: Words, language: str, shop: str) -> str | None:
    """The words for a language; for the usual one those of the shop. None: there are none."""
    if isinstance(words, str):
        return words
    found = nearest_locale(language or shop, list(written_in(words)))
    return dict(words)[found] if found else None
