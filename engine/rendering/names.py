"""Names that stand for nothing: variables, attributes, filters and tests, each with its line."""

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

from jinja2 import TemplateAssertionError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE

from engine.errors import Problem
from engine.facts.catalogue import Catalogue
from engine.registry import did_you_mean
from engine.rendering.context import ATTRIBUTES, NAMES, RESULTS
from engine.rendering.environment import FORBIDDEN_FILTERS, MailEnvironment
from engine.rendering.parsed import File


def check_names(
    files: Sequence[File], environment: MailEnvironment, catalogue: Catalogue
) -> Iterator[Problem]:
    """Everything that the files name and that will not be there."""
    stored = frozenset(name for file in files for name in file.stored)
    for file in files:
        yield from _unknown_variables(file, environment, stored)
        for node in file.tree.find_all((nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem, nodes.Call)):
            yield from _check(file, node, environment, catalogue)


def attribute_names(files: Iterable[File]) -> set[str]:
    """The attributes of customers that templates ask for."""
    calls = (call for file in files for call in file.tree.find_all(nodes.Call) if _asks_attribute(call))
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], nodes.Const)}


# ── variables ───────────────────────────────────────────────────────────────────────────────────


def share_context(files: Sequence[File], environment: MailEnvironment) -> None:
    """Let macros see what every template sees, where they or what they import look for it.

    What is imported without is run once and not for each mail.
    """
    seeing: set[str] = set()
    for _ in files:  # so often that it has passed on from each file to each that imports it
        seeing |= {file.source.name for file in files if _looks_outside(file, environment, seeing)}
    for file in files:
        for node in file.tree.find_all((nodes.Import, nodes.FromImport)):
            setattr(node, "with_context", _target(node) in seeing)  # noqa: B010 - no common type in the stubs


def _looks_outside(file: File, environment: MailEnvironment, seeing: Set[str]) -> bool:
    names = {name.name for name in _outside(file.tree, environment)}
    imports = file.tree.find_all((nodes.Import, nodes.FromImport))
    return bool(names & NAMES) or any(_target(node) in seeing for node in imports)


def _target(node: Any) -> str:
    return str(node.template.value)


class _Resolved(CodeGenerator):
    """Jinja2's compiler, which knows all about scopes, run only to learn what is looked up outside."""

    def __init__(self, environment: MailEnvironment) -> None:
        super().__init__(environment, "<names>", "<names>", optimized=False)
        self.names: list[nodes.Name] = []

    def write(self, x: str) -> None:
        """Nothing: the code is not wanted."""

    def visit_Name(self, node: nodes.Name, frame: Frame) -> None:  # noqa: N802 - as in Jinja2
        load = frame.symbols.find_load(frame.symbols.ref(node.name))
        if node.ctx == "load" and load is not None and load[0] == VAR_LOAD_RESOLVE:
            self.names.append(node)
        super().visit_Name(node, frame)

    def _parts(self, node: nodes.Node, frame: Frame) -> None:
        for part in node.iter_child_nodes():
            self.visit(part, frame)

    visit_Filter = visit_Test = _parts  # noqa: N815 - unknown ones are told elsewhere, all of them


def _outside(tree: nodes.Template, environment: MailEnvironment) -> list[nodes.Name]:
    """The names that a file looks up outside itself."""
    found = _Resolved(environment)
    found.visit(tree)
    return found.names


def _unknown_variables(file: File, environment: MailEnvironment, stored: frozenset[str]) -> Iterator[Problem]:
    try:
        names = _outside(file.tree, environment)
    except TemplateAssertionError as error:
        yield file.source.problem(error.lineno, f"template syntax: {error.message}")
        return
    known = (
        NAMES | stored | environment.globals.keys() | {"loop", "self", "super", "caller", "varargs", "kwargs"}
    )
    for name in names:
        if name.name not in known:
            hint = did_you_mean(name.name, NAMES | stored)
            yield file.source.problem(name.lineno, f"undefined variable {name.name!r}", hint, name.name)


# ── attributes, filters, tests ──────────────────────────────────────────────────────────────────


def _check(
    file: File, node: nodes.Node, environment: MailEnvironment, catalogue: Catalogue
) -> Iterator[Problem]:
    match node:
        case nodes.Filter():
            yield from _check_filter(file, node, environment)
        case nodes.Test() if node.name not in environment.tests:
            yield _unknown(file, node, "test", environment.tests)
        case nodes.Getattr():
            yield from _check_attribute(file, node, node.attr)
        case nodes.Getitem(arg=nodes.Const(value=str(attr))):
            yield from _check_attribute(file, node, attr)
        case nodes.Call() if _asks_attribute(node):
            yield from _check_attribute_call(file, node)
        case nodes.Call(node=nodes.Name(name="product")):
            yield from _check_product(file, node, catalogue)


def _check_filter(file: File, node: nodes.Filter, environment: MailEnvironment) -> Iterator[Problem]:
    if node.name in FORBIDDEN_FILTERS:
        message = f"the filter {node.name!r} is not allowed"
        yield file.source.problem(node.lineno, message, FORBIDDEN_FILTERS[node.name], node.name)
    elif node.name not in environment.filters:
        yield _unknown(file, node, "filter", environment.filters)


def _unknown(file: File, node: Any, kind: str, known: Iterable[str]) -> Problem:
    hint = did_you_mean(node.name, [name for name in known if name.isidentifier()])
    return file.source.problem(node.lineno, f"unknown {kind} {node.name!r}", hint, node.name)


def _check_attribute(file: File, node: nodes.Getattr | nodes.Getitem, attr: str) -> Iterator[Problem]:
    match node.node:
        case nodes.Name(name=name) if name in ATTRIBUTES:
            said, known = name, ATTRIBUTES[name]
        case nodes.Call(node=nodes.Name(name=name)) if name in RESULTS:
            said, known = f"{name}(…)", RESULTS[name]
        case _:
            return
    if attr not in known:
        hint = did_you_mean(attr, known)
        yield file.source.problem(node.lineno, f"undefined: {said} has no {attr!r}", hint, attr)


def _asks_attribute(node: nodes.Call) -> bool:
    match node.node:
        case nodes.Getattr(node=nodes.Name(name="customer"), attr="attribute"):
            return True
        case _:
            return False


def _check_attribute_call(file: File, node: nodes.Call) -> Iterator[Problem]:
    match node.args, [keyword.key for keyword in node.kwargs]:
        case [nodes.Const(value=str())], ["default"]:
            return
        case _:
            hint = "such as customer.attribute('plan', default='free')"
            yield file.source.problem(
                node.lineno, "customer.attribute needs a name in quotes and a default", hint, "attribute"
            )


def _check_product(file: File, node: nodes.Call, catalogue: Catalogue) -> Iterator[Problem]:
    for sku in node.args:
        if isinstance(sku, nodes.Const) and sku.value not in catalogue:
            hint = did_you_mean(str(sku.value), catalogue) or "add it to campaigns/products.yaml"
            yield file.source.problem(node.lineno, f"unknown product {sku.value!r}", hint, str(sku.value))
