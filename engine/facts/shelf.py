"""`campaigns/products.yaml` grows: new products are written below those that stand there, untouched.

The file is written by hand, so no line of it is changed, moved or formatted anew. What is added is read
again with the rest before it is kept.
"""

import io
import os
from collections.abc import Iterable, Mapping, Sequence
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

    def add(self, products: Iterable[Mapping[str, Any]]) -> None:
        """Write new products, each by its fields. Raises Problems where the file cannot take them."""
        new = [product for product in products if product["sku"] not in self.catalogue]
        if not new:
            return
        if self._path is None:
            msg = "there is no catalogue that products could be added to"
            raise ImportFailed(msg)
        indent = self._indent(self._path)
        text = self._path.read_text(encoding="utf-8-sig") if self._path.exists() else ""
        longer = _with_start(text) + "".join(_entry(product, indent) for product in new)
        self.catalogue = _read_again(relative(self._path), longer)
        _keep(self._path, longer)

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


def _keep(path: Path, text: str) -> None:
    """Under its name the file is whole at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.write_text(text, encoding="utf-8")
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
