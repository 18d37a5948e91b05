"""Why a customer gets a mail or none: every decision carries one of these."""

from enum import StrEnum


class Verdict(StrEnum):
    """What is decided about a step that is due."""

    SEND = "send"
    HOLD = "hold"
    SKIP = "skip"


class Reason(StrEnum):
    """The one reason of a decision; `sentence` tells it to a person."""

    sentence: str

    def __new__(cls, name: str, sentence: str) -> "Reason":
        member = str.__new__(cls, name)
        member._value_ = name
        member.sentence = sentence
        return member

    DUE = "due", "the step is due and nothing stands against it"
    HELD_OUT = "held_out", "in the holdout: counted as if mailed, but not mailed"
    GOAL_REACHED = "goal_reached", "the goal was reached, so the run ends"
    WHILE_ENDED = "while_ended", "the campaign's `while` no longer holds, so the run ends"
    STEP_REMOVED = "step_removed", "the step is no longer in the campaign's file, so the run ends"
    WHEN_NOT_MET = "when_not_met", "the step's `when` does not hold"
    NOT_A_CUSTOMER = "not_a_customer", "no paid order is left, and back-end mail goes to customers only"
    NO_ADDRESS = "no_address", "no e-mail address is known"
    SUPPRESSED = "suppressed", "the address is suppressed"
    NO_CONSENT = "no_consent", "there is no consent for the topic"
    OWNS_OFFER = "owns_offer", "already owns what the campaign offers"
    OPEN_TRANSACTION = "open_transaction", "a transaction is open, or closed only just now"
    CLAIM_UNPROVEN = "claim_unproven", "the mail says something that no fact proves"
    FREQUENCY_CAP = "frequency_cap", "the frequency cap is reached"
    # of those for whom no step is due
    WAITING = "waiting", "in the campaign, and the next step is not due yet"
    BEEN_THROUGH = "been_through", "has been through the campaign already"
