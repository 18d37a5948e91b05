"""Mails that came back: what a report means, whom it is about, and what becomes of its file."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from engine.app.bouncing import Returned, take_bounces
from engine.clock import VirtualClock
from engine.daemon.returns import Returns
from engine.delivery.receivers.applying import apply_events
from engine.delivery.reports import NotAReport, reports_in
from engine.facts.mail_events import Kind
from engine.facts.suppression import is_suppressed
from engine.settings.delivery import Smtp
from engine.settings.model import Settings
from engine.store.connect import Store
from engine.store.tables import customers, identities, mail_events
from tests.delivery.post_office import NOW, address, change, key, plan_mails, row

RETURNED = (
    "Content-Type: message/rfc822\n\nFrom: hello@shop.example\nMessage-ID: <{id}@shop.example>\n\nHello"
)
HEADERS = "Content-Type: text/rfc822-headers\n\nFrom: hello@shop.example\nMessage-ID: <{id}@shop.example>\n"
SOFT_BOUNCES = 2
JO = "jo@bücher.example"
NOTHING = "Content-Type: text/plain\n\nnothing of it is here"


def report(
    number: int = 1,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    recipient: str | None = None,
    returned: str = RETURNED,
    more: str = "",
) -> bytes:
    """As Postfix writes it."""
    to = address(number) if recipient is None else recipient
    told = (
        f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n{more}\n"
        f"Final-Recipient: rfc822; {to}\nAction: {action}\nStatus: {status}\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\n"
    )
    parts = [
        "Content-Type: text/plain\n\nI'm sorry to have to inform you that your message could not be delivered.",
        told,
        returned.format(id=key(number).message_id),
    ]
    body = "".join(f"--B\n{part}\n" for part in parts)
    head = 'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="B"\n'
    return f"From: MAILER-DAEMON\nMessage-ID: <x@mx.example>\n{head}\n{body}--B--\n".encode()


# ── what it says ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("failed", "5.1.1", Kind.BOUNCED),
        ("Failed", "5.0.0 (nobody)", Kind.BOUNCED),
        ("failed", "5.2.1", Kind.BOUNCED),
        ("failed", "5.2.2", Kind.SOFT_BOUNCE),  # full
        ("failed", "5.1.7", Kind.BLOCKED),  # our own address
        ("failed", "5.1.8", Kind.BLOCKED),  # our own domain
        ("failed", "5.3.0", Kind.SOFT_BOUNCE),  # their system
        ("failed", "5.3.4", Kind.BLOCKED),  # too large
        ("failed", "5.4.6", Kind.SOFT_BOUNCE),  # a loop
        ("failed", "5.4.7", Kind.SOFT_BOUNCE),  # expired
        ("failed", "5.5.4", Kind.BLOCKED),  # a word that they do not know
        ("failed", "5.7.26", Kind.BLOCKED),  # our signature, not the address
        ("Failed (permanent)", "5.1.10", Kind.BOUNCED),
        ("failed", "4.4.7", Kind.SOFT_BOUNCE),
        ("failed", "4.7.0", Kind.BLOCKED),  # our name, to the end
        ("delayed", "4.4.1", Kind.DEFERRED),
        ("delivered", "2.0.0", Kind.DELIVERED),
        ("relayed", "5.1.1", Kind.PROCESSED),
    ],
)
def test_what_a_report_means(action: str, status: str, kind: Kind) -> None:
    [found] = reports_in(report(action=action, status=status))
    assert (found.kind, found.recipient) == (kind, address(1))


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.0.0", "smtp; 550 5.1.1 nobody", Kind.BOUNCED),
        ("5.0.0", "smtp; 550 5.7.1 not from you", Kind.BLOCKED),
        ("5.0.0", "smtp; 554 rejected as spam", Kind.BLOCKED),
        ("5.0.0", "smtp; 550 no", Kind.SOFT_BOUNCE),
        ("4.0.0", "smtp; 550 5.1.1 nobody", Kind.SOFT_BOUNCE),  # the status counts, where they differ
        ("", "smtp; 550 5.1.1 nobody", Kind.BOUNCED),
        ("", "smtp; from 1.5.1.1 by 5.1.1.9", Kind.SOFT_BOUNCE),  # addresses of machines are no codes
    ],
)
def test_where_the_status_says_nothing_the_words_may(status: str, words: str, kind: Kind) -> None:
    told = report(status=status).replace(b"smtp; 550 5.1.1 User unknown", words.encode())
    [found] = reports_in(told)
    assert found.kind is kind


@pytest.mark.parametrize(
    ("returned", "more", "number"),
    [
        (RETURNED, "", 1),
        (HEADERS, "", 1),
        (NOTHING, f"Original-Message-ID: <{key(2).message_id}@shop.example>\n", 2),
        (RETURNED, f"Original-Message-ID: <{key(2).message_id}@shop.example>\n", 2),
        (NOTHING, "", None),
    ],
)
def test_the_id_of_our_mail_is_found(returned: str, more: str, number: int | None) -> None:
    [found] = reports_in(report(returned=returned, more=more))
    assert found.message_id == (key(number).message_id if number else None)


@pytest.mark.parametrize("told", ["utf-8; jörg@shop.example", r"utf-8; j\x{F6}rg@shop.example"])
def test_a_report_in_utf_8_is_read(told: str) -> None:
    came = report().replace(b"message/delivery-status", b"message/global-delivery-status")
    [found] = reports_in(came.replace(f"rfc822; {address(1)}".encode(), told.encode()))
    assert (found.kind, found.recipient) == (Kind.BOUNCED, "jörg@shop.example")


def complaint(kind: str = "abuse", returned: str = RETURNED) -> bytes:
    """As RFC 5965 has it."""
    told = (
        "Content-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\nUser-Agent: Some/1.0\nVersion: 1\nOriginal-Rcpt-To: <{address(1)}>\n"
    )
    parts = ["Content-Type: text/plain\n\nspam", told, returned.format(id=key(1).message_id)]
    body = "".join(f"--B\n{part}\n" for part in parts)
    head = 'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary="B"\n'
    return f"From: fbl@isp.example\nMessage-ID: <y@isp.example>\n{head}\n{body}--B--\n".encode()


@pytest.mark.parametrize(("kind", "means"), [("abuse", Kind.COMPLAINED), ("opt-out", Kind.UNSUBSCRIBED)])
def test_a_complaint_is_read(kind: str, means: Kind) -> None:
    [found] = reports_in(complaint(kind))
    assert (found.kind, found.recipient, found.message_id) == (means, address(1), key(1).message_id)


def test_feedback_that_is_no_complaint_is_none() -> None:
    with pytest.raises(NotAReport, match="no complaint"):
        reports_in(complaint("not-spam"))


def nested(levels: int) -> bytes:
    """Parts within parts."""
    heads = (f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(levels))
    return "".join(heads).encode() + b"Content-Type: text/plain\n\nx"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100_000,
        b"Subject: out of office\n\nBack on Monday",
        nested(2000),
        nested(30),
        b"Content-Type: message/rfc822\n\n" * 5000,
        report().replace(b"Final-Recipient", b"X-Recipient"),
        report().replace(b"message/delivery-status", b"text/plain"),
        report().replace(b'boundary="B"', b"boundary="),
        report()[:200],
        b"\xff\xfe" + report()[40:],
    ],
)
def test_what_is_no_report_says_so(content: bytes) -> None:
    with pytest.raises(NotAReport):
        reports_in(content)


@given(st.lists(st.tuples(st.integers(0, 900), st.binary(max_size=12)), max_size=6))
def test_a_broken_report_is_read_or_refused_and_nothing_else(breaks: list[tuple[int, bytes]]) -> None:
    content = report()
    for place, noise in breaks:
        content = content[:place] + noise + content[place + len(noise) :]
    try:
        for each in reports_in(content):
            assert each.recipient.isprintable()
            assert len(each.recipient) <= 320
    except NotAReport:
        pass


# ── what it does ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def mailed(store: Store) -> Store:
    """Two mails have left by SMTP; nobody can tell of a third, and a fourth is only planned."""
    plan_mails(store, 1, 2, 3, 4)
    with store.writing() as connection:
        names = [{"kind": "email", "value": address(n), "customer_id": n} for n in range(1, 5)]
        connection.execute(identities.insert(), names)
    for number, status in ((1, "accepted"), (2, "accepted"), (3, "unknown")):
        sent = {"message_id": key(number).message_id, "address": address(number), "transport": "smtp"}
        change(store, number, status=status, attempt=1, **sent)
    return store


def take(store: Store, folder: Path) -> list[Returned]:
    """Read the folder, and take up what was kept."""
    found = list(take_bounces(SimpleNamespace(store=store), folder, NOW))  # type: ignore[arg-type]
    apply_events(store, SOFT_BOUNCES, NOW)
    return found


def suppressed(store: Store) -> list[int]:
    with store.reading() as connection:
        return [number for number in range(1, 5) if is_suppressed(connection, address(number))]


def put(folder: Path, **files: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.eml").write_bytes(content)


@pytest.mark.parametrize(
    ("came", "gone"),
    [
        (report(1), [1]),
        (report(1, recipient="elsewhere@forwarded.example"), [1]),  # the mail's own address, not a later one
        (report(2, returned=NOTHING), [2]),
        (report(2, returned=NOTHING, recipient=address(2).upper()), [2]),
        (complaint(), [1]),
        (complaint(returned=NOTHING), [1]),
        (report(1, status="4.4.7"), []),
        (report(1, action="delayed"), []),
    ],
)
def test_an_address_that_is_no_more_gets_no_mail(
    mailed: Store, tmp_path: Path, came: bytes, gone: list[int]
) -> None:
    put(tmp_path, one=came)
    [told] = take(mailed, tmp_path)
    assert suppressed(mailed) == gone
    assert not told.parked
    put(tmp_path, one=came)  # the same again
    take(mailed, tmp_path)
    assert suppressed(mailed) == gone
    assert sorted(file.name for file in (tmp_path / "done").iterdir()) == ["one-2.eml", "one.eml"]


def test_a_recipient_is_named_as_it_is_compared(mailed: Store, tmp_path: Path) -> None:
    """Without our id, and with the domain in the form in which the mail left."""
    with mailed.writing() as connection:
        connection.execute(update(customers).where(customers.c.customer_id == 1).values(email=JO))
        connection.execute(update(identities).where(identities.c.customer_id == 1).values(value=JO))
    change(mailed, 1, address=JO)
    told = report(recipient="Jo@xn--bcher-kva.example", returned=NOTHING)
    put(tmp_path, one=told)
    assert take(mailed, tmp_path) == [Returned("one.eml", (Kind.BOUNCED,))]
    with mailed.reading() as connection:
        assert is_suppressed(connection, JO)


@pytest.mark.parametrize(("returned", "gone"), [(NOTHING, [1]), (RETURNED, [])])
def test_reports_that_name_no_mail_are_told_apart_by_themselves(
    mailed: Store, tmp_path: Path, returned: str, gone: list[int]
) -> None:
    """Full, twice: of two mails, or of one mail by two words."""
    for name in ("x", "y"):
        full = report(1, status="5.2.2", returned=returned)
        put(tmp_path, **{name: full.replace(b"<x@mx.example>", f"<{name}@mx.example>".encode())})
        take(mailed, tmp_path)
    assert suppressed(mailed) == gone


@pytest.mark.parametrize(
    "came",
    [
        report(4, returned=NOTHING),  # planned, but nothing ever went there
        report(1, returned=NOTHING, recipient="stranger@else.example"),
        b"Subject: win a prize\n\nclick",
        nested(2000),
        b"x" * 5_000_000,
    ],
)
def test_what_is_about_no_mail_of_ours_is_parked_with_its_reason(
    mailed: Store, tmp_path: Path, came: bytes
) -> None:
    put(tmp_path, one=came)
    [told] = take(mailed, tmp_path)
    assert suppressed(mailed) == []
    assert (tmp_path / "parked" / "one.eml").read_bytes() == came
    assert (tmp_path / "parked" / "one.eml.reason.txt").read_text() == f"{told.parked}\n"


def test_soft_bounces_in_a_row_are_too_many_at_last(mailed: Store, tmp_path: Path) -> None:
    put(tmp_path, one=report(1, status="4.4.7"), again=report(1, status="4.4.7"))
    take(mailed, tmp_path)
    assert suppressed(mailed) == [], "the same report counts once"
    put(tmp_path, two=report(1, status="4.2.2"))
    take(mailed, tmp_path)
    assert suppressed(mailed) == [1]


def test_what_came_back_is_kept_with_its_mail(mailed: Store, tmp_path: Path) -> None:
    put(tmp_path, one=report(1), two=report(2, returned=NOTHING, status="4.4.7"))
    take(mailed, tmp_path)
    with mailed.reading() as connection:
        told = select(
            mail_events.c.customer_id, mail_events.c.kind, mail_events.c.message_id, mail_events.c.detail
        )
        kept = sorted(tuple(each) for each in connection.execute(told))
    mine = (1, "bounced", key(1).message_id, "5.1.1")
    assert kept == [mine, (2, "soft_bounce", "", "4.4.7")], "an address alone names nobody's mail"


def test_a_report_proves_that_an_unknown_mail_has_left(mailed: Store, tmp_path: Path) -> None:
    put(tmp_path, one=report(3, returned=NOTHING))
    take(mailed, tmp_path)
    assert row(mailed, 3).status == "unknown"  # only the address was named, and anybody can do that
    put(tmp_path, two=report(3))
    take(mailed, tmp_path)
    assert row(mailed, 3).status == "accepted"


def test_of_a_maildir_both_folders_are_read_and_nothing_that_is_no_file(
    mailed: Store, tmp_path: Path
) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.host").write_bytes(report(1))
    (tmp_path / "cur" / "2.host:2,S").write_bytes(report(2))
    (tmp_path / "tmp" / "3.host").write_bytes(report(3))
    (tmp_path / "new" / "link").symlink_to(tmp_path / "tmp" / "3.host")
    assert [each.file for each in take(mailed, tmp_path)] == ["1.host", "2.host:2,S"]
    assert suppressed(mailed) == [1, 2]


@pytest.mark.parametrize("leads", [True, False])
def test_the_daemon_reads_the_folder_of_the_settings_while_it_leads(
    mailed: Store, tmp_path: Path, clock: VirtualClock, leads: bool
) -> None:
    put(tmp_path / "back", one=report(1), two=report(2, status="4.4.7"), three=b"win a prize")
    settings = Settings(smtp=Smtp(bounces_folder="back"))
    project = SimpleNamespace(store=mailed, settings=settings, folder=tmp_path, clock=clock)
    Returns(SimpleNamespace(project=project), SimpleNamespace(leads=lambda: leads)).read()  # type: ignore[arg-type]
    apply_events(mailed, SOFT_BOUNCES, NOW)  # the job `listen`
    assert suppressed(mailed) == ([1] if leads else [])
    assert list((tmp_path / "back").glob("*.eml")) == [] or not leads
