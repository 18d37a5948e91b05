"""A step's copy in one language: subject, preheader and body, and one mail written from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.rendering.body import HTML, TEXT, Body, Parts
from engine.rendering.mail import one_line
from engine.rendering.preparing import Draft, Ready
from engine.rendering.rendered import Failed

SUBJECT, PREHEADER = "subject", "preheader"


class Written(NamedTuple):
    """What one mail says."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Edition:
    """Copy in one language. `locale` is the one that mails in it are told to be in."""

    locale: str
    subject: Ready = field(repr=False)
    preheader: Ready | None = field(repr=False)
    body: Body = field(repr=False)

    @property
    def drafts(self) -> Sequence[Draft]:
        lines = [self.subject, self.preheader] if self.preheader else [self.subject]
        return [*(line.draft for line in lines), *self.body.drafts]

    def parts(self, context: Mapping[str, Any]) -> Parts:
        """Each part of a mail as it is written: what it is, the template behind it, and what it says.

        Raises Failed at the first that cannot be written.
        """
        shown = {**context, "locale": self.locale, "preheader": ""}
        yield SUBJECT, self.subject.draft, _line(self.subject, shown)
        if self.preheader:
            shown["preheader"] = _line(self.preheader, shown)
            yield PREHEADER, self.preheader.draft, shown["preheader"]
        yield from self.body.write(shown)

    def write(self, context: Mapping[str, Any]) -> Written:
        """One mail. Raises Failed."""
        said = {kind: text for kind, _, text in self.parts(context)}
        if not said[SUBJECT]:
            msg = "the subject came out empty"
            raise Failed(msg, self.subject.template.name or "", 0, unproven=False)
        return Written(said[SUBJECT], said[HTML], said[TEXT].rstrip() + "\n")


def _line(ready: Ready, context: Mapping[str, Any]) -> str:
    """What a small template says, on one line whatever its values hold."""
    return " ".join(one_line(ready.write(context)).split())
