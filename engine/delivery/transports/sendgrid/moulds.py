"""What the mails of a step have in common, found by comparing them: the skeleton, and each mail's values.

A mould is a row of pieces of static text with a hole between each two. It fits a mail in which all the
pieces stand in that order; the values are then what stands between them, and putting them back gives
the mail again, byte for byte, whatever made it. So nothing need be known of templates. See decision 20.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from engine.rendering.mail import Mail

Pieces = tuple[str, ...]

HOLE = "\0"
SHORT = 24  # characters of static text between two holes that are not worth a second hole
MOULDS = 8  # of one step that are remembered
LESSONS = 64  # of one step; what fits nowhere afterwards leaves alone
COMMON = 0.5  # of a mail that a mould must know, to be one for it
_PARTS = (re.compile(r"[^>\n\0]*[>\n]|[^>\n\0]+|\0"), re.compile(r"\w+|\s+|[^\w\s]"))


class Values(NamedTuple):
    """What one mail puts into the holes."""

    text: Sequence[str]
    html: Sequence[str]

    @property
    def number(self) -> int:
        return len(self.text) + len(self.html)

    @property
    def size(self) -> int:
        """In bytes, as they are sent."""
        return sum(len(value.encode(errors="replace")) for value in (*self.text, *self.html))


@dataclass(frozen=True)
class Mould:
    """The static pieces of both parts of a mail."""

    text: Pieces
    html: Pieces

    def values(self, mail: Mail) -> Values | None:
        """What stands in the holes; None where the mail does not fit."""
        html = between(mail.html, self.html)
        text = between(mail.text, self.text) if html is not None else None
        return Values(text, html) if text is not None and html is not None else None

    def learned(self, mail: Mail) -> "Mould":
        """The mould of what it and this mail have in common."""
        return Mould(common(self.text, mail.text), common(self.html, mail.html))

    def knows(self, mail: Mail) -> bool:
        """Whether enough of the mail is static to be worth it."""
        return sum(map(len, self.html)) >= COMMON * len(mail.html)


def whole(mail: Mail) -> Mould:
    """A mould without a hole."""
    return Mould((mail.text,), (mail.html,))


def between(text: str, pieces: Pieces) -> list[str] | None:
    """What stands between the pieces, each taken where it comes first; None where one does not come."""
    if len(pieces) == 1:
        return [] if text == pieces[0] else None
    place, end = len(pieces[0]), len(text) - len(pieces[-1])
    if place > end or not text.startswith(pieces[0]) or not text.endswith(pieces[-1]):
        return None
    found = []
    for piece in pieces[1:-1]:
        at = text.find(piece, place, end)
        if at < 0:
            return None
        found.append(text[place:at])
        place = at + len(piece)
    return [*found, text[place:end]]


# ── learning ────────────────────────────────────────────────────────────────────────────────────


def common(pieces: Pieces, text: str) -> Pieces:
    """The pieces of these pieces that the text has as well, in that order."""
    return _without_short(_aligned(HOLE.join(pieces), text, 0))


def _aligned(one: str, other: str, level: int) -> list[str]:
    """What both share, by lines and tags first, and where these differ by words."""
    ours, theirs = (_PARTS[level].findall(said) for said in (one, other))
    shared = [""]
    for kind, i, j, k, m in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        here, there = "".join(ours[i:j]), "".join(theirs[k:m])
        if kind == "equal":
            shared[-1] += here
        elif kind == "replace" and level == 0:
            first, *rest = _aligned(here, there, 1)
            shared[-1] += first
            shared += rest
        else:
            shared.append("")
    return shared


def _without_short(pieces: Sequence[str]) -> Pieces:
    """Two holes with hardly anything between them are one; the ends may be as short as they are."""
    first, *others = pieces
    if not others:
        return (first,)
    return (first, *(piece for piece in others[:-1] if len(piece) >= SHORT), others[-1])


class Moulds:
    """The moulds of every step, learned from the mails that went through."""

    def __init__(self, tags: int, size: int, tag_length: int) -> None:
        self._tags, self._size, self._tag_length = tags, size, tag_length
        self._known: dict[tuple[str, str], list[Mould]] = defaultdict(list)
        self._lessons: dict[tuple[str, str], int] = defaultdict(int)

    def sorted_in(self, mails: Sequence[Mail]) -> list[tuple[Mould | None, list[Mail]]]:
        """The mails by the mould they fit; None holds those that fit none within the limits."""
        found = [self._fitting(mail) for mail in mails]
        if None in found:
            for mail in mails:
                self._learn(mail)
            found = [self._fitting(mail) for mail in mails]
        groups: dict[Mould | None, list[Mail]] = {}
        for mould, mail in zip(found, mails, strict=True):
            groups.setdefault(mould, []).append(mail)
        return list(groups.items())

    def _fitting(self, mail: Mail) -> Mould | None:
        return next((mould for mould in self._of(mail) if self._fits(mould, mail)), None)

    def _of(self, mail: Mail) -> list[Mould]:
        return self._known[mail.key.campaign_id, mail.key.step_id]

    def _fits(self, mould: Mould, mail: Mail) -> bool:
        values = mould.values(mail)
        if values is None or values.number > self._tags:
            return False
        return values.size + values.number * self._tag_length <= self._size

    def _learn(self, mail: Mail) -> None:
        """See to it that there is a mould that it fits, unless there were lessons enough."""
        step = mail.key.campaign_id, mail.key.step_id
        if self._fitting(mail) or self._lessons[step] >= LESSONS or HOLE in mail.html + mail.text:
            return
        self._lessons[step] += 1
        known = self._known[step]
        for number, mould in enumerate(known):
            finer = mould.learned(mail)
            if finer.knows(mail) and self._fits(finer, mail):
                known[number] = finer
                return
        known[:] = [whole(mail), *known][:MOULDS]
