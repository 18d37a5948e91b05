"""Where templates run: Jinja2 in its sandbox, with nothing undefined passed over and no end to wait for.

Templates are compiled from trees that were prepared beforehand, never looked up on disk.
"""

import re
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Template, TemplateNotFound, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from engine.rendering.addresses import CHECKED, checked
from engine.rendering.filters import filters
from engine.rendering.liquid import ALIASES
from engine.rendering.targets import Shopfront, address_filters
from engine.settings.model import Settings

MAX_STEPS = 20_000  # calls and turns of loops, of one mail's part
MAX_LENGTH = 100_000  # of what a single operation makes
MAX_DIGITS = 1_000
COUNTED, HOLE, CLAIM = "counted loop", "left out", "proven claim"  # names that no template can spell
OPENS, CLOSES = "\ufdd0", "\ufdd1"  # characters that are none, and that no text may hold
FORBIDDEN_FILTERS = {
    "safe": "values of customers are always escaped; write markup in the template itself",
}
HOLES = re.compile(f"(?:{OPENS}|&#{ord(OPENS)};)(\\d+)(?:{CLOSES}|&#{ord(CLOSES)};)")
_WIDE = re.compile(r"%[-+ #0]*(\*|\d{4})|\.(\*|\d{4})")


class Steps:
    """How much the rendering at hand, in this thread, may still do."""

    left = MAX_STEPS

    def __init__(self) -> None:
        self.holes: list[str] = []  # the values that were left out of it, to be put in later

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            msg = f"more than {MAX_STEPS:,} steps: does a loop end?"
            raise SecurityError(msg)


_steps: ContextVar[Steps] = ContextVar("steps")


def begin_rendering() -> Steps:
    """Give the rendering that follows its steps."""
    steps = Steps()
    _steps.set(steps)
    return steps


class MailEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 for the text of mails; `html` turns escaping on.

    Of objects of the `plain` types everything may be read that does not begin with an underscore.
    """

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(
        self, settings: Settings, *, html: bool, plain: Collection[type] = (), language: str = ""
    ) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=html)
        self.plain = frozenset(plain)
        self.ready: dict[Any, Template] = {}
        self.shopfront = Shopfront.of(settings)
        self.filters |= {ours: self.filters[theirs] for ours, theirs in ALIASES.items()}
        self.filters |= filters(settings, language)
        self.filters |= address_filters(self.shopfront)
        self.filters[COUNTED] = _counted
        self.filters[CHECKED] = checked
        self.filters[HOLE] = _hole
        self.filters[CLAIM] = _claimed
        for name in FORBIDDEN_FILTERS:
            del self.filters[name]
        del self.globals["lipsum"]
        if not html:
            self.filters |= dict.fromkeys(("e", "escape", "forceescape"), str)
            self.filters["newline_to_br"] = str

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as in Jinja2
        _steps.get().take()
        if type(__obj) is Macro:  # which is safe to call, as the sandbox would find out each time
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return __obj(__context.eval_ctx, *args, **kwargs)
        return super().call(__context, __obj, *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The sandbox asks many questions, which for our own plain objects are answered beforehand."""
        if type(obj) in self.plain and not attribute.startswith("_") and hasattr(obj, attribute):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic, unless its result would be out of all measure."""
        if _too_much(operator, left, right):
            msg = f"{operator} would make more than a mail can hold"
            raise SecurityError(msg)
        return super().call_binop(context, operator, left, right)

    def with_trees(self, trees: Mapping[str, nodes.Template]) -> "MailEnvironment":
        """The same environment, in which these prepared templates can be found."""
        named = self.overlay(loader=_Prepared(trees))
        named.ready = {}
        return named

    def get_template(
        self,
        name: Any,
        parent: str | None = None,
        globals: Any = None,  # noqa: A002 - as in Jinja2
    ) -> Template:
        """What is prepared never changes, so that nobody need ask for each mail whether it did."""
        if name not in self.ready:
            self.ready[name] = super().get_template(name, parent, globals)
        return self.ready[name]


class _Prepared(BaseLoader):
    """Templates by name, from their trees."""

    def __init__(self, trees: Mapping[str, nodes.Template]) -> None:
        self._trees = trees

    def load(
        self,
        environment: Any,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - as in Jinja2
    ) -> Template:
        if name not in self._trees:
            raise TemplateNotFound(name)
        code = environment.compile(self._trees[name], name, filename(name))
        return Template.from_code(environment, code, environment.make_globals(globals), lambda: True)


def filename(name: str) -> str:
    """What tracebacks call the code of a template."""
    return f"<template {name}>"


def count_loops(tree: nodes.Template) -> None:
    """Have each turn of each loop counted."""
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, COUNTED, [], [], None, None, lineno=loop.lineno)


@pass_context  # as what depends on the mail at hand, and is never worked out beforehand
def _counted(_: Context, items: Iterable[Any]) -> list[Any]:
    """The things to loop over, if there are not too many."""
    steps, found = _steps.get(), []
    for item in items:
        steps.take()
        found.append(item)
    return found


@pass_context
def _claimed(context: Context, said: str) -> Any:
    """What the mail at hand knows of a claim: a call like any other, that no sandbox need look at."""
    _steps.get().take()
    return context.parent[CLAIM](said)


@pass_context
def _hole(_: Context, value: Any) -> Any:
    """A hole to be filled later; the value itself where that might not come to the same."""
    if hasattr(value, "__html__") or isinstance(value, Undefined):
        return value
    said = value if isinstance(value, str) else str(value)
    if not said or said != said.strip() or len(said.splitlines()) > 1:
        return value
    holes = _steps.get().holes
    holes.append(said)
    return Markup(f"{OPENS}{len(holes) - 1}{CLOSES}")  # noqa: S704 - a number


def _too_much(operator: str, left: Any, right: Any) -> bool:
    match operator:
        case "*":
            text, times = (left, right) if hasattr(left, "__len__") else (right, left)
            return hasattr(text, "__len__") and isinstance(times, int) and len(text) * times > MAX_LENGTH
        case "**":
            numbers = isinstance(left, int | float) and isinstance(right, int | float)
            return numbers and abs(right) * len(str(left)) > MAX_DIGITS
        case _:
            return isinstance(left, str) and _WIDE.search(left) is not None
