"""What the files of a template look up outside themselves."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.idtracking import VAR_LOAD_RESOLVE

from engine.rendering.context import NAMES
from engine.rendering.environment import MailEnvironment
from engine.rendering.parsed import File


def outside_names(tree: nodes.Template, environment: MailEnvironment) -> list[nodes.Name]:
    """Each place where a name is used that the file itself gives no meaning there.

    Raises TemplateAssertionError where Jinja2 cannot compile the file.
    """
    found = _Resolved(environment)
    found.visit(tree)
    return found.names


class _Resolved(CodeGenerator):
    """Jinja2's compiler, which knows all about scopes, run only to learn what it would look up."""

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


def share_context(files: Sequence[File], environment: MailEnvironment) -> None:
    """Let macros see what every template sees, where they or what they import look for it.

    What is imported without is run once and not for each mail.
    """
    imports = {file.source.name: list(file.tree.find_all((nodes.Import, nodes.FromImport))) for file in files}
    seeing = {file.source.name for file in files if _looks(file, environment)}
    for _ in files:  # so often that it has passed on from each file to each that imports it
        seeing |= {name for name, found in imports.items() if any(_target(node) in seeing for node in found)}
    for node in chain.from_iterable(imports.values()):
        setattr(node, "with_context", _target(node) in seeing)  # noqa: B010 - no common type in the stubs


def speaks(file: File) -> bool:
    """Whether it names what only a mail knows, by whatever meaning: the customer, the shop, a claim …"""
    return any(name.name in NAMES for name in file.tree.find_all(nodes.Name))


def _looks(file: File, environment: MailEnvironment) -> bool:
    return any(name.name in NAMES for name in outside_names(file.tree, environment))


def _target(node: Any) -> str:
    return str(node.template.value)
