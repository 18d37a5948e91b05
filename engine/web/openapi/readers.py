"""/u/TOKEN and /m/TOKEN: where the links of mails lead; and /health."""

from typing import Annotated, Any

from fastapi import Path

from engine.web.openapi.answers import (
    BUSY,
    CRASHED,
    GONE,
    NO_LINK,
    REFUSED_FORM,
    answer,
    page,
    without_body,
)
from engine.web.openapi.operation import FORM, PLAIN, Answers, Operation, body

TAG = "Readers of mails"
Token = Annotated[str, Path(description="As it stands in the link of a mail: signed, and of no other use.")]
LINKED: Answers = {404: NO_LINK, 410: GONE, 500: CRASHED, 503: BUSY}
TOPICS = page("The page where a reader chooses what to get, as it is by now.")
UNREADABLE: Answers = {
    400: answer("More than a hundred fields.", REFUSED_FORM, {"detail": "Bad Request"}),
    413: answer("More than 10 kB.", REFUSED_FORM, {"detail": "Request Entity Too Large"}),
}
_CLICK = {"type": "object", "properties": {"List-Unsubscribe": {"const": "One-Click"}}}
_CHOICE = {
    "type": "object",
    "properties": {
        "topic": {"type": "array", "items": {"type": "string"},
                  "description": "What the reader wants to get; nothing of what is not named."},
    },
}  # fmt: skip
_ALIVE = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}


def _of_link(name: str, summary: str, about: str, answers: Answers, form: Any = None) -> dict[str, Any]:
    return Operation(id=name, tag=TAG, summary=summary, about=about, answers=answers, body=form).told()


PREFERENCES = _of_link(
    "preferences", "The page of a reader's choices", "It changes nothing: scanners follow every link.",
    {200: TOPICS, **LINKED},
)  # fmt: skip
PREFERENCES_HEAD = _of_link(
    "preferencesHead", "Whether that page is there", "As the page itself, without its body.",
    {status: without_body(told) for status, told in {200: TOPICS, **LINKED}.items()},
)  # fmt: skip
ONE_CLICK = _of_link(
    "unsubscribe", "One click and no more of these mails",
    "What mail programs post for `List-Unsubscribe-Post` (RFC 8058). Whatever the body says, the reader gets "
    "no more mails of the topic of that mail.",
    {200: answer("Done.", {"type": "string"}, "You are unsubscribed.\n", PLAIN), **LINKED},
    body({FORM: _CLICK}, required=False, examples={"of a mail program": {"List-Unsubscribe": "One-Click"}}),
)  # fmt: skip
STOP = _of_link(
    "unsubscribeFromAll", "No more mails at all",
    "Nothing but what is owed, whatever topics there are or will be.",
    {200: TOPICS, **LINKED},
)  # fmt: skip
CHOOSE = _of_link(
    "chooseTopics", "These topics and no other", "What the page of choices posts.",
    {200: TOPICS, **UNREADABLE, **LINKED},
    body({FORM: _CHOICE}, required=False, examples={"two topics": {"topic": ["marketing", "recipes"]}}),
)  # fmt: skip
VIEW = _of_link(
    "view", "A mail in the browser", "It is written once more, from the facts of its day.",
    {
        200: page("The mail."),
        404: NO_LINK,
        410: page("What it was made of has changed since, or is no longer kept."),
        500: CRASHED,
        503: BUSY,
    },
)  # fmt: skip
HEALTH = Operation(
    id="health",
    tag="Health",
    summary="Whether the server and its database answer",
    about="For those who watch over it.",
    answers={200: answer("Both do.", _ALIVE, {"status": "ok"}), 500: CRASHED, 503: BUSY},
).told()
