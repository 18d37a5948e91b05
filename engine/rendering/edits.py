"""Changes to the trees of templates: one node replaced by some, or by none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from jinja2 import nodes


class Edits:
    """Collects replacements, then makes them all."""

    def __init__(self) -> None:
        self._new: dict[int, Sequence[nodes.Node]] = {}
        self._old: list[nodes.Node] = []  # kept, so that no other node gets the id of one

    def replace(self, node: nodes.Node, new: Sequence[nodes.Node]) -> None:
        """The first word on a node stands."""
        if id(node) not in self._new:
            self._new[id(node)] = new
            self._old.append(node)

    def apply(self, trees: Iterable[nodes.Node]) -> None:
        for tree in trees:
            self._within(tree)

    def _within(self, node: nodes.Node) -> None:
        """From the leaves up, so that what is put in stays as it is."""
        for child in node.iter_child_nodes():
            self._within(child)
        for _, value in node.iter_fields():
            if isinstance(value, list):
                value[:] = [new for old in value for new in self._instead(old)]

    def _instead(self, old: nodes.Node) -> Sequence[nodes.Node]:
        """An output left without a part goes as well: before an `{% extends %}` it would not compile."""
        if isinstance(old, nodes.Output) and not old.nodes:
            return ()
        return self._new.get(id(old), (old,))


def static(text: str, like: nodes.Node) -> nodes.TemplateData:
    """Static text at the line of another node."""
    return nodes.TemplateData(text, lineno=like.lineno)


class Splices:
    """Changes within static text: from one character to another, something else instead."""

    def __init__(self) -> None:
        self._nodes: dict[int, nodes.TemplateData] = {}
        self._cuts: dict[int, dict[int, tuple[int, Sequence[nodes.Node]]]] = {}

    def put(self, node: nodes.TemplateData, start: int, end: int, new: Sequence[nodes.Node]) -> None:
        """The first word on a place stands."""
        self._nodes[id(node)] = node
        self._cuts.setdefault(id(node), {}).setdefault(start, (end, new))

    def apply(self, trees: Iterable[nodes.Node], edits: Edits | None = None) -> None:
        """Make them all, and with them those edits: what is put in must not be edited itself."""
        edits = edits or Edits()
        for key, node in self._nodes.items():
            edits.replace(node, list(_spliced(node, self._cuts[key])))
        edits.apply(trees)


def _spliced(
    node: nodes.TemplateData, cuts: Mapping[int, tuple[int, Sequence[nodes.Node]]]
) -> Iterator[nodes.Node]:
    done = 0
    for start, (end, new) in sorted(cuts.items()):
        yield static(node.data[done:start], node)
        yield from new
        done = end
    yield static(node.data[done:], node)
