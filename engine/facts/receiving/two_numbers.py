"""Orders that are told of under two numbers: what comes under the one is of the other, once that is known."""

from collections.abc import Iterable, Mapping, Sequence

from engine.facts.receiving.dossier import FIRST, Dossier, Key
from engine.facts.receiving.inbound import Told
from engine.facts.receiving.saying import OfOrder

SAME_AS = "same_as"
Speaking = dict[Key, list[tuple[Told, OfOrder]]]


def others(files: Mapping[Key, Dossier], speaking: Speaking) -> dict[Key, Key]:
    """Of those dossiers the ones that are of an order of another number, each with its key.

    One under which an order was told itself is that order's.
    """
    found = {}
    for key, dossier in files.items():
        _note(dossier, (each for _, each in speaking[key]))
        other = dossier.said.get(SAME_AS, key[1])
        if other != key[1] and FIRST not in dossier.said:
            found[key] = (key[0], str(other))
    return found


def hand_over(
    files: Mapping[Key, Dossier], speaking: Speaking, which: Mapping[Key, Key]
) -> Sequence[Dossier]:
    """What was told under the one number is told under the other from here on; the dossiers left empty."""
    for key, other in which.items():
        speaking.setdefault(other, []).extend(speaking.pop(key))
        files[other].take_over(files[key])
    return [files[key] for key in which]


def _note(dossier: Dossier, told: Iterable[OfOrder]) -> None:
    for each in told:
        if each.same_as:
            dossier.said.setdefault(SAME_AS, each.same_as)
