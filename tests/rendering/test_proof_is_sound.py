"""Whatever the rules, the template and a person's life: what check lets through is true of who gets it."""

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.campaigns.model import Campaign, Email, Step
from engine.rendering.claims import Claim, Claims
from engine.rendering.context import PLAIN
from engine.rendering.environment import MailEnvironment
from engine.rendering.preparing import Preparation
from engine.rendering.proof import unproven_claims
from engine.rendering.some_unit import SomeUnit
from engine.rendering.sources import FileSource, Library
from engine.rules.conditions.bought import Bought
from engine.rules.conditions.consumed import Consumed
from engine.rules.conditions.owned import Owned
from engine.rules.conditions.segment import Segment
from engine.rules.conditions.started import Started
from engine.rules.conditions.subscribed import Subscribed
from engine.rules.conditions.then import Then
from engine.rules.model import All, AnyOf, Not, Rule, Scope
from tests import oracle
from tests.rendering.press import CATALOGUE, SETTINGS
from tests.rules.crowd import crowd
from tests.rules.strategies import DAYS, EDGE, NOW, bought_rules, consumed_rules, subscribed_rules
from tests.rules.test_owned import has
from tests.world import Change, Line, Order, Person
from tests.worlds import so_many

CROWD = crowd(200)
for number, somebody in CROWD.items():  # enough of them own what the claims are about, if only for a while
    if number % 2:
        gone = NOW - DAYS[number % 3] if number % 4 else None
        bought = Line("guide", 2, refunded_at=gone, side="front" if number % 4 == 1 else "back")
        somebody.orders.append(Order(NOW - DAYS[number % 5], [bought]))
    if number % 5 == 0:
        somebody.changes.append(Change(NOW - DAYS[4], subscription="s9", ends_at=NOW if number % 2 else None))

CLAIMS = [
    "owned('guide')",
    "owned('guide', within='10d')",
    "owned('guide', older_than='2d')",
    "owned('guide', at_least=2)",
    "owned('guide', quantity={'at_least': 3})",
    "owned('guide', end='front')",
    "owned('mug', position='upsell')",
    "owned('club')",
    "consumed('guide')",
    "consumed('guide', at_least='50%')",
    "consumed('guide', unit='c1')",
    "consumed('course', unit='l2', within='3d')",
    "not_consumed('guide')",
    "not_consumed('guide', unit='c1')",
]
GUARDED = "{{% if {} %}}{}{{% else %}}{}{{% endif %}}"
BODIES = [
    "{{{{ {0}.name }}}}",
    "{{{{ {0}.name }}}}",
    "{{{{ {0}.name }}}}{{{{ {1}.name }}}}",
    "{{% if {1} %}}{{{{ {0}.name }}}}{{% endif %}}",
    "{{% if {1} %}}x{{% else %}}{{{{ {0}.name }}}}{{% endif %}}",
    "{{% if not {1} or {0} %}}{{{{ {1}.name }}}}{{% endif %}}{{{{ {0}.name }}}}",
    "{{{{ {0}.name if {1} else {1}.name }}}}",
    "{{{{ {0}.name }}}}{{{{ consumed('guide').last_unit }}}}",
]


@st.composite
def of_the_guide(draw: Any) -> Bought:
    which = dict.fromkeys(("kind", "category", "tag", "any"))
    return draw(bought_rules()).model_copy(update={**which, "product": "guide"})


@st.composite
def pairs(draw: Any) -> Then:
    counts = dict.fromkeys(("at_least", "at_most", "quantity"))
    first, following = (draw(of_the_guide()).model_copy(update=counts) for _ in range(2))
    return Then.model_construct(first=first, next=following, within=draw(st.sampled_from(DAYS[1:])))


simple = st.sampled_from(
    [
        Bought(product="guide"),
        Bought(product="guide", at_least=2),
        Consumed(product="guide", at_least="50%"),
        Consumed(product="guide", unit="c1"),
        Subscribed(product="club"),
        Not(Consumed(product="guide")),
        Not(Consumed(product="guide", unit="c1")),
        Not(Started(product="guide")),
        Segment(name="named"),
    ]
)
leaves: st.SearchStrategy[Rule] = st.one_of(
    simple, simple, of_the_guide(), bought_rules(), consumed_rules(), subscribed_rules, pairs()
)


def trees(leaves: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    pairs = st.tuples(leaves, leaves)
    return st.one_of(
        leaves,
        st.lists(leaves, min_size=1, max_size=3).map(lambda parts: All(tuple(parts))),
        pairs.map(AnyOf),
        pairs.map(lambda parts: AnyOf((All(parts), parts[0]))),
        pairs.map(lambda parts: Not(AnyOf((Not(parts[0]), parts[1])))),
        pairs.map(lambda parts: Not(All((Not(parts[0]), Not(parts[1]))))),
        leaves.map(lambda rule: Not(Not(rule))),
        leaves.map(Not),
    )


def what_would_prove(claim: Claim) -> st.SearchStrategy[Rule]:
    """Rules that ask just what is said, among others."""
    as_rule = Subscribed(product="club") if isinstance(claim.rule, Owned) else claim.rule
    return trees(st.one_of(st.just(as_rule), leaves))


def around(*days: int) -> st.SearchStrategy[datetime]:
    return st.builds(
        lambda day, edge: NOW + timedelta(days=day) + edge, st.sampled_from(days), st.sampled_from(EDGE)
    )


claims = st.sampled_from(CLAIMS)
entries, mails = around(-10, -3, -2, -1, 0), around(-2, -1, 0, 1, 7, 40)


@dataclass
class Judge:
    """Says by plain Python what holds for a person at an instant."""

    segments: dict[str, Rule]

    def holds(self, rule: Rule | None, person: Person, at: datetime) -> bool:
        return rule is None or oracle.judge(rule, person, at, self.segments)

    def is_true(self, claim: Claim, person: Person, at: datetime) -> bool:
        if isinstance(claim.rule, SomeUnit):
            return self._completed_a_unit(claim, person, at)
        if isinstance(claim.rule, Not):
            return person.known_at <= at and not oracle.judge(claim.condition, person, at)
        return has(claim.rule, person, at)

    def _completed_a_unit(self, claim: Claim, person: Person, at: datetime) -> bool:
        return any(
            (use.sku, use.kind) == (claim.sku, "completed")
            and use.unit in CATALOGUE[claim.sku].units
            and use.at <= at
            for use in person.uses
        )


def with_nothing_taken_back(person: Person, since: datetime) -> Person:
    """The same life without the refunds after an instant."""
    kept = deepcopy(person)
    for order in kept.orders:
        for line in order.lines:
            if line.refunded_at is not None and line.refunded_at > since:
                line.refunded_at = None
    return kept


@pytest.fixture(scope="module")
def preparation(tmp_path_factory: pytest.TempPathFactory) -> Preparation:
    html, text = (MailEnvironment(SETTINGS, html=html, plain=PLAIN) for html in (True, False))
    return Preparation(Library(tmp_path_factory.mktemp("none")), CATALOGUE, html, text)


@pytest.mark.parametrize(("unit", "proves"), [("c1", True), ("l2", False), (None, False)])
def test_only_a_unit_of_the_product_proves_that_one_was_completed(unit: str | None, proves: bool) -> None:
    """`check` tells of the other one as well; it must not stand for a proof meanwhile."""
    known = Consumed(product="guide", unit=unit)
    scope = Scope(NOW, CATALOGUE)
    assert SomeUnit(Consumed(product="guide")).follows_from(known, scope) is proves


def test_what_is_let_through_is_true_of_who_gets_it(preparation: Preparation) -> None:
    """Entry at one instant, the mail at another. Only a refund in between may undo what the audience proves."""

    @cache
    def read(body: str) -> Claims:
        return preparation.draft(FileSource("a.html", body, "a.html"), ".html").claims

    likely = {said: what_would_prove(read(f"{{{{ {said} }}}}").all[said]) for said in CLAIMS}
    met = {"by the audience": 0, "by the step": 0, "refunded meanwhile": 0}

    @settings(max_examples=so_many(800), suppress_health_check=list(HealthCheck))
    @given(data=st.data(), said=claims, beside=claims, body=st.sampled_from(BODIES), named=leaves)
    def search(data: st.DataObject, said: str, beside: str, body: str, named: Rule) -> None:
        claims = read(body.format(said, beside))
        audience, while_, when = (
            data.draw(likely[said]),
            *(data.draw(st.none() | likely[said]) for _ in "ww"),
        )
        entered, sent = data.draw(entries), data.draw(mails)
        assume(entered <= sent)
        segments = {"named": Bought(product="guide") if named == Segment(name="named") else named}
        step = Step("one", timedelta(0), Email("Hello", "a.html"), when)
        campaign = Campaign("c", "1", (step,), audience, while_=while_)
        scope = Scope(NOW, CATALOGUE, segments)
        if list(unproven_claims(campaign, step, claims.spots, scope)):
            return
        by_the_step = not list(
            unproven_claims(replace(campaign, audience=All(())), step, claims.spots, scope)
        )
        judge = Judge(segments)
        for person in CROWD.values():
            asked = judge.holds(while_, person, sent) and judge.holds(when, person, sent)
            if not (asked and judge.holds(audience, person, entered)):
                continue
            false = [claim for claim in claims.unguarded if not judge.is_true(claim, person, sent)]
            if not false:
                met["by the step" if by_the_step else "by the audience"] += 1
                continue
            met["refunded meanwhile"] += 1
            kept = with_nothing_taken_back(person, entered)
            assert not by_the_step
            assert kept != person
            assert all(judge.is_true(claim, kept, sent) for claim in false)

    search()
    assert min(met.values()) > 5, f"so little was tried that nothing was tested: {met}"
