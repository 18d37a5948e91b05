"""How far one customer's runs through a campaign have come, in words for a support person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.planning.reasons import Reason, Verdict

Row = Mapping[str, Any]
_BECAME = {  # of a mail that did not simply leave
    "sending": "is on its way",
    "scheduled": "waits to leave",
    "cancelled": "was cancelled",
    "rejected": "could not be sent",
    "held": "waits until a person has looked at it",
    "unknown": "may have left or not",
}


_ENDED = ("cancelled", "rejected")  # without having left, whatever was decided before


@dataclass(frozen=True)
class Story:
    """The rows of one customer in one campaign: runs by spell, decisions and mails by time."""

    runs: Sequence[Row]
    decisions: Sequence[Row]
    messages: Sequence[Row]
    at: datetime

    @property
    def active(self) -> Row | None:
        """The run that goes on, if any."""
        return next((run for run in self.runs if run["status"] == "active"), None)

    def so_far(self) -> str:
        """Where the last run stands, and what came of its last step; '' for who was never in."""
        if not self.runs:
            return ""
        run = self.runs[-1]
        if run["status"] == "exited" and run["updated_at"] <= self.at:
            return f"left the campaign {stamp(run['updated_at'])}: {Reason(run['exit_reason']).sentence}"
        return f"{self._where(run)}; {self.last_step() or 'no step has been due'}"

    def _where(self, run: Row) -> str:
        """Nobody has been through whose last mail never left."""
        if run["status"] != "finished" or run["updated_at"] > self.at:
            return "is in the campaign"
        stays = bool(self.decisions) and self._mail(self.decisions[-1])
        return "is at the end of the campaign" if stays else "has been through the campaign"

    def last_step(self) -> str:
        """What came of the step decided last; '' where none was."""
        if not self.decisions:
            return ""
        last = self.decisions[-1]
        step, when = f"the step {last['step_id']!r}", stamp(last["at"])
        match last["verdict"]:
            case Verdict.SEND:
                return self._mail(last) or f"{step} was mailed {when}"
            case Verdict.HOLD if gone := self._mail(last, _ENDED):
                return gone
            case Verdict.HOLD:
                until = f" ({last['detail']})" if last["detail"] else ""
                return f"{step} is held: {Reason(last['reason']).sentence}{until}"
            case _:
                return f"{step} was passed over {when}: {Reason(last['reason']).sentence}"

    def _mail(self, decision: Row, states: Collection[str] = _BECAME) -> str:
        """What became of the mail decided upon, where it is in one of those states by then."""
        key = ("spell", "step_id")
        mail = next((m for m in self.messages if all(m[name] == decision[name] for name in key)), None)
        if mail is None or mail["status"] not in states or (mail["settled_at"] or self.at) > self.at:
            return ""
        why = f": {_why(mail['error'])}" if mail["error"] else ""
        return f"the mail of the step {decision['step_id']!r} {_BECAME[mail['status']]}{why}"


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"


def _why(error: str) -> str:
    """An error as written down: a reason told as its sentence, anything else as it is."""
    name = error.removeprefix("not sent: ")
    return Reason(name).sentence if name in set(Reason) else error
