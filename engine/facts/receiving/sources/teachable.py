"""Teachable: what students did in their courses. It is believed by the secret in the address."""

import json
from datetime import datetime
from typing import Any

from engine.facts.receiving.parts import filled, first, moment, part, required, text
from engine.facts.receiving.saying import Fact, Said
from engine.facts.receiving.sources.source import Events, Hook, Posted, by_address

NAME = "teachable"


def _events(posted: Posted) -> Events:
    """One event, or several of them in a list."""
    body = json.loads(posted.body)
    return [
        (text(part(each).get("hook_event_id")) or None, each)
        for each in (body if isinstance(body, list) else [body])
    ]


def _read(event: Any, _: datetime) -> Said:
    said = part(event)
    kind, told = text(said.get("type")), part(said, "object")
    of_user = kind.startswith("User.")
    user = told if of_user else part(told, "user")
    number = first(user, "id")
    who = filled({"email": first(user, "email"), "anonymous_id": f"{NAME}:{number}" if number else ""})
    at = moment(said.get("created"))
    use = {**who, "sku": first(told, "course_id"), "at": required(at, "created")}
    if kind == "LectureProgress.created":
        done = "completed" if told.get("is_completed") is True else "progressed"
        course = {**use, "kind": "progressed", "progress": first(told, "percent_complete")}
        lecture = {**use, "unit": first(told, "lecture_id"), "kind": done}
        return [Fact("consumption", lecture), Fact("consumption", course)]
    if kind == "Enrollment.completed":
        return [Fact("consumption", {**use, "kind": "completed"})]
    if kind.endswith("subscribe_to_marketing_emails") and of_user:
        granted = "no" if "unsubscribe" in kind else "yes"
        return [Fact("consent", {**who, "at": use["at"], "granted": granted, "source": NAME})]
    return []


SOURCE = Hook(NAME, "teachable_webhook", _read, by_address, _events)
