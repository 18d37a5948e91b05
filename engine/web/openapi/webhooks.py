"""/webhooks/NAME: what shops, payment providers and course platforms post, and how each is believed."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import Path

from engine.facts.receiving.sources import gumroad, shopify, stripe, teachable, thinkific, woocommerce
from engine.web.openapi.answers import AGAIN, TOO_LARGE, UNFORESEEN, answer
from engine.web.openapi.operation import FORM, JSON, Answers, Operation, body, header
from engine.web.openapi.security import OPEN, by, signature
from engine.web.openapi.shapes import (
    Schema,
    instant,
    list_of,
    number,
    one_of_these_or_any,
    ref,
    text,
    thing,
    word,
)

TAG = "Webhooks"
Secret = Annotated[str, Path(description="The secret of its own.")]
ANYTHING = "What means something here is read; whatever else is in it is kept and passed over."
HELLO = {"description": "What it posts, unsigned, when a webhook is made.", "type": "object",
         "properties": {"webhook_id": {"type": "string", "pattern": "^[0-9]+$"}},
         "required": ["webhook_id"], "additionalProperties": False}  # fmt: skip


class Post(NamedTuple):
    """What one of them posts. `scheme` is its signature; without it the secret is in the address."""

    name: str
    title: str
    content: Mapping[str, Schema]
    example: Any
    scheme: dict[str, Any] | None = None
    headers: Sequence[dict[str, Any]] = ()
    unsigned: bool = False  # whether it posts something that is not signed as well


def _any_of(*several: Schema) -> Schema:
    """One of these shapes, or any other: what is signed is let in."""
    return {"anyOf": [*several, {}]}


_EVENT = thing("An event of Stripe.", {
    "id": word("Each event is kept once, by this id.", "evt_1"),
    "type": one_of_these_or_any("What happened.", tuple(stripe.KINDS)),
    "created": {"type": "integer", "description": "When, in seconds since 1970."},
    "livemode": {"type": ["boolean", "null"], "description": "`false` of a test, which is no sale."},
    "data": thing("What it is about.", {"object": thing("The thing, as it is since then.", {})}),
})  # fmt: skip
_SHOPIFY = thing("The thing that the topic names.", {
    "id": word("Its number.", "450789469"),
    "updated_at": instant("Since when it is so."),
    "email": word("Whose it is."),
    "financial_status": one_of_these_or_any("Of an order.", shopify.PAID),
    "test": {"type": ["boolean", "null"], "description": "`true` of a test, which is no sale."},
    "cancelled_at": instant("Since when an order is cancelled.") | {"type": ["string", "null"]},
    "line_items": list_of("Of an order.", {"type": "object"}),
})  # fmt: skip
_WOO = thing("An order or a customer.", {
    "id": word("Its number.", "727"),
    "date_modified_gmt": text("Since when it is so.", "2026-03-10T09:00:00"),
    "status": one_of_these_or_any("Of an order.", woocommerce.PAID),
    "billing": thing("Whose it is.", {"email": word("An address.")}),
    "line_items": list_of("Of an order.", {"type": "object"}),
})  # fmt: skip
_SALE = thing("A sale.", {
    "sale_id": text("Its number.", "s1"),
    "sale_timestamp": instant("When it was made."),
    "price": text("What was paid, in cents of a US dollar.", "1900"),
    "email": text("Whose it is.", "ann@example.com"),
    "permalink": text("The product.", "guide"),
    "quantity": text("Pieces.", "1"),
    "refunded": one_of_these_or_any("Whether the money went back.", ("true", "false")),
})  # fmt: skip
_FORM = {**_SALE, "minProperties": 1, "additionalProperties": {"type": "string"}}
_THINKIFIC = thing("An event of Thinkific.", {
    "id": word("Each event is kept once, by this id."),
    "resource": one_of_these_or_any("What it is about.", ("lesson", "enrollment", "order", "user")),
    "action": one_of_these_or_any("What happened.", ("completed", "progress", "created")),
    "created_at": instant("When."),
    "payload": thing("The thing.", {"user": thing("Whose it is.", {"email": word("An address.")})}),
})  # fmt: skip
_TEACHABLE = thing("An event of Teachable.", {
    "hook_event_id": word("Each event is kept once, by this id."),
    "type": one_of_these_or_any("What happened.", ("LectureProgress.created", "Enrollment.completed")),
    "created": instant("When."),
    "object": thing("The thing.", {
        "course_id": number("The product.", 301405),
        "lecture_id": number("The unit.", 4666823),
        "percent_complete": number("How much of the course is done.", 40),
        "is_completed": {"type": ["boolean", "null"]},
        "user": thing("Whose it is.", {"email": word("An address.")}),
    }),
})  # fmt: skip
SCHEMAS: dict[str, Schema] = {
    "StripeEvent": _EVENT,
    "ShopifyThing": _SHOPIFY,
    "WooCommerceThing": _WOO,
    "GumroadSale": _SALE,
    "GumroadForm": _FORM,
    "ThinkificEvent": _THINKIFIC,
    "TeachableEvent": _TEACHABLE,
    "Kept": thing("All of it is on the disk.", {
        "kept": {"type": "integer", "minimum": 0,
                 "description": "How many events came; those that were kept before are counted as well."},
    }, ("kept",)),
    "NotKept": thing("Why nothing was kept.", {"error": text("For a person to read.")}, ("error",)),
}  # fmt: skip

_BY = "An HMAC-SHA256 of the body to the byte"
POSTS: dict[str, Post] = {each.name: each for each in (
    Post(
        stripe.SOURCE.name, "Stripe", {JSON: _any_of(ref("StripeEvent"))},
        {"id": "evt_1", "type": "customer.created", "created": 1773133200,
         "data": {"object": {"id": "cus_81"}}},
        signature("Stripe-Signature", "As Stripe signs: `t=…,v1=…`, at most five minutes old."),
    ),
    Post(
        shopify.NAME, "Shopify", {JSON: _any_of(ref("ShopifyThing"))},
        {"id": 450789469, "updated_at": "2026-03-10T09:00:00Z", "financial_status": "paid", "line_items": []},
        signature("X-Shopify-Hmac-Sha256", f"{_BY}, in Base64."),
        (header("X-Shopify-Topic", "What happened. Without it nothing comes of the body.",
                *("orders/create", "orders/updated", "refunds/create"),
                *("disputes/update", "customers/update")),
         header("X-Shopify-Webhook-Id", "Each event is kept once, by this id.")),
    ),
    Post(
        woocommerce.NAME, "WooCommerce", {JSON: _any_of(ref("WooCommerceThing")), FORM: HELLO},
        {"id": 727, "date_modified_gmt": "2026-03-10T09:00:00", "status": "completed", "line_items": []},
        signature("X-WC-Webhook-Signature", f"{_BY}, in Base64."),
        (header("X-WC-Webhook-Topic", "What happened. Without it nothing comes of the body.",
                *("order.created", "order.updated", "customer.created")),),
        unsigned=True,
    ),
    Post(
        gumroad.NAME, "Gumroad", {JSON: ref("GumroadSale"), FORM: ref("GumroadForm")},
        {"sale_id": "s1", "sale_timestamp": "2026-03-10T09:00:00Z", "price": "1900", "permalink": "guide"},
    ),
    Post(
        thinkific.NAME, "Thinkific", {JSON: _any_of(ref("ThinkificEvent"))},
        {"id": "t1", "resource": "user", "action": "created", "created_at": "2026-03-10T09:00:00Z"},
        signature("X-Thinkific-Hmac-Sha256", f"{_BY}, in hexadecimal digits."),
    ),
    Post(
        teachable.NAME, "Teachable",
        {JSON: _any_of(ref("TeachableEvent"), list_of("Several of them.", ref("TeachableEvent")))},
        {"type": "Enrollment.completed", "created": "2026-03-10T09:00:00Z", "object": {"course_id": 301405}},
    ),
)}  # fmt: skip
SCHEMES: dict[str, dict[str, Any]] = {name: each.scheme for name, each in POSTS.items() if each.scheme}


def _not_kept(about: str, why: str) -> dict[str, Any]:
    return answer(about, ref("NotKept"), {"error": why})


KEPT = answer("It is on the disk. What cannot be understood is parked, and `aftersale events` tells why.",
              ref("Kept"), {"kept": 1})  # fmt: skip
BELIEVED: Answers = {
    200: KEPT,
    401: _not_kept("It is not signed, or wrongly, or too long ago.",
                   "the signature is missing, wrong or too old"),
    413: _not_kept(f"{TOO_LARGE} At most 4 MB is.", "too large"),
    500: _not_kept(UNFORESEEN, "not now"),
    503: _not_kept(f"There is no place to keep it just now, or no secret is set. {AGAIN}", "not now"),
}  # fmt: skip
UNREADABLE = {400: _not_kept("The body is not of the media type. The same again is refused again.",
                             "the body cannot be read")}  # fmt: skip
NOTHING = {
    404: _not_kept("A secret with a slash in it is another address.", "there is nothing at this address")
}
WRONG = {
    401: _not_kept("The secret in the address is wrong.", BELIEVED[401]["content"][JSON]["example"]["error"])
}


def told(name: str) -> dict[str, Any]:
    post = POSTS[name]
    signed = post.scheme is not None
    how = "It is believed by its signature." if signed else "It signs nothing: its address holds a secret."
    return Operation(
        id=name,
        tag=TAG,
        summary=f"What {post.title} posts",
        about=f"{how} {ANYTHING}",
        security=(by(name), *([OPEN] if post.unsigned else [])) if signed else (),
        parameters=post.headers,
        body=body(post.content, examples={"one": post.example}),
        answers={**BELIEVED, **UNREADABLE, **({} if signed else {**WRONG, **NOTHING})},
    ).told()
