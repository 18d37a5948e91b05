"""/webhooks/sendgrid: what SendGrid tells of mails."""

from typing import Any

from engine.delivery.receivers.sendgrid import EVENT_ID, KINDS, SOURCE
from engine.delivery.transports.sendgrid.payload import ATTEMPT, CUSTOMER, MESSAGE
from engine.web.openapi.operation import JSON, Operation, body
from engine.web.openapi.security import by, signature
from engine.web.openapi.shapes import Schema, list_of, one_of_these_or_any, ref, thing, word
from engine.web.openapi.webhooks import BELIEVED

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
MOMENT = "X-Twilio-Email-Event-Webhook-Timestamp"
_SECONDS = {"type": ["integer", "number", "string"], "description": "When, in seconds since 1970."}
SCHEMAS: dict[str, Schema] = {
    "MailEvent": thing("What became of a mail.", {
        EVENT_ID: word("Each event is kept once, by this id.", "e1"),
        "event": one_of_these_or_any("What happened.", (*KINDS, "bounce")),
        "email": word("To which address the mail went.", "ann@example.com"),
        "timestamp": _SECONDS,
        "status": word("Of a bounce: its code.", "5.1.1"),
        "reason": word("Of a bounce or a drop: in words."),
        "type": one_of_these_or_any("Of a bounce.", ("bounce", "blocked")),
        "bounce_classification": word("Of a bounce: whom SendGrid blames.", "Invalid Address"),
        "sg_machine_open": {"type": ["boolean", "null"], "description": "Of an opening: by no person."},
        CUSTOMER: word("Goes with each mail: the number of the customer."),
        MESSAGE: word("Goes with each mail: its id."),
        ATTEMPT: word("Goes with each mail: which attempt it was."),
    }),
}  # fmt: skip
SCHEMES = {
    "sendgrid": signature(
        SIGNATURE, "An ECDSA signature over the timestamp and the body to the byte, in Base64."
    ),
    "sendgridTimestamp": signature(
        MOMENT, "When it was signed, in seconds since 1970: at most 25 hours ago."
    ),
}
EXAMPLE = [{"email": "ann@example.com", "event": "delivered", "timestamp": 1773133000, EVENT_ID: "e1"}]


def told() -> dict[str, Any]:
    events = list_of("All that is new. What cannot be read is parked as a whole.", ref("MailEvent"))
    return Operation(
        id=SOURCE,
        tag="Webhooks",
        summary="What SendGrid posts of mails",
        about="Delivered, bounced, opened, clicked, complained …: its signed event webhook.",
        security=(by(*SCHEMES),),
        body=body({JSON: {"anyOf": [events, {}]}}, examples={"one": EXAMPLE}),
        answers=BELIEVED,
    ).told()
