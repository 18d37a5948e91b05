"""The form of a campaign file: its keys and plain values. Rules within it are parsed by `rules`."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)

from engine.campaigns.model import Entry
from engine.campaigns.waits import SendForm, WaitField
from engine.campaigns.wording import WordsField
from engine.clock import DURATION_PATTERN, Duration, parse_duration
from engine.rules.conditions.bought import End
from engine.rules.words import REFERENCE, Position
from engine.settings.values import Patience, Percent

ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")


def _said(rule: Any) -> Any:
    if rule is None:  # `when:` with nothing behind it would be no guard at all
        msg = "write a rule, or leave the key out"
        raise ValueError(msg)
    return rule


RuleData = Annotated[Any, BeforeValidator(_said), WithJsonSchema({REFERENCE: "rule"})]


_TEXT = {"type": "string"}
_UNIT = {"product": _TEXT, "unit": _TEXT}
_ONE_LINE_DATE = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:00)?$"}
_LENGTH = {"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"const": 0}]}


def _keys(required: tuple[str, ...] = (), **keys: Any) -> dict[str, Any]:
    """The schema of a map of these keys."""
    return {"type": "object", "properties": keys, "required": list(required), "additionalProperties": False}


_TRIGGERS = {
    "bought": _keys(
        product=_TEXT,
        kind=_TEXT,
        category=_TEXT,
        tag=_TEXT,
        any={"const": True},
        position={"enum": list(get_args(Position))},
        end={"enum": list(get_args(End))},
    ),
    "started": _keys(("product",), **_UNIT),
    "consumed": _keys(("product", "unit"), **_UNIT),
    "renews": _keys(("product", "before"), product=_TEXT, before=_LENGTH),
    "date": {"anyOf": [_ONE_LINE_DATE, {"type": "array", "items": _ONE_LINE_DATE, "minItems": 1}]},
    "cron": _TEXT,
}
OnData = Annotated[
    Any,
    BeforeValidator(_said),
    WithJsonSchema({**_keys(**_TRIGGERS), "minProperties": 1, "maxProperties": 1}),
]


def _entry(value: Any) -> Any:
    if value in ("once", "every_time"):
        return Entry(repeats=value == "every_time")
    if isinstance(value, dict) and set(value) == {"again_after"}:
        return Entry(repeats=True, again_after=parse_duration(value["again_after"]))
    msg = "write once, every_time or {again_after: 180d}"
    raise ValueError(msg)


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


TemplatePath = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_below_templates)]
Id = Annotated[str, AfterValidator(_id), WithJsonSchema({"type": "string", "pattern": f"^{ID.pattern}$"})]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class HoldForm(Form):
    """What becomes of a mail that has to wait."""

    at_most: Patience | None = Field(
        None, description="how long it waits, from when it was due; `0` waits for nothing"
    )
    then: Literal["skip", "exit"] | None = Field(
        None, description="`skip`: on to the next step; `exit`: the run ends"
    )


class CoolDownForm(Form):
    """How long the campaign leaves a customer in peace."""

    after_purchase: Duration = Field(description="no mail for this long after a paid order")


class EmailForm(Form):
    """The copy of a mail."""

    subject: WordsField = Field(description="one line; may use whatever a template may")
    preheader: WordsField | None = Field(
        None, description="the line that inboxes show behind the subject; may use whatever a template may"
    )
    template: TemplatePath = Field(description="a file below templates/, `.html` or `.mjml`")


class StepForm(Form):
    """One step of the sequence."""

    id: Id = Field(description="the step's id, for good")
    was: Id | None = Field(None, description="the id it began with, if that was another")
    after: WaitField = Field(description="from entry; later steps from the decision on the step before")
    send: SendForm = Field(
        SendForm(), description="when the mail may go", json_schema_extra={"default": "at any time"}
    )
    email: EmailForm = Field(description="the mail")
    when: RuleData = Field(None, description="asked when the step is due; false: the step is skipped")
    hold: HoldForm | None = Field(None, description="where the step has to wait; default: as the campaign")


class CampaignForm(Form):
    """A campaign file."""

    campaign: Id = Field(description="the campaign's id, for good")
    was: Id | None = Field(None, description="the id it began with, if that was another")
    track: Literal["back-end", "front-end"] = Field(
        "back-end",
        description="back-end: to customers, while no transaction is open; front-end: inside an open one",
    )
    description: str = Field("", description="what it is for, in a sentence")
    transactional: StrictBool = Field(
        default=False, description="a receipt or the like, which is owed: no consent, no cap, no holdout"
    )
    topic: Id = Field("marketing", description="the consent it needs")
    offers: tuple[str, ...] = Field((), description="products it offers; who owns one is skipped")
    offers_again_after: Duration | None = Field(
        None,
        description="so long after somebody refused in the front end what it offers; default: "
        "offers_again_after in config.yaml",
    )
    on: OnData = Field(None, description="what begins a run; default: the audience alone")
    audience: RuleData = Field(description="who enters")
    while_: RuleData = Field(None, alias="while", description="asked before each step; false: exit")
    enter: EntryField = Field(
        Entry(), description="how often one customer may run through", json_schema_extra={"default": "once"}
    )
    goal: RuleData = Field(None, description="by facts after entry; reached: exit")
    priority: StrictInt = Field(50, ge=0, le=1000, description="higher goes first")
    holdout: Percent | None = Field(None, description="default: holdout in config.yaml; of front-end, none")
    cool_down: CoolDownForm | None = Field(None, description="default: cool_down in config.yaml")
    hold: HoldForm | None = Field(None, description="where a step has to wait; default: hold in config.yaml")
    steps: Annotated[tuple[StepForm, ...], AfterValidator(_some)] = Field(
        description="the mails, in their order", json_schema_extra={"minItems": 1}
    )


LATER_KEYS: dict[tuple[str, ...], str] = {  # understood, and not in this version
    ("steps", "variants"): "write one email: per step in this version",
    ("steps", "task"): "steps are mails in this version",
    ("steps", "webhook"): "steps are mails in this version",
    ("steps", "audience"): "steps are mails in this version",
    ("steps", "grant"): "steps are mails in this version",
}

MARKETING_KEYS = {  # what a transactional campaign cannot have
    "holdout": "what is owed goes to everybody",
    "offers": "with an offer it is marketing, which needs consent",
    "offers_again_after": "it offers nothing",
    "topic": "it needs no consent, so it has no topic",
    "priority": "it competes with no other campaign",
    "cool_down": "it does not wait for a purchase to cool down",
}
