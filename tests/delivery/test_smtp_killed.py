"""A sender that is killed with -9 at any word it says to the server: nothing is doubled, nothing is lost."""

import os
import signal
from contextlib import closing

import pytest

from engine.store.connect import Store
from tests.delivery.mail_server import HANG_UP_AFTER, MailServer, mail_server
from tests.delivery.post_office import address, let_leases_run_out, plan_mails, row, run, statuses
from tests.delivery.smtp_sender import BATCH, started
from tests.delivery.test_smtp_transport import transport

MAILS = range(1, 31)
WORDS = {"MAIL": 2, "RCPT": 3, "DATA": 4, "the mail": 5, "its end": 6, "the next mail": 7}


def finish(store: Store, server: MailServer) -> None:
    """Another run sees to what is left."""
    let_leases_run_out(store)
    with closing(transport(server)) as way:
        run(store, way, batch=BATCH)


def assert_none_doubled_and_none_lost(store: Store, server: MailServer, unknown: int) -> None:
    """What the server has is accepted or unknown, once; what it has not is unknown, for a person to see."""
    assert len(server.recipients) == len(set(server.recipients))
    assert statuses(store) == {"accepted": len(MAILS) - unknown, "unknown": unknown}
    accepted = {address(i) for i in MAILS if row(store, i).status == "accepted"}
    assert accepted <= set(server.recipients)


@pytest.mark.parametrize("word", list(WORDS))
def test_killed_before_a_word(store: Store, word: str) -> None:
    plan_mails(store, *MAILS)
    with mail_server() as server:
        process = started(store, server.port, deadly=WORDS[word] + 5 * 4)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        taken = len(server.taken)
        finish(store, server)
        assert_none_doubled_and_none_lost(store, server, unknown=BATCH)
        assert 0 < taken < len(MAILS)


def test_killed_when_the_server_has_the_mail_and_has_not_said_so(store: Store) -> None:
    plan_mails(store, *MAILS)
    with mail_server() as server:
        process = None

        def kill(number: int) -> None:
            if number == 5:
                os.kill(process.pid, signal.SIGKILL)
                process.join()

        server.on_mail = kill
        process = started(store, server.port)
        process.join()
        assert len(server.taken) == 5
        finish(store, server)
        assert_none_doubled_and_none_lost(store, server, unknown=BATCH)


def test_two_processes_and_a_server_that_hangs_up_now_and_then(store: Store) -> None:
    plan_mails(store, *MAILS)
    with mail_server() as server:
        server.only_once = True
        server.on_mail = lambda number: server.trouble.update({".": HANG_UP_AFTER} if number % 7 == 0 else {})
        both = [started(store, server.port) for _ in range(2)]
        for process in both:
            process.join()
        assert [process.exitcode for process in both] == [0, 0]
        unknown = statuses(store)["unknown"]
        assert unknown == len(MAILS) // 7
        finish(store, server)
        assert_none_doubled_and_none_lost(store, server, unknown)
        assert len(server.taken) == len(MAILS)
