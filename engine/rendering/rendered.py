"""One template rendered for one customer, or the sentence and the line that say why not."""

import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Template

from engine.errors import AftersaleError
from engine.rendering.environment import begin_rendering, filename
from engine.rendering.unproven import ClaimUnproven


class Failed(Exception):
    """A template came to grief: what was wrong, in which of its files, at which line (0: unknown)."""

    def __init__(self, message: str, name: str, line: int, *, unproven: bool) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.line = line
        self.unproven = unproven


def render(template: Template, context: Mapping[str, Any]) -> str:
    """The text of a template in a context. Raises Failed, whatever it was that went wrong."""
    return render_with_holes(template, context)[0]


def render_with_holes(template: Template, context: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    """The same, and the values that were left out of it. Raises Failed."""
    steps = begin_rendering()
    try:
        return _written(template, context), steps.holes
    except Exception as error:
        name, line = _place(error, template)
        raise Failed(_told(error), name, line, unproven=isinstance(error, ClaimUnproven)) from error


def _written(template: Template, context: Mapping[str, Any]) -> str:
    """What `template.render` gives, in less time: it goes through the names of its environment one by one."""
    environment = template.environment
    names = {**environment.globals, **context}
    try:
        within = environment.context_class(environment, names, template.name, template.blocks)
        return "".join(template.root_render_func(within))
    except Exception:  # noqa: BLE001 - told anew by the lines of the template
        template.environment.handle_exception()


def _place(error: Exception, template: Template) -> tuple[str, int]:
    """The file and line of the template where it happened: the innermost that is a template's."""
    start, end = filename("\0").split("\0")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(start) and frame.filename.endswith(end):
            return frame.filename.removeprefix(start).removesuffix(end), frame.lineno or 0
    return template.name or "", 0


def _told(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it calls itself without end"
    if isinstance(error, AftersaleError):
        return error.message
    return str(error) or type(error).__name__
