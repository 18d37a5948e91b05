"""The OpenAPI document: it names every route, is sound, and what it shows by way of example is let in."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from engine.app.project import Project
from engine.facts.receiving.sources import HOOKS
from engine.settings.model import Settings
from engine.web.application import application
from engine.web.openapi.document import document
from engine.web.routes import ROUTES
from tests.conftest import ROOT
from tests.receiving.test_segment import EXAMPLES, as_posted
from tests.stories.conftest import Aftersale

DOCUMENT = document()
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def schemas(said: Any) -> Iterator[dict[str, Any]]:
    """Every schema of a media type or a parameter, with what is shown as an example of it."""
    if isinstance(said, list):
        for each in said:
            yield from schemas(each)
    if isinstance(said, dict):
        if "schema" in said:
            yield said
        for each in said.values():
            yield from schemas(each)


def examples(said: dict[str, Any]) -> list[Any]:
    return [
        *([said["example"]] if "example" in said else []),
        *(e["value"] for e in said.get("examples", {}).values()),
    ]


def test_every_route_of_the_application_is_told_and_nothing_else(tmp_path: Path) -> None:
    project = Project(tmp_path, settings=Settings())
    routes = [route for make in ROUTES.values() for route in make(project).routes]
    routes += [route for route in application(project).routes if hasattr(route, "path")]  # of no router
    served = {(method.lower(), route.path) for route in routes for method in route.methods}  # type: ignore[attr-defined]
    assert {(method, path) for method, path, _ in OPERATIONS} == served


def test_it_says_something_of_everything() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert sorted(set(ids)) == sorted(ids)
    for _, path, operation in OPERATIONS:
        assert operation["summary"], path
        assert operation["description"], path
        assert {*operation["tags"]} <= {tag["name"] for tag in DOCUMENT["tags"]}, path
        assert all(answer["description"] for answer in operation["responses"].values()), path
        assert all(name in DOCUMENT["components"]["securitySchemes"]
                   for each in operation.get("security", []) for name in each), path  # fmt: skip
    assert {path.split("/")[2] for _, path, _ in OPERATIONS if path.startswith("/webhooks")} == {
        *HOOKS,
        "sendgrid",
    }


def test_its_schemas_are_sound_and_its_examples_are_of_them() -> None:
    named = DOCUMENT["components"]["schemas"]
    for schema in named.values():
        Draft202012Validator.check_schema(schema)
    used = json.dumps(DOCUMENT)
    assert [name for name in named if f'"#/components/schemas/{name}"' not in used] == []
    for said in schemas(DOCUMENT["paths"]):
        Draft202012Validator.check_schema(said["schema"])
        for example in examples(said):
            validator(said["schema"]).validate(example)


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_the_specification_of_segment_is_of_the_shapes_it_tells(name: str, real_data: Path) -> None:
    path, said = as_posted(json.loads((real_data / f"payloads/segment/{name}.json").read_text()))
    validator({"$ref": f"#/components/schemas/{path.title()}"}).validate(said)


def test_the_command_prints_what_is_in_the_reference(
    aftersale: Aftersale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where there is no project
    monkeypatch.setenv("AFTERSALE_HOLDOUT", "a mistake that is none of its concern")
    printed = aftersale("openapi").out
    assert printed == (ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8")
    assert json.loads(printed) == DOCUMENT
