"""Consent, consumption and the funnel: facts known by a key."""

import pytest

from engine.facts.catalogue import Catalogue, Product

from .conftest import micros

AT = "2026-01-01T00:00Z"


def test_consent(shop):
    summary = shop.take(
        "email,topic,granted,at,basis,source\n"
        f"ann@example.com,,in,{AT},double opt-in,footer form\n"
        f"ann@example.com,news,no,{AT},,\n"
        f"bob@example.com,marketing,1,{AT},contract,checkout\n"
    )
    assert (summary.kind, summary.inserted) == ("consent", 3)
    assert shop.rows("consents", "topic", "granted", "at", "basis", "source") == [
        ("marketing", True, micros(AT), "contract", "checkout"),
        ("marketing", True, micros(AT), "double opt-in", "footer form"),
        ("news", False, micros(AT), "", ""),
    ]


def test_yes_and_no_at_the_same_instant_both_stand(shop):
    shop.take(f"email,granted,at\nann@example.com,yes,{AT}\nann@example.com,no,{AT}\n")
    assert shop.rows("consents", "granted") == [False, True]


def test_a_known_consent_is_completed_but_not_emptied(shop):
    head = "email,granted,at,basis,source\n"
    shop.take(head + f"ann@example.com,yes,{AT},contract,\n")
    assert shop.take(head + f"ann@example.com,yes,{AT},,checkout\n").updated == 1
    assert shop.rows("consents", "basis", "source") == [("contract", "checkout")]
    before = shop.everything()
    assert shop.take(head + f"ann@example.com,yes,{AT},,\n").unchanged == 1
    assert shop.everything() == before


def test_consumption(shop):
    summary = shop.take(
        "email,sku,unit,kind,at,progress\n"
        f"ann@example.com,guide,,started,{AT},\n"
        f"ann@example.com,guide,c1,Completed,{AT},100%\n"
        f"ann@example.com,guide,,progressed,{AT},33.4\n"
        f"ann@example.com,guide,,progressed,{AT},33.4\n"
    )
    assert (summary.kind, summary.inserted, summary.unchanged) == ("consumption", 3, 1)
    assert shop.rows("consumption", "sku", "unit", "kind", "progress") == [
        ("guide", "", "progressed", 33),
        ("guide", "", "started", None),
        ("guide", "c1", "completed", 100),
    ]


def test_the_funnel(shop):
    shop.catalogue = Catalogue([Product(sku="course", name="Course")])
    summary = shop.take(
        "anonymous_id,what,stage,sku,at,checkout_id,source,device\n"
        f"v1,visited,landing,,{AT},,google,mobile\n"
        f"v1,Visited,landing,,{AT},,google,mobile\n"
        f"v1,offer_refused,upsell-1,course,{AT},ch1,,\n"
        f"v1,checkout_started,,,{AT},ch1,,\n"
    )
    assert (summary.kind, summary.inserted, summary.unchanged) == ("funnel", 3, 1)
    assert summary.notes == ()  # a visit that names no product is not of an unknown one
    assert shop.rows("funnel_events", "what", "stage", "sku", "at", "checkout_id", "source", "device") == [
        ("checkout_started", "", "", micros(AT), "ch1", "", ""),
        ("offer_refused", "upsell-1", "course", micros(AT), "ch1", "", ""),
        ("visited", "landing", "", micros(AT), "", "google", "mobile"),
    ]


@pytest.mark.parametrize(
    ("kind", "head", "row", "reason"),
    [
        ("consent", "email,granted,at", f"ann@example.com,maybe,{AT}", "granted is neither yes nor no"),
        ("consent", "email,granted,at", f"ann@example.com,,{AT}", "granted is blank"),
        ("consent", "email,granted,at", "ann@example.com,yes,", "at is blank"),
        ("consumption", "email,sku,kind,at", f"ann@example.com,guide,opened,{AT}", "kind is none of started, progressed, completed"),
        ("consumption", "email,sku,kind,at", f"ann@example.com,,started,{AT}", "sku is blank"),
        ("consumption", "email,sku,kind,at,progress", f"ann@example.com,guide,started,{AT},120", "progress is not a percentage"),
        ("funnel", "anonymous_id,what,at", f"v1,looked,{AT}", "what is none of visited, checkout_started"),
        ("funnel", "anonymous_id,what,at", f"v1,visited,{AT}", "stage is blank, and a visit is of a stage"),
        ("funnel", "anonymous_id,what,at", f"v1,offer_shown,{AT}", "sku is blank, and an offer is of a product"),
        ("funnel", "anonymous_id,what,at,device", f"v1,released,{AT},phone", "device is none of desktop"),
    ],
)  # fmt: skip
def test_rejected(shop, kind, head, row, reason):
    summary = shop.take(f"{head}\n{row}\n", kind)
    assert summary.rejected == 1
    assert summary.reasons[0][0].startswith(reason)
    assert shop.rows("customers", "email") == []
