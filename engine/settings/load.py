"""Reading config.yaml: every mistake at once, and what would not go together."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError
from pydantic_settings import SettingsError as UnreadableVariable

from engine.documents import Document, problems_of, skim_document
from engine.errors import Problem, Problems, SettingsError
from engine.registry import did_you_mean
from engine.settings.model import PREFIX, Settings
from engine.settings.secrets import Secrets

CONFIG_FILE = "config.yaml"
NOT_SETTINGS = ("project", "test_data")  # read by the command line and by the tests


def load_settings(folder: Path) -> Settings:
    """The settings of the project in that folder; every mistake in them at once, as SettingsError."""
    path = folder / CONFIG_FILE
    if not path.exists():
        msg = f"there is no {CONFIG_FILE} in {folder.resolve()}"
        hint = "go to your project's folder, or make a project with: aftersale init DIR"
        raise SettingsError(msg, hint=hint)
    try:
        document = skim_document(path)
    except Problems as problems:
        raise SettingsError(str(problems)) from problems
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        msg = f"{document.file}: write settings as `key: value`"
        raise SettingsError(msg)
    _refuse_password(document, data)
    _refuse_secrets(document, data)
    _refuse_unknown_variables()
    _refuse_half_a_cap(data)
    try:
        settings = Settings(**data)
    except ValidationError as error:
        found = [
            _of_the_environment(problem, finding["loc"])
            for problem, finding in zip(
                problems_of(document, Settings, error, ()), error.errors(), strict=True
            )
        ]
        raise SettingsError(str(Problems([*document.problems, *found]))) from error
    except UnreadableVariable as error:
        raise SettingsError(str(error), hint="set its keys one by one: AFTERSALE_SHOP__NAME=…") from error
    if document.problems:
        raise SettingsError(str(Problems(document.problems)))
    _refuse_a_second_way_out(document, settings)
    _ = settings.links  # what they lack is told at once, not with the first mail
    return settings


def _of_the_environment(problem: Problem, loc: tuple[Any, ...]) -> Problem:
    """A mistake in a variable is told of the variable, not of the file it overrules."""
    parts = [str(part).upper() for part in loc]
    names = (PREFIX + "__".join(parts[:length]) for length in range(len(parts), 0, -1))
    variable = next((name for name in names if name in os.environ), None)
    if variable is None:
        return problem
    return Problem(f"the environment variable {variable}", 0, 0, problem.message, problem.hint)


def _refuse_password(document: Document, data: dict[str, Any]) -> None:
    url = urlsplit(str(data.get("database", "")))
    if url.password or "password" in parse_qs(url.query):
        hint = "leave it out here and set AFTERSALE_DATABASE in the environment"
        raise SettingsError(
            str(document.problem(("database",), "a password does not belong in a file", hint))
        )


def _refuse_secrets(document: Document, data: dict[str, Any]) -> None:
    if "secrets" in data:
        hint = f"leave it out here and set {PREFIX}SECRETS__{next(iter(Secrets.model_fields)).upper()}=…"
        problem = document.problem(("secrets",), "secrets do not belong in a file", hint)
        raise SettingsError(str(problem))


def _refuse_unknown_variables() -> None:
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX).partition("__")[0].lower()
        if variable.startswith(PREFIX) and name not in {*Settings.model_fields, *NOT_SETTINGS}:
            msg = f"the environment variable {variable} is not a setting"
            raise SettingsError(msg, hint=did_you_mean(name, Settings.model_fields))


def _refuse_a_second_way_out(document: Document, settings: Settings) -> None:
    """Where SendGrid puts in the link, it must be the only one, and what comes of it be heard of here."""
    if settings.unsubscribe == "ours":
        return
    wrong = ""
    if settings.delivery.transport != "sendgrid":
        wrong = f"mails leave by {settings.delivery.transport!r}, where nobody puts in the link of SendGrid"
        hint = "write unsubscribe: ours, or delivery.transport: sendgrid"
    elif settings.sendgrid.asm_group:
        wrong = "its link is of the list of the whole account, and sendgrid.asm_group names a group beside it"
        hint = "leave sendgrid.asm_group out, or write unsubscribe: ours"
    elif not settings.sendgrid.webhook_key and settings.sendgrid_lists == "off":
        wrong = "nobody would tell who unsubscribed: no sendgrid.webhook_key is set, and no list read"
        hint = "set sendgrid.webhook_key, or sendgrid.suppressions: read"
    if wrong:
        raise SettingsError(str(document.problem(("unsubscribe",), wrong, hint)))


def _refuse_half_a_cap(data: dict[str, Any]) -> None:
    """A variable for the one cap would put a whole list of caps out of force."""
    single = [name for name in sorted(os.environ) if name.startswith(f"{PREFIX}FREQUENCY__")]
    if single and isinstance(data.get("frequency"), list):
        msg = f"the environment variable {single[0]} is of a single cap, and {CONFIG_FILE} has a list of caps"
        raise SettingsError(msg, hint=f"write the whole list into {PREFIX}FREQUENCY, as JSON")
