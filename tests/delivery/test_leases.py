"""Leases that run out, and waiting for those that others hold."""

from datetime import UTC, datetime, timedelta

from engine.delivery.leases import expire, wait_for_others
from engine.delivery.outbox import Outbox
from engine.store.connect import Store
from tests.delivery.post_office import NOW, change, let_leases_run_out, plan_mails, row, statuses

FAR = datetime(2999, 1, 1, tzinfo=UTC)


def claim_all(store: Store, owner: str = "ann") -> None:
    box = Outbox(store, owner, timedelta(seconds=60), "folder")
    box.claim(box.due(NOW, 100), NOW)


def silent(_: str) -> None:
    pass


def test_a_lease_that_ran_out_leaves_a_mail_unknown_never_scheduled(store: Store) -> None:
    plan_mails(store, 1, 2)
    claim_all(store)
    change(store, 1, lease_until=datetime(1970, 1, 2, tzinfo=UTC))
    assert expire(store) == 1
    assert statuses(store) == {"unknown": 1, "sending": 1}
    mail = row(store, 1)
    assert (mail.error, mail.owner, mail.attempt, mail.lease_until) == (
        "the lease of ann ran out",
        "ann",
        1,
        None,
    )


def test_settled_mails_do_not_expire(store: Store) -> None:
    plan_mails(store, 1, status="accepted")
    change(store, 1, lease_until=datetime(1970, 1, 2, tzinfo=UTC))
    assert expire(store) == 0


def test_there_is_no_waiting_where_nothing_is_under_way(store: Store) -> None:
    plan_mails(store, 1)
    assert not wait_for_others(store, wait=lambda _: 1 / 0, progress=lambda _: 1 / 0)


def test_a_lease_that_is_over_is_not_waited_for(store: Store) -> None:
    plan_mails(store, 1)
    claim_all(store)
    let_leases_run_out(store)
    assert wait_for_others(store, wait=lambda _: 1 / 0, progress=lambda _: 1 / 0)


def test_waits_in_short_steps_until_the_lease_is_over_and_says_so(store: Store) -> None:
    plan_mails(store, 1)
    claim_all(store)
    waits: list[float] = []
    said: list[str] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            let_leases_run_out(store)

    assert wait_for_others(store, wait, said.append)
    assert waits == [1.0, 1.0, 1.0]
    assert len(said) == 1
    assert "up to 60 s" in said[0]


def test_a_renewed_lease_is_not_waited_for_again(store: Store) -> None:
    plan_mails(store, 1)
    claim_all(store)
    assert wait_for_others(store, wait=lambda _: change(store, 1, lease_until=FAR), progress=silent)


def test_the_wait_ends_when_the_other_settles(store: Store) -> None:
    plan_mails(store, 1)
    claim_all(store)
    done = {"status": "accepted", "lease_until": None}
    assert wait_for_others(store, wait=lambda _: change(store, 1, **done), progress=silent)
