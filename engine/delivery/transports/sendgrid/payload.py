"""Requests to send mail: what goes over the wire, and every limit that is known of it.

A request holds one mail as it is, or several of one step: then its content is the skeleton with a tag
for each hole, and each personalization says what stands in the place of the tags.
"""

import secrets
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from engine.delivery.transports.base import Refused
from engine.delivery.transports.sendgrid.moulds import Mould, Pieces, Values
from engine.rendering.eml import ascii_domain, header_words
from engine.rendering.mail import Mail, one_line
from engine.settings.delivery import SendGrid

MOST_TAGS = 100
MOST_BYTES = 9_000  # of tags and values of one mail; the provider's limit is 10,000
NONCE = 8  # characters
TAG = NONCE + 4
CUSTOMER, MESSAGE, ATTEMPT = "aftersale_customer", "aftersale_message", "aftersale_attempt"
_LETTERS = string.ascii_lowercase + string.digits


class Collision(Exception):
    """No set of tags was found that stands in no mail."""


def alone(mail: Mail, settings: SendGrid) -> dict[str, Any]:
    """The request for one mail, as it was written. Raises Refused for what the provider would not take."""
    return _request([_person(mail)], mail, mail.text, mail.html, settings)


def moulded(mould: Mould, mails: Sequence[Mail], settings: SendGrid) -> dict[str, Any]:
    """The request for several mails of one step. Raises Refused and Collision."""
    values = [_values(mould, mail) for mail in mails]
    nonce = _nonce(mould, mails, values)
    text, html = tags(nonce, "t", mould.text), tags(nonce, "h", mould.html)
    people = [
        _person(mail) | {"substitutions": dict(zip([*text, *html], [*value.text, *value.html], strict=True))}
        for mail, value in zip(mails, values, strict=True)
    ]
    return _request(people, mails[0], _skeleton(mould.text, text), _skeleton(mould.html, html), settings)


def to_json(request: Mapping[str, Any]) -> bytes:
    """The body. Raises orjson.JSONEncodeError where a text holds what is no character."""
    return orjson.dumps(request)


def unlike(request: Mapping[str, Any], mail: Mail, number: int) -> bool:
    """Whether plain replacement would make of the request another mail than was written."""
    values = request["personalizations"][number].get("substitutions", {})
    made = [_filled(block["value"], values) for block in request["content"]]
    return made != [mail.text, mail.html]


# ── tags ────────────────────────────────────────────────────────────────────────────────────────


def tags(nonce: str, kind: str, pieces: Pieces) -> list[str]:
    """A tag for each hole: all of one length, letters and digits alone, none the beginning of another."""
    return [f"{nonce}{kind}{number:02}x" for number in range(len(pieces) - 1)]


def _nonce(mould: Mould, mails: Sequence[Mail], values: Sequence[Values]) -> str:
    """What all tags of one request begin with: by chance, and in nothing that the request says."""
    said = "\n".join([
        *mould.text, *mould.html,
        *(part for value in values for part in (*value.text, *value.html)),
        *(f"{mail.subject}\n{mail.reply_to}" for mail in mails),
    ])  # fmt: skip
    for _ in range(5):
        nonce = secrets.choice(string.ascii_lowercase) + "".join(
            secrets.choice(_LETTERS) for _ in range(NONCE - 1)
        )
        if nonce not in said:
            return nonce
    raise Collision


def _skeleton(pieces: Pieces, names: Sequence[str]) -> str:
    return "".join(part for pair in zip(pieces, [*names, ""], strict=True) for part in pair)


def _values(mould: Mould, mail: Mail) -> Values:
    values = mould.values(mail)
    if values is None:
        raise Collision
    return values


def _filled(text: str, values: Mapping[str, str]) -> str:
    for tag, value in values.items():
        text = text.replace(tag, value)
    return text


# ── the request ─────────────────────────────────────────────────────────────────────────────────


def _person(mail: Mail) -> dict[str, Any]:
    """What is said of one recipient: their headers literally, since no tag is replaced in them."""
    subject = one_line(mail.subject)
    if not subject or not mail.html or not mail.text:
        msg = "its subject or its content is empty"
        raise Refused(msg)
    return {
        "to": [_to(mail)],
        "subject": subject,
        "headers": {one_line(name): _header(value) for name, value in mail.headers},
        "custom_args": _args(mail),
    }


def _args(mail: Mail) -> dict[str, str]:
    """What its events will name it by."""
    named = {CUSTOMER: str(mail.key.customer_id), MESSAGE: mail.message_id}
    return named | ({ATTEMPT: str(mail.attempt)} if mail.attempt else {})


def _to(mail: Mail) -> dict[str, str]:
    """The name without the two characters that the provider refuses in it."""
    name = " ".join(one_line(mail.to_name).replace(";", " ").replace(",", " ").split())
    email = ascii_domain(mail.to_address)
    return {"email": email, "name": name} if name else {"email": email}


def _header(value: str) -> str:
    return header_words(one_line(value)).replace("\r\n", "")


def _request(
    people: Sequence[dict[str, Any]], like: Mail, text: str, html: str, settings: SendGrid
) -> dict[str, Any]:
    sender = {"email": ascii_domain(like.from_address), "name": one_line(like.from_name)}
    reply_to = {"reply_to": {"email": ascii_domain(like.reply_to)}} if like.reply_to else {}
    return {
        "personalizations": people,
        **_subject(people),
        "from": sender,
        **reply_to,
        "content": [{"type": "text/plain", "value": text}, {"type": "text/html", "value": html}],
        "categories": [like.key.campaign_id],
        **dict(_settings(settings, like)),
    }


def _subject(people: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A subject that all of them share is said once, and taken from each."""
    subject, *others = {person["subject"] for person in people}
    if others:
        return {}
    for person in people:
        del person["subject"]
    return {"subject": subject}


def _settings(settings: SendGrid, like: Mail) -> Iterator[tuple[str, Any]]:
    """The provider's own way to unsubscribe is off where each mail has ours.

    What is owed is of no group that somebody could leave, and goes to who unsubscribed there as well.
    """
    theirs = {"substitution_tag": like.their_link} if like.their_link else {}
    tracking: dict[str, Any] = {"subscription_tracking": {"enable": bool(theirs), **theirs}}
    if settings.clicks is not None:
        tracking["click_tracking"] = {"enable": settings.clicks, "enable_text": settings.clicks}
    if settings.opens is not None:
        tracking["open_tracking"] = {"enable": settings.opens}
    yield "tracking_settings", tracking
    special = {"sandbox_mode": settings.sandbox, "bypass_unsubscribe_management": like.owed}
    if chosen := {name: {"enable": True} for name, wanted in special.items() if wanted}:
        yield "mail_settings", chosen
    if settings.ip_pool:
        yield "ip_pool_name", settings.ip_pool
    if settings.asm_group and not like.owed:
        yield "asm", {"group_id": settings.asm_group}
