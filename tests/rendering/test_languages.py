"""Copy in several languages: which one a customer gets, and what is wrong with what is there in part."""

from pathlib import Path

import pytest

from engine.rendering.locales import nearest_locale
from engine.rendering.mail import Mail
from engine.settings.shop import Shop
from engine.store.connect import Store
from tests.conftest import NOW
from tests.rendering.press import SETTINGS, Shopfront, studio
from tests.world import Person

NEAREST = [
    ("de", ["de"], "de"),
    ("de-AT", ["de"], "de"),
    ("de_AT", ["de", "de-AT"], "de-AT"),
    ("DE-at", ["de", "de-AT"], "de-AT"),
    ("de", ["de-AT"], None),
    ("zh-Hant-TW", ["zh-Hant", "zh"], "zh-Hant"),
    ("fr", ["de"], None),
    ("", ["de", ""], None),
    ("deu", ["de"], None),
]


@pytest.mark.parametrize(("wanted", "there", "found"), NEAREST)
def test_the_nearest_language(wanted: str, there: list[str], found: str | None):
    assert nearest_locale(wanted, there) == found


def campaign(email: str) -> str:
    return (
        "campaign: c\naudience: {bought: {product: guide}}\nsteps:\n  - id: one\n    after: 0\n"
        f"    email:\n{''.join(f'      {line}{chr(10)}' for line in email.splitlines())}"
    )


BOTH = "subject: {en: Your bread, de: Dein Brot}\npreheader: {en: 'It rises, {{ customer.first_name }}', de: Es geht auf}\ntemplate: a.html"
SHOWS = "<div hidden>{{ preheader }}</div>"
TEMPLATES = {
    "a.html": SHOWS + "<p lang='{{ locale }}'>{{ now|date('long') }}, {{ 15|money }}</p>",
    "a.de.html": SHOWS + "<p lang='{{ locale }}'>Am {{ now|date('long') }}, {{ 15|money }}</p>",
}


def test_each_customer_is_written_to_in_their_language(store: Store, tmp_path: Path):
    locales = ["de-AT", "en-GB", "", "fr", "de"]
    people = {n: Person(NOW, email="a@x.example") for n in range(5)}
    names = {n: {"locale": locale, "first_name": "<Ann>"} for n, locale in enumerate(locales)}
    mails = Shopfront(store, people, names).mails(studio(tmp_path, TEMPLATES, campaign(BOTH)), NOW)
    german = (
        "Dein Brot",
        "<div hidden>Es geht auf</div><p lang='de'>Am 10. März 2026, 15,00\xa0$</p>",
        "Am 10. März 2026, 15,00 $\n",
    )
    english = (
        "Your bread",
        "<div hidden>It rises, &lt;Ann&gt;</div><p lang='en'>March 10, 2026, $15.00</p>",
        "March 10, 2026, $15.00\n",
    )
    assert all(isinstance(mail, Mail) for mail in mails)
    said = [(mail.subject, mail.html, mail.text.replace("\xa0", " ")) for mail in mails]
    assert said == [german, english, english, english, german]


def test_a_text_by_hand_belongs_to_its_language(store: Store, tmp_path: Path):
    templates = {"a.html": "<p>x</p>", "a.txt": "by hand", "a.de.html": "<p>aus HTML</p>"}
    front = Shopfront(
        store,
        {n: Person(NOW, email="a@x.example") for n in (1, 2)},
        {1: {"locale": "de"}, 2: {"locale": "en"}},
    )
    mails = front.mails(studio(tmp_path, templates, campaign("subject: Hi\ntemplate: a.html")), NOW)
    assert [mail.text for mail in mails] == ["aus HTML\n", "by hand\n"]


PAGES = {"a.html": "<p>x {{ preheader }}</p>"}
GERMAN = {**PAGES, "a.de.html": "<p>y</p>"}
# what, the templates, the email, the line in the campaign (0: in a template), what is said
WRONG = [
    ("not in the shop's language", PAGES, "subject: {de: x}\ntemplate: a.html", 7, "subject has nothing in 'en', the language of the shop"),
    ("less than the template", GERMAN, "subject: {en: x, fr: y}\ntemplate: a.html", 7, "subject has nothing in 'de', but other copy of this step has"),
    ("less than the subject", PAGES, "subject: {en: x, de: y}\npreheader: {en: x}\ntemplate: a.html", 8, "preheader has nothing in 'de', but other copy of this step has"),
    ("a mistake in a translation", GERMAN, "subject: {en: x, de: '{{ custmer }}'}\ntemplate: a.html", 7, "subject: undefined variable 'custmer'"),
    ("a claim that cannot be", GERMAN, "subject: x\npreheader: \"{{ owned('gide').name }}\"\ntemplate: a.html", 8, "preheader: owned: unknown product 'gide'"),
    ("a mistake in a variant", {**PAGES, "a.de.html": "{{ x }}"}, "subject: x\ntemplate: a.html", 0, "undefined variable 'x'"),
    ("a preheader that nobody sees", {"a.html": "<p>x</p>"}, "subject: x\npreheader: y\ntemplate: a.html", 8, "'a.html' does not show the preheader"),
    ("a preheader that one variant lacks", GERMAN, "subject: x\npreheader: y\ntemplate: a.html", 8, "'a.de.html' does not show the preheader"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "templates", "email", "line", "message"), WRONG, ids=[case[0] for case in WRONG]
)
def test_a_mistake_in_one_language_is_told(what, templates, email, line, message, tmp_path: Path):
    (problem,) = studio(tmp_path, templates, campaign(email)).problems()["c"]
    assert (problem.line if line else 0, problem.message) == (line, message)


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("subject: {english: x}\ntemplate: a.html", "'english' is not a language; write it as de or de-AT"),
        ("subject: {de_AT: x}\ntemplate: a.html", "'de_AT' is not a language; write it as de-AT"),
        ("subject: {}\ntemplate: a.html", "write text, or one line for each language: {en: …, de: …}"),
        ('subject: {en: "a\\nb"}\ntemplate: a.html', "en: must be one line"),
        ("subject: 7\ntemplate: a.html", "write text, or one line for each language: {en: …, de: …}"),
        ('subject: ""\ntemplate: a.html', "must not be empty"),
        ("subject: x\npreheader: []\ntemplate: a.html", "write text, or one line for each language"),
    ],
)
def test_what_is_no_wording(email: str, message: str, tmp_path: Path):
    from engine.errors import Problems

    with pytest.raises(Problems) as told:
        studio(tmp_path, PAGES, campaign(email))
    assert message in str(told.value)
    assert "0.yaml:7" in str(told.value) or "0.yaml:8" in str(told.value)


def test_what_any_language_claims_is_asked_of_everybody(tmp_path: Path):
    templates = {"a.html": "<p>x</p>", "a.de.html": "<p>{{ owned('guide').name }}</p>"}
    copy = studio(tmp_path, templates, campaign("subject: x\ntemplate: a.html"))
    assert [rule.product for rule in copy.claims("c", "one")] == ["guide"]
    assert "owned('guide') is asked of every customer" in " ".join(map(str, copy.warnings()))


WARNED = [
    (GERMAN, "subject: x\ntemplate: a.html", "the subject is the same in every language, and other copy is in de"),
    (PAGES, "subject: {en: x, de: y}\ntemplate: a.html", "the template is the same for 'de', and other copy of the step is not"),
]  # fmt: skip


@pytest.mark.parametrize(("templates", "email", "message"), WARNED)
def test_copy_that_is_translated_in_part_is_warned_of(templates, email, message, tmp_path: Path):
    copy = studio(tmp_path, templates, campaign(email))
    assert copy.problems() == {}
    assert message in [warning.message for warning in copy.warnings()]


def test_files_that_only_look_like_a_language_are_none(tmp_path: Path):
    templates = {**PAGES, "a.old.html": "{{ broken", "a.v2.html": "{{ broken", "a.DE.html": "{{ broken"}
    assert studio(tmp_path, templates, campaign("subject: x\ntemplate: a.html")).problems() == {}


def test_the_shops_language_is_the_usual_one(tmp_path: Path):
    shop = SETTINGS.model_copy(update={"shop": Shop(locale="de-AT")})
    email = "subject: {de: Hallo, en: Hello}\ntemplate: a.html"
    copy = studio(tmp_path, PAGES, campaign(email), settings=shop)._copy("c", "one")
    assert {name: edition.locale for name, edition in copy.editions.items()} == {"": "de-AT", "en": "en"}
