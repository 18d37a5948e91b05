"""What customers call themselves is never markup, never a template, never a header."""

import email
import email.policy
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.rendering.eml import to_bytes
from engine.rendering.mail import Mail, one_line
from engine.store.connect import Store
from tests.conftest import NOW
from tests.rendering.press import Shopfront, campaign_text, studio
from tests.world import Attribute, Person

BODY = (
    "<html><body title=\"{{ customer.first_name }}\"><p class='{{ customer.last_name }}'>{{ customer.first_name }}</p>"
    "<a href=\"https://x.example/?q={{ customer.first_name|urlencode }}\">{{ customer.attribute('pet', default='') }}</a></body></html>"
)


def naughty(folder: Path) -> list[str]:
    listed = json.loads((folder / "strings" / "naughty_strings" / "blns.json").read_text())
    more = [
        "{{ 7*7 }}",
        "{% raw %}",
        "{#",
        "Ann\r\nBcc: all@example.com",
        "a\u2028b",
        "=?utf-8?q?=0ABcc:?=",
        '"',
        "'>",
        "]]>",
    ]
    return [value for value in [*listed, *more] if "\0" not in value]  # which PostgreSQL does not keep


class Read(HTMLParser):
    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.said = ""
        self.values: dict[str, str] = {}
        self.feed(document)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, [name for name, _ in attrs]))
        self.values |= {name: value for name, value in attrs if name in ("title", "class")}

    def handle_data(self, data):
        self.said += data


@pytest.mark.real_data
def test_naughty_strings_stay_what_they_are(store: Store, tmp_path: Path, real_data: Path):
    values = naughty(real_data)
    assert len(values) > 400
    people = {
        n: Person(NOW, email="a@x.example", attributes=[Attribute("pet", NOW, v)])
        for n, v in enumerate(values, 1)
    }
    names = {n: {"first_name": v[:200], "last_name": v[:200]} for n, v in enumerate(values, 1)}
    copy = studio(tmp_path, {"a.html": BODY}, campaign_text("Hello {{ customer.first_name }}!"))
    for mail, value in zip(Shopfront(store, people, names).mails(copy, NOW), values, strict=True):
        assert isinstance(mail, Mail), value
        check_html(mail, value)
        check_bytes(mail, value)


def check_html(mail: Mail, value: str) -> None:
    read, line = Read(mail.html), one_line(value[:200])
    assert read.tags == [("html", []), ("body", ["title"]), ("p", ["class"]), ("a", ["href"])]
    assert read.values == {"title": line, "class": line}
    assert read.said == line + one_line(value)
    assert line in mail.text


def check_bytes(mail: Mail, value: str) -> None:
    message = email.message_from_bytes(to_bytes(mail), policy=email.policy.default)
    assert list(message.keys()) == [
        "Date", "From", "To", "Subject", "Message-ID", "List-Unsubscribe", "X-Aftersale-Campaign", "X-Aftersale-Step",
        "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert message["Subject"] == mail.subject
    assert message["To"].addresses[0].addr_spec == "a@x.example"
    assert message.get_body(("html",)).get_content().replace("\r\n", "\n").rstrip("\n") == mail.html.rstrip(
        "\n"
    )


INJECTIONS = [
    "Ann\r\nBcc: all@example.com",
    "Ann\nBcc: all@example.com",
    "Ann\rBcc: x",
    "Ann\x0bBcc: x",
    "Ann\u2028Bcc: x",
    "Ann\x85Bcc: x",
]


@pytest.mark.parametrize("name", INJECTIONS)
def test_no_name_adds_a_header(name: str, store: Store, tmp_path: Path):
    front = Shopfront(store, {1: Person(NOW, email="ann@example.com")}, {1: {"first_name": name}})
    (mail,) = front.mails(
        studio(tmp_path, {"a.html": "x"}, campaign_text("Hi {{ customer.first_name }}")), NOW
    )
    assert "\r" not in mail.subject + mail.to_name
    assert "\n" not in mail.subject + mail.to_name
    message = email.message_from_bytes(to_bytes(mail), policy=email.policy.default)
    assert message["Bcc"] is None
    assert [address.addr_spec for address in message["To"].addresses] == ["ann@example.com"]


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com\r\nBcc: x@y.example",
        "ann",
        "@example.com",
        "ann@",
        "a b@example.com",
        "",
        "ann@exa\u2028mple.com",
    ],
)
def test_no_mail_goes_to_what_is_no_address(address: str, store: Store, tmp_path: Path):
    (mail,) = Shopfront(store, {1: Person(NOW, email=address)}).mails(studio(tmp_path, {"a.html": "x"}), NOW)
    assert mail.reason == "no_address"


def test_a_customer_is_no_template(store: Store, tmp_path: Path):
    name = "{{ owned('guide').name }}{% for x in range(10**9) %}{% endfor %}"
    front = Shopfront(store, {1: Person(NOW, email="a@x.example")}, {1: {"first_name": name}})
    body = "<p>Dear {{ customer.first_name }}</p>"
    (mail,) = front.mails(
        studio(tmp_path, {"a.html": body}, campaign_text("Dear {{ customer.first_name }}")), NOW
    )
    assert (mail.subject, mail.text) == (f"Dear {name}", f"Dear {name}\n")


def test_no_mail_holds_another_customers_value(store: Store, tmp_path: Path):
    people = {
        n: Person(NOW, email=f"c{n}@x.example", attributes=[Attribute("pet", NOW, f"pet{n}")])
        for n in range(1, 60)
    }
    names = {n: {"first_name": f"name{n}."} for n in people}
    copy = studio(tmp_path, {"a.html": BODY}, campaign_text("For {{ customer.first_name }}"))
    for mail in Shopfront(store, people, names).mails(copy, NOW):
        mine = mail.key.customer_id
        everything = f"{mail.subject}{mail.html}{mail.text}{mail.to_name}"
        assert f"name{mine}." in everything
        assert not [n for n in people if n != mine and f"name{n}." in everything]
