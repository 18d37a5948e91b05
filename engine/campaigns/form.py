"""The form of a campaign file: its keys and plain values. Rules within it are parsed by `rules`."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, WithJsonSchema

from engine.campaigns.model import Entry
from engine.clock import DURATION_PATTERN, Duration, parse_duration
from engine.rules.words import REFERENCE
from engine.settings import Percent

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


def _said(rule: Any) -> Any:
    if rule is None:  # `when:` with nothing behind it would be no guard at all
        msg = "write a rule, or leave the key out"
        raise ValueError(msg)
    return rule


RuleData = Annotated[Any, BeforeValidator(_said), WithJsonSchema({REFERENCE: "rule"})]


def _entry(value: Any) -> Any:
    if value in ("once", "every_time"):
        return Entry(repeats=value == "every_time")
    if isinstance(value, dict) and set(value) == {"again_after"}:
        return Entry(repeats=True, again_after=parse_duration(value["again_after"]))
    msg = "write once, every_time or {again_after: 180d}"
    raise ValueError(msg)


def _one_line(text: str) -> str:
    if "\n" in text or "\r" in text:
        msg = "must be one line"
        raise ValueError(msg)
    return text


def _below_templates(path: str) -> str:
    if path.startswith(("/", "\\")) or ".." in path.replace("\\", "/").split("/") or ":" in path:
        msg = f"{path!r} leaves templates/; write the path below it"
        raise ValueError(msg)
    return path


EntryField = Annotated[
    Entry,
    BeforeValidator(_entry),
    WithJsonSchema(
        {
            "oneOf": [
                {"enum": ["once", "every_time"]},
                {
                    "type": "object",
                    "properties": {"again_after": {"type": "string", "pattern": DURATION_PATTERN}},
                    "required": ["again_after"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


def _id(name: str) -> str:
    if not ID.fullmatch(name):
        msg = f"{name!r} is not an id; write small letters, digits and hyphens, such as win-back"
        raise ValueError(msg)
    return name


def _some(steps: tuple[Any, ...]) -> tuple[Any, ...]:
    if not steps:
        msg = "write at least one step"
        raise ValueError(msg)
    return steps


Subject = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_one_line)]
TemplatePath = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_below_templates)]
Id = Annotated[str, AfterValidator(_id), WithJsonSchema({"type": "string", "pattern": f"^{ID.pattern}$"})]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class EmailForm(Form):
    """The copy of a mail."""

    subject: Subject = Field(description="one line; may use whatever a template may")
    template: TemplatePath = Field(description="a file below templates/")


class StepForm(Form):
    """One step of the sequence."""

    id: Id = Field(description="the step's id, for good")
    was: Id | None = Field(None, description="the id it began with, if that was another")
    after: Duration = Field(description="from entry; later steps from the decision on the step before")
    email: EmailForm = Field(description="the mail")
    when: RuleData = Field(None, description="asked when the step is due; false: the step is skipped")


class CampaignForm(Form):
    """A campaign file."""

    campaign: Id = Field(description="the campaign's id, for good")
    was: Id | None = Field(None, description="the id it began with, if that was another")
    track: Literal["back-end"] = Field("back-end", description="whom it speaks to: back-end = customers")
    description: str = Field("", description="what it is for, in a sentence")
    topic: Id = Field("marketing", description="the consent it needs")
    offers: tuple[str, ...] = Field((), description="products it offers; who owns one is skipped")
    audience: RuleData = Field(description="who enters")
    while_: RuleData = Field(None, alias="while", description="asked before each step; false: exit")
    enter: EntryField = Field(
        Entry(), description="how often one customer may run through", json_schema_extra={"default": "once"}
    )
    goal: RuleData = Field(None, description="by facts after entry; reached: exit")
    priority: StrictInt = Field(50, ge=0, le=1000, description="higher goes first")
    holdout: Percent | None = Field(None, description="default: holdout in config.yaml")
    steps: Annotated[tuple[StepForm, ...], AfterValidator(_some)] = Field(
        description="the mails, in their order", json_schema_extra={"minItems": 1}
    )


LATER_KEYS = {  # understood, and not in this version
    ("on",): "people enter by `audience:` in this version",
    ("transactional",): "this version sends marketing mail only",
    ("steps", "send"): "mails go as soon as they are due in this version",
    ("steps", "variants"): "write one email: per step in this version",
    ("steps", "task"): "steps are mails in this version",
    ("steps", "webhook"): "steps are mails in this version",
    ("steps", "audience"): "steps are mails in this version",
    ("steps", "grant"): "steps are mails in this version",
}
