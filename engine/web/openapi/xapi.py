"""/v1/xapi/statements: what course players tell."""

from typing import Any

from engine.facts.receiving.sources.xapi import PROGRESS, VERBS
from engine.web.openapi.answers import answer
from engine.web.openapi.operation import JSON, Operation, body
from engine.web.openapi.segment import GZIP, KEPT, LET_IN, REFUSALS, TAG
from engine.web.openapi.shapes import Schema, instant, list_of, number, ref, text, thing, word

_ACTIVITY = thing("A course, a lesson, anything that is used.", {
    "id": text("Of its path the last part is the name.", "https://courses.example/sourdough/lesson-3"),
})  # fmt: skip
_ACTIVITIES = {"anyOf": [list_of("Several of them; the first counts.", ref("Activity")), ref("Activity")]}
_ACTOR = thing("The learner, by an address or by an account.", {
    "mbox": text("The address.", "mailto:ann@example.com"),
    "account": thing("An account.", {"name": word("The shop's own number of the customer.", "cust-81")}),
})  # fmt: skip
_KNOWN = ", ".join(f"`{verb}`" for verb in VERBS)
_STATEMENT = thing("That somebody started, progressed in or completed something.", {
    "id": word("Each statement is kept once, by this id; without it one is made of what it says."),
    "actor": _ACTOR,
    "verb": thing("What they did.", {
        "id": text(f"Of its path the last part counts: {_KNOWN}. Any other verb is kept and ignored.",
                   *(f"http://adlnet.gov/expapi/verbs/{verb}" for verb in VERBS)),
    }),
    "object": ref("Activity"),
    "context": thing("Where that is.", {
        "contextActivities": thing("Of these the product is named.",
                                   {"grouping": _ACTIVITIES, "parent": _ACTIVITIES}),
    }),
    "result": thing("How far they got.", {
        "extensions": thing("Progress in percent.", {PROGRESS: number("How much is done, in percent.", 50)}),
    }),
    "timestamp": instant("When it happened; when it came where it says nothing."),
})  # fmt: skip
SCHEMAS: dict[str, Schema] = {"Activity": _ACTIVITY, "Statement": _STATEMENT}
EXAMPLES = {
    "a lesson": {
        "id": "12345678-1234-5678-1234-567812345678",
        "actor": {"mbox": "mailto:ann@example.com"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://courses.example/sourdough/lesson-3"},
        "context": {"contextActivities": {"grouping": [{"id": "https://courses.example/sourdough"}]}},
        "timestamp": "2026-03-10T09:00:00Z",
    },
}
_BODY = {"anyOf": [ref("Statement"), list_of("Several of them.", ref("Statement"))]}


def told() -> dict[str, Any]:
    ids = list_of("The ids of the statements, in their order.", {"type": "string"})
    return Operation(
        id="statements",
        tag=TAG,
        summary="Statements of a course player",
        about="One xAPI statement or several. The product is the first `grouping` or `parent` activity, and "
        "the unit the `object`; without such an activity the object is the product.",
        security=LET_IN,
        parameters=(GZIP,),
        body=body({JSON: _BODY}, examples=EXAMPLES),
        answers={200: answer(KEPT, ids, [EXAMPLES["a lesson"]["id"]]), **REFUSALS},
    ).told()
