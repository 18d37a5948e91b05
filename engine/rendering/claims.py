"""What a mail states about a person, and whether a guard in the template keeps it true.

A claim is a call of `owned`, `consumed` or `not_consumed`. Where the tests around it prove it, it
is guarded: without the fact, that part is not written. Where they do not, the whole mail must wait
for the fact.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from pydantic import ValidationError

from engine.clock import EPOCH
from engine.documents import PAIRS, worded
from engine.errors import Problem
from engine.facts.catalogue import Catalogue, Product
from engine.registry import did_you_mean
from engine.rendering.environment import CLAIM
from engine.rendering.events import Event, Guard, Mark, Value
from engine.rendering.some_unit import SomeUnit
from engine.rendering.sources import Source
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.consumed import Consumed
from engine.rules.conditions.owned import Owned
from engine.rules.model import Condition, Not, Rule, Scope
from engine.rules.proving import proves
from engine.rules.words import Bounds

CLAIMS = ("owned", "consumed", "not_consumed")
_PRODUCT_WORDS = ("product", "kind", "category", "tag", "any")
_BOUNDS = set(Bounds.model_fields)
_LITERAL = (nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Neg)


@dataclass(frozen=True)
class Claim:
    """A statement about a person: as written, the condition it names, and the rule it must satisfy.

    `words` are those beside the product. `of_unit`: it says which unit was completed last.
    """

    said: str
    kind: str
    condition: Bought | Consumed | Owned
    words: Mapping[str, Any] = field(default_factory=dict, compare=False)
    of_unit: bool = False

    @property
    def rule(self) -> Rule:
        if self.of_unit and isinstance(self.condition, Consumed):
            return SomeUnit(self.condition)
        return Not(self.condition) if self.kind == "not_consumed" else self.condition

    @property
    def sku(self) -> str:
        return self.condition.product or ""

    @property
    def lasts(self) -> bool:
        """Whether it stays true once it is, unless a fact is taken back."""
        later = None if self.kind == "not_consumed" else self.condition.lasting()
        return later is not None and later.implies(self.condition, Scope(EPOCH))


@dataclass(frozen=True)
class Spot:
    """Where a template speaks of a claim, and whether a guard there proves it, or it only is asked."""

    claim: Claim
    source: Source
    line: int
    guarded: bool


@dataclass(frozen=True)
class Claims:
    """All the claims of a template by what they say, where it speaks of them, and what is wrong."""

    all: Mapping[str, Claim]
    spots: Sequence[Spot]
    problems: Sequence[Problem]

    @property
    def unguarded(self) -> Sequence[Claim]:
        """What it says of everybody, each once."""
        return list({spot.claim.said: spot.claim for spot in self.spots if not spot.guarded}.values())


class Mistake(ValueError):
    """A claim that cannot be read: the word in question, what is wrong with it, a hint."""

    def __init__(self, word: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.word = word
        self.message = message
        self.hint = hint


def say(kind: str, sku: str, words: Mapping[str, Any]) -> str:
    """How a claim is written: `owned('guide', within='30d')`. The same claim always says the same."""
    return f"{kind}({', '.join([repr(sku), *(f'{word}={words[word]!r}' for word in sorted(words))])})"


def read_claim(call: nodes.Call, catalogue: Catalogue) -> Claim:
    """The claim that a call makes. Raises Mistake."""
    kind = _name(call)
    sku, words = _arguments(kind, call)
    condition = _condition(kind, sku, words)
    for word, message, hint in condition.complaints(catalogue, ()):
        raise Mistake(sku if word == "product" else word, f"{kind}: {message}", hint)
    return Claim(say(kind, sku, words), kind, _as_it_stands(condition, catalogue[sku]), words)


def _as_it_stands(condition: Bought | Consumed, product: Product) -> Bought | Consumed | Owned:
    """Who bought a subscription owns it only while it runs."""
    if isinstance(condition, Bought) and product.kind == "subscription":
        return Owned(bought=condition)
    return condition


def spell_out(tree: nodes.Template, catalogue: Catalogue) -> None:
    """Have each claim of a checked template asked by what it says, so that it is found as it was read."""
    _Speller(catalogue).visit(tree)


class _Speller(NodeTransformer):
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802 - as in Jinja2
        if _name(call) not in CLAIMS:
            return self.generic_visit(call)
        said = nodes.Const(read_claim(call, self._catalogue).said, lineno=call.lineno)
        return nodes.Filter(said, CLAIM, [], [], None, None, lineno=call.lineno)


def _name(call: nodes.Call) -> str:
    return call.node.name if isinstance(call.node, nodes.Name) else ""


def _arguments(kind: str, call: nodes.Call) -> tuple[str, dict[str, Any]]:
    if call.dyn_args or call.dyn_kwargs:
        raise Mistake("*", f"{kind}: write its arguments out; they are checked before anything is sent")
    words = {keyword.key: _literal(kind, keyword.value) for keyword in call.kwargs}
    values = [_literal(kind, argument) for argument in call.args]
    if len(values) != 1 or not isinstance(values[0], str):
        raise Mistake(kind, f"{kind}: name one product, as {kind}('sku')")
    for word in words.keys() & set(_PRODUCT_WORDS):
        raise Mistake(word, f"{kind}: unknown word {word!r}", "a claim is about one product")
    return values[0], words


def _literal(kind: str, node: nodes.Expr) -> Any:
    inner = [*node.find_all(nodes.Expr)]
    if not all(isinstance(part, _LITERAL) for part in (node, *inner)):
        hint = f"such as {kind}('starter-guide')"
        raise Mistake(_spelled(node), f"{kind}: its arguments must be written out, not worked out", hint)
    return node.as_const()


def _spelled(node: nodes.Expr) -> str:
    return node.name if isinstance(node, nodes.Name) else ""


def _condition(kind: str, sku: str, words: Mapping[str, Any]) -> Bought | Consumed:
    model: type[Bought] | type[Consumed] = Bought if kind == "owned" else Consumed
    try:
        condition = model.model_validate({"product": sku, **words})
    except ValidationError as error:
        raise _mistake(kind, model, error) from error
    if isinstance(condition, Bought) and condition.least < 1:
        raise Mistake("at_most", "owned: at_most also holds for who has none", "say at_least=1 too")
    return condition


def _mistake(kind: str, model: type[Condition], error: ValidationError) -> Mistake:
    finding = error.errors()[0]
    words = [str(word) for word in finding["loc"]]
    word = words[0] if words else ""
    if finding["type"] == "extra_forbidden":
        known = _BOUNDS if len(words) > 1 else set(model.model_fields) - set(_PRODUCT_WORDS)
        return Mistake(word, f"{kind}: unknown word {words[-1]!r}", did_you_mean(words[-1], known))
    message = worded(finding)
    hint = f"such as {word}={{'at_least': 3}}" if message == PAIRS else None
    return Mistake(word, f"{kind}: {f'{word}: ' if word else ''}{message}", hint)


# ── the claims of a whole template ──────────────────────────────────────────────────────────────


def find_claims(events: Iterable[Event], catalogue: Catalogue) -> Claims:
    """Every claim of a template that was read, and what must hold for each customer it goes to."""
    finder = _Finder(catalogue)
    for event in events:
        finder.see(event)
    return Claims(finder.claims, list(dict.fromkeys(finder.spots)), finder.problems)


Known = tuple[Rule, ...]


class _Finder:
    """Goes through a template and notes each claim with what its guards prove."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.scope = Scope(EPOCH, catalogue)
        self.claims: dict[str, Claim] = {}
        self.spots: list[Spot] = []
        self.problems: list[Problem] = []
        self._kept = 0  # how many `{% set %}…{% endset %}` are open

    def see(self, event: Event) -> None:
        if isinstance(event, Mark) and isinstance(event.node, nodes.AssignBlock):
            self._kept += event.step
        elif isinstance(event, Value):
            self._source: Source = event.source
            known = self.proven(event.guards)
            if event.role == "kept" or self._kept:
                self._refuse_keeping(event.node)
            self._visit(event.node, known, tested=event.role == "test")

    def proven(self, guards: Sequence[Guard]) -> Known:
        """The rules that hold where all these tests came out as they did."""
        return tuple(rule for guard in guards for rule in self._shown(guard.test, holds=guard.holds))

    def _shown(self, test: nodes.Node, *, holds: bool) -> Iterator[Rule]:
        """The rules that a test proves by being true, or by being false."""
        match test:
            case nodes.Not():
                yield from self._shown(test.node, holds=not holds)
            case nodes.And() if holds:
                yield from self._shown(test.left, holds=True)
                yield from self._shown(test.right, holds=True)
            case nodes.Or() if not holds:
                yield from self._shown(test.left, holds=False)
                yield from self._shown(test.right, holds=False)
            case nodes.Test(name="defined", node=nodes.Call() | nodes.Getattr() | nodes.Getitem() as asked):
                yield from self._shown(asked, holds=holds)
            case nodes.Call() | nodes.Getattr() | nodes.Getitem() if claim := self._claim(test):
                yield claim.rule if holds else _opposite(claim.rule)
            case _:
                return

    def _claim(self, node: nodes.Node) -> Claim | None:
        """The claim that an expression is, or the further one in `consumed(…).last_unit`."""
        call = _asked_for_unit(node) or node
        if not isinstance(call, nodes.Call) or _name(call) not in CLAIMS:
            return None
        try:
            claim = read_claim(call, self.scope.catalogue)
        except Mistake:
            return None  # told where the call itself is visited
        return claim if call is node else replace(claim, said=f"{claim.said}.last_unit", of_unit=True)

    # ── within one expression ───────────────────────────────────────────────────────────────────

    def _visit(self, node: nodes.Node, known: Known, *, tested: bool = False) -> None:
        """Note the claims in an expression. `tested`: only its truth matters, it is not written out."""
        visit = getattr(self, f"_visit_{type(node).__name__.lower()}", None)
        if visit:
            visit(node, known, tested=tested)
        else:
            self._visit_parts(node, known)

    def _visit_and(self, node: nodes.And, known: Known, *, tested: bool) -> None:
        self._visit(node.left, known, tested=tested)
        self._visit(node.right, (*known, *self._shown(node.left, holds=True)), tested=tested)

    def _visit_or(self, node: nodes.Or, known: Known, *, tested: bool) -> None:
        self._visit(node.left, known, tested=True)
        self._visit(node.right, (*known, *self._shown(node.left, holds=False)), tested=tested)

    def _visit_not(self, node: nodes.Not, known: Known, *, tested: bool) -> None:
        self._visit(node.node, known, tested=True)

    def _visit_condexpr(self, node: nodes.CondExpr, known: Known, *, tested: bool) -> None:
        self._visit(node.test, known, tested=True)
        self._visit(node.expr1, (*known, *self._shown(node.test, holds=True)), tested=tested)
        if node.expr2 is not None:
            self._visit(node.expr2, (*known, *self._shown(node.test, holds=False)), tested=tested)

    def _visit_test(self, node: nodes.Test, known: Known, *, tested: bool) -> None:
        self._visit_parts(node, known, tested_first=node.name == "defined")

    def _visit_filter(self, node: nodes.Filter, known: Known, *, tested: bool) -> None:
        first = node.node is not None and node.name in ("default", "d")
        self._visit_parts(node, known, tested_first=first)

    def _visit_getattr(self, node: nodes.Getattr | nodes.Getitem, known: Known, *, tested: bool) -> None:
        self._visit_parts(node, known)
        if claim := self._claim(node):
            self._note(node, claim, (*known, claim.condition), tested=tested)

    _visit_getitem = _visit_getattr

    def _visit_name(self, node: nodes.Name, known: Known, *, tested: bool) -> None:
        if node.name in CLAIMS and node.ctx == "load":
            self._tell(node, f"{node.name} is called where it is used, as {node.name}('sku')", node.name)

    def _visit_call(self, call: nodes.Call, known: Known, *, tested: bool) -> None:
        if _name(call) not in CLAIMS:
            self._visit_parts(call, known)
            return
        try:
            claim = read_claim(call, self.scope.catalogue)
        except Mistake as wrong:
            self._tell(call, wrong.message, wrong.word, wrong.hint)
            return
        self.claims[claim.said] = claim
        self._note(call, claim, known, tested=tested)

    def _note(self, node: nodes.Node, claim: Claim, known: Known, *, tested: bool) -> None:
        """The whole mail makes a claim that is said where nothing known proves it."""
        guarded = tested or any(proves(rule, claim.rule, self.scope) for rule in known)
        self.spots.append(Spot(claim, self._source, node.lineno, guarded))

    def _visit_parts(self, node: nodes.Node, known: Known, *, tested_first: bool = False) -> None:
        for number, part in enumerate(node.iter_child_nodes()):
            if isinstance(node, nodes.Call) and part is not node.node:
                self._refuse_keeping(part, only_itself=True)
            self._visit(part, known, tested=tested_first and number == 0)

    def _refuse_keeping(self, node: nodes.Node, *, only_itself: bool = False) -> None:
        """A claim under another name, or handed on, could not be followed."""
        parts = [node] if only_itself else [node, *node.find_all(nodes.Call)]
        for call in parts:
            if isinstance(call, nodes.Call) and _name(call) in CLAIMS:
                hint = f"write {_name(call)}(…) where it is said"
                self._tell(call, f"{_name(call)} cannot be kept under another name", _name(call), hint)

    def _tell(self, node: nodes.Node, message: str, word: str, hint: str | None = None) -> None:
        self.problems.append(self._source.problem(node.lineno, message, hint, word))


def _opposite(rule: Rule) -> Rule:
    return rule.rule if isinstance(rule, Not) else Not(rule)


def _asked_for_unit(node: nodes.Node) -> nodes.Call | None:
    """The call in `consumed(…).last_unit`, or in the same with brackets."""
    match node:
        case nodes.Getattr(node=nodes.Call() as call, attr="last_unit"):
            pass
        case nodes.Getitem(node=nodes.Call() as call, arg=nodes.Const(value="last_unit")):
            pass
        case _:
            return None
    return call if _name(call) == "consumed" else None
