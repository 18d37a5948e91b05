"""What the mails of a step have in common, found by comparing them: the skeleton, and each mail's values.

A mould is a row of pieces of static text with a hole between each two. It fits a mail in which all the
pieces stand in that order; the values are then what stands between them, and putting them back gives
the mail again, byte for byte, whatever made it. So nothing need be known of templates. See decision 20.

To compare two mails that differ in nearly everything may take minutes. So the work for a step is counted, and
ends: it is counted in steps of the comparison and not by a clock, so that it ends the same on every machine.
"""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from typing import NamedTuple

from engine.rendering.mail import Mail

LOGGER = logging.getLogger("aftersale")
Pieces = tuple[str, ...]

HOLE = "\0"
SHORT = 24  # characters of static text between two holes that are not worth a second hole
MOULDS = 8  # of one step that are remembered
LESSONS = 64  # of one step; what fits nowhere afterwards leaves alone
COMMON = 0.5  # of a mail that a mould must know, to be one for it
WORK = 10_000_000  # steps of comparing, for all lessons of one step together: about a second
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

    def learned(self, mail: Mail, effort: "Effort") -> "Mould":
        """The mould of what it and this mail have in common. Raises TooMuch."""
        return Mould(common(self.text, mail.text, effort), common(self.html, mail.html, effort))

    @property
    def is_whole(self) -> bool:
        """Whether it has no hole: it is one mail, and none like it has come yet."""
        return len(self.text) == len(self.html) == 1

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


class TooMuch(Exception):
    """The work that is left does not suffice to compare them."""


@dataclass
class Effort:
    """The work that may still be done."""

    left: int = WORK

    def spend(self, work: int) -> None:
        """Raises TooMuch before it is done, where that is more than is left."""
        if work > self.left:
            raise TooMuch
        self.left -= work


class Comparison(SequenceMatcher[str]):
    """One that counts its work: for each part of the one all places where it stands in the other."""

    def __init__(self, ours: Sequence[str], theirs: Sequence[str], effort: Effort) -> None:
        self._effort, self._ours, self._times = effort, ours, Counter(theirs)
        super().__init__(None, ours, theirs, autojunk=False)

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        self._effort.spend(sum(self._times[part] for part in self._ours[alo:ahi]))
        return super().find_longest_match(alo, ahi, blo, bhi)


def common(pieces: Pieces, text: str, effort: Effort) -> Pieces:
    """The pieces of these pieces that the text has as well, in that order. Raises TooMuch."""
    return _without_short(_aligned(HOLE.join(pieces), text, 0, effort))


def _aligned(one: str, other: str, level: int, effort: Effort) -> list[str]:
    """What both share, by lines and tags first, and where these differ by words."""
    effort.spend(len(one) + len(other))  # to take them apart
    ours, theirs = (_PARTS[level].findall(said) for said in (one, other))
    shared = [""]
    for kind, i, j, k, m in Comparison(ours, theirs, effort).get_opcodes():
        here, there = "".join(ours[i:j]), "".join(theirs[k:m])
        if kind == "equal":
            shared[-1] += here
        elif kind == "replace" and level == 0:
            first, *rest = _aligned(here, there, 1, effort)
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


def _kept(moulds: Sequence[Mould]) -> list[Mould]:
    """As many as are remembered; the oldest goes that is of a single mail, or else the oldest of all."""
    if len(moulds) <= MOULDS:
        return list(moulds)
    single = [number for number, mould in enumerate(moulds) if mould.is_whole and number]
    gone = single[-1] if single else len(moulds) - 1
    return [mould for number, mould in enumerate(moulds) if number != gone]


class Moulds:
    """The moulds of every step, learned from the mails that went through."""

    def __init__(self, tags: int, size: int, tag_length: int) -> None:
        self._tags, self._size, self._tag_length = tags, size, tag_length
        self._known: dict[tuple[str, str], list[Mould]] = defaultdict(list)
        self._lessons: dict[tuple[str, str], int] = defaultdict(int)
        self._efforts: dict[tuple[str, str], Effort] = defaultdict(Effort)
        self._told: set[tuple[str, str]] = set()

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
            finer = self._finer(mould, mail, step)
            if finer and finer.knows(mail) and self._fits(finer, mail):
                known[number] = finer
                return
        self._known[step] = _kept([whole(mail), *known])

    def _finer(self, mould: Mould, mail: Mail, step: tuple[str, str]) -> Mould | None:
        """What both have in common; None where it would take too long to find that out, which is said."""
        try:
            return mould.learned(mail, self._efforts[step])
        except TooMuch:
            if step not in self._told:
                self._told.add(step)
                LOGGER.warning(
                    "mails of %s differ in too much to be compared; those like no other leave one by one",
                    "/".join(step),
                )
            return None
