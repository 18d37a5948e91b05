"""A copied database never mails: what a copy, a restore and a move look like, and what does not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.delivery.generation import Guard
from engine.errors import NotAdopted, SettingsError
from engine.store.connect import Store
from engine.store.migrate import ensure_current


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def opened(shop: Path) -> tuple[Store, Guard]:
    store = Store("sqlite:///aftersale.db", folder=shop)
    ensure_current(store)
    return store, Guard(store, shop / ".aftersale")


def send(shop: Path, times: int = 1) -> int:
    """What every delivery does before the first mail of a batch."""
    store, guard = opened(shop)
    guard.check()
    for _ in range(times):
        with store.writing() as connection:
            number = guard.advance(connection)
        guard.remember(number)
    store.close()
    return number


def test_from_run_to_run_the_number_rises(shop: Path) -> None:
    assert [send(shop), send(shop, 3), send(shop)] == [1, 4, 5]


def copied(shop: Path) -> Path:
    return Path(shutil.copytree(shop, shop.parent / "copy"))


def copied_in_place(shop: Path) -> Path:
    """As a volume that is restored under the same path: another file."""
    away = shop.rename(shop.parent / "away")
    shutil.copytree(away, shop)
    return shop


def restored(shop: Path) -> Path:
    backup = (shop / "aftersale.db").read_bytes()
    send(shop)
    (shop / "aftersale.db").write_bytes(backup)
    return shop


def alone(shop: Path) -> Path:
    """The database without the file beside it."""
    shutil.rmtree(shop / ".aftersale")
    return shop


def begun_again(shop: Path) -> Path:
    """The file without the database: everybody would be mailed a second time."""
    for file in shop.glob("aftersale.db*"):
        file.unlink()
    return shop


def another(shop: Path) -> Path:
    other = shop.parent / "other"
    other.mkdir()
    send(other)
    shutil.copytree(shop / ".aftersale", other / ".aftersale", dirs_exist_ok=True)
    return other


def unreadable(shop: Path) -> Path:
    (shop / ".aftersale" / "generation.json").write_text("{")
    return shop


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (copied, "is a copy, or was moved"),
        (copied_in_place, "is a copy, or was moved"),
        (restored, "restored from a backup: it stands at generation 2, and 3 was reached"),
        (alone, "has sent mail from elsewhere"),
        (begun_again, "the database is new"),
        (another, "is not the one"),
        (unreadable, "cannot be read"),
    ],
)
def test_these_are_not_adopted_and_do_not_mail(shop: Path, what: Callable[[Path], Path], said: str) -> None:
    send(shop, 2)
    there = what(shop)
    with pytest.raises(NotAdopted, match=said):
        send(there)
    store, guard = opened(there)
    assert said in str(guard.trouble()), "told without being changed"
    store.close()


def test_a_database_exchanged_under_a_living_process_sends_nothing(store: Store, tmp_path: Path) -> None:
    guard = Guard(store, tmp_path)
    guard.check()
    with store.writing() as connection:
        guard.remember(guard.advance(connection) + 7)
    with pytest.raises(NotAdopted, match="exchanged"), store.writing() as connection:
        guard.advance(connection)


def test_one_that_never_sent_may_be_copied_freely(shop: Path) -> None:
    store, guard = opened(shop)
    guard.check()
    store.close()
    shutil.rmtree(shop / ".aftersale")
    assert send(shop) == 1


def test_two_hosts_on_one_database_each_keep_their_own_file(store: Store, tmp_path: Path) -> None:
    here, there = Guard(store, tmp_path / "here"), Guard(store, tmp_path / "there")
    here.check()
    there.check()
    for guard in (here, here, there, here):
        with store.writing() as connection:
            number = guard.advance(connection)
        guard.remember(number)
    assert [guard.trouble() for guard in (here, there)] == [None, None]


def test_a_place_that_cannot_be_written_is_told(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        Guard(store, tmp_path / "file").check()


@pytest.mark.parametrize("sent_before", [0, 1])
def test_what_another_run_sends_while_it_is_checked_is_no_trouble(
    shop: Path, monkeypatch: pytest.MonkeyPatch, sent_before: int
) -> None:
    """Between the look at the one and the look at the other, whichever comes first."""
    if sent_before:
        send(shop)
    for first in ("found", "recorded"):
        store, guard = opened(shop)
        look = getattr(guard, first)

        def meanwhile(look: Callable[[], object] = look, first: str = first, guard: Guard = guard) -> object:
            seen = look()
            monkeypatch.delattr(guard, first)
            send(shop)
            return seen

        monkeypatch.setattr(guard, first, meanwhile, raising=False)
        guard.check()
        store.close()
