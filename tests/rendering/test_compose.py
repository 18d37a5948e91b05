"""Mails written for many customers at once, on both databases, with the facts behind what they claim."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from engine.links import Purpose
from engine.planning.keys import MailKey
from engine.rendering.mail import Mail, MailOrder, Unwritable
from engine.settings.secrets import Secrets
from engine.settings.web import Web
from engine.store.connect import Store
from tests.conftest import NOW
from tests.rendering.press import SETTINGS, Shopfront, campaign_text, problems, studio
from tests.world import Attribute, Change, Line, Order, Person, Use

DAY = timedelta(days=1)
LINKED = {
    "web": Web(url="https://mail.loaf.example"),
    "secrets": Secrets(signing="a long text that nobody guesses"),
}


def person(**facts) -> Person:
    return Person(NOW - 90 * DAY, **({"email": "ann@example.com"} | facts))


def bought(days: int, sku: str = "guide", **line) -> Order:
    return Order(NOW - days * DAY, [Line(sku, **line)])


def used(days: int, unit: str, sku: str = "guide", kind: str = "completed") -> Use:
    return Use(NOW - days * DAY, sku, unit, kind)


def changed(days: int, **words) -> Change:
    return Change(NOW - days * DAY, **words)


def written(
    store: Store, folder: Path, body: str, people: dict[int, Person], **names
) -> list[Mail | Unwritable]:
    front = Shopfront(store, people, names.get("names", {}))
    return front.mails(studio(folder, {"a.html": body}, campaign_text(names.get("subject", "Hello"))), NOW)


OWNED = "{{ owned('guide').name }}|{{ owned('guide').sku }}|{{ owned('guide').quantity }}|{{ owned('guide').bought_at|date('%Y-%m-%d %H:%M') }}"
CLUB = "{{ owned('club').name }}|{{ owned('club').quantity }}|{{ owned('club').bought_at|date('%d.%m.') }}|{{ owned('club').renews_at|date('%d.%m.') }}"
CONSUMED = "{{ consumed('guide').name }}|{{ consumed('guide').units_done }}/{{ consumed('guide').units_total }}|{{ consumed('guide').share }}|{{ consumed('guide').next_unit }}|{{ consumed('guide').last_at|date('%d.%m.') }}"

# what, the template, the facts, what is written (None: the claim is unproven), and what of it is kept
CLAIMS = [
    ("owned", OWNED, {"orders": [bought(3)]}, "The Guide|guide|1|2026-03-07 10:00", ["o0"]),
    ("owned twice", OWNED, {"orders": [bought(9, quantity=2), bought(3)]}, "The Guide|guide|3|2026-03-07 10:00", ["o0", "o1"]),
    ("never owned", OWNED, {"orders": [bought(3, "mug")]}, None, []),
    ("refunded", OWNED, {"orders": [bought(3, refunded_at=NOW - DAY)]}, None, []),
    ("refunded, and bought again", OWNED, {"orders": [bought(3, refunded_at=NOW - DAY), bought(1)]}, "The Guide|guide|1|2026-03-09 10:00", ["o1"]),
    ("refunded later", OWNED, {"orders": [bought(3, refunded_at=NOW + DAY)]}, "The Guide|guide|1|2026-03-07 10:00", ["o0"]),
    ("bought later", OWNED, {"orders": [bought(-1)]}, None, []),
    ("an unpaid order", OWNED, {"orders": [Order(NOW - DAY, [Line("guide")], paid=False)]}, None, []),
    ("a free order", OWNED, {"orders": [bought(3, amount=0)]}, "The Guide|guide|1|2026-03-07 10:00", ["o0"]),
    ("within", "{{ owned('guide', within='5d').quantity }}", {"orders": [bought(9, quantity=4), bought(3)]}, "1", ["o1"]),
    ("not within", "{{ owned('guide', within='5d').quantity }}", {"orders": [bought(9)]}, None, []),
    ("twice at least", "{{ owned('guide', at_least=2).quantity }}", {"orders": [bought(9)]}, None, []),
    ("consumed", CONSUMED, {"uses": [used(5, "c1"), used(3, "c3")]}, "The Guide|2/3|66%|c2|07.03.", ["c1", "c3"]),
    ("used later", CONSUMED, {"uses": [used(3, "c1"), used(-1, "c2")]}, "The Guide|1/3|33%|c2|07.03.", ["c1"]),
    ("only started", CONSUMED, {"uses": [used(5, "c1", kind="started")]}, None, []),
    ("only progressed", CONSUMED, {"uses": [used(5, "c1", kind="progressed")]}, "The Guide|0/3|0%|c1|05.03.", ["c1"]),
    ("the last unit, none completed", "{{ consumed('guide').last_unit }}", {"uses": [used(5, "c1", kind="progressed")]}, None, []),
    ("the last unit, all completed at once", "{{ consumed('guide').last_unit }}", {"uses": [used(5, "")]}, None, []),
    ("the last unit, one it has no longer", "{{ consumed('guide').last_unit }}", {"uses": [used(5, "c9")]}, None, []),
    ("the last unit or another word", "{% if consumed('guide') %}{{ consumed('guide').last_unit or 'it' }}{% else %}x{% endif %}", {"uses": [used(5, "")]}, "it", [""]),
    ("the last unit", "{{ consumed('guide').last_unit }}", {"uses": [used(3, "c2"), used(5, "c1")]}, "c2", ["c1", "c2"]),
    ("as a whole", CONSUMED, {"uses": [used(5, "")]}, "The Guide|3/3|100%||05.03.", [""]),
    ("a unit it has no longer", CONSUMED, {"uses": [used(5, "c1"), used(3, "c9")]}, "The Guide|1/3|33%|c2|07.03.", ["c1", "c9"]),
    ("half of it", "{{ consumed('guide', at_least='50%').share }}", {"uses": [used(5, "c1"), used(3, "c3")]}, "66%", ["c1", "c3"]),
    ("not half of it", "{{ consumed('guide', at_least='50%').share }}", {"uses": [used(5, "c1")]}, None, []),
    ("a unit by name", "{{ consumed('course', unit='l2').unit }}", {"uses": [used(5, "l2", "course")]}, "Lesson 2", ["l2"]),
    ("another unit", "{{ consumed('course', unit='l2').unit }}", {"uses": [used(5, "l1", "course")]}, None, []),
    ("lately", "{{ consumed('guide', within='4d').units_done }} {{ consumed('guide', within='4d').next_unit }}", {"uses": [used(5, "c1"), used(3, "c2")]}, "1 c3", ["c2"]),
    ("not lately", "{{ consumed('guide', within='4d').units_done }}", {"uses": [used(5, "c1")]}, None, []),
    ("absence", "{{ not_consumed('guide').name }} {{ not_consumed('guide').units_total }}", {}, "The Guide 3", []),
    ("no absence", "{{ not_consumed('guide').name }}", {"uses": [used(5, "c1")]}, None, []),
    ("absence of a unit", "{{ not_consumed('guide', unit='c2').name }}", {"uses": [used(5, "c1")]}, "The Guide", []),
    ("a guard that holds", "{% if consumed('guide') %}used{% else %}unused{% endif %}", {"uses": [used(5, "c1")]}, "used", ["c1"]),
    ("a guard that does not", "{% if consumed('guide') %}used{% else %}unused{% endif %}", {}, "unused", []),
    ("a default", "{{ owned('guide')|default('a guide') }}", {}, "a guide", []),
    ("a subscription", CLUB, {"orders": [bought(40, "club")], "changes": [changed(40, renews_at=NOW + 4 * DAY)]}, "The Club|1|29.01.|14.03.", ["o0", "s1"]),
    ("one that nobody bought here", CLUB, {"changes": [changed(40), changed(9, renews_at=NOW + 4 * DAY)]}, "The Club|1|29.01.|14.03.", ["s1"]),
    ("one that is past due", "{{ owned('club').name }}", {"changes": [changed(40), changed(9, status="past_due")]}, "The Club", ["s1"]),
    ("one that was cancelled", "{{ owned('club').name }}", {"orders": [bought(40, "club")], "changes": [changed(40), changed(9, status="cancelled")]}, None, []),
    ("one that runs to its end", "{{ owned('club').name }}", {"changes": [changed(9, status="cancelled", ends_at=NOW + DAY)]}, "The Club", ["s1"]),
    ("a renewal nobody knows of", "{{ owned('club').renews_at }}", {"changes": [changed(40)]}, None, []),
    ("a renewal of what was cancelled", "{{ owned('club').renews_at }}", {"changes": [changed(9, status="cancelled", renews_at=NOW + DAY, ends_at=NOW + DAY)]}, None, []),
    ("a renewal that is over", "{{ owned('club').renews_at }}", {"changes": [changed(40, renews_at=NOW)]}, None, []),
    ("a purchase of which nothing more is known", "{{ owned('club').name }}", {"orders": [bought(40, "club")]}, "The Club", ["o0"]),
    ("bought lately, and running", "{{ owned('club', within='9d').name }}", {"orders": [bought(9, "club")], "changes": [changed(9)]}, "The Club", ["o0", "s1"]),
    ("running, but not bought lately", "{{ owned('club', within='9d').name }}", {"orders": [bought(40, "club")], "changes": [changed(40)]}, None, []),
    ("or", "{{ owned('guide') or 'a guide' }}", {"orders": [bought(3)]}, "The Guide", ["o0"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "facts", "said", "kept"), [c[1:] for c in CLAIMS], ids=[c[0] for c in CLAIMS]
)
def test_a_claim_is_made_only_with_its_facts(body, facts, said, kept, store: Store, tmp_path: Path):
    others = {
        2: person(
            orders=[bought(2, "guide", quantity=50)], uses=[used(1, "c1"), used(1, "c2"), used(1, "c3")]
        )
    }
    mail, *_ = written(store, tmp_path, body, {1: person(**facts)} | others)
    if said is None:
        assert isinstance(mail, Unwritable)
        assert mail.reason == "claim_unproven"
        return
    assert isinstance(mail, Mail)
    assert (mail.html, mail.text) == (said, said.strip() + "\n")
    kinds = ("order_lines", "consumption", "subscriptions")
    facts_kept = [fact for part in mail.evidence for kind in kinds for fact in part.get(kind, [])]
    assert [
        next(fact[k] for k in ("order", "unit", "subscription") if k in fact) for fact in facts_kept
    ] == kept
    assert json.loads(json.dumps(mail.evidence)) == list(mail.evidence)


def test_absence_keeps_the_query_and_its_time(store: Store, tmp_path: Path):
    (mail,) = written(store, tmp_path, "{{ not_consumed('guide').name }}", {1: person()})
    assert mail.evidence == (
        {
            "claim": "not_consumed('guide')",
            "query": "not: used The Guide",
            "asked_at": "2026-03-10T09:00:00+00:00",
        },
    )


def test_everything_a_template_can_name(store: Store, tmp_path: Path):
    body = (
        "{{ customer.first_name }}/{{ customer.last_name }}/{{ customer.full_name }}/{{ customer.email }}/{{ customer.country }}/"
        "{{ customer.locale }}/{{ customer.timezone }}/{{ shop.name }}/{{ shop.url }}/{{ shop.currency }}/{{ shop.postal_address }}/"
        "{{ sender.name }}/{{ sender.email }}/{{ campaign.id }}/{{ step.id }}/{{ offers|map(attribute='name')|join }}/"
        "{{ product('mug').price|money }}/{{ now|date('%A %-d %B, %H:%M') }}/{{ now|date }}/{{ product('guide').units|length }}"
    )
    names = {
        1: {
            "first_name": "Ann",
            "last_name": "Lee",
            "country": "GB",
            "locale": "en",
            "timezone": "Europe/London",
        }
    }
    (mail,) = written(store, tmp_path, body, {1: person()}, names=names)
    assert mail.html == (
        "Ann/Lee/Ann Lee/ann@example.com/GB/en/Europe/London/Slow Loaf/https://loaf.example/USD/1 Lane/Ida/ida@loaf.example/"
        "c/one/The Course/$15.00/Tuesday 10 March, 10:00/March 10, 2026/3"
    )


def test_macros_see_what_every_template_sees(store: Store, tmp_path: Path):
    templates = {
        "a.html": "{% from 'outer.html' import outer %}{{ outer() }}",
        "outer.html": "{% from 'inner.html' import inner %}{% macro outer() %}{{ inner() }}!{% endmacro %}",
        "inner.html": "{% macro inner() %}{{ customer.first_name }}{% if owned('guide') %} has it{% endif %}{% endmacro %}",
    }
    people = {1: person(orders=[bought(3)]), 2: person()}
    front = Shopfront(store, people, {1: {"first_name": "Ann"}, 2: {"first_name": "Bo"}})
    assert [mail.html for mail in front.mails(studio(tmp_path, templates), NOW)] == ["Ann has it!", "Bo!"]


def test_a_text_written_by_hand_goes_as_it_is(store: Store, tmp_path: Path):
    templates = {
        "a.html": "<p>HTML</p>",
        "a.txt": "Dear {{ customer.first_name }},\n\n  <as> it &amp; is\n\n",
    }
    front = Shopfront(store, {1: person()}, {1: {"first_name": "<Ann>"}})
    (mail,) = front.mails(studio(tmp_path, templates), NOW)
    assert (mail.html, mail.text) == ("<p>HTML</p>", "Dear <Ann>,\n\n  <as> it &amp; is\n")


def test_a_mail_says_who_it_is_from_and_how_to_leave(store: Store, tmp_path: Path):
    body = '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
    (mail,) = written(
        store, tmp_path, body, {7: person()}, names={7: {"first_name": "Ann", "last_name": "Lee"}}
    )
    leave = f"mailto:stop@loaf.example?subject=unsubscribe%20{mail.message_id}"
    assert mail.message_id == MailKey(7, "c", "one", 1).message_id
    assert mail.html == f'<a href="{leave}">Unsubscribe</a>'
    assert mail.text == f"Unsubscribe: {leave}\n"
    assert dict(mail.headers)["List-Unsubscribe"] == f"<{leave}>"
    assert (mail.to_address, mail.to_name, mail.from_address, mail.from_name, mail.reply_to, mail.planned_at) == (
        "ann@example.com", "Ann Lee", "ida@loaf.example", "Ida", None, NOW,
    )  # fmt: skip


def test_a_mail_of_a_shop_with_a_web_server_links_to_it(store: Store, tmp_path: Path):
    public = SETTINGS.model_copy(update=LINKED)
    body = '<a href="{{ unsubscribe_url }}">x</a> <a href="{{ view_in_browser_url }}">y</a>'
    front = Shopfront(store, {1: person()})
    owed = campaign_text().replace("offers: [course]", "transactional: true")
    (mail,), (receipt,) = (
        front.mails(studio(tmp_path / str(n), {"a.html": body}, text, settings=public), NOW)
        for n, text in enumerate((campaign_text(), owed))
    )
    leave, view = re.findall(r'href="(https://mail.loaf.example/[um]/[\w.-]+)"', mail.html)
    by_mail = f"<mailto:stop@loaf.example?subject=unsubscribe%20{mail.message_id}>"
    assert public.links is not None
    assert (leave, view) == tuple(public.links.to(purpose, mail.message_id) for purpose in Purpose)
    assert mail.headers[:2] == (
        ("List-Unsubscribe", f"<{leave}>, {by_mail}"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
    assert receipt.headers[0] == ("List-Unsubscribe", by_mail), "what is owed is no list to leave"
    assert "List-Unsubscribe-Post" not in dict(receipt.headers)
    assert receipt.html == mail.html


def test_a_link_to_view_a_mail_that_leads_nowhere_is_a_mistake(tmp_path: Path):
    [problem] = problems(tmp_path, {"a.html": '<a href="{{ view_in_browser_url }}">y</a>'})
    assert "an address is empty; leave the link or picture out where there is none" in problem.message


def test_attributes_have_the_value_in_force(store: Store, tmp_path: Path):
    plans = [
        Attribute("plan", NOW - 5 * DAY, "pro"),
        Attribute("plan", NOW - DAY, "max"),
        Attribute("plan", NOW + DAY, "no"),
    ]
    body = "{{ customer.attribute('plan', default='free') }} {{ customer.attribute('team', default='none') }}"
    mails = written(store, tmp_path, body, {1: person(attributes=plans), 2: person()})
    assert [mail.html for mail in mails] == ["max none", "free none"]


def test_mails_come_in_the_order_asked_for(store: Store, tmp_path: Path):
    people = {n: person(email=None if n % 3 == 0 else f"{n}@example.com") for n in range(1, 10)}
    copy = studio(
        tmp_path, {"a.html": "x", "b.html": "y"}, campaign_text(), campaign_text(name="d", template="b.html")
    )
    front = Shopfront(store, people)
    orders = [MailOrder(MailKey(n, "cd"[n % 2], "one", 1), NOW) for n in (5, 3, 9, 1, 2, 99, 8)]
    with front.store.reading() as connection:
        mails = copy.compose(connection, orders, NOW)
    assert [mail.key for mail in mails] == [order.key for order in orders]
    said = [mail.html if isinstance(mail, Mail) else mail.reason for mail in mails]
    assert said == ["y", "no_address", "no_address", "y", "x", "no_address", "x"]


def test_a_campaign_that_is_gone_cannot_be_written(store: Store, tmp_path: Path):
    Shopfront(store, {1: person()})
    with store.reading() as connection:
        order = MailOrder(MailKey(1, "gone", "one", 1), NOW)
        (mail,) = studio(tmp_path, {"a.html": "x"}).compose(connection, [order], NOW)
    assert mail == Unwritable(order.key, "render_failed", "the campaign or the step is not in the files")


def test_wrong_copy_is_never_written(store: Store, tmp_path: Path):
    (mail,) = written(store, tmp_path, "{{ nothing }}", {1: person()})
    assert isinstance(mail, Unwritable)
    assert (mail.reason, "undefined variable 'nothing'" in mail.message) == ("render_failed", True)


def test_one_mail_that_fails_takes_no_other_with_it(store: Store, tmp_path: Path):
    body = "{{ 6 // (customer.country|length - 3) }}"  # of nobody in the trials, and of one customer here
    mails = written(store, tmp_path, body, {1: person(), 2: person()}, names={1: {"country": "USA"}})
    assert isinstance(mails[0], Unwritable)
    assert mails[0].reason == "render_failed"
    assert mails[0].message.startswith("a.html:1: ")
    assert mails[1].html == "-2"


def test_a_subject_that_comes_out_empty_is_not_sent(store: Store, tmp_path: Path):
    subject = "{{ 'x' if customer.country != 'USA' }}"
    mails = written(
        store, tmp_path, "x", {1: person(), 2: person()}, subject=subject, names={1: {"country": "USA"}}
    )
    assert (mails[0].reason, mails[0].message) == ("render_failed", "the subject came out empty")
    assert mails[1].subject == "x"


def test_facts_are_looked_up_for_all_at_once(store: Store, tmp_path: Path):
    body = OWNED + CONSUMED + "{{ customer.attribute('plan', default='') }}"
    people = {n: person(orders=[bought(3)], uses=[used(3, "c1")]) for n in range(1, 201)}
    front, copy, counts = Shopfront(store, people), studio(tmp_path, {"a.html": body}), []

    def count(*_: object) -> None:
        counts[-1] += 1

    event.listen(store.engine, "before_cursor_execute", count)
    for ids in ([1], list(people)):
        counts.append(0)
        assert all(isinstance(mail, Mail) for mail in front.mails(copy, NOW, ids))
    assert counts[0] == counts[1]


def test_the_same_facts_give_the_same_mail(store: Store, tmp_path: Path):
    people = {n: person(orders=[bought(3)]) for n in range(1, 4)}
    front = Shopfront(store, people)
    first, again = (front.mails(studio(tmp_path, {"a.html": OWNED}), NOW) for _ in range(2))
    assert first == again


def test_claims_are_judged_at_now_and_told_at_the_plan(store: Store, tmp_path: Path):
    front = Shopfront(store, {1: person(orders=[bought(1)])})
    copy = studio(tmp_path, {"a.html": "{% if owned('guide') %}yours{% endif %} {{ now|date('%d') }}"})
    order = MailOrder(MailKey(1, "c", "one", 1), NOW - 5 * DAY)
    with front.store.reading() as connection:
        (mail,) = copy.compose(connection, [order], NOW)
    assert mail.html == "yours 05"


def test_times_are_told_in_the_zone_of_the_shop_through_a_change_of_clocks(store: Store, tmp_path: Path):
    summer = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # in Berlin, half an hour after 02:00 became 03:00
    front = Shopfront(
        store, {1: Person(NOW - 90 * DAY, orders=[Order(summer, [Line("guide")])], email="a@x.example")}
    )
    body = "{{ owned('guide').bought_at|date('%H:%M') }}"
    (mail,) = front.mails(studio(tmp_path, {"a.html": body}), summer + DAY)
    assert mail.html == "03:30"
