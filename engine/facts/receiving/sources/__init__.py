"""Who tells facts: one file and one line each."""

from engine.facts.receiving.sources import segment, xapi
from engine.facts.receiving.sources.source import Hook, Source
from engine.registry import Menu

SOURCES: Menu[Source] = Menu("source", {each.name: each for each in (segment.SOURCE, xapi.SOURCE)})
HOOKS: Menu[Hook] = Menu("source", {name: each for name, each in SOURCES.items() if isinstance(each, Hook)})
