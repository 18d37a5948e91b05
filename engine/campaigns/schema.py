"""The JSON Schema of campaign files, made from the forms and the menu of conditions."""

import json
import re
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from engine.campaigns.form import CampaignForm
from engine.rules.conditions import CONDITIONS
from engine.rules.conditions.segment import Segment
from engine.rules.words import REFERENCE


def campaign_schema() -> dict[str, Any]:
    """Draft 7, which every YAML language server reads."""
    schema = CampaignForm.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    words = {f"condition-{key}": _words(key) for key in CONDITIONS}
    for name in list(words):
        definitions |= words[name].pop("$defs", {})
    text = json.dumps({**schema, "$defs": {**definitions, **words, "rule": _rule()}})
    text = re.sub(rf'"{REFERENCE}": "([\w-]+)"', r'"$ref": "#/$defs/\1"', text)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **json.loads(text.replace("#/$defs/", "#/definitions/").replace('"$defs"', '"definitions"')),
        "title": "Aftersale campaign",
    }


def schema_text() -> str:
    """The schema as the file that is committed beside the campaigns."""
    return json.dumps(campaign_schema(), indent=2, ensure_ascii=False) + "\n"


def _words(key: str) -> dict[str, Any]:
    condition = CONDITIONS[key]
    if condition is Segment:
        return {"type": "string", "description": condition.summary}
    schema = condition.model_json_schema(schema_generator=_PythonWords)
    return {**schema, "description": condition.summary, "title": key}


class _PythonWords(GenerateJsonSchema):
    """`is_` and `in_` are written `is` and `in` in a file."""

    def generate(self, schema: Any, mode: Any = "validation") -> dict[str, Any]:
        made = super().generate(schema, mode)
        properties = made.get("properties", {})
        made["properties"] = {name.rstrip("_"): words for name, words in properties.items()}
        return made


def _rule() -> dict[str, Any]:
    rule, several = (
        {"$ref": "#/$defs/rule"},
        {"type": "array", "items": {"$ref": "#/$defs/rule"}, "minItems": 1},
    )
    properties: dict[str, Any] = {"all": several, "any": several, "not": rule}
    for key, condition in CONDITIONS.items():
        properties[key] = {"$ref": f"#/$defs/condition-{key}", "description": condition.summary}
    return {
        "type": "object",
        "description": "one condition, or all, any, not",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
