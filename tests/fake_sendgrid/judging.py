"""What is wrong with a request to send mail. One mistake, and nothing of the request is sent."""

import base64
import binascii
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

MOST, BYTES, TAGS, AHEAD = 1000, 10_000, 100, 72 * 3600
RESERVED = frozenset(
    {
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    }
)
PERSONAL = frozenset(
    {
        "from",
        "to",
        "cc",
        "bcc",
        "subject",
        "headers",
        "substitutions",
        "dynamic_template_data",
        "custom_args",
        "send_at",
    }
)
WHOLE = frozenset(
    {
        "personalizations",
        "from",
        "reply_to",
        "reply_to_list",
        "subject",
        "content",
        "attachments",
        "template_id",
        "headers",
        "categories",
        "custom_args",
        "send_at",
        "batch_id",
        "asm",
        "ip_pool_name",
        "mail_settings",
        "tracking_settings",
    }
)
SETTINGS = {
    "mail_settings": {"bypass_list_management", "bypass_spam_management", "bypass_bounce_management",
                      "bypass_unsubscribe_management", "footer", "sandbox_mode"},
    "tracking_settings": {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"},
}  # fmt: skip
ADDRESS = re.compile(
    r"[^\s@,;<>\"()\[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+"
)
KINDS = ("text/plain", "text/html")


class Wrong(NamedTuple):
    """A mistake, and the field that it is in."""

    message: str
    field: str | None

    def as_json(self) -> dict[str, Any]:
        return {"message": self.message, "field": self.field, "help": None}


Judge = Callable[[dict[str, Any]], Iterator[Wrong]]


def judged(body: Any) -> list[Wrong]:
    """Everything wrong with the request; an empty list lets all of it through."""
    if not isinstance(body, dict):
        return [Wrong("Bad Request", None)]
    found = list(_shape(body))
    return found or [wrong for judge in JUDGES for wrong in judge(body)]


# ── its shape ───────────────────────────────────────────────────────────────────────────────────


def _shape(body: dict[str, Any]) -> Iterator[Wrong]:
    yield from (Wrong("Unknown key", key) for key in sorted(body.keys() - WHOLE))
    people = body.get("personalizations")
    if not isinstance(people, list) or not people:
        yield Wrong("The personalizations field is required and must have at least one personalization.",
                    "personalizations")  # fmt: skip
        return
    for number, person in enumerate(people):
        yield from _person_shape(person, f"personalizations.{number}")
    if not isinstance(body.get("from"), dict):
        yield Wrong("The from object must be provided for every email send.", "from")
    if "reply_to" in body and "reply_to_list" in body:
        yield Wrong("reply_to and reply_to_list cannot be used together.", "reply_to")
    yield from _nested_settings(body)


def _person_shape(person: Any, place: str) -> Iterator[Wrong]:
    if not isinstance(person, dict):
        yield Wrong("Bad Request", place)
        return
    yield from (Wrong("Unknown key", f"{place}.{key}") for key in sorted(person.keys() - PERSONAL))
    if not isinstance(person.get("to"), list) or not person["to"]:
        yield Wrong("The to array is required for all personalization objects.", f"{place}.to")
    for kind in ("to", "cc", "bcc"):
        for number, one in enumerate(person.get(kind) or ()):
            if not isinstance(one, dict) or one.keys() - {"email", "name"} or "email" not in one:
                yield Wrong("Bad Request", f"{place}.{kind}.{number}")


def _nested_settings(body: dict[str, Any]) -> Iterator[Wrong]:
    for name, known in SETTINGS.items():
        for key, value in body.get(name, {}).items():
            if key not in known or not isinstance(value, dict):
                yield Wrong("Unknown key", f"{name}.{key}")
            elif not isinstance(value.get("enable", False), bool):
                yield Wrong("Bad type: a boolean is expected.", f"{name}.{key}.enable")


# ── recipients ──────────────────────────────────────────────────────────────────────────────────


def _numbered(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((f"personalizations.{n}", person) for n, person in enumerate(body["personalizations"]))


def recipients(person: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """Everybody that a personalization names, each with the field they stand in."""
    kinds = ("to", "cc", "bcc")
    return [(f"{kind}.{n}", one) for kind in kinds for n, one in enumerate(person.get(kind) or ())]


def _number(body: dict[str, Any]) -> Iterator[Wrong]:
    people = body["personalizations"]
    if len(people) > MOST:
        yield Wrong("The personalization block is limited to 1000 personalizations per API request. "
                    f"You have provided {len(people)} personalizations.", "personalizations")  # fmt: skip
    if sum(len(recipients(person)) for person in people) > MOST:
        yield Wrong("There is a limit of 1000 total recipients (to + cc + bcc) per request.", None)


def _addresses(body: dict[str, Any]) -> Iterator[Wrong]:
    for place, person in _numbered(body):
        for field, one in recipients(person):
            yield from _address(one, f"{place}.{field}")
    yield from _address(body["from"], "from", ascii_only=True)
    for field in ("reply_to",):
        if field in body:
            yield from _address(body[field], field)


def _address(one: dict[str, Any], place: str, *, ascii_only: bool = False) -> Iterator[Wrong]:
    email, name = one.get("email"), one.get("name", "")
    if not isinstance(email, str) or not isinstance(name, str):
        yield Wrong("Bad type: a string is expected.", f"{place}.email")
    elif not ADDRESS.fullmatch(email) or len(email) > 320 or email.startswith("refused"):
        yield Wrong("Does not contain a valid address.", f"{place}.email")
    elif ascii_only and not email.isascii():
        yield Wrong("The from address must not contain unicode.", f"{place}.email")
    elif not ascii_only and set(name) & set(";,"):
        yield Wrong("The name must not contain ; or ,.", f"{place}.name")


def _twice(body: dict[str, Any]) -> Iterator[Wrong]:
    seen: Counter[str] = Counter()
    for place, person in _numbered(body):
        here = Counter(one["email"].lower() for _, one in recipients(person))
        if any(number > 1 for number in here.values()):
            yield Wrong("Each email address in the personalization block should be unique between to, cc, "
                        "and bcc. We found the first duplicate instance of an address here.", place)  # fmt: skip
        seen.update(here.keys())
    if any(number > 1 for number in seen.values()):
        yield Wrong("Each email address in the personalizations array should only be included once.",
                    "personalizations")  # fmt: skip


# ── what it says ────────────────────────────────────────────────────────────────────────────────


def _subject(body: dict[str, Any]) -> Iterator[Wrong]:
    whole = body.get("subject")
    for place, person in _numbered(body):
        subject = person.get("subject", whole)
        if not isinstance(subject, str) or not subject:
            yield Wrong("The subject is required. You can get around this requirement if you use a template "
                        "with a subject defined or if every personalization has a subject defined.",
                        "subject" if "subject" not in person else f"{place}.subject")  # fmt: skip
        elif "\r" in subject or "\n" in subject:
            yield Wrong("The subject must not contain CR or LF.", f"{place}.subject")


def _content(body: dict[str, Any]) -> Iterator[Wrong]:
    content = body.get("content")
    if not isinstance(content, list) or not content:
        yield Wrong("Unless a valid template_id is provided, the content parameter is required.", "content")
        return
    for number, block in enumerate(content):
        kind, value = block.get("type"), block.get("value")
        if not isinstance(kind, str) or not kind or set(kind) & set(";\r\n"):
            yield Wrong("The content type must be a string without ; CR and LF.", f"content.{number}.type")
        if not isinstance(value, str) or not value:
            yield Wrong("The content value must be a string at least one character in length.",
                        f"content.{number}.value")  # fmt: skip
    order = [KINDS.index(block["type"]) if block["type"] in KINDS else len(KINDS) for block in content]
    if order != sorted(order):
        yield Wrong("If present, text/plain must be first, followed by text/html, followed by any other "
                    "content.", "content")  # fmt: skip


def _attachments(body: dict[str, Any]) -> Iterator[Wrong]:
    for number, one in enumerate(body.get("attachments") or ()):
        try:
            base64.b64decode(one["content"], validate=True)
        except (binascii.Error, KeyError, TypeError):
            yield Wrong("The attachment content must be base64 encoded.", f"attachments.{number}.content")


# ── what goes with it ───────────────────────────────────────────────────────────────────────────


def _strings(values: Any, place: str) -> Iterator[Wrong]:
    if not isinstance(values, dict):
        yield Wrong("Bad type: an object is expected.", place)
        return
    for key, value in values.items():
        if not isinstance(value, str):
            yield Wrong("Bad type: a string is expected.", f"{place}.{key}")


def _places(body: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((place, holder) for place, holder in (("", body), *_numbered(body)) if name in holder)


def _size(values: dict[str, str]) -> int:
    return sum(len(text.encode()) for pair in values.items() for text in pair)


def _substitutions(body: dict[str, Any]) -> Iterator[Wrong]:
    for place, person in _places(body, "substitutions"):
        values, field = person["substitutions"], f"{place}.substitutions"
        if wrong := list(_strings(values, field)):
            yield from wrong
        elif len(values) > TAGS or _size(values) > BYTES:
            yield Wrong("Substitutions are limited to 10000 bytes per personalization.", field)


def _custom_args(body: dict[str, Any]) -> Iterator[Wrong]:
    for place, holder in _places(body, "custom_args"):
        values = holder["custom_args"]
        if values == {}:
            yield Wrong("custom_args must not be empty.", f"{place}.custom_args".lstrip("."))
        yield from _strings(values, f"{place}.custom_args".lstrip("."))
    for place, person in _numbered(body):
        merged = {**body.get("custom_args", {}), **person.get("custom_args", {})}
        if all(isinstance(value, str) for value in merged.values()) and _size(merged) > BYTES:
            yield Wrong("The custom_args must not exceed 10000 bytes.", f"{place}.custom_args")


def _headers(body: dict[str, Any]) -> Iterator[Wrong]:
    for place, holder in _places(body, "headers"):
        field = f"{place}.headers".lstrip(".")
        headers = holder["headers"]
        yield from _strings(headers, field)
        small = [name.lower() for name in headers]
        for name, value in headers.items():
            if name.lower() in RESERVED or small.count(name.lower()) > 1:
                yield Wrong("The header is reserved, or is there twice.", f"{field}.{name}")
            elif not re.fullmatch(r"[!-9;-~]+", name):
                yield Wrong("A header's name must be ASCII without blanks.", f"{field}.{name}")
            elif isinstance(value, str) and (not value.isascii() or set(value) & set("\r\n\0")):
                yield Wrong("A header's value must be encoded ASCII, on one line.", f"{field}.{name}")


def _categories(body: dict[str, Any]) -> Iterator[Wrong]:
    categories = body.get("categories", [])
    sound = all(isinstance(name, str) and name.isascii() and 0 < len(name) <= 255 for name in categories)
    if not sound or len(categories) > 10 or len(set(map(str, categories))) < len(categories):
        yield Wrong("There may be 10 categories, unique, of ASCII, each of 255 characters.", "categories")


def _the_rest(body: dict[str, Any]) -> Iterator[Wrong]:
    for place, holder in _places(body, "send_at"):
        at = holder["send_at"]
        if not isinstance(at, int) or isinstance(at, bool) or at > time.time() + AHEAD:
            yield Wrong("Scheduling more than 72 hours in advance is forbidden.",
                        f"{place}.send_at".lstrip("."))  # fmt: skip
    if "ip_pool_name" in body and not 2 <= len(body["ip_pool_name"]) <= 64:
        yield Wrong("The ip_pool_name must have 2 to 64 characters.", "ip_pool_name")
    asm = body.get("asm")
    if asm is not None and (
        not isinstance(asm.get("group_id"), int) or asm.keys() - {"group_id", "groups_to_display"}
    ):
        yield Wrong("The asm.group_id must be an integer.", "asm.group_id")


JUDGES: tuple[Judge, ...] = (
    _number, _addresses, _twice, _subject, _content, _attachments, _substitutions, _custom_args, _headers,
    _categories, _the_rest,
)  # fmt: skip


def parsed(raw: bytes) -> Any:
    """The body of a request, which names no key twice. Raises ValueError."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            msg = "a key is there twice"
            raise ValueError(msg)
        return dict(pairs)

    return json.loads(raw.decode("utf-8"), object_pairs_hook=once)
