"""Why a customer gets a mail or none: every decision carries one of these."""

from enum import StrEnum


class Verdict(StrEnum):
    """What is decided about a step that is due."""

    SEND = "send"
    HOLD = "hold"
    SKIP = "skip"


class Reason(StrEnum):
    """The one reason of a decision."""

    DUE = "due"
    HELD_OUT = "held_out"
    GOAL_REACHED = "goal_reached"
    WHILE_ENDED = "while_ended"
    CAMPAIGN_REMOVED = "campaign_removed"
    STEP_REMOVED = "step_removed"
    MERGED = "merged"
    WHEN_NOT_MET = "when_not_met"
    NOT_A_CUSTOMER = "not_a_customer"
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    NO_CONSENT = "no_consent"
    OWNS_OFFER = "owns_offer"
    OPEN_TRANSACTION = "open_transaction"
    CLAIM_UNPROVEN = "claim_unproven"
    FREQUENCY_CAP = "frequency_cap"
    # of those for whom no step is due
    WAITING = "waiting"
    BEEN_THROUGH = "been_through"

    @property
    def sentence(self) -> str:
        """The reason, told to a person."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.DUE: "the step is due and nothing stands against it",
    Reason.HELD_OUT: "in the holdout: counted as if mailed, but not mailed",
    Reason.GOAL_REACHED: "the goal was reached, so the run ends",
    Reason.WHILE_ENDED: "the campaign's `while` no longer holds, so the run ends",
    Reason.CAMPAIGN_REMOVED: "the campaign is in no file any more, so the run ends",
    Reason.STEP_REMOVED: "the step is no longer in the campaign's file",
    Reason.MERGED: "turned out to be somebody whose run was further, so this run ended",
    Reason.WHEN_NOT_MET: "the step's `when` does not hold",
    Reason.NOT_A_CUSTOMER: "no paid order is left, and back-end mail goes to customers only",
    Reason.NO_ADDRESS: "no e-mail address is known",
    Reason.SUPPRESSED: "the address is suppressed",
    Reason.NO_CONSENT: "there is no consent for the topic",
    Reason.OWNS_OFFER: "already owns what the campaign offers",
    Reason.OPEN_TRANSACTION: "a transaction is open, or closed only just now",
    Reason.CLAIM_UNPROVEN: "the mail says something that no fact proves",
    Reason.FREQUENCY_CAP: "the frequency cap is reached",
    Reason.WAITING: "in the campaign, and the next step is not due yet",
    Reason.BEEN_THROUGH: "has been through the campaign already",
}
