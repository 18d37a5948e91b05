"""The pages that previews and outboxes are shown as. What a customer typed is always escaped."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment() -> Environment:
    """Jinja2 over the page templates of this folder."""
    loader = PackageLoader("engine.app", "pages")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
