"""settings.md: everything that can be set, with its name in the environment."""

from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel

from engine.settings.model import PREFIX, Settings
from engine.settings.values import Part
from pages.markdown import code, field_rows, fields, page, table

INTRO = """\
Settings stand in `config.yaml`, in the project's folder. Every one of them has a default, so a file
that names only your shop is a whole file; an unknown key is an error. `config.example.yaml` shows
them all with comments.

Each can come from the environment as well, which wins over the file: `AFTERSALE_` and the name in
capitals, with two underscores for each step down. A password, such as that of a database, is only
taken from there, never from the file.
"""
EXAMPLE = """\
AFTERSALE_DATABASE=postgresql://bakery:secret@localhost/aftersale
AFTERSALE_FREQUENCY__MAX=2
"""
COLUMNS = ("setting", "type", "default", "meaning", "in the environment")


def pages() -> dict[str, str]:
    parts = [
        part for name in fields(Settings) if (section := _section(name)) for part in _told(name, section)
    ]
    top = table(COLUMNS, _rows(Settings, "", [name for name in fields(Settings) if _stands_alone(name)]))
    return {"settings.md": page("Settings", INTRO, code(EXAMPLE, "sh"), top, *parts, FOLDER)}


def _section(name: str) -> type[Part] | None:
    """The keys below a setting, or of each thing in its list."""
    annotation = Settings.model_fields[name].annotation
    kind = next(iter(get_args(annotation)), annotation)
    return kind if isinstance(kind, type) and issubclass(kind, Part) else None


def _stands_alone(name: str) -> bool:
    return not _section(name) or bool(get_args(Settings.model_fields[name].annotation))


def _told(name: str, section: type[Part]) -> Iterator[str]:
    yield f"## {name}"
    yield section.__doc__ or ""
    yield table(COLUMNS, _rows(section, f"{name}.", list(fields(section))))


def _rows(model: type[BaseModel], prefix: str, names: list[str]) -> Iterator[list[str]]:
    for name, (_, kind, usual, meaning) in zip(names, field_rows(model, names), strict=True):
        variable = PREFIX + f"{prefix}{name}".replace(".", "__").upper()
        yield [f"`{prefix}{name}`", kind, usual, meaning, f"`{variable}`"]


FOLDER = """\
## The project's folder

A command works on the project in the folder it is called in. `--project DIR`, or `AFTERSALE_PROJECT`
in the environment, names another. Paths in the settings are taken from the project's folder.
"""
