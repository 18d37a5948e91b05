"""A template as it renders: its files as one, in the order in which they are written out.

Inheritance, includes and macros are followed here, so that claims are judged, styles inlined and
text derived over the whole mail. The files themselves stay apart: Jinja2 renders them as they
are, and nothing about its scoping changes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jinja2 import TemplateSyntaxError, nodes

from engine.errors import Problem
from engine.registry import did_you_mean
from engine.rendering.environment import MailEnvironment
from engine.rendering.events import Event, Guard, Mark, Role, Static, Value
from engine.rendering.outside import speaks
from engine.rendering.parsed import File, imported
from engine.rendering.sources import Library, Source, Unreadable

MAX_DEPTH = 40
_LIQUID = re.compile(r"\|\s*(\w+)\s*:\s*([^|}%]*)")
UNSHOWN = ("what stands outside the blocks is not shown", "put it into a block of the layout")
ESCAPED = "values of customers are always escaped"


@dataclass(frozen=True)
class _Place:
    """Where the reader stands: in which files, under which guards, in which block or macro."""

    files: tuple[File, ...]
    chain: tuple[File, ...] = ()  # the template and its layouts, which see each other's macros
    guards: tuple[Guard, ...] = ()
    blocks: Mapping[str, Sequence[tuple[File, nodes.Block]]] = field(default_factory=dict)
    above: Sequence[tuple[File, nodes.Block]] = ()  # what super() stands for
    caller: "tuple[nodes.CallBlock, _Place] | None" = None
    within: tuple[int, ...] = ()  # the files, blocks and macros being read, so that none reads itself
    silent: bool = False  # what a child template writes outside its blocks is never seen

    @property
    def file(self) -> File:
        return self.files[0]

    def under(self, *guards: Guard) -> "_Place":
        return replace(self, guards=self.guards + guards)

    def entering(self, node: object) -> "_Place":
        return replace(self, within=(*self.within, id(node)))


class Reader:
    """Reads one template with all that it draws on, and collects what cannot be followed."""

    def __init__(self, library: Library, environment: MailEnvironment, files: Sequence[File] = ()) -> None:
        self.library = library
        self.environment = environment
        self._files: dict[str, File | None] = {file.source.name: file for file in files}
        self.problems: list[Problem] = []

    def read(self, source: Source) -> list[Event]:
        """Everything the template writes and asks, in order. Mistakes are left in `problems`."""
        file = self._file(source)
        return list(self._template(file, _Place((file,)))) if file else []

    @property
    def files(self) -> Sequence[File]:
        """Every file that was read."""
        return [file for file in self._files.values() if file]

    # ── files ───────────────────────────────────────────────────────────────────────────────────

    def _file(self, source: Source) -> File | None:
        if source.name not in self._files:
            self._files[source.name] = self._parse(source)
        return self._files[source.name]

    def _parse(self, source: Source) -> File | None:
        try:
            return File(source, self.environment.parse(source.text, source.name))
        except TemplateSyntaxError as error:
            message = (error.message or "not a template").rstrip(".")
            hint = _liquid_hint(source.text.split("\n")[error.lineno - 1 : error.lineno])
            self.problems.append(source.problem(error.lineno, f"template syntax: {message}", hint))
            return None

    def _named(self, place: _Place, node: nodes.Node, name: str) -> File | None:
        """The file that a tag names, or a problem at the tag."""
        try:
            askers = [asker.source.name for asker in place.files]
            file = self._file(self.library.read(name, askers))
        except Unreadable as wrong:
            self._wrong(place, node, wrong.message, wrong.hint, name)
            return None
        if file and id(file) in place.within:
            self._wrong(place, node, f"{name!r} draws on itself", None, name)
            return None
        return file

    def _literal(self, place: _Place, node: nodes.Node, template: nodes.Expr) -> str | None:
        if isinstance(template, nodes.Const) and isinstance(template.value, str):
            return template.value
        tag = type(node).__name__.lower().replace("fromimport", "import")
        hint = "a name made at run time cannot be checked"
        self._wrong(place, node, f"{tag} needs a template's name in quotes", hint)
        return None

    def _wrong(
        self, place: _Place, node: nodes.Node, message: str, hint: str | None = None, word: str = ""
    ) -> None:
        self.problems.append(place.file.source.problem(node.lineno, message, hint, word))

    # ── inheritance ─────────────────────────────────────────────────────────────────────────────

    def _template(self, file: File, place: _Place) -> Iterator[Event]:
        """The file, and the layout it extends."""
        blocks = _with_blocks(place.blocks, file)
        place = replace(place, blocks=blocks, chain=(*place.chain, file)).entering(file)
        extends = next((node for node in file.tree.body if isinstance(node, nodes.Extends)), None)
        self._refuse_hidden_extends(file, place, extends)
        if extends is None:
            self._refuse_unshown_blocks(place)
            yield from self._body(file.tree.body, place)
            return
        start = file.tree.body.index(extends)
        yield from self._body(file.tree.body[:start], place)
        yield from self._body(file.tree.body[start + 1 :], replace(place, silent=True))
        name = self._literal(place, extends, extends.template)
        layout = self._named(place, extends, name) if name else None
        if layout:
            yield from self._template(layout, replace(place, files=(layout, *place.files)))

    def _refuse_hidden_extends(self, file: File, place: _Place, top: nodes.Extends | None) -> None:
        for extends in file.tree.find_all(nodes.Extends):
            if extends is not top:
                self._wrong(place, extends, "extends must stand once, and outside every other tag")

    def _refuse_unshown_blocks(self, place: _Place) -> None:
        """A block that no layout has a place for would be left out, with all it says."""
        shown = set(place.file.blocks)
        for name, chain in place.blocks.items():
            file, block = chain[-1]
            if name not in shown and block in file.tree.body:
                message = f"{place.file.source.name!r} has no block {name!r}, so this would not be shown"
                hint = did_you_mean(name, shown)
                self.problems.append(file.source.problem(block.lineno, message, hint, name))

    def _block(self, name: str, place: _Place) -> Iterator[Event]:
        chain = place.blocks.get(name, ())
        if chain:
            yield from self._link(chain, place)

    def _link(self, chain: Sequence[tuple[File, nodes.Block]], place: _Place) -> Iterator[Event]:
        """The first of the blocks of one name; the others are what its super() stands for."""
        (file, block), above = chain[0], chain[1:]
        if id(block) in place.within:
            return
        files = (file, *(other for other in place.files if other is not file))
        inner = replace(place, files=files, above=above, silent=False).entering(block)
        yield from self._enclosed(block, block.body, inner)

    # ── statements ──────────────────────────────────────────────────────────────────────────────

    def _body(self, body: Sequence[nodes.Node], place: _Place) -> Iterator[Event]:
        for node in body:
            yield from self._statement(node, place)

    def _statement(self, node: nodes.Node, place: _Place) -> Iterator[Event]:
        """Each kind of statement has its method below; macros have none, they are read where called."""
        read = getattr(self, f"_read_{type(node).__name__.lower()}", None)
        return read(node, place) if read else iter(())

    def _read_block(self, node: nodes.Block, place: _Place) -> Iterator[Event]:
        if place.silent:
            return
        if node.name not in place.blocks:
            hint = "write it where the macro is called"
            self._wrong(place, node, "a block cannot stand within a macro", hint, node.name)
        yield from self._block(node.name, place)

    def _read_assign(self, node: nodes.Assign | nodes.ExprStmt, place: _Place) -> Iterator[Event]:
        return self._value(node.node, place, "kept")

    _read_exprstmt = _read_assign

    def _read_with(self, node: nodes.With, place: _Place) -> Iterator[Event]:
        yield from self._values(node.values, place, "kept")
        yield from self._enclosed(node, node.body, place)

    def _read_assignblock(
        self, node: nodes.AssignBlock | nodes.FilterBlock, place: _Place
    ) -> Iterator[Event]:
        yield Mark("open", node)
        if node.filter is not None:  # which takes arguments, and writes nothing by itself
            yield from self._value(node.filter, place, "test")
        yield from self._body(node.body, place)
        yield Mark("close", node)

    _read_filterblock = _read_assignblock

    def _read_scope(self, node: nodes.Scope, place: _Place) -> Iterator[Event]:
        return self._body(node.body, place)

    def _read_scopedevalcontextmodifier(
        self, node: nodes.ScopedEvalContextModifier, place: _Place
    ) -> Iterator[Event]:
        self._wrong(place, node, "autoescape cannot be switched", ESCAPED)
        return iter(())

    def _read_output(self, node: nodes.Output, place: _Place) -> Iterator[Event]:
        for part in () if place.silent else node.nodes:
            if isinstance(part, nodes.TemplateData):
                yield Static(place.file.source, part)
            else:
                yield from self._value(part, place, "output")

    def _read_if(self, node: nodes.If, place: _Place) -> Iterator[Event]:
        yield Mark("open", node)
        failed: tuple[Guard, ...] = ()
        for branch in (node, *node.elif_):
            if branch is not node:
                yield Mark("branch", branch)
            yield from self._value(branch.test, place.under(*failed), "test")
            yield from self._body(branch.body, place.under(*failed, Guard(branch.test, holds=True)))
            failed += (Guard(branch.test, holds=False),)
        if node.else_:
            yield Mark("branch", node)
            yield from self._body(node.else_, place.under(*failed))
        yield Mark("close", node)

    def _read_for(self, node: nodes.For, place: _Place) -> Iterator[Event]:
        yield from self._value(node.iter, place, "kept")
        yield Mark("open", node)
        within = place
        if node.test:
            yield from self._value(node.test, place, "test")
            within = place.under(Guard(node.test, holds=True))
        yield from self._body(node.body, within)
        if node.else_:
            yield Mark("branch", node)
            yield from self._body(node.else_, place)
        yield Mark("close", node)

    def _read_include(self, node: nodes.Include, place: _Place) -> Iterator[Event]:
        file = self._included(node, place)
        if place.silent:
            self._wrong(place, node, *UNSHOWN)
        elif file and not node.with_context and speaks(file):
            told = f"{file.source.name!r} knows neither its reader nor the shop without context"
            self._wrong(place, node, told, "leave out: without context", file.source.name)
        elif file:
            yield Mark("open", node)
            inner = replace(place, files=(file, *place.files), chain=(), blocks={}, above=())
            yield from self._template(file, inner)
            yield Mark("close", node)

    def _included(self, node: nodes.Include, place: _Place) -> File | None:
        """The file that will be included: of several, the first that exists."""
        if not isinstance(node.template, nodes.List | nodes.Tuple):
            name = self._literal(place, node, node.template)
            missing = name is not None and node.ignore_missing and not self.library.has(name)
            return None if name is None or missing else self._named(place, node, name)
        names = [name for item in node.template.items if (name := self._literal(place, node, item))]
        name = next(filter(self.library.has, names), None)
        if name is None and not node.ignore_missing:
            self._wrong(place, node, f"there is none of the templates {', '.join(names)}")
        return self._named(place, node, name) if name else None

    def _read_callblock(self, node: nodes.CallBlock, place: _Place) -> Iterator[Event]:
        if place.silent:
            self._wrong(place, node, *UNSHOWN)
            return
        yield from self._values(node.defaults, place, "kept")
        yield Mark("open", node)
        yield from self._value(node.call, replace(place, caller=(node, place)), "output")
        yield Mark("close", node)

    def _enclosed(self, node: nodes.Node, body: Sequence[nodes.Node], place: _Place) -> Iterator[Event]:
        yield Mark("open", node)
        yield from self._body(body, place)
        yield Mark("close", node)

    def _read_import(self, node: nodes.Import | nodes.FromImport, place: _Place) -> Iterator[Event]:
        """What the other file does when it is imported; it writes nothing."""
        name = self._literal(place, node, node.template)
        file = self._named(place, node, name) if name else None
        if file and isinstance(node, nodes.FromImport):
            self._check_imported(node, file, place)
        if file:
            within = (*place.within, id(file))
            yield from self._body(file.tree.body, _Place((file,), within=within, silent=True))

    _read_fromimport = _read_import

    def _check_imported(self, node: nodes.FromImport, file: File, place: _Place) -> None:
        for wanted, _ in imported(node):
            if wanted not in file.stored:
                message = f"{file.source.name!r} has no macro {wanted!r}"
                self._wrong(place, node, message, did_you_mean(wanted, file.stored), wanted)

    # ── expressions, and the macros, blocks and callers they write ──────────────────────────────

    def _values(self, expressions: Sequence[nodes.Expr], place: _Place, role: Role) -> Iterator[Event]:
        for expression in expressions:
            yield from self._value(expression, place, role)

    def _value(self, node: nodes.Node, place: _Place, role: Role) -> Iterator[Event]:
        parts = (node, *node.find_all((nodes.Name, nodes.Getattr)))
        expanded = [event for part in parts for event in self._reference(part, place)]
        self._refuse_skipping(node, place)
        self._refuse_aliasing(node, place)
        self._refuse_self(node, place)
        yield Value(place.file.source, node, place.guards, role, len(expanded))
        yield from expanded

    def _refuse_skipping(self, node: nodes.Node, place: _Place) -> None:
        for part in node.find_all(nodes.Getattr):
            if isinstance(part.node, nodes.Name) and part.node.name == "super":
                hint = "write super() in that block, too"
                self._wrong(place, part, "super() stands for the next block only", hint)

    def _refuse_self(self, node: nodes.Node, place: _Place) -> None:
        """Of the blocks of a template only `self.name()` can be followed to what it claims."""
        parts = (node, *node.find_all((nodes.Name, nodes.Getattr)))
        asked = {id(part.node) for part in parts if isinstance(part, nodes.Getattr)}
        for part in parts:
            if isinstance(part, nodes.Name) and part.name == "self" and id(part) not in asked:
                hint = "write its blocks as self.name()"
                self._wrong(place, part, "'self' is the template itself", hint, "self")

    def _refuse_aliasing(self, node: nodes.Node, place: _Place) -> None:
        """Of an imported file only `name.macro(…)` can be followed to what it claims."""
        modules = {name for file in place.files for name in file.modules}
        calls = [part.node for part in (node, *node.find_all(nodes.Call)) if isinstance(part, nodes.Call)]
        called = {id(call.node) for call in calls if isinstance(call, nodes.Getattr)}
        for part in (node, *node.find_all(nodes.Name)):
            if isinstance(part, nodes.Name) and part.name in modules and id(part) not in called:
                name = part.name
                self._wrong(
                    place, part, f"{name!r} is an imported file", f"call its macros as {name}.macro(…)", name
                )

    def _reference(self, node: nodes.Node, place: _Place) -> Iterator[Event]:
        if isinstance(node, nodes.Name) and node.name == "caller" and place.caller:
            node, outside = place.caller
            yield from self._enclosed(node, node.body, outside)
        elif isinstance(node, nodes.Name) and node.name == "super" and place.above:
            yield from self._link(place.above, place)
        elif (
            isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "self"
        ):
            yield from self._block(node.attr, place)
        elif found := self._macro(node, place):
            yield from self._expanded(*found, place)

    def _expanded(self, file: File, macro: nodes.Macro, place: _Place) -> Iterator[Event]:
        """What the macro writes. Guards around the call do not reach into it."""
        if id(macro) in place.within:
            return
        if len(place.within) > MAX_DEPTH:
            self._wrong(place, macro, f"the macro {macro.name!r} is called too deep within others")
            return
        files = (file, *(other for other in place.files if other is not file))
        inner = _Place(files, caller=place.caller, within=(*place.within, id(macro)))
        yield Mark("open", macro)
        yield from self._values(macro.defaults, inner, "kept")
        yield from self._body(macro.body, inner)
        yield Mark("close", macro)

    def _macro(self, node: nodes.Node, place: _Place) -> tuple[File, nodes.Macro] | None:
        """The macro that a name stands for. Of two it may be either, and what it claims is not known."""
        found = {id(macro): (file, macro) for file, macro in self._macros(node, place)}
        if len(found) > 1:
            name = str(getattr(node, "attr", "") or getattr(node, "name", ""))
            hint = "give one of them another name"
            self._wrong(place, node, f"there are two macros of the name {name!r}", hint, name)
        return next(iter(found.values()), None)

    def _macros(self, node: nodes.Node, place: _Place) -> Iterator[tuple[File, nodes.Macro]]:
        """Those of the file itself, or of the template with its layouts; else those that it sees besides."""
        own = place.chain or place.files[:1]
        near = [found for file in own for found in self._called(node, file)]
        yield from near or (found for file in place.files for found in self._called(node, file))

    def _called(self, node: nodes.Node, file: File) -> Iterator[tuple[File, nodes.Macro]]:
        if isinstance(node, nodes.Name):
            yield from self._macros_of(file, node.name)
        elif isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            for template in file.modules.get(node.node.name, ()):
                if other := self._known(template):
                    yield from self._macros_of(other, node.attr)

    def _macros_of(self, file: File, name: str, depth: int = 0) -> Iterator[tuple[File, nodes.Macro]]:
        """The macros of that name in a file: its own, and those it imports."""
        yield from ((file, macro) for macro in file.homonyms.get(name, ()))
        for template, wanted in file.imports.get(name, ()) if depth < MAX_DEPTH else ():
            if other := self._known(template):
                yield from self._macros_of(other, wanted, depth + 1)

    def _known(self, template: nodes.Expr) -> File | None:
        """The file that an import names, where it can be read; where not, the import itself is told."""
        if not isinstance(template, nodes.Const):
            return None
        try:
            return self._file(self.library.read(str(template.value)))
        except Unreadable:
            return None


def _with_blocks(
    blocks: Mapping[str, Sequence[tuple[File, nodes.Block]]], file: File
) -> Mapping[str, Sequence[tuple[File, nodes.Block]]]:
    """The blocks by name, the ones of the layout behind those that replace them."""
    mine = {name: [(file, block)] for name, block in file.blocks.items()}
    return {name: [*blocks.get(name, ()), *mine.get(name, ())] for name in {**blocks, **mine}}


def _liquid_hint(lines: Sequence[str]) -> str | None:
    """What to write for `x | default: 'you'`."""
    found = _LIQUID.search("".join(lines))
    return f"put what a filter takes into brackets: {found[1]}({found[2].strip()})" if found else None
