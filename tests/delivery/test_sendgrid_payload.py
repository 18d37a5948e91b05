"""Our requests: those of the `sendgrid` package, within the published contract, and mails put together again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as some
from jsonschema import Draft202012Validator
from sendgrid.helpers import mail as helpers

from engine.delivery.transports.sendgrid import moulds as learning
from engine.delivery.transports.sendgrid import payload
from engine.delivery.transports.sendgrid.moulds import (
    WORK,
    Effort,
    Mould,
    Moulds,
    TooMuch,
    between,
    common,
    whole,
)
from engine.rendering.mail import Mail
from engine.settings.delivery import SendGrid
from tests.delivery.sendgrid_desk import letter, letters, long_table
from tests.fake_sendgrid.judging import judged

EVERYTHING = SendGrid(sandbox=True, ip_pool="transactional", asm_group=7, clicks=True, opens=False)


def moulds() -> Moulds:
    return Moulds(payload.MOST_TAGS, payload.MOST_BYTES, payload.TAG)


def together(mails: list[Mail], settings: SendGrid = EVERYTHING) -> dict[str, Any]:
    ((mould, fitting),) = moulds().sorted_in(mails)
    assert mould is not None
    return payload.moulded(mould, fitting, settings)


# ── the same as others would make it ────────────────────────────────────────────────────────────


def as_the_package_does(mails: list[Mail], request: dict[str, Any]) -> dict[str, Any]:
    """What the helpers of `sendgrid` make of it; the tags are taken over, since they are by chance."""
    made = helpers.Mail(from_email=helpers.From(mails[0].from_address, mails[0].from_name))
    made.reply_to = helpers.ReplyTo(mails[0].reply_to) if mails[0].reply_to else None
    one_subject = len({mail.subject for mail in mails}) == 1
    made.subject = mails[0].subject if one_subject else None
    for number, mail in enumerate(mails):
        person = helpers.Personalization()
        person.add_to(helpers.To(mail.to_address, mail.to_name))
        if not one_subject:
            person.subject = mail.subject
        for name, value in mail.headers:
            person.add_header(helpers.Header(name, value))
        person.add_custom_arg(helpers.CustomArg("aftersale_customer", str(mail.key.customer_id)))
        person.add_custom_arg(helpers.CustomArg("aftersale_message", mail.message_id))
        if mail.attempt:
            person.add_custom_arg(helpers.CustomArg("aftersale_attempt", str(mail.attempt)))
        for tag, value in request["personalizations"][number].get("substitutions", {}).items():
            person.add_substitution(helpers.Substitution(tag, value))
        made.add_personalization(person, index=number)
    for block in request["content"]:
        made.add_content(helpers.Content(block["type"], block["value"]))
    made.category = helpers.Category(mails[0].key.campaign_id)
    tracking = helpers.TrackingSettings()
    tracking.subscription_tracking = helpers.SubscriptionTracking(enable=False)
    tracking.click_tracking = helpers.ClickTracking(enable=True, enable_text=True)
    tracking.open_tracking = helpers.OpenTracking(enable=False)
    made.tracking_settings = tracking
    made.mail_settings = helpers.MailSettings(sandbox_mode=helpers.SandBoxMode(enable=True))
    made.ip_pool_name = helpers.IpPoolName("transactional")
    made.asm = helpers.Asm(helpers.GroupId(7))
    return dict(made.get())


@pytest.mark.parametrize("subjects", ["AAA", "AAB"])
@pytest.mark.parametrize("reply_to", [None, "letters@shop.example"])
def test_a_request_is_what_the_package_of_the_provider_would_make(
    reply_to: str | None, subjects: str
) -> None:
    mails = [letter(n, reply_to=reply_to, subject=said, attempt=n - 1) for n, said in enumerate(subjects, 1)]
    one, several = payload.alone(mails[0], EVERYTHING), together(mails)
    assert one == as_the_package_does(mails[:1], one)
    assert several == as_the_package_does(mails, several)


def test_what_is_owed_is_of_no_group_and_goes_to_who_unsubscribed_there() -> None:
    [owed, offer] = [payload.alone(letter(1, owed=owed), EVERYTHING) for owed in (True, False)]
    helper = helpers.MailSettings(
        sandbox_mode=helpers.SandBoxMode(enable=True),
        bypass_unsubscribe_management=helpers.BypassUnsubscribeManagement(enable=True),
    )
    assert owed["mail_settings"] == helper.get()
    assert (owed.get("asm"), offer["asm"]) == (None, {"group_id": 7})


def test_the_provider_puts_in_its_link_where_the_mail_has_none_of_ours() -> None:
    page = '<p>Hello.</p><a href="[link]">enough</a>'
    theirs = payload.alone(letter(1, their_link="[link]", html=page), SendGrid())
    helper = helpers.SubscriptionTracking(
        enable=True, substitution_tag=helpers.SubscriptionSubstitutionTag("[link]")
    )
    assert theirs["tracking_settings"]["subscription_tracking"] == helper.get()
    ours = payload.alone(letter(1), SendGrid())
    assert ours["tracking_settings"]["subscription_tracking"] == {"enable": False}


@pytest.fixture(scope="module")
def contract(real_data: Path) -> Draft202012Validator:
    """The published OpenAPI of mail send, its known defects mended."""
    document = json.loads((real_data / "sendgrid" / "tsg_mail_v3.hardened.json").read_text())
    schema = document["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


@pytest.mark.real_data
def test_a_request_keeps_the_published_contract(contract: Draft202012Validator) -> None:
    for request in (
        payload.alone(letter(1, reply_to="a@shop.example"), EVERYTHING),
        together(letters(*range(1, 40))),
        payload.alone(letter(1), SendGrid()),
        payload.alone(letter(1, owed=True), EVERYTHING),
        payload.alone(letter(1, their_link="[link]"), SendGrid()),
    ):
        assert [error.message for error in contract.iter_errors(json.loads(payload.to_json(request)))] == []
        assert judged(request) == []


@pytest.mark.real_data
def test_what_the_contract_refuses_the_fake_refuses_too(contract: Draft202012Validator) -> None:
    for _, bad in spoiled():
        if list(contract.iter_errors(bad)):
            assert judged(bad)


# ── the fake is strict ──────────────────────────────────────────────────────────────────────────


def good() -> dict[str, Any]:
    return json.loads(payload.to_json(payload.alone(letter(1), EVERYTHING)))


SPOILS: list[tuple[str, Any]] = [
    ("personalizations", []),
    ("personalizations.0.to", []),
    ("personalizations.0.to", [{"email": "no address"}]),
    ("personalizations.0.to", [{"email": "a@shop.example"}, {"email": "A@shop.example"}]),
    ("personalizations.0.cc", [{"email": "Customer-1@shop.example"}]),
    ("personalizations.0.to", [{"email": f"a{n}@shop.example"} for n in range(1001)]),
    ("personalizations.0.to.0.name", "Smith, Ann"),
    ("personalizations.0.to.0.surname", "Smith"),
    ("personalizations.0.subject", ""),
    ("subject", None),
    ("personalizations.0.headers", {"Reply-To": "x@shop.example"}),
    ("personalizations.0.headers", {"X-A": 1}),
    ("personalizations.0.headers", {"X A": "1"}),
    ("personalizations.0.headers", {"X-A": "grün"}),
    ("personalizations.0.headers", {"X-A": "1", "x-a": "2"}),
    ("personalizations.0.custom_args", {}),
    ("personalizations.0.custom_args", {"customer": 1}),
    ("personalizations.0.custom_args", {"customer": "é" * 5_000}),
    ("personalizations.0.substitutions", {"tag": 1}),
    ("personalizations.0.substitutions", {"tag": "é" * 5_000}),
    ("personalizations.0.substitutions", {f"tag{n}": "" for n in range(101)}),
    ("personalizations.0.send_at", 99_999_999_999),
    ("personalizations.0.other", "1"),
    ("from", None),
    ("from.email", "größe@shop.example"),
    ("content", []),
    ("content.0.value", ""),
    ("content.0.type", "text/plain; charset=utf-8"),
    ("content", [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]),
    ("categories", ["a", "a"]),
    ("categories", ["grün"]),
    ("categories", [f"c{n}" for n in range(11)]),
    ("ip_pool_name", "x"),
    ("asm", {"group_id": "7"}),
    ("mail_settings.sandbox_mode.enable", "true"),
    ("tracking_settings.clicks", {"enable": True}),
    ("attachments", [{"content": "not base64!", "filename": "a"}]),
    ("unknown", 1),
]


def spoiled() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, value in SPOILS:
        request = good()
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        holder: Any = request
        for part in way:
            holder = holder[part]
        if value is None:
            del holder[last]
        else:
            holder[last] = value
        yield path, request


def test_the_fake_takes_what_is_right() -> None:
    assert judged(good()) == []


@pytest.mark.parametrize(("path", "request_"), list(spoiled()))
def test_the_fake_refuses_what_is_wrong_and_names_the_place(path: str, request_: dict[str, Any]) -> None:
    wrong = judged(request_)
    assert wrong
    ends = (path.partition(".")[0], path.rpartition(".")[2])
    assert any(each.field is None or any(end in each.field for end in ends) for each in wrong)


def test_the_fake_refuses_an_address_in_two_personalizations() -> None:
    request = together(letters(1, 2))
    request["personalizations"][1]["to"] = request["personalizations"][0]["to"]
    assert [wrong.field for wrong in judged(request)] == ["personalizations"]


# ── moulds ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "pieces", "values"),
    [
        ("ab", ("ab",), []),
        ("abc", ("ab",), None),
        ("axb", ("a", "b"), ["x"]),
        ("ab", ("a", "b"), [""]),
        ("aba", ("ab", "ba"), None),
        ("a1b2c", ("a", "b", "c"), ["1", "2"]),
        ("a1bb2c", ("a", "b", "c"), ["1", "b2"]),
        ("12", ("", "1", ""), ["", "2"]),
        ("a2c", ("a", "b", "c"), None),
    ],
)
def test_values_are_what_stands_between_the_pieces(
    text: str, pieces: tuple[str, ...], values: list[str] | None
) -> None:
    assert between(text, pieces) == values


WORDS = some.sampled_from(
    ["<p>", "</p>\n", "Ann", " and ", "a longer piece of static text, ", "\u2028", "é", "9"]
)


@given(texts=some.lists(some.lists(WORDS, max_size=12).map("".join), min_size=1, max_size=6))
@with_settings(max_examples=60)
def test_whatever_is_learned_fits_all_it_was_learned_from_and_gives_them_back(texts: list[str]) -> None:
    pieces: tuple[str, ...] = (texts[0],)
    for text in texts[1:]:
        pieces = common(pieces, text, Effort())
    for text in texts:
        values = between(text, pieces)
        assert values is not None
        assert "".join(part for pair in zip(pieces, [*values, ""], strict=True) for part in pair) == text


def test_static_text_is_sent_once_and_tags_are_guarded() -> None:
    request = together(letters(*range(1, 101)))
    text, html = (block["value"] for block in request["content"])
    keys = {tuple(person["substitutions"]) for person in request["personalizations"]}
    assert len(keys) == 1, "every personalization has the same tags"
    (tags,) = keys
    assert {len(tag) for tag in tags} == {payload.TAG}
    assert all(tag.isalnum() and (tag in text) != (tag in html) for tag in tags)
    assert (
        len(payload.to_json(request)) < 100 * len(payload.to_json(payload.alone(letter(1), EVERYTHING))) / 2
    )
    again = together(letters(*range(1, 101)))
    assert not set(tags) & set(again["personalizations"][0]["substitutions"]), (
        "each request has tags of its own"
    )


def test_tags_that_stand_in_a_mail_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload.secrets, "choice", lambda letters: "q")
    with pytest.raises(payload.Collision):
        together([letter(1, "q" * payload.NONCE), letter(2)])
    assert together(letters(1, 2))


def test_what_plain_replacement_would_spoil_is_noticed() -> None:
    mails = letters(1, 2)
    request = together(mails)
    assert not any(payload.unlike(request, mail, number) for number, mail in enumerate(mails))
    tag = next(iter(request["personalizations"][1]["substitutions"]))
    request["personalizations"][1]["substitutions"][tag] += "x"
    assert [payload.unlike(request, mail, number) for number, mail in enumerate(mails)] == [False, True]


def test_mails_with_little_in_common_get_moulds_of_their_own() -> None:
    german = [
        letter(n, html=f"<p>Guten Tag, hier steht etwas ganz anderes als sonst, {n}.</p>") for n in (7, 8)
    ]
    mails = [letter(1), german[0], letter(2), german[1], letter(3)]
    known = moulds()
    groups = {tuple(mail.key.customer_id for mail in fitting) for _, fitting in known.sorted_in(mails)}
    assert groups == {(1, 2, 3), (7, 8)}


def test_a_comparison_that_would_take_minutes_is_not_begun() -> None:
    effort = Effort()
    with pytest.raises(TooMuch):
        whole(long_table(1, 4000)).learned(long_table(2, 4000), effort)
    assert effort.left > WORK / 2
    whole(letter(1)).learned(letter(2), effort := Effort())
    assert effort.left > WORK * 0.999, "what is usual takes next to nothing"


def test_the_work_for_a_step_ends_and_what_was_learned_before_goes_on_together(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The same way each time, whatever the machine; and it is said once."""
    spent: list[int] = []

    class Little(Effort):
        def spend(self, work: int) -> None:
            super().spend(work)
            spent.append(work)

    monkeypatch.setattr(learning, "Effort", lambda: Little(300_000))
    mails = [*letters(*range(1, 10)), *(long_table(n, 300) for n in range(10, 40))]
    groups = [
        [
            (mould is None, [mail.key.customer_id for mail in fitting])
            for mould, fitting in moulds().sorted_in(mails)
        ]
        for _ in range(2)
    ]
    assert groups[0] == groups[1]
    assert groups[0][0] == (False, list(range(1, 10)))
    assert all(alone or len(sent) == 1 for alone, sent in groups[0][1:])
    assert sum(spent) <= 2 * 300_000
    said = (
        "mails of welcome-back/hello differ in too much to be compared; those like no other leave one by one"
    )
    assert [line.getMessage() for line in caplog.records] == [said, said]


def test_a_mould_is_only_used_for_what_it_fits() -> None:
    mould = whole(letter(1))
    assert isinstance(mould, Mould)
    assert mould.values(letter(1)) is not None
    assert mould.values(letter(2)) is None
