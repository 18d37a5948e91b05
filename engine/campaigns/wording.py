"""One line of a mail: the same words in every language, or words by language."""

from typing import Annotated, Any

from babel import Locale, UnknownLocaleError
from pydantic import BeforeValidator, WithJsonSchema

MAX_LENGTH = 400
LOCALE_PATTERN = "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$"

Translations = tuple[tuple[str, str], ...]  # pairs of a locale and the words in it
Words = str | Translations


def known_locale(name: str) -> str | None:
    """The name of a language as it is written everywhere here: `de`, `de-AT`. None: there is no such."""
    try:
        return str(Locale.parse(name.replace("_", "-"), sep="-")).replace("_", "-")
    except (ValueError, UnknownLocaleError):
        return None


def _words(value: Any) -> Words:
    if isinstance(value, str):
        return _line(value)
    if not isinstance(value, dict) or not value:
        msg = "write text, or one line for each language: {en: …, de: …}"
        raise ValueError(msg)
    return tuple((_locale(str(name)), _translation(str(name), line)) for name, line in value.items())


def _translation(name: str, line: Any) -> str:
    try:
        return _line(line)
    except ValueError as error:
        msg = f"{name}: {error}"
        raise ValueError(msg) from error


def _line(value: Any) -> str:
    if not isinstance(value, str) or not value:
        msg = "must not be empty" if value == "" else "write text"
        raise ValueError(msg)
    if "\n" in value or "\r" in value:
        msg = "must be one line"
        raise ValueError(msg)
    if len(value) > MAX_LENGTH:
        msg = f"must have at most {MAX_LENGTH} characters"
        raise ValueError(msg)
    return value


def _locale(name: str) -> str:
    known = known_locale(name)
    if known != name:
        msg = f"{name!r} is not a language; write it as {known or 'de or de-AT'}"
        raise ValueError(msg)
    return name


_SCHEMA = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH}
WordsField = Annotated[
    Words,
    BeforeValidator(_words),
    WithJsonSchema(
        {
            "oneOf": [
                _SCHEMA,
                {
                    "type": "object",
                    "patternProperties": {LOCALE_PATTERN: _SCHEMA},
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        }
    ),
]
