"""Refusals in a row in the same words: from some number on, the mails are not to blame."""

import re

ALIKE = 3
_OWN = re.compile(r"\S*@\S*|\S*\d\S*")  # an address, a number, a name of this one answer


class Streak:
    """Counts refusals until one says something else, or a mail is taken."""

    def __init__(self) -> None:
        self._words = ""
        self._times = 0

    def refused(self, words: str) -> bool:
        """Note one more; whether there were so many alike by now that the mails are not to blame."""
        plain = alike(words)
        self._times = self._times + 1 if plain == self._words else 1
        self._words = plain
        return self._times >= ALIKE

    def end(self) -> None:
        """A mail was taken, or refused for a reason that is certainly its own."""
        self._words, self._times = "", 0


def alike(words: str) -> str:
    """What was said, without what differs from mail to mail."""
    return _OWN.sub("", words).strip().lower()
