"""What customers call themselves is never markup, never a template, never a header."""

import email
import email.policy
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.rendering.eml import to_bytes
from engine.rendering.mail import Mail, Unwritable, one_line
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


@pytest.mark.parametrize("name", INJECTIONS)
def test_no_value_adds_a_header_in_any_language(name: str, store: Store, tmp_path: Path):
    """Subject and preheader by language, from names and attributes, in HTML as in MJML."""
    value = "{{ customer.first_name }}{{ customer.attribute('pet', default='') }}"
    words = {language: f"{language} {value}" for language in ("en", "de")}
    page = "<mj-section><mj-column><mj-text>{{ preheader }}</mj-text></mj-column></mj-section>"
    templates = {
        "a.mjml": f"<mjml><mj-head><mj-preview>{{{{ preheader }}}}</mj-preview></mj-head><mj-body>{page}</mj-body></mjml>"
    }
    campaign = campaign_text(template="a.mjml").replace("'Hello'", json.dumps(words))
    campaign += f"      preheader: {json.dumps(words)}\n"
    person = Person(NOW, email="ann@example.com", attributes=[Attribute("pet", NOW, name)])
    front = Shopfront(store, {1: person}, {1: {"first_name": name, "last_name": name, "locale": "de"}})
    (mail,) = front.mails(studio(tmp_path, templates, campaign), NOW)
    assert mail.subject.startswith("de Ann Bcc: ")
    assert not {"\r", "\n", "\x0b", "\u2028", "\x85"} & set(mail.subject + mail.to_name)
    message = email.message_from_bytes(to_bytes(mail), policy=email.policy.default)
    assert message["Bcc"] is None
    assert message["Subject"] == mail.subject


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


ADDRESS = "customer.attribute('page', default='https://x.example')"
BODIES = {  # each puts the value where an address begins
    "a link": '<a href="{{ %s }}">x</a>',
    "a link in blanks": "<a href=' {{ %s }} '>x</a>",
    "a picture": "<p>x<img src=\"{{ %s }}\" alt=''></p>",
    "a form": '<form action="{{ %s }}">x</form>',
    "behind nothing for sure": '<a href="{%% if customer.country %%}https://x.example/{%% endif %%}{{ %s }}">x</a>',
    "in a branch": '<a href="{%% if customer.country %%}/{%% else %%}{{ %s }}{%% endif %%}">x</a>',
    "in a macro": '{%% macro to(page) %%}<a href="{{ page }}">x</a>{%% endmacro %%}{{ to(%s) }}',
    "kept": '{%% set page = %s %%}<a href="{{ page }}">x</a>',
    "in front of more": '<a href="{{ %s }}/more?a={{ customer.country }}">x</a>',
}
SCRIPTS = [
    "javascript:alert(1)",
    "JaVaScript:alert(1)",
    " java\tscript:alert(1)",
    "java&#115;cript:x()",
    "data:text/html,x",
    "vbscript:x",
    "x",
    "",
]
PAGES = [
    "https://y.example/a?b=c",
    "HTTP://y.example",
    "mailto:a@y.example",
    "tel:+491",
    "/a",
    "//y.example",
    "#a",
]


def written_to(pages: list[str], body: str, store: Store, folder: Path) -> list[Mail | Unwritable]:
    """The mails to customers of whom each calls another page their own."""
    people = {
        number: Person(known_at=NOW, email="ann@example.com", attributes=[Attribute("page", NOW, page)])
        for number, page in enumerate(pages, 1)
    }
    front = Shopfront(store, people)
    return front.mails(studio(folder, {"a.html": body % ADDRESS}, campaign_text()), NOW)


@pytest.mark.parametrize("where", BODIES)
def test_no_value_makes_a_link_run(where: str, store: Store, tmp_path: Path):
    mails = written_to(SCRIPTS, BODIES[where], store, tmp_path)
    assert [isinstance(mail, Unwritable) and mail.reason for mail in mails] == ["render_failed"] * len(
        SCRIPTS
    )
    told = [mail.message for mail in mails if isinstance(mail, Unwritable)]
    assert all("is no address for a mail" in said or "an address is empty" in said for said in told)


def test_a_picture_is_shown_by_https_alone(store: Store, tmp_path: Path):
    mails = written_to(PAGES, BODIES["a picture"], store, tmp_path)
    shown = ["https://y.example/a?b=c", None, None, None, "https://loaf.example/a", "https://y.example", None]
    for source, mail in zip(shown, mails, strict=True):
        assert f'src="{source}"' in mail.html if source else mail.reason == "render_failed"


@pytest.mark.parametrize("where", [where for where in BODIES if where != "a picture"])
def test_a_page_is_linked_to(where: str, store: Store, tmp_path: Path):
    for page, mail in zip(PAGES, written_to(PAGES, BODIES[where], store, tmp_path), strict=True):
        assert page in mail.html


def test_a_value_behind_a_beginning_is_only_a_part(store: Store, tmp_path: Path):
    mails = written_to(SCRIPTS, "<a href='https://x.example/?q={{ %s }}'>x</a>", store, tmp_path)
    assert all(isinstance(mail, Mail) for mail in mails)


TURNS = [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))]


def test_no_name_turns_what_follows_around(store: Store, tmp_path: Path):
    people = {number: Person(known_at=NOW, email="ann@example.com") for number in range(len(TURNS))}
    names = {number: {"first_name": f"A{turn}nn"} for number, turn in enumerate(TURNS)}
    sent = studio(
        tmp_path,
        {"a.html": "<p>Dear {{ customer.first_name }}</p>"},
        campaign_text("Hello {{ customer.first_name }}!"),
    )
    for mail in Shopfront(store, people, names).mails(sent, NOW):
        assert (mail.subject, mail.to_name, mail.html) == ("Hello Ann!", "Ann", "<p>Dear Ann</p>")
