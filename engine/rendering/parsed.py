"""One file of a template, parsed, and the names in it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from jinja2 import nodes

from engine.rendering.sources import Source


@dataclass(frozen=True, eq=False)
class File:
    """One file of the template, parsed."""

    source: Source
    tree: nodes.Template

    @cached_property
    def macros(self) -> Mapping[str, nodes.Macro]:
        return {macro.name: macro for macro in self.tree.find_all(nodes.Macro)}

    @cached_property
    def blocks(self) -> Mapping[str, nodes.Block]:
        return {block.name: block for block in self.tree.find_all(nodes.Block)}

    @cached_property
    def homonyms(self) -> Mapping[str, Sequence[nodes.Macro]]:
        """All the macros of its own that have one name, perhaps in scopes of their own."""
        found: dict[str, list[nodes.Macro]] = defaultdict(list)
        for macro in self.tree.find_all(nodes.Macro):
            found[macro.name].append(macro)
        return found

    @cached_property
    def imports(self) -> Mapping[str, Sequence[tuple[nodes.Expr, str]]]:
        """By the name a macro has here: the files it is imported from, and its name there."""
        found: dict[str, list[tuple[nodes.Expr, str]]] = defaultdict(list)
        for node in self.tree.find_all(nodes.FromImport):
            for wanted, alias in imported(node):
                found[alias].append((node.template, wanted))
        return found

    @cached_property
    def modules(self) -> Mapping[str, Sequence[nodes.Expr]]:
        """The files that are imported whole, by the names they have here."""
        found: dict[str, list[nodes.Expr]] = defaultdict(list)
        for node in self.tree.find_all(nodes.Import):
            found[node.target].append(node.template)
        return found

    @cached_property
    def stored(self) -> frozenset[str]:
        """Every name that the file itself gives to something."""
        names = (node.name for node in self.tree.find_all(nodes.Name) if node.ctx != "load")
        return frozenset((*names, *self.macros, *self.imports, *self.modules))


def imported(node: nodes.FromImport) -> Iterator[tuple[str, str]]:
    """The names of an import, each as it is there and as it is here."""
    for name in node.names:
        yield name if isinstance(name, tuple) else (name, name)
