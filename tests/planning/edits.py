"""A project's files as plain data, and every edit that somebody may make to them while people are in flight."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.planning.harness import campaign_text

WAITS = ["0", "1d", "3d", "5d"]
SKUS = ["[towel]", "[course, mug]", "[club]", "[]"]
AUDIENCES = [
    "{bought: {product: guide}}",
    "{bought: {any: true, older_than: 2d}}",
    "{consumed: {product: guide}}",
    "{all: [{bought: {product: guide}}, {not: {bought: {product: course}}}]}",
    "{bought: {product: mug}}",
]
NOT_FOR_OWED = ("topic", "offers", "holdout", "priority")  # words that transactional campaigns do not have
NOBODY = "{bought: {product: patron}}"
CAPS: list[list[dict[str, Any]]] = [
    [{"max": 5, "per": "1d"}],
    [{"max": 1, "per": "1d"}],
    [{"max": 1, "per": "4d"}, {"max": 2, "per": "9d"}],
    [{"max": 3, "per": "12d"}, {"max": 1, "per": "9d", "topic": "news"}],
    [],
]
WINDOWS = [
    "",
    "{days: [mon, tue, wed, thu], between: 09:00-11:00}",
    "{days: [sat, sun], between: 22:00-06:30}",
    "{days: [mon, tue, wed, thu, fri, sat, sun], between: 00:15-23:45, late: skip}",
]


@dataclass(frozen=True)
class StepText:
    """A step by the id it began with, what the file calls it now, and its words."""

    id: str
    name: str
    after: str = "0"
    when: str = ""
    send: str = ""

    def __str__(self) -> str:
        words = [f"id: {self.name}", f"was: {self.id}"] if self.name != self.id else [f"id: {self.id}"]
        words += [f"after: {self.after}"]
        words += [f"when: {self.when}"] if self.when else []
        words += [f"send: {self.send}"] if self.send else []
        return f"{{{', '.join(words)}, email: {{subject: Hello, template: a.html}}}}"


@dataclass(frozen=True)
class FileText:
    """A campaign's file: the id it began with, what it is called now, its steps and its other words."""

    id: str
    name: str
    steps: tuple[StepText, ...]
    words: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        was = {"was": self.id} if self.name != self.id else {}
        return campaign_text(self.name, **was, **self.words, steps=f"[{', '.join(map(str, self.steps))}]")

    def told(self) -> str:
        """In one line."""
        steps = "; ".join(
            " ".join(filter(None, (each.name, each.after, each.when, each.send))) for each in self.steps
        )
        words = (f"{key.rstrip('_')} {value}" for key, value in self.words.items())
        return f"{self.name}{f' (was {self.id})' if self.name != self.id else ''}: {', '.join(words)}; steps {steps}"


@dataclass(frozen=True)
class House:
    """All that somebody may edit. `drawer` holds what was deleted, and may come back."""

    files: tuple[FileText, ...]
    settings: Mapping[str, Any]
    drawer: tuple[FileText, ...] = ()
    broken: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()

    def with_file(self, edited: FileText) -> "House":
        return replace(self, files=tuple(edited if f.id == edited.id else f for f in self.files))

    def told_beside(self, before: "House") -> list[str]:
        """What is another than before."""
        said = [f"{file.told()}" for file in self.files if file not in before.files]
        said += [f"{file.name} is deleted" for file in before.files if file.id not in _ids(self.files)]
        said += [f"settings {dict(self.settings)}"] if self.settings != before.settings else []
        for word, now, then in (
            ("broken", self.broken, before.broken),
            ("paused", self.paused, before.paused),
        ):
            said += [f"{each} is {word}" for each in sorted(now - then)]
            said += [f"{each} is no longer {word}" for each in sorted(then - now)]
        return said


def _ids(files: Sequence[FileText | StepText]) -> set[str]:
    return {each.id for each in files}


# ── what may be done to one campaign ────────────────────────────────────────────────────────────

OnFile = Callable[[FileText, Random], FileText]


def _add_step(file: FileText, chance: Random) -> FileText:
    """One that never was, or one that was removed before."""
    free = [f"s{n}" for n in range(8) if f"s{n}" not in _ids(file.steps)]
    if not free or len(file.steps) > 4:
        return file
    fresh, place = chance.choice(free), chance.randint(0, len(file.steps))
    added = StepText(fresh, fresh, chance.choice(WAITS))
    return replace(file, steps=(*file.steps[:place], added, *file.steps[place:]))


def _remove_steps(file: FileText, chance: Random) -> FileText:
    """One or several of them, and never all."""
    left = chance.sample(range(len(file.steps)), chance.randint(1, len(file.steps)))
    return replace(file, steps=tuple(step for n, step in enumerate(file.steps) if n in left))


def _reorder_steps(file: FileText, chance: Random) -> FileText:
    return replace(file, steps=tuple(chance.sample(file.steps, len(file.steps))))


def _on_step(**choices: Sequence[str]) -> OnFile:
    def edit(file: FileText, chance: Random) -> FileText:
        place = chance.randrange(len(file.steps))
        new = {word: chance.choice(values) for word, values in choices.items()}
        return replace(
            file,
            steps=tuple(replace(step, **new) if n == place else step for n, step in enumerate(file.steps)),
        )

    return edit


def _rename_step(file: FileText, chance: Random) -> FileText:
    step = chance.choice(file.steps)
    named = replace(step, name=f"{step.id}-{chance.randrange(100)}")
    return replace(file, steps=tuple(named if each is step else each for each in file.steps))


def _word(word: str, *choices: str) -> OnFile:
    """An empty choice leaves the word out."""

    def edit(file: FileText, chance: Random) -> FileText:
        chosen = chance.choice(choices)
        words = {key: value for key, value in file.words.items() if key != word}
        no_word = "transactional" in file.words and word in NOT_FOR_OWED
        return file if no_word else replace(file, words=words | ({word: chosen} if chosen else {}))

    return edit


def _rename(file: FileText, chance: Random) -> FileText:
    return replace(file, name=f"{file.id}-{chance.randrange(100)}")


ON_FILES: Mapping[str, OnFile] = {
    "a step added": _add_step,
    "steps removed": _remove_steps,
    "steps in another order": _reorder_steps,
    "another wait": _on_step(after=WAITS),
    "another when": _on_step(when=["", "{bought: {product: mug}}", "{not: {bought: {product: mug}}}"]),
    "another window": _on_step(send=WINDOWS),
    "a step renamed": _rename_step,
    "another audience": _word("audience", *AUDIENCES),
    "another while": _word("while_", "", "{bought: {any: true}}", "{not: {bought: {product: mug}}}"),
    "another goal": _word("goal", "", "{bought: {product: course}}", "{bought: {product: mug}}"),
    "another enter": _word("enter", "once", "every_time", "{again_after: 3d}", "{again_after: 12d}"),
    "another priority": _word("priority", "0", "1", "2"),
    "another topic": _word("topic", "", "news"),
    "another offer": _word("offers", *SKUS),
    "another holdout": _word("holdout", "0%", "40%", "100%"),
    "another hold": _word("hold", "{at_most: 0}", "{at_most: 3d}", "{at_most: 6d, then: exit}"),
    "renamed, with was": _rename,
}

# ── what may be done to the house ───────────────────────────────────────────────────────────────

OnHouse = Callable[[House, Random], House]


def _rename_without_was(house: House, chance: Random) -> House:
    file = chance.choice(house.files)
    fresh = f"{file.id}v"
    if len(fresh) > 5 or fresh in _ids(house.files):
        return house
    kept = tuple(file for file in house.drawer if file.id != fresh)
    renamed = replace(house.with_file(file), drawer=(*kept, file), broken=house.broken - {file.id})
    files = tuple(replace(f, id=fresh, name=fresh) if f.id == file.id else f for f in renamed.files)
    return replace(renamed, files=files)


def _delete(house: House, chance: Random) -> House:
    if len(house.files) == 1:
        return house
    gone = chance.choice(house.files)
    left = tuple(file for file in house.files if file is not gone)
    return replace(house, files=left, drawer=(*house.drawer, gone), broken=house.broken - {gone.id})


def _bring_back(house: House, chance: Random) -> House:
    back = [file for file in house.drawer if file.id not in _ids(house.files)]
    if not back:
        return house
    file = chance.choice(back)
    left = tuple(other for other in house.drawer if other.id != file.id)
    return replace(house, files=(*house.files, file), drawer=left)


def _marked(word: str) -> OnHouse:
    """Broken and mended, or paused and resumed, in turns."""

    def edit(house: House, chance: Random) -> House:
        marked: frozenset[str] = getattr(house, word)
        return replace(house, **{word: marked ^ {chance.choice(house.files).id}})

    return edit


def _setting(word: str, *choices: Any) -> OnHouse:
    return lambda house, chance: replace(house, settings={**house.settings, word: chance.choice(choices)})


ON_HOUSES: Mapping[str, OnHouse] = {
    "renamed, without was": _rename_without_was,
    "deleted": _delete,
    "brought back": _bring_back,
    "broken or mended": _marked("broken"),
    "paused or resumed": _marked("paused"),
    "other caps": _setting("frequency", *CAPS),
    "another gap": _setting("minimum_gap", "0", "5h", "20h", "2d"),
    "other quiet hours": _setting("quiet_hours", "", "22:00-07:00", "00:30-02:30"),
}
KINDS = [*ON_FILES, *ON_HOUSES]


@dataclass(frozen=True)
class Edit:
    """One of these, with all that is chosen in it by a number."""

    kind: str
    number: int

    def of(self, house: House) -> House:
        chance = Random(self.number)
        if self.kind in ON_HOUSES:
            return ON_HOUSES[self.kind](house, chance)
        file = chance.choice(house.files)
        return house.with_file(ON_FILES[self.kind](file, chance))


def closed(house: House) -> House:
    """Nobody enters any more, all is mended, and nothing is paused: who is in goes on to the end."""
    files = tuple(replace(file, words={**file.words, "audience": NOBODY}) for file in house.files)
    return replace(house, files=files, broken=frozenset(), paused=frozenset())
