"""Who plans: one at a time, the next one when the lease ran out, and never on the word of an old epoch."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from engine.planning.leadership import Lead, LeadLost, give_up_lead, keep_lead, leader, take_lead
from engine.planning.state import be_the_planner
from engine.store.connect import Store
from engine.store.dialect import database_now
from engine.store.tables import leases

TERM = timedelta(minutes=1)


def take(store: Store, owner: str, term: timedelta = TERM) -> Lead | None:
    with store.writing() as connection:
        return take_lead(connection, owner, term)


def keep(store: Store, lead: Lead) -> None:
    with store.writing() as connection:
        keep_lead(connection, lead, TERM)


def run_out(store: Store) -> None:
    """As if the term had passed."""
    with store.writing() as connection:
        connection.execute(update(leases).values(expires_at=datetime(1970, 1, 2, tzinfo=UTC)))


def test_the_first_one_leads_and_the_others_stand_by(store: Store) -> None:
    assert take(store, "ann") == Lead("ann", 1)
    assert take(store, "bob") is None
    assert take(store, "ann") == Lead("ann", 1), "the same lead, for longer"
    with store.reading() as connection:
        assert leader(connection) == "ann"


def test_when_the_lease_ran_out_the_next_one_leads_in_another_epoch(store: Store) -> None:
    take(store, "ann")
    run_out(store)
    assert take(store, "bob") == Lead("bob", 2)
    assert take(store, "ann") is None


@pytest.mark.parametrize(("ahead", "next_one"), [(timedelta(hours=3), Lead("bob", 2)), (TERM / 2, None)])
def test_a_lease_that_a_clock_ahead_of_time_wrote_keeps_nobody_waiting(
    store: Store, ahead: timedelta, next_one: Lead | None
) -> None:
    """Its daemon died before the clock was set right. No lease is given for so long."""
    take(store, "ann")
    with store.writing() as connection:
        connection.execute(update(leases).values(expires_at=database_now(connection) + TERM + ahead))
    assert take(store, "bob") == next_one


def test_a_lead_given_up_passes_on_at_once(store: Store) -> None:
    lead = take(store, "ann")
    with store.writing() as connection:
        give_up_lead(connection, lead)
    assert take(store, "bob") == Lead("bob", 2)


@pytest.mark.parametrize("meanwhile", ["nobody", "bob", "bob and then ann again"])
def test_who_slept_over_its_lease_cannot_write(store: Store, meanwhile: str) -> None:
    """Not even where it was the last one to lead: what it had read is old."""
    lead = take(store, "ann")
    for owner in ["bob", "ann"] if "then" in meanwhile else ["bob"] if meanwhile == "bob" else []:
        run_out(store)
        assert take(store, owner)
    if meanwhile == "nobody":
        run_out(store)
    with pytest.raises(LeadLost):
        keep(store, lead)


def test_a_run_without_the_lead_takes_it_from_nobody(store: Store) -> None:
    """`run --once` beside a daemon takes a turn between two of its plans."""
    lead = take(store, "ann")
    with store.writing() as connection:
        be_the_planner(connection, "once")
    keep(store, lead)


def test_a_run_without_the_lead_leaves_it_to_the_first_that_asks(store: Store) -> None:
    with store.writing() as connection:
        be_the_planner(connection, "once")
    assert take(store, "ann") == Lead("ann", 1)


@pytest.mark.postgres
def test_a_leader_frozen_amid_its_plan_does_not_keep_the_others_out(postgres_url: str) -> None:
    """The server ends its transaction, and what it locked is free."""
    frozen, other, short = Store(postgres_url), Store(postgres_url), timedelta(milliseconds=100)
    lead = take(frozen, "ann", short)
    with pytest.raises(DBAPIError), frozen.engine.begin() as connection:
        keep_lead(connection, lead, short)
        while (others := take(other, "bob")) is None:  # waits for the row, until its holder is gone
            pass
        connection.execute(select(leases))
    assert others == Lead("bob", 2)
    frozen.close()
    other.close()
