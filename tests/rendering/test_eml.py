"""The same mail is the same bytes, and what a mail reader makes of them is the mail."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.planning.keys import MailKey
from engine.rendering.eml import to_bytes
from engine.rendering.mail import Mail, one_line

KEY = MailKey(7, "c", "one", 1)
MAIL = Mail(
    key=KEY,
    message_id=KEY.message_id,
    planned_at=datetime(2026, 3, 10, 9, 0, tzinfo=UTC),
    to_address="ann@example.com",
    to_name="Ann",
    from_address="ida@loaf.example",
    from_name="Ida",
    reply_to="answers@loaf.example",
    subject="Hello",
    html="<p>Hello</p>",
    text="Hello\n",
    headers=(("List-Unsubscribe", "<mailto:stop@loaf.example?subject=unsubscribe%20x>"),),
)
EXPECTED = """\
Date: Tue, 10 Mar 2026 09:00:00 +0000
From: "Ida" <ida@loaf.example>
To: "Ann" <ann@example.com>
Reply-To: answers@loaf.example
Subject: Hello
Message-ID: <ID@loaf.example>
List-Unsubscribe: <mailto:stop@loaf.example?subject=unsubscribe%20x>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="=_ID"

--=_ID
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hello

--=_ID
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Hello</p>

--=_ID--
"""

anything = st.text(st.characters(codec="utf-8"), max_size=120)
lines = anything.map(one_line).map(lambda text: " ".join(text.split())).filter(bool)
mails = st.builds(
    replace, st.just(MAIL), to_name=anything, from_name=anything, subject=lines, html=anything, text=anything
)


def read(mail: Mail) -> email.message.EmailMessage:
    return email.message_from_bytes(to_bytes(mail), policy=email.policy.default)


def test_a_mail_to_the_byte():
    expected = EXPECTED.replace("ID@", f"{KEY.message_id}@").replace("=_ID", f"=_{KEY.message_id}")
    assert to_bytes(MAIL) == expected.replace("\n", "\r\n").encode()


@settings(max_examples=300)
@given(mails)
def test_the_same_mail_is_the_same_bytes(mail: Mail):
    assert to_bytes(mail) == to_bytes(replace(mail))


@settings(max_examples=300)
@given(mails)
def test_a_reader_finds_what_was_written(mail: Mail):
    message = read(mail)
    assert message["Subject"] == mail.subject
    for kind, written in (("plain", mail.text), ("html", mail.html)):
        found = message.get_body((kind,)).get_content()
        wanted = written.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
        assert found.replace("\r\n", "\n").rstrip("\n") == wanted


@settings(max_examples=300)
@given(mails, anything)
def test_no_value_adds_a_header_or_a_bare_line_end(mail: Mail, subject: str):
    raw = to_bytes(replace(mail, subject=f"{subject}\r\nBcc: x"))
    head = raw.split(b"\r\n\r\n", 1)[0]
    unfolded = head.replace(b"\r\n ", b" ").split(b"\r\n")
    names = "Date From To Reply-To Subject Message-ID List-Unsubscribe MIME-Version Content-Type"
    assert b" ".join(line.split(b":")[0] for line in unfolded) == names.encode()
    assert raw.replace(b"\r\n", b"").count(b"\n") == raw.replace(b"\r\n", b"").count(b"\r") == 0
    assert raw.isascii()
    assert all(len(line) <= 76 for line in head.split(b"\r\n") if b"=?utf-8?" in line)
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@settings(max_examples=200)
@given(st.text(st.characters(codec="ascii"), max_size=60), st.text(max_size=60))
def test_no_header_given_with_a_mail_adds_another(name: str, value: str):
    raw = to_bytes(replace(MAIL, headers=(("X-Campaign", f"{name}\r\nBcc: x\n{value}"),)))
    assert b"\nBcc:" not in raw.split(b"\r\n\r\n", 1)[0]


NAMES = [
    ("Ann", '"Ann" <ann@example.com>'),
    ("", "ann@example.com"),
    ("Lee, Ann", '"Lee, Ann" <ann@example.com>'),
    ('Ann "the" \\Lee', '"Ann \\"the\\" \\\\Lee" <ann@example.com>'),
    ("Jürgen", "=?utf-8?b?SsO8cmdlbg==?=\r\n <ann@example.com>"),
    ("=?utf-8?q?Ann?=", "=?utf-8?b?PT91dGYtOD9xP0Fubj89?=\r\n <ann@example.com>"),
]


@pytest.mark.parametrize(("name", "said"), NAMES)
def test_names_of_all_kinds(name: str, said: str):
    mail = replace(MAIL, to_name=name)
    assert f"To: {said}\r\n".encode() in to_bytes(mail)
    (address,) = read(mail)["To"].addresses
    assert (address.display_name, address.addr_spec) == (name, "ann@example.com")


def test_an_international_domain_is_written_in_ascii():
    raw = to_bytes(replace(MAIL, from_address="ida@bücher.example", to_address="ann@münchen.example"))
    assert b"<ida@xn--bcher-kva.example>" in raw
    assert b"<ann@xn--mnchen-3ya.example>" in raw
    assert f"Message-ID: <{KEY.message_id}@xn--bcher-kva.example>".encode() in raw


DOMAINS = [
    ("straße.de", "xn--strae-oqa.de"),
    ("xn--strae-oqa.de", "xn--strae-oqa.de"),
    ("strasse.de", "strasse.de"),
    ("βόλος.example", "xn--nxasmm1c.example"),
    ("Bücher.example", "xn--bcher-kva.example"),
]


@pytest.mark.parametrize(("domain", "said"), DOMAINS)
def test_no_domain_becomes_that_of_a_stranger(domain: str, said: str):
    """The standard of today (IDNA 2008) tells ß from ss; that of 2003 made one of them."""
    raw = to_bytes(
        replace(MAIL, to_address=f"s@{domain}", from_address=f"s@{domain}", reply_to=f"s@{domain}")
    )
    head = email.message_from_bytes(raw)
    for name in ("To", "From", "Reply-To", "Message-ID"):
        assert head[name].strip("<>").rpartition("@")[2] == said, name


def test_the_date_is_told_in_utc():
    later = MAIL.planned_at.astimezone(timezone(timedelta(hours=9)))
    assert to_bytes(replace(MAIL, planned_at=later)) == to_bytes(MAIL)
