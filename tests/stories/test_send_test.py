"""aftersale send-test: to oneself, by the way that campaign mails take, and on no record."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.store.connect import Store
from engine.store.tables import messages
from tests.fake_sendgrid.hand import Hand, fake_sendgrid
from tests.stories.conftest import Aftersale

TO = ("--to", "marta@slowloaf.example")
STEP = ("win-back", "focaccia")


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    with fake_sendgrid(tmp_path / "records.jsonl") as fake:
        monkeypatch.setenv("AFTERSALE_DELIVERY__TRANSPORT", "sendgrid")
        monkeypatch.setenv("AFTERSALE_SECRETS__SENDGRID_KEY", fake.key)
        monkeypatch.setenv("AFTERSALE_SENDGRID__HOST", fake.url)
        yield fake


@pytest.fixture
def project(aftersale: Aftersale, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A new project with two campaigns and one customer in it."""
    assert aftersale("init", "shop").code == 0
    monkeypatch.chdir(tmp_path / "shop")
    for campaign in ("flour-refill", "membership-renews", "stalled-learner", "thank-you"):
        Path(f"campaigns/{campaign}.yaml").unlink()
    Path("ann.csv").write_text("shop_id,email,first_name\nc1,ann@example.com,Ann-Sophie\n")
    assert aftersale("import", "ann.csv", "--as", "customers").code == 0
    return tmp_path / "shop"


def recorded(project: Path) -> int:
    store = Store(f"sqlite:///{project}/aftersale.db")
    with store.reading() as connection:
        found = connection.scalar(select(func.count()).select_from(messages))
    store.close()
    return found


def test_it_goes_through_the_provider_and_is_nobodys(aftersale: Aftersale, project: Path, hand: Hand) -> None:
    said = aftersale("send-test", *STEP, *TO)
    assert (said.code, said.err) == (0, "")
    (mail,) = hand.mails()
    assert said.out == f"handed to 'sendgrid' as {mail['x_message_id']}\n"
    assert mail["to"] == "marta@slowloaf.example"
    assert mail["custom_args"]["aftersale_customer"] == "0"
    assert mail["headers"]["X-Aftersale-Test"] == "yes"
    assert recorded(project) == 0


def test_a_second_one_is_a_mail_of_its_own_also_in_a_folder(aftersale: Aftersale, project: Path) -> None:
    for _ in range(2):
        assert aftersale("send-test", *STEP, *TO, "--customer", "ann@example.com").code == 0
    files = list((project / "outbox" / "mails").rglob("*.eml"))
    assert len(files) == 2
    mail = message_from_bytes(files[0].read_bytes(), policy=policy.default)
    assert mail["To"] == "marta@slowloaf.example"
    assert "Ann-Sophie" in mail.get_body(("plain",)).get_content()
    assert recorded(project) == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("win-bak", "focaccia", *TO), 11, "there is no campaign 'win-bak'"),
        (("win-back", "focacia", *TO), 11, "there is no step 'focacia' in the campaign 'win-back'"),
        ((*STEP, "--to", "nowhere"), 2, "'nowhere' is not an e-mail address"),
        ((*STEP, *TO, "--customer", "bob@example.com"), 12, "nobody is known as 'bob@example.com'"),
        (
            ("flagship-after-guide", "half-a-loaf", *TO, "--customer", "c1"),
            2,
            "the mail cannot be written for 'c1': subject of flagship-after-guide/half-a-loaf:1: no fact proves",
        ),
    ],
)
def test_what_cannot_be_sent_is_told(
    aftersale: Aftersale, project: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    answer = aftersale("send-test", *words)
    assert (answer.code, said in answer.err) == (code, True), answer.err


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"status": 500}, "nobody can say whether it was sent: 500"),
        ({"status": 401}, "SendGrid takes no mail from here: 401"),
    ],
)
def test_what_the_provider_answers_is_told(
    aftersale: Aftersale, project: Path, hand: Hand, order: dict[str, int], said: str
) -> None:
    hand.order(**order)
    answer = aftersale("send-test", *STEP, *TO)
    assert (answer.code, said in answer.err) == (16, True), answer.err


def test_without_a_key_nothing_is_planned(
    aftersale: Aftersale, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERSALE_DELIVERY__TRANSPORT", "sendgrid")
    for words in (("run", "--once"), ("send-test", *STEP, *TO)):
        answer = aftersale(*words)
        assert answer.code == 10
        assert "set AFTERSALE_SECRETS__SENDGRID_KEY" in answer.err
    assert aftersale("preview").code == 0
