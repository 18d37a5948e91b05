"""What is asked of SendGrid beside sending, and what the fake answers, held against its published OpenAPI."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request, urlopen

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from engine.delivery.transports.sendgrid import lists
from engine.delivery.transports.sendgrid.account import Account
from tests.conftest import NOW
from tests.delivery.sendgrid_desk import settings
from tests.fake_sendgrid.hand import Hand, fake_sendgrid

AT = int(NOW.timestamp()) - 1000
EVERYTHING: dict[str, dict[str, int]] = {
    "bounces": {"a@loaf.example": AT, "b@loaf.example": AT + 1},
    "invalid_emails": {"c@loaf.example": AT},
    "spam_reports": {"d@loaf.example": AT},
    "unsubscribes": {"e@loaf.example": AT},
    "group_7": {"f@loaf.example": AT},
}


class Contract:
    """The published description of the lists."""

    def __init__(self, file: Path) -> None:
        self._document = YAML(typ="safe").load(file)

    def operation(self, method: str, path: str) -> dict[str, Any]:
        """What is said of it, with what its path says of all its methods."""
        for template, told in self._document["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", template), path) and method.lower() in told:
                return dict(told[method.lower()])
        msg = f"{method} {path} is not in the contract"
        raise AssertionError(msg)

    def _meant(self, told: dict[str, Any]) -> dict[str, Any]:
        """What it refers to, where it only refers to something."""
        meant: Any = self._document if "$ref" in told else told
        for name in str(told.get("$ref", "")).split("/")[1:]:
            meant = meant[name]
        return dict(meant)

    def errors(self, schema: Any, value: Any) -> list[str]:
        whole = {"components": self._document["components"], **schema}
        return [error.message for error in Draft202012Validator(whole).iter_errors(value)]

    def wrong(self, asked: dict[str, Any]) -> Iterator[str]:
        """What is not as described: a parameter, the body, a header that must be there, or the answer."""
        where = urlsplit(asked["path"])
        operation = self.operation(asked["method"], where.path)
        known = {each["name"]: each for each in map(self._meant, operation.get("parameters", []))}
        for name, value in parse_qsl(where.query):
            if known.get(name, {}).get("in") != "query":
                yield f"{name} is no parameter of {where.path}"
            elif known[name]["schema"]["type"] == "integer":
                yield from self.errors(known[name]["schema"], int(value))
        if known.get("Accept", {}).get("required") and asked["accept"] != "application/json":
            yield f"{where.path} needs the header Accept"
        if "requestBody" in operation:
            yield from self.errors(self._json(operation["requestBody"]), asked["body"])
        answer = operation["responses"][str(asked["status"])]
        yield from self.errors(self._json(answer), asked["answer"])

    def _json(self, holder: dict[str, Any]) -> Any:
        return self._meant(holder)["content"]["application/json"]["schema"]


@pytest.fixture(scope="module")
def contract(real_data: Path) -> Contract:
    return Contract(real_data / "sendgrid" / "tsg_suppressions_v3.yaml")


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hand]:
    with fake_sendgrid(tmp_path_factory.mktemp("fake") / "records.jsonl") as fake:
        fake.put_on_lists(**EVERYTHING)
        yield fake


@pytest.mark.real_data
def test_we_ask_as_described_and_the_fake_answers_as_described(contract: Contract, hand: Hand) -> None:
    account = Account(settings(hand.url, hand.key), wait=lambda _: None)
    for listing in lists.listings(7):
        for since in (None, NOW - timedelta(days=2)):
            assert [entry for page in lists.pages(account, listing, since, NOW) for entry in page]
        if listing in (lists.EVERYBODYS, lists.listing_of_group(7)):
            assert list(lists.put(account, listing, ["new@loaf.example"])) == [(["new@loaf.example"], "")]
    lists.require_group(account, 7)
    account.close()
    asked = hand.asked()
    assert len(asked) == 13
    assert [wrong for each in asked for wrong in contract.wrong(each)] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v3/suppression/bounces?limit=501", None),
        ("/v3/suppression/bounces?limit=0", None),
        ("/v3/suppression/bounces?start_time=yesterday", None),
        ("/v3/suppression/unsubscribes?page=2", None),
        ("/v3/suppression/everybody", None),
        ("/v3/asm/groups/9", None),
        ("/v3/asm/suppressions/global", {}),
        ("/v3/asm/suppressions/global", {"recipient_emails": "a@loaf.example"}),
        ("/v3/asm/suppressions/global", {"recipient_emails": ["no address"]}),
        ("/v3/asm/suppressions/global", {"recipient_emails": ["a@loaf.example"] * 1001}),
    ],
)
def test_the_fake_takes_no_word_more(hand: Hand, path: str, body: Any) -> None:
    headers = {"Authorization": f"Bearer {hand.key}", "Accept": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    request = Request(hand.url + path, data=data, headers=headers | kind)  # noqa: S310 - it is our own
    with pytest.raises(OSError, match="HTTP Error 4"):
        urlopen(request)  # noqa: S310 - it is our own


def test_the_fake_lets_nobody_in_without_the_key(hand: Hand) -> None:
    with pytest.raises(OSError, match="HTTP Error 401"):
        urlopen(hand.url + "/v3/suppression/bounces")  # noqa: S310 - it is our own
