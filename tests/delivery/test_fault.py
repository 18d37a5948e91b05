"""Whom an enhanced status code blames."""

import pytest

from engine.delivery.fault import Fault, address_is_dead, enhanced_code, fault


@pytest.mark.parametrize(
    ("code", "blames", "dead"),
    [
        ("5.1.0", Fault.RECIPIENT, True),
        ("5.1.1", Fault.RECIPIENT, True),  # no such mailbox
        ("5.1.2", Fault.RECIPIENT, True),  # no such domain
        ("5.1.3", Fault.RECIPIENT, True),  # that is no address
        ("5.1.6", Fault.RECIPIENT, True),  # has moved
        ("5.1.10", Fault.RECIPIENT, True),  # its domain takes no mail
        ("5.1.7", Fault.US, False),  # our own address
        ("5.1.8", Fault.US, False),  # our own domain
        ("5.2.1", Fault.RECIPIENT, True),  # disabled
        ("5.2.2", Fault.RECIPIENT, False),  # full
        ("5.2.3", Fault.MAIL, False),  # too large for them
        ("5.3.0", Fault.US, False),
        ("5.3.4", Fault.MAIL, False),  # too large for the server
        ("5.4.5", Fault.US, False),  # the day's quota
        ("5.4.6", Fault.US, False),  # a loop
        ("5.5.1", Fault.US, False),
        ("5.6.0", Fault.MAIL, False),
        ("5.7.1", Fault.US, False),  # may not send, may not relay
        ("5.7.26", Fault.US, False),  # not signed
        ("4.1.1", Fault.RECIPIENT, False),
        ("5.0.0", Fault.UNTOLD, False),
        ("5.9.1", Fault.UNTOLD, False),
        ("", Fault.UNTOLD, False),
    ],
)
def test_each_code_blames_somebody(code: str, blames: Fault, dead: bool) -> None:
    assert (fault(code), address_is_dead(code)) == (blames, dead)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("550 5.1.1 nobody here", "5.1.1"),
        ("554 5.7.1 <a@b.example>: Relay access denied", "5.7.1"),
        ("550-5.1.10 nobody", "5.1.10"),
        ("550 no code", ""),
        ("554 blocked: 5.1.1.9 and 10.5.1.1 are listed", ""),
    ],
)
def test_the_code_is_found_in_what_was_said(words: str, code: str) -> None:
    assert enhanced_code(words) == code
