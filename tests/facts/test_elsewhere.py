"""Lists of suppressed addresses elsewhere, as far as they were read: on either database."""

from datetime import timedelta

from engine.facts import elsewhere
from engine.facts.suppression import address_hash, lift, suppress
from engine.store.connect import Store
from engine.store.tables import identities
from tests.conftest import NOW

DAY = timedelta(days=1)
BOUNCES, GROUP = "sendgrid bounces", "sendgrid group 7"
ANN, BOB, CID = (f"{name}@loaf.example" for name in ("ann", "bob", "cid"))


def test_an_entry_is_news_once(store: Store) -> None:
    there = {address_hash(ANN): NOW, address_hash(BOB): NOW}
    with store.writing() as connection:
        assert elsewhere.news(connection, BOUNCES, there) == there
        elsewhere.seen(connection, BOUNCES, there, NOW)
        assert elsewhere.news(connection, BOUNCES, there) == {}
        assert elsewhere.news(connection, GROUP, there) == there
        again = {address_hash(ANN): NOW + DAY}
        assert elsewhere.news(connection, BOUNCES, again) == again
        elsewhere.seen(connection, BOUNCES, again, NOW + DAY)
        elsewhere.forget_unseen(connection, BOUNCES, NOW + DAY)
        assert elsewhere.news(connection, BOUNCES, there) == there  # the one is dated anew, the other gone


def test_how_far_a_list_was_read_is_remembered(store: Store) -> None:
    with store.writing() as connection:
        assert elsewhere.read_until(connection, BOUNCES) is None
        for at in (NOW, NOW + DAY):
            elsewhere.was_read(connection, BOUNCES, at)
            assert elsewhere.read_until(connection, BOUNCES) == at


def test_a_persons_word_is_told_where_it_is_not_known_yet(store: Store) -> None:
    with store.writing() as connection:
        for number, address in enumerate((ANN, BOB, CID), start=1):
            row = {"kind": "email", "value": address, "customer_id": number}
            connection.execute(identities.insert(), row)
        suppress(connection, ANN, "unsubscribed", "preference page", NOW)
        suppress(connection, BOB, "complaint", "command line", NOW)
        suppress(connection, CID, "bounced", BOUNCES, NOW)
        suppress(connection, "dan@loaf.example", "asked", "letter.csv", NOW)
        elsewhere.was_read(connection, BOUNCES, NOW)

        def told(**wish: bool | None) -> list[str]:
            return elsewhere.to_tell(connection, [GROUP], ["smtp"], **wish)

        assert (told(wish=None), told(wish=True), told(wish=False)) == ([ANN, BOB], [ANN], [BOB])
        assert elsewhere.by_hash_alone(connection, [GROUP], ["smtp"]) == 1
        elsewhere.seen(connection, GROUP, {address_hash(ANN): NOW}, NOW)
        assert told(wish=None) == [BOB]
        assert elsewhere.came_from(connection, BOUNCES) == {address_hash(CID)}
        assert elsewhere.lifted(connection, [GROUP]) == 0
        lift(connection, ANN, NOW)
        assert elsewhere.lifted(connection, [GROUP]) == 1
