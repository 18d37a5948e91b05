"""The mails that the recipients of an accepted request get: each tag is replaced wherever it stands."""

from collections.abc import Iterator
from typing import Any

from tests.fake_sendgrid.judging import recipients

WAY_OUT = "https://u1.ct.sendgrid.example/wf/unsubscribe?upn=1"


def mails(body: dict[str, Any], message_id: str, at: int) -> Iterator[dict[str, Any]]:
    """One for each recipient. Nothing is replaced in headers and custom_args, as with the real one."""
    tracked = body.get("tracking_settings", {}).get("subscription_tracking", {})
    for person in body["personalizations"]:
        values = person.get("substitutions", {})
        for _, one in recipients(person):
            yield {
                "x_message_id": message_id,
                "at": at,
                "to": one["email"],
                "name": one.get("name"),
                "from": person.get("from", body["from"]),
                "reply_to": body.get("reply_to"),
                "subject": _filled(person.get("subject", body.get("subject")), values),
                "content": {
                    block["type"]: _filled(block["value"], values | _link(tracked))
                    for block in body["content"]
                },
                "headers": {**_headers(tracked), **body.get("headers", {}), **person.get("headers", {})},
                "custom_args": {**body.get("custom_args", {}), **person.get("custom_args", {})},
                "categories": body.get("categories", []),
            }


def _link(tracked: dict[str, Any]) -> dict[str, str]:
    """Its own link, in the place of the tag that it was told of."""
    return {tracked["substitution_tag"]: WAY_OUT} if tracked.get("substitution_tag") else {}


def _headers(tracked: dict[str, Any]) -> dict[str, str]:
    """Both headers of RFC 8058, which it adds where it tracks who unsubscribes."""
    if not tracked.get("enable"):
        return {}
    return {"List-Unsubscribe": f"<{WAY_OUT}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _filled(text: str, values: dict[str, str]) -> str:
    for tag, value in values.items():
        text = text.replace(tag, value)
    return text
