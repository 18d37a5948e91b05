"""Whether one rule proves another, now or at any later time; False where that is not certain."""

from engine.rules.model import All, AnyOf, Condition, Not, Rule, Scope

EVERYBODY = All(())


def proves(known: Rule, wanted: Rule, scope: Scope) -> bool:
    """Whether `wanted` holds for whomever `known` holds for, both asked at the same instant.

    `wanted` is a single question, or a single one with `not`; `known` may be any tree of rules.
    """
    match known:
        case All():
            return any(proves(part, wanted, scope) for part in known.rules)
        case AnyOf():
            return bool(known.rules) and all(proves(part, wanted, scope) for part in known.rules)
    opened = _opened(known, scope)
    return wanted.follows_from(known, scope) if opened is None else proves(opened, wanted, scope)


def lasting(rule: Rule, scope: Scope) -> Rule:
    """What still holds at any later time for whomever the rule holds for now.

    Facts only become more, so what counts some of them lasts, as long as it sets them no time limit.
    What asks for none of them, or how things stand, may be different in a moment. A refund or another
    correction is not foreseen: it takes back what was true.
    """
    match rule:
        case All():
            return All(tuple(lasting(part, scope) for part in rule.rules))
        case AnyOf():
            return AnyOf(tuple(lasting(part, scope) for part in rule.rules))
    opened = _opened(rule, scope)
    if opened is not None:
        return lasting(opened, scope)
    return (rule.lasting() if isinstance(rule, Condition) else None) or EVERYBODY


def _opened(rule: Rule, scope: Scope) -> Rule | None:
    """What a named segment stands for, and `not` pushed inward; None for what is as simple as can be."""
    match rule:
        case Condition():
            return next(iter(rule.parts(scope)), None)
        case Not(Not() as twice):
            return twice.rule
        case Not(All() as all_of):
            return AnyOf(tuple(Not(part) for part in all_of.rules))
        case Not(AnyOf() as any_of):
            return All(tuple(Not(part) for part in any_of.rules))
        case Not(Condition() as named) if (meant := _opened(named, scope)) is not None:
            return Not(meant)
        case _:
            return None
