"""What is the same in every mail of a template, worked out once and not for each.

The shop's name, a price, a macro that is called with nothing but words: where such an expression is
written out, what it comes to stands in its place. Jinja2 works it out itself, in the environment of the
template. What cannot be worked out, or might come out otherwise, stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

from jinja2 import nodes
from jinja2.utils import _PassArg

from engine.rendering.environment import COUNTED, MailEnvironment, begin_rendering
from engine.rendering.outside import outside_names
from engine.rendering.parsed import File, imported

PURE = frozenset(("range", "dict"))  # of what Jinja2 gives every template
_PROBE = "constant__"
_EXPRESSIONS = (
    nodes.Const, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Call,
    nodes.Filter, nodes.Test, nodes.Concat, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.BinExpr,
    nodes.UnaryExpr, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword,
)  # fmt: skip
_STATEMENTS = (nodes.Macro, nodes.Output, nodes.If, nodes.For, nodes.Assign)


def write_constants(files: Sequence[File], environment: MailEnvironment, same: Mapping[str, Any]) -> None:
    """Change the trees so that they write what every mail would; `same` are the names whose values it has."""
    constants = _Constants(files, environment, same)
    for file in files:
        found = list(constants.of(file))
        for place, said in zip(found, constants.worked_out(file, found), strict=True):
            if said is not None:
                place.write(said)


class _Place:
    """Where a tree writes the value of an expression."""

    def __init__(self, output: nodes.Output, number: int) -> None:
        self._output = output
        self._number = number
        self.expression = output.nodes[number]

    def write(self, said: str) -> None:
        """Text instead: what the expression comes to, escaped already."""
        self._output.nodes[self._number] = nodes.TemplateData(said, lineno=self.expression.lineno)


class _Constants:
    def __init__(self, files: Sequence[File], environment: MailEnvironment, same: Mapping[str, Any]) -> None:
        self._files = {file.source.name: file for file in files}
        self._environment = environment
        self._same = same
        self._judged: dict[int, bool] = {}  # by the macro

    def of(self, file: File) -> Iterator[_Place]:
        """Each place in a file where a constant is written out."""
        if not self._same or any(name.startswith(_PROBE) for name in self._meanings):
            return
        for output in file.tree.find_all(nodes.Output):
            for number, node in enumerate(output.nodes):
                if not isinstance(node, nodes.TemplateData) and self._is_constant(node):
                    yield _Place(output, number)

    def worked_out(self, file: File, places: Sequence[_Place]) -> Iterator[str | None]:
        """What each of them comes to; None where that is a mistake, which is told when it is written."""
        if not places:
            return
        names = [f"{_PROBE}{number}" for number, _ in enumerate(places)]
        known = (*file.tree.find_all(nodes.FromImport), *file.tree.find_all(nodes.Macro))
        asked = (_macro(name, place.expression) for name, place in zip(names, places, strict=True))
        probe = nodes.Template([*known, *asked], lineno=1)
        probe.set_environment(self._environment)
        trees = {other.source.name: other.tree for other in self._files.values()}
        template = self._environment.with_trees({**trees, _PROBE: probe}).get_template(_PROBE)
        begin_rendering()
        module = template.make_module(dict(self._same))
        for name in names:
            begin_rendering()
            try:
                yield str(getattr(module, name)())
            except Exception:  # noqa: BLE001 - whatever it is, it is told of the mail that comes to it
                yield None

    # ── what is constant ────────────────────────────────────────────────────────────────────────

    def _is_constant(self, node: nodes.Node, local: frozenset[str] = frozenset()) -> bool:
        """Whether it looks at nothing but constants, and at these names of its own."""
        return all(map(self._is_pure, _all_of(node))) and all(
            self._is_known(name) or name.name in local for name in _names(node) if name.ctx == "load"
        )

    def _is_pure(self, node: nodes.Node) -> bool:
        """Whether what it does follows from its parts alone: what looks at the whole mail does not."""
        if isinstance(node, nodes.Filter) and node.name != COUNTED:
            asked = self._environment.filters.get(node.name)
            return asked is not None and _PassArg.from_obj(asked) is not _PassArg.context
        return isinstance(node, _EXPRESSIONS + _STATEMENTS)

    def _is_known(self, name: nodes.Name) -> bool:
        """Whether it means the same wherever it stands: nothing gives it a meaning, or one macro does."""
        if name.name not in self._meanings:
            return name.name in self._same or name.name in PURE
        macro = self._meanings[name.name]
        return macro is not None and self._is_constant_macro(macro)

    def _is_constant_macro(self, macro: nodes.Macro) -> bool:
        """Whether what it writes follows from what it is given."""
        key = id(macro)
        if key not in self._judged:
            self._judged[key] = False  # one that calls itself
            own = frozenset(name.name for name in _names(macro) if name.ctx != "load") | {"loop"}
            outside = (name for name in _names(macro) if id(name) in self._outside)
            self._judged[key] = self._is_constant(macro, own) and all(map(self._is_known, outside))
        return self._judged[key]

    @cached_property
    def _outside(self) -> frozenset[int]:
        """The names that no file gives a meaning where they stand."""
        return frozenset(
            id(name) for file in self._files.values() for name in outside_names(file.tree, self._environment)
        )

    @cached_property
    def _meanings(self) -> Mapping[str, nodes.Macro | None]:
        """Each name that any file gives a meaning: the macro that it always stands for, if it does."""
        found: dict[str, nodes.Macro | None] = {}
        for name, meaning in chain.from_iterable(map(self._given, self._files.values())):
            found[name] = meaning if found.get(name, meaning) is meaning else None
        return found

    def _given(self, file: File) -> Iterator[tuple[str, nodes.Macro | None]]:
        yield from ((name.name, None) for name in _names(file.tree) if name.ctx != "load")
        yield from ((macro.name, macro) for macro in file.tree.find_all(nodes.Macro))
        yield from ((name, None) for name in file.modules)
        for node in file.tree.find_all(nodes.FromImport):
            there = self._files.get(str(getattr(node.template, "value", "")))
            yield from ((alias, there.macros.get(name) if there else None) for name, alias in imported(node))


def _macro(name: str, expression: nodes.Expr) -> nodes.Macro:
    """One that writes it."""
    written = nodes.Output([expression], lineno=expression.lineno)
    return nodes.Macro(name, [], [], [written], lineno=expression.lineno)


def _all_of(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Node)


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    return (part for part in _all_of(node) if isinstance(part, nodes.Name))
