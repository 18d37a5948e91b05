"""/v1/…: messages in the shape of Segment's specification, one at a time or many."""

from typing import Any

from engine.facts.receiving.sources.segment import ENDPOINTS, TRACKED
from engine.web.openapi.answers import AGAIN, TOO_LARGE, UNFORESEEN, answer
from engine.web.openapi.operation import JSON, Answers, Operation, body, header
from engine.web.openapi.security import OPEN, WRITE_KEY, by
from engine.web.openapi.shapes import (
    Schema,
    address,
    instant,
    list_of,
    number,
    one_of_these_or_any,
    ref,
    text,
    thing,
    word,
)

TAG = "Events"
BATCH = "batch"
LET_IN = (by(WRITE_KEY), OPEN)
GZIP = header("Content-Encoding", "`gzip` where the body is so packed.", "gzip")
KEPT = (
    "It is on the disk. What it means is found out within seconds; a message that cannot be understood is "
    "parked, and `aftersale events` tells why."
)

# ── the parts of a message ──────────────────────────────────────────────────────────────────────

_CAMPAIGN = thing("Where somebody came from.", {
    "source": word("Such as a search engine.", "google"),
    "medium": word("Such as paid search.", "cpc"),
    "name": word("The campaign.", "spring"),
    "content": word("The ad.", "blue-banner"),
})  # fmt: skip
_CONTEXT = thing("What is known beside the message. In a batch that of the batch counts as well.", {
    "campaign": ref("Campaign"),
    "page": thing("The page.", {"path": word("Its path.", "/sourdough")}),
    "traits": ref("Traits"),
    "userAgent": word("The browser: it tells the kind of device, and whether it is a machine."),
    "userAgentData": thing("A hint beside that.", {"mobile": {"type": ["boolean", "null"]}}),
    "device": thing("Of an app.", {"type": word("`ios` and `android` are mobile.", "ios")}),
})  # fmt: skip
_TRAITS = thing("What is known of a person. Any other plain trait is an attribute of theirs.", {
    "email": address("Their address."),
    "firstName": word("Or `first_name`.", "Ann"),
    "lastName": word("Or `last_name`.", "Miller"),
    "locale": word("The language they read.", "en-GB"),
    "timezone": word("An IANA time zone.", "Europe/London"),
    "address": thing("Of the address the country is read.", {"country": word("The country.", "GB")}),
})  # fmt: skip
_PRODUCT = thing("A line of an order.", {
    "sku": word("The product.", "starter-guide"),
    "product_id": word("Stands in where there is no `sku`."),
    "price": number("Of one piece, in the currency of the order.", 49),
    "quantity": number("Pieces; one where it says nothing.", 1),
    "offer": one_of_these_or_any("Where it stood in the checkout.", ("core", "bump", "upsell", "downsell")),
})  # fmt: skip
_PROPERTIES = thing("What was tracked; which of these is read depends on the event.", {
    "order_id": word("Of an order: its number. All events of the order name it.", "1001"),
    "checkout_id": word("Of an order and of the funnel: the checkout they belong to.", "c-77"),
    "total": number("Of an order: what it cost. Of a refund: what went back. Or `revenue`, or `value`.", 49),
    "currency": word("Of the amounts; the shop's own where it says nothing.", "USD"),
    "products": list_of("Of an order: its lines. Of a refund: what went back.", ref("Product")),
    "refund_id": word("Of a refund: its number; else the message's id counts."),
    "sku": word("Of a lesson or an offer: the product.", "sourdough-course"),
    "course_id": word("Of a lesson: stands in where there is no `sku`."),
    "unit": word("Of a lesson: which one.", "lesson-3"),
    "lesson_id": word("Of a lesson: stands in where there is no `unit`."),
    "progress": number("Of a lesson: how much of it is done, in percent.", 50),
    "stage": word("Of a page or an offer: the stage of the funnel.", "sales page"),
    "step": number("Of the steps of a checkout: which one.", 2),
    "path": word("Of a page: its path.", "/sourdough"),
    "topic": word("Of a consent: what to; `marketing` where it says nothing.", "marketing"),
    "basis": word("Of a consent: what it rests on.", "consent"),
    "source": word("Of a consent: where it was given.", "checkout"),
})  # fmt: skip
_COMMON: Schema = {
    "messageId": word("Each message is kept once, by this id: send the same again with the same id.", "m-1"),
    "userId": word("The shop's own number of the customer; one with `@` in it is an address.", "cust-81"),
    "anonymousId": word("A visitor who is not known yet.", "anon-5"),
    "timestamp": instant("When it happened. Without it, or of a time to come: when it came."),
    "sentAt": instant("When it was sent, by the same clock. One that is off is set right by it."),
    "context": ref("Context"),
}  # fmt: skip
_KEY = text("The write key, where it is not in the header.") | {"writeOnly": True}
_OWN: dict[str, tuple[str, Schema]] = {
    "identify": ("Who a customer is.", {"traits": ref("Traits")}),
    "track": ("What somebody did.", {
        "event": one_of_these_or_any(
            "What happened, in capitals or not, with blanks or underscores. These mean something; any "
            "other name is kept and ignored.",
            [name.title() for name in TRACKED],
        ),
        "properties": ref("Properties"),
    }),
    "page": ("That a page was seen: a visit of a stage of the funnel.", {
        "name": word("The page.", "Sales page"),
        "properties": ref("Properties"),
    }),
    "screen": ("That a screen of an app was seen. It is kept and ignored.", {"name": word("The screen.")}),
    "alias": ("That two names are of the same person.", {
        "previousId": word("Another name of `userId`, without which nothing comes of it.", "anon-5"),
    }),
    "group": ("That somebody belongs to a group. It is kept and ignored.", {"groupId": word("The group.")}),
}  # fmt: skip
_TYPE = one_of_these_or_any("Which kind of message it is; without it the message is parked.", ENDPOINTS)
_BATCH = thing("Many messages.", {
    BATCH: list_of("Each with its `type`. An odd one is parked and takes no other with it.", ref("Message")),
    "sentAt": _COMMON["sentAt"],
    "context": ref("Context"),
    "writeKey": _KEY,
}, (BATCH,))  # fmt: skip
REFUSAL = thing("Why nothing was kept.", {
    "success": {"const": False},
    "code": text("The code of the answer.", "401"),
    "message": text("For a person to read.", "the write key is missing or wrong"),
}, ("success", "code", "message"))  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Campaign": _CAMPAIGN,
    "Context": _CONTEXT,
    "Traits": _TRAITS,
    "Product": _PRODUCT,
    "Properties": _PROPERTIES,
    **{kind.title(): thing(about, {**_COMMON, **own, "writeKey": _KEY})
       for kind, (about, own) in _OWN.items()},
    "Message": thing("One message of a batch: any of the others, with its `type`.", {
        "type": _TYPE, **_COMMON, **{name: said for _, own in _OWN.values() for name, said in own.items()},
    }),
    "Batch": _BATCH,
    "Accepted": thing("All of it was kept.", {"success": {"const": True}}, ("success",)),
    "Refusal": REFUSAL,
}  # fmt: skip

# ── the operations ──────────────────────────────────────────────────────────────────────────────


def _refused(status: int, about: str, why: str) -> dict[str, Any]:
    return answer(about, ref("Refusal"), {"success": False, "code": str(status), "message": why})


REFUSALS: Answers = {
    400: _refused(400, "The body is not what is asked for here: it is no JSON, no gzip where the header "
                  "says so, more than 1 MB when unpacked, or of another shape. The same again is refused "
                  "again.",
                  "the body is not what the specification asks for"),
    401: _refused(401, "The write key is missing or wrong.", "the write key is missing or wrong"),
    413: _refused(413, f"{TOO_LARGE} At most 1 MB is.", "too large"),
    500: _refused(500, UNFORESEEN, "not now"),
    503: _refused(503, f"There is no place to keep it just now, or no write key is set. {AGAIN}", "not now"),
}  # fmt: skip
_WHEN = "2026-03-10T09:00:00Z"
_ANN = {"userId": "cust-81", "timestamp": _WHEN}
_ORDER = {
    "order_id": "1001", "total": 49, "currency": "USD",
    "products": [{"sku": "starter-guide", "price": 49, "quantity": 1}],
}  # fmt: skip
_GIVEN = {"topic": "marketing", "basis": "consent"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "identify": {
        "a customer": {"messageId": "m-1", **_ANN,
                       "traits": {"email": "ann@example.com", "firstName": "Ann"}},
    },
    "track": {
        "an order": {"messageId": "m-2", **_ANN, "event": "Order Completed", "properties": _ORDER},
        "a refund": {"messageId": "m-3", **_ANN, "event": "Order Refunded",
                     "properties": {"order_id": "1001"}},
        "a lesson": {"messageId": "m-4", **_ANN, "event": "Lesson Completed",
                     "properties": {"sku": "starter-guide", "unit": "lesson-3"}},
        "a consent": {"messageId": "m-5", **_ANN, "event": "Consent Given", "properties": _GIVEN},
    },
    "page": {
        "a visit": {"messageId": "m-6", "anonymousId": "anon-5", "timestamp": _WHEN, "name": "Sales page"},
    },
    "screen": {"a screen": {"messageId": "m-7", **_ANN, "name": "Home"}},
    "alias": {"a visitor who is known by now": {"messageId": "m-8", **_ANN, "previousId": "anon-5"}},
    "group": {"a group": {"messageId": "m-9", **_ANN, "groupId": "bakers"}},
    BATCH: {
        "two messages": {"batch": [
            {"messageId": "m-1", "type": "identify", **_ANN, "traits": {"email": "ann@example.com"}},
            {"messageId": "m-2", "type": "track", **_ANN, "event": "Order Completed", "properties": _ORDER},
        ]},
    },
}  # fmt: skip


def told(path: str) -> dict[str, Any]:
    """Of /v1/`path`."""
    about = _OWN[path][0] if path in _OWN else "Many messages in one request. Each is kept once, by its id."
    return Operation(
        id=path,
        tag=TAG,
        summary=about.partition(".")[0].partition(":")[0],
        about=f"{about} Whatever else is in it is kept and passed over.",
        security=LET_IN,
        parameters=(GZIP,),
        body=body({JSON: ref(path.title())}, examples=EXAMPLES[path]),
        answers={200: answer(KEPT, ref("Accepted"), {"success": True}), **REFUSALS},
    ).told()
