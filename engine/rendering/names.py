"""Names that stand for nothing: variables, attributes, filters and tests, each with its line."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from jinja2 import TemplateAssertionError, nodes

from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rendering.claims import CLAIMS
from engine.rendering.context import ATTRIBUTES, NAMES, RESULTS
from engine.rendering.environment import FORBIDDEN_FILTERS, MailEnvironment
from engine.rendering.outside import outside_names
from engine.rendering.parsed import File

JINJA_NAMES = frozenset(("loop", "self", "super", "caller", "varargs", "kwargs"))
_CHECKED = (nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem, nodes.Call)


def check_names(
    files: Sequence[File], environment: MailEnvironment, catalogue: Catalogue
) -> Iterator[Problem]:
    """Everything that the files name and that will not be there."""
    stored = frozenset(name for file in files for name in file.stored)
    for file in files:
        try:
            names = outside_names(file.tree, environment)
        except TemplateAssertionError as error:
            yield file.source.problem(error.lineno, f"template syntax: {error.message}")
        else:
            yield from _Checker(file, environment, catalogue, names).check(stored)


def attribute_names(files: Iterable[File]) -> set[str]:
    """The attributes of customers that templates ask for."""
    calls = (call for file in files for call in file.tree.find_all(nodes.Call) if _asks_attribute(call))
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], nodes.Const)}


def _asks_attribute(call: nodes.Call) -> bool:
    match call.node:
        case nodes.Getattr(node=nodes.Name(name="customer"), attr="attribute"):
            return True
        case _:
            return False


class _Checker:
    """Checks one file. `names` are those that it gives no meaning of its own where they stand."""

    def __init__(
        self, file: File, environment: MailEnvironment, catalogue: Catalogue, names: Sequence[nodes.Name]
    ) -> None:
        self.file = file
        self.environment = environment
        self.catalogue = catalogue
        self.names = names
        self._ours = {id(name) for name in names if name.name in NAMES}

    def check(self, stored: frozenset[str]) -> Iterator[Problem]:
        """All that is wrong; `stored` are the names that any file of the template gives a meaning."""
        yield from self._variables(stored)
        yield from self._taken()
        for node in self.file.tree.find_all(_CHECKED):
            yield from getattr(self, f"_check_{type(node).__name__.lower()}")(node)

    def _told(self, node: nodes.Node, message: str, hint: str | None, word: str) -> Problem:
        return self.file.source.problem(node.lineno, message, hint, word)

    def _variables(self, stored: frozenset[str]) -> Iterator[Problem]:
        known = NAMES | stored | JINJA_NAMES | self.environment.globals.keys()
        for name in self.names:
            if name.name not in known:
                hint = did_you_mean(name.name, NAMES | stored)
                yield self._told(name, f"undefined variable {name.name!r}", hint, name.name)

    def _taken(self) -> Iterator[Problem]:
        """A claim must be one wherever its name stands."""
        for node in self.file.tree.find_all((nodes.Name, nodes.Macro)):
            name = str(getattr(node, "name", ""))
            if name in CLAIMS and getattr(node, "ctx", "store") != "load":
                message = f"{name!r} cannot be given another meaning"
                yield self._told(node, message, "choose another name", name)

    def _check_filter(self, node: nodes.Filter) -> Iterator[Problem]:
        if node.name in FORBIDDEN_FILTERS:
            message = f"the filter {node.name!r} is not allowed"
            yield self._told(node, message, FORBIDDEN_FILTERS[node.name], node.name)
        elif node.name not in self.environment.filters:
            yield self._unknown(node, "filter", self.environment.filters)

    def _check_test(self, node: nodes.Test) -> Iterator[Problem]:
        if node.name not in self.environment.tests:
            yield self._unknown(node, "test", self.environment.tests)

    def _unknown(self, node: Any, kind: str, known: Iterable[str]) -> Problem:
        hint = did_you_mean(node.name, [name for name in known if name.isidentifier()])
        return self._told(node, f"unknown {kind} {node.name!r}", hint, node.name)

    def _check_getattr(self, node: nodes.Getattr) -> Iterator[Problem]:
        return self._attribute(node, node.attr)

    def _check_getitem(self, node: nodes.Getitem) -> Iterator[Problem]:
        written = isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str)
        return self._attribute(node, str(node.arg.as_const())) if written else iter(())

    def _attribute(self, node: nodes.Getattr | nodes.Getitem, attribute: str) -> Iterator[Problem]:
        said, known = self._known_attributes(node.node)
        if known and attribute not in known:
            hint = did_you_mean(attribute, known)
            yield self._told(node, f"undefined: {said} has no {attribute!r}", hint, attribute)

    def _known_attributes(self, node: nodes.Expr) -> tuple[str, frozenset[str]]:
        match node:
            case nodes.Name(name=name) if id(node) in self._ours:
                return name, ATTRIBUTES.get(name, frozenset())
            case nodes.Call(node=nodes.Name(name=name) as called) if id(called) in self._ours:
                return f"{name}(…)", RESULTS.get(name, frozenset())
            case _:
                return "", frozenset()

    def _check_call(self, node: nodes.Call) -> Iterator[Problem]:
        if _asks_attribute(node):
            yield from self._asked_well(node)
        elif self._known_attributes(node)[0] == "product(…)":
            yield from self._known_product(node)

    def _asked_well(self, node: nodes.Call) -> Iterator[Problem]:
        match node.args, [keyword.key for keyword in node.kwargs]:
            case [nodes.Const(value=str())], ["default"]:
                return
            case _:
                message = "customer.attribute needs a name in quotes and a default"
                hint = "such as customer.attribute('plan', default='free')"
                yield self._told(node, message, hint, "attribute")

    def _known_product(self, node: nodes.Call) -> Iterator[Problem]:
        for sku in node.args:
            if isinstance(sku, nodes.Const) and sku.value not in self.catalogue:
                hint = did_you_mean(str(sku.value), self.catalogue) or "add it to campaigns/products.yaml"
                yield self._told(node, f"unknown product {sku.value!r}", hint, str(sku.value))
