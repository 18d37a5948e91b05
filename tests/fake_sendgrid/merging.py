"""The mails that the recipients of an accepted request get: each tag is replaced wherever it stands."""

from collections.abc import Iterator
from typing import Any

from tests.fake_sendgrid.judging import recipients


def mails(body: dict[str, Any], message_id: str, at: int) -> Iterator[dict[str, Any]]:
    """One for each recipient. Nothing is replaced in headers and custom_args, as with the real one."""
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
                "content": {block["type"]: _filled(block["value"], values) for block in body["content"]},
                "headers": {**body.get("headers", {}), **person.get("headers", {})},
                "custom_args": {**body.get("custom_args", {}), **person.get("custom_args", {})},
                "categories": body.get("categories", []),
            }


def _filled(text: str, values: dict[str, str]) -> str:
    for tag, value in values.items():
        text = text.replace(tag, value)
    return text
