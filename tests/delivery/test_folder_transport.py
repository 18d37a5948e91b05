"""The folder transport: one file per mail, whole or not at all, for its owner only."""

import errno
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from engine.delivery.transports.base import Receipt, Refused, Trace, TryAgain
from engine.delivery.transports.folder import FolderTransport
from engine.errors import TransportError
from engine.rendering.eml import to_bytes
from engine.rendering.mail import Mail, MailOrder
from tests.delivery.post_office import NOW, files, folder_transport, key, mail_for

DAY = "outbox/mails/2026-03-10"


def a_mail(customer_id: int = 1, planned_at: datetime = NOW) -> Mail:
    return mail_for(MailOrder(key(customer_id), planned_at))


@pytest.fixture
def transport(tmp_path: Path) -> FolderTransport:
    return folder_transport(tmp_path)


def test_a_mail_is_a_file_of_its_day_and_id(transport: FolderTransport, tmp_path: Path) -> None:
    mail = a_mail()
    assert transport.send(mail) == Receipt(f"2026-03-10/{mail.message_id}.eml")
    transport.flush()
    assert files(tmp_path) == [f"{mail.message_id}.eml"]
    assert (tmp_path / DAY / f"{mail.message_id}.eml").read_bytes() == to_bytes(mail)


def test_the_day_is_that_of_the_plan_in_utc(transport: FolderTransport, tmp_path: Path) -> None:
    auckland = timezone(timedelta(hours=13))
    transport.send(a_mail(planned_at=datetime(2026, 3, 11, 1, 0, tzinfo=auckland)))
    assert [path.name for path in (tmp_path / "outbox/mails").iterdir()] == ["2026-03-10"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_and_folders_are_private_under_any_umask(
    transport: FolderTransport, tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        transport.send(a_mail())
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "outbox").rglob("*")}
    assert modes == {"mails": 0o700, "2026-03-10": 0o700, f"{a_mail().message_id}.eml": 0o600}
    assert (tmp_path / "outbox").stat().st_mode & 0o777 == 0o700


def test_a_second_copy_changes_nothing(transport: FolderTransport, tmp_path: Path) -> None:
    first = transport.send(a_mail())
    assert folder_transport(tmp_path).send(replace(a_mail(), text="another text")) == first
    (file,) = (tmp_path / DAY).iterdir()
    assert file.read_bytes() == to_bytes(a_mail())


def test_a_name_taken_by_a_link_elsewhere_is_not_followed(transport: FolderTransport, tmp_path: Path) -> None:
    elsewhere = tmp_path / "precious"
    elsewhere.write_text("keep me")
    (tmp_path / DAY).mkdir(parents=True)
    (tmp_path / DAY / f"{a_mail().message_id}.eml").symlink_to(elsewhere)
    transport.send(a_mail())
    assert elsewhere.read_text() == "keep me"


def test_looking_up(transport: FolderTransport, tmp_path: Path) -> None:
    mail = a_mail()
    assert transport.look_up(mail.message_id, NOW) is Trace.MISSING
    transport.send(mail)
    assert transport.look_up(mail.message_id, NOW) is Trace.FOUND
    assert transport.look_up(mail.message_id, NOW + timedelta(days=1)) is Trace.MISSING
    assert transport.look_up(a_mail(2).message_id, NOW) is Trace.MISSING


def test_a_name_that_was_found_is_made_lasting_before_it_is_believed(
    transport: FolderTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer may have died between the link and the sync of the folder."""
    folder_transport(tmp_path).send(a_mail())
    synced: list[Any] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    transport.look_up(a_mail().message_id, NOW)
    transport.flush()
    assert len(synced) == 1


def test_a_folder_that_cannot_be_read_cannot_tell(transport: FolderTransport, tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where a folder should be")
    assert transport.look_up(a_mail().message_id, NOW) is Trace.CANNOT_TELL


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("touch", ["send", "look_up"])
def test_only_the_leftovers_of_dead_processes_of_this_host_are_tidied_away(
    transport: FolderTransport, tmp_path: Path, touch: str
) -> None:
    day = tmp_path / DAY
    day.mkdir(parents=True)
    host = socket.gethostname()
    dead, alive, far = (
        f".{host}.{dead_process()}.ab12.tmp",
        f".{host}.{os.getpid()}.ab12.tmp",
        ".far.1.ab12.tmp",
    )
    for name in (dead, alive, far, ".keep", "notes.tmp"):
        (day / name).write_text("")
    if touch == "send":
        transport.send(a_mail())
    else:
        transport.look_up(a_mail().message_id, NOW)
    assert {name for name in files(tmp_path) if not name.endswith(".eml")} == {
        alive,
        far,
        ".keep",
        "notes.tmp",
    }


FAILURES = [
    (errno.ENOSPC, "disk is full"),
    (errno.EDQUOT, "disk is full"),
    (errno.EACCES, "may not be written"),
    (errno.EROFS, "may not be written"),
    (errno.EIO, "cannot be written"),
]


@pytest.mark.parametrize("call", ["open", "fsync", "link"])
@pytest.mark.parametrize(("number", "words"), FAILURES)
def test_a_file_system_that_refuses_is_told_in_words_and_leaves_nothing_behind(
    transport: FolderTransport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    number: int,
    words: str,
) -> None:
    (tmp_path / DAY).mkdir(parents=True)

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(TransportError, match=words) as caught:
            transport.send(a_mail())
    assert caught.value.hint
    assert files(tmp_path) == []
    transport.send(a_mail())
    assert files(tmp_path) == [f"{a_mail().message_id}.eml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write(transport: FolderTransport, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(TransportError, match="may not be written"):
        transport.send(a_mail())


def test_a_file_in_the_place_of_the_folder(transport: FolderTransport, tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("")
    with pytest.raises(TransportError, match="cannot be written"):
        transport.send(a_mail())


def test_a_name_that_cannot_be_made_lasting_is_an_error_and_tried_again(
    transport: FolderTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport.send(a_mail())
    synced: list[Any] = []

    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(TransportError):
            transport.flush()
    monkeypatch.setattr(os, "fsync", synced.append)
    transport.flush()
    transport.flush()
    assert len(synced) == 1


def test_a_hidden_file_that_was_taken_away_means_try_again(
    transport: FolderTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stolen(*_: Any, **__: Any) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(os, "link", stolen)
    with pytest.raises(TryAgain, match="taken away"):
        transport.send(a_mail())


def test_what_no_mail_can_hold_is_refused(transport: FolderTransport, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be put into a mail"):
        transport.send(replace(a_mail(), to_address=f"ann@{'x' * 70}ü.example"))
    assert files(tmp_path) == []
