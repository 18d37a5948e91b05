"""`campaigns/products.yaml` grows: new products are written below those that stand there, untouched.

The file is written by hand, so no line of it is changed, moved or formatted anew. What is added is read
again with the rest before it is kept.
"""

import fcntl
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from engine.documents import parse_document, read_document
from engine.errors import ImportFailed, Problem, Problems, relative
from engine.facts.catalogue import Catalogue, catalogue_of

KEY = "products"
_START = f"{KEY}:\n"


class Shelf:
    """The products that the catalogue knows, and the file it is written in."""

    def __init__(self, path: Path | None, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._path = path

    def add(self, products: Iterable[Mapping[str, Any]]) -> list[str]:
        """Write new products, each by its fields, and say which. Raises Problems where the file cannot
        take them, ImportFailed where it was changed meanwhile.
        """
        new = [product for product in products if product["sku"] not in self.catalogue]
        if not new:
            return []
        if self._path is None:
            msg = "there is no catalogue that products could be added to"
            raise ImportFailed(msg)
        with _alone(self._path):
            return self._add(self._path, new)

    def _add(self, path: Path, new: Sequence[Mapping[str, Any]]) -> list[str]:
        """Others may have added to the file since it was read, so it is read again."""
        text = _text(path)
        self.catalogue = catalogue_of(parse_document(relative(path), text))
        missing = [product for product in new if product["sku"] not in self.catalogue]
        if missing:
            indent = self._indent(path)
            longer = _with_start(text) + "".join(_entry(product, indent) for product in missing)
            self.catalogue = _read_again(relative(path), longer)
            _keep(path, longer, text)
        return [product["sku"] for product in missing]

    def _indent(self, path: Path) -> str:
        """How far the products stand in, that are there already."""
        if not self.catalogue:
            return "  "
        first = read_document(path).problem((KEY, next(iter(self.catalogue))), "")
        return " " * (first.column - 1)


def _read_again(name: str, text: str) -> Catalogue:
    try:
        return catalogue_of(parse_document(name, text))
    except Problems as problems:
        hint = "write each product on lines of its own, and nothing below them"
        msg = f"products cannot be added below those that are there: {problems.problems[0].message}"
        raise Problems([Problem(name, 0, 0, msg, hint)]) from problems


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig") if path.exists() else ""


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else adds to the file meanwhile; its folder is locked, since the file itself is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _keep(path: Path, text: str, before: str) -> None:
    """Under its name the file is whole at any time. An editor knows no lock: what it saved is not lost."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.write_text(text, encoding="utf-8")
    if _text(path) != before:
        beside.unlink()
        msg = f"{relative(path)} was changed while products were to be added to it; nothing was added"
        raise ImportFailed(msg, hint="try again")
    beside.replace(path)


def _with_start(text: str) -> str:
    """The text so far, ready for one more product."""
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    return ended if any(line.startswith(f"{KEY}:") for line in ended.splitlines()) else ended + _START


def _entry(product: Mapping[str, Any], indent: str) -> str:
    said = {name: value for name, value in product.items() if name != "sku" and value not in ("", ())}
    fields = {name: _plain(value) for name, value in said.items()}
    yaml = YAML()
    yaml.width = 4096
    text = io.StringIO()
    yaml.dump({product["sku"]: fields}, text)
    return "\n" + "".join(f"{indent}{line}\n" for line in text.getvalue().splitlines())


def _plain(value: Any) -> Any:
    """A value as YAML has it; an amount is text that is a number as it stands."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def amount(text: str) -> Any:
    """An amount as it is to be written, with its digits."""
    return YAML().load(text)
