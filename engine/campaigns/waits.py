"""The words of a step that say when its mail goes: `after` and `send`."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from engine.campaigns.days_off import known_country
from engine.campaigns.model import CUSTOMER, EVERY_DAY, SHOP, THEIR_OWN, Late, Send
from engine.clock import DURATION_PATTERN, Duration, parse_duration
from engine.registry import did_you_mean
from engine.settings.values import known_zone_name
from engine.zones import HOURS_PATTERN, WHOLE_DAY, Hours, parse_hours

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_DAYS = 3_660
_NAME = "|".join(DAY_NAMES)


class Wait(NamedTuple):
    """An elapsed time, or so many days by the customer's calendar."""

    elapsed: timedelta = timedelta(0)
    local_days: int | None = None


def _wait(value: Any) -> Wait:
    if isinstance(value, Wait):
        return value
    if not isinstance(value, dict):
        return Wait(parse_duration(value))
    days = value.get("local_days")
    if set(value) != {"local_days"} or not isinstance(days, int) or isinstance(days, bool):
        msg = "write a duration such as 3d, or {local_days: 3}"
        raise ValueError(msg)
    if not 0 <= days <= MOST_DAYS:
        msg = f"local_days: write a number between 0 and {MOST_DAYS}"
        raise ValueError(msg)
    return Wait(local_days=days)


def _days(value: Any) -> frozenset[int]:
    if isinstance(value, frozenset):
        return value
    named = value if isinstance(value, list) else [value]
    if not named:
        msg = "name at least one day, such as [mon, tue]"
        raise ValueError(msg)
    return frozenset(day for part in named for day in _some_days(part))


def _some_days(part: Any) -> Iterable[int]:
    first, dash, last = str(part).lower().partition("-")
    for name in (first, last) if dash else (first,):
        if name not in DAY_NAMES:
            nearest = did_you_mean(name, DAY_NAMES)
            msg = f"{name!r} is not a day; write mon, tue, wed, thu, fri, sat, sun, or mon-fri"
            raise ValueError(f"{msg} ({nearest})" if nearest else msg)
    start = DAY_NAMES.index(first)
    length = (DAY_NAMES.index(last or first) - start) % 7
    return ((start + n) % 7 for n in range(length + 1))


def _whose_zone(value: Any) -> str:
    return value if value in (CUSTOMER, SHOP) else known_zone_name(str(value))


def _holidays(value: Any) -> tuple[str, ...]:
    if value is False:
        return ()
    if value is True:
        return (THEIR_OWN,)
    codes = [str(code) for code in (value if isinstance(value, list | tuple) else [value])]
    for code in codes:
        if not known_country(code):
            msg = f"{code!r} is not a country whose holidays are known; write DE, or DE-BY for a part of it"
            raise ValueError(msg)
    return tuple(codes)


WaitField = Annotated[
    Wait,
    BeforeValidator(_wait),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": DURATION_PATTERN},
                {"const": 0},
                {
                    "type": "object",
                    "properties": {"local_days": {"type": "integer", "minimum": 0, "maximum": MOST_DAYS}},
                    "required": ["local_days"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
_DAY = {"type": "string", "pattern": f"^({_NAME})(-({_NAME}))?$"}
DaysField = Annotated[
    frozenset[int],
    BeforeValidator(_days),
    WithJsonSchema({"anyOf": [_DAY, {"type": "array", "items": _DAY, "minItems": 1}]}),
]
HoursField = Annotated[
    Hours, BeforeValidator(parse_hours), WithJsonSchema({"type": "string", "pattern": HOURS_PATTERN})
]
WhoseZone = Annotated[str, BeforeValidator(_whose_zone), WithJsonSchema({"type": "string"})]
_COUNTRY = {"type": "string", "pattern": "^[A-Z]{2,3}(-[A-Z0-9]+)?$"}
HolidaysField = Annotated[
    tuple[str, ...],
    BeforeValidator(_holidays),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, _COUNTRY, {"type": "array", "items": _COUNTRY}]}),
]


class SendForm(BaseModel):
    """When the mail of a step may go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: DaysField = Field(
        EVERY_DAY, description="on these days of the week", json_schema_extra={"default": "every day"}
    )
    between: HoursField = Field(
        WHOLE_DAY, description="within these hours", json_schema_extra={"default": "00:00-24:00"}
    )
    timezone: WhoseZone = Field(CUSTOMER, description="by whose clock")
    skip_holidays: HolidaysField = Field(
        (), description="not on public holidays", json_schema_extra={"default": False}
    )
    late: Late = Field("next_window", description="what if the window that was meant has ended")
    latest: Duration | None = Field(
        None, description="this long after the window that was meant, the step is skipped"
    )

    @model_validator(mode="after")
    def _late_for_what(self) -> Self:
        if self.late != "next_window" and self.send.at_any_time:
            msg = f"late: {self.late} needs a window: name days, between or skip_holidays"
            raise ValueError(msg)
        return self

    @property
    def send(self) -> Send:
        return Send(self.days, self.between, self.timezone, self.skip_holidays, self.late, self.latest)
