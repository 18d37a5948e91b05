"""Public holidays, by country or by a part of one, from the library `holidays`.

The library is loaded when first asked: most commands never do.
"""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale

if TYPE_CHECKING:
    from holidays import HolidayBase


def known_country(code: str) -> bool:
    """Whether the holidays of `DE`, or of its part `DE-BY`, are known."""
    return _parts(code) is not None


@lru_cache(maxsize=1_000)
def country_code(told: str) -> str:
    """The code of a country as shops write it: `de`, `DEU` or `Germany`. '' for one that is not known."""
    name = told.strip()
    if known_country(name.upper()):
        return name.upper()
    code = _names().get(name.casefold(), "")
    return code if code and known_country(code) else ""


@lru_cache(maxsize=100_000)
def is_holiday(code: str, day: date) -> bool:
    """Whether nobody there works on that day."""
    return day in _calendar(code)


@lru_cache(maxsize=1_000)
def _parts(code: str) -> tuple[str, str | None] | None:
    import holidays  # noqa: PLC0415 - see above

    country, _, part = code.partition("-")
    known = holidays.list_supported_countries(include_aliases=True)
    if country not in known or (part and part not in known[country]):
        return None
    return country, part or None


@lru_cache(maxsize=1_000)
def _calendar(code: str) -> "HolidayBase":
    import holidays  # noqa: PLC0415 - see above

    country, part = _parts(code) or ("", None)
    return holidays.country_holidays(country, subdiv=part)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {name.casefold(): code for code, name in Locale("en").territories.items() if len(code) == 2}
