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
    REVIEW = "review"
    HELD_OUT = "held_out"
    GOAL_REACHED = "goal_reached"
    TRANSACTION_CLOSED = "transaction_closed"
    WHILE_ENDED = "while_ended"
    CAMPAIGN_REMOVED = "campaign_removed"
    STEP_REMOVED = "step_removed"
    MERGED = "merged"
    OUTSIDE_WINDOW = "outside_window"
    QUIET_HOURS = "quiet_hours"
    TOO_LATE = "too_late"
    NEVER_OPEN = "never_open"
    WHEN_NOT_MET = "when_not_met"
    PAUSED = "paused"
    NOT_A_CUSTOMER = "not_a_customer"
    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    NO_CONSENT = "no_consent"
    OWNS_OFFER = "owns_offer"
    REFUSED_LATELY = "refused_lately"
    OPEN_TRANSACTION = "open_transaction"
    COOL_DOWN = "cool_down"
    CLAIM_UNPROVEN = "claim_unproven"
    ANOTHER_OFFER = "another_offer"
    MINIMUM_GAP = "minimum_gap"
    FREQUENCY_CAP = "frequency_cap"
    EXPIRED = "expired"
    # of those for whom no step is due
    WAITING = "waiting"
    BEEN_THROUGH = "been_through"
    NOT_BEGUN = "not_begun"

    @property
    def sentence(self) -> str:
        """The reason, told to a person."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.REVIEW: "was due when the database was adopted, so the mail is kept for a person to look at",
    Reason.DUE: "the step is due and nothing stands against it",
    Reason.HELD_OUT: "in the holdout: counted as if mailed, but not mailed",
    Reason.GOAL_REACHED: "the goal was reached, so the run ends",
    Reason.TRANSACTION_CLOSED: "the transaction closed, so the front-end run ends",
    Reason.WHILE_ENDED: "the campaign's `while` no longer holds, so the run ends",
    Reason.CAMPAIGN_REMOVED: "the campaign is in no file any more, so the run ends",
    Reason.STEP_REMOVED: "the step is no longer in the campaign's file",
    Reason.MERGED: "turned out to be somebody whose run was further, so this run ended",
    Reason.OUTSIDE_WINDOW: "outside the step's send window",
    Reason.QUIET_HOURS: "quiet hours, by the customer's clock",
    Reason.TOO_LATE: "too late: the step's `late` or `latest` gives the mail up",
    Reason.NEVER_OPEN: "the send window is never open outside the quiet hours",
    Reason.WHEN_NOT_MET: "the step's `when` does not hold",
    Reason.PAUSED: "the campaign is paused, by itself or with all others",
    Reason.NOT_A_CUSTOMER: "no paid order is left, and mail of campaigns goes to customers only",
    Reason.NO_ADDRESS: "no e-mail address is known",
    Reason.SUPPRESSED: "the address is suppressed",
    Reason.NO_CONSENT: "there is no consent for the topic",
    Reason.OWNS_OFFER: "already owns what the campaign offers",
    Reason.REFUSED_LATELY: "refused in the front end, only lately, what the campaign offers",
    Reason.OPEN_TRANSACTION: "a transaction is open, or closed only just now",
    Reason.COOL_DOWN: "bought something only just now",
    Reason.CLAIM_UNPROVEN: "the mail says something that no fact proves",
    Reason.ANOTHER_OFFER: "another campaign makes an offer, and it is one offer at a time",
    Reason.MINIMUM_GAP: "the last mail is too short a time ago",
    Reason.FREQUENCY_CAP: "the frequency cap is reached",
    Reason.EXPIRED: "it had to wait too long, and was given up",
    Reason.WAITING: "in the campaign, and the next step is not due yet",
    Reason.BEEN_THROUGH: "has been through the campaign already",
    Reason.NOT_BEGUN: "in the audience, and what begins a run has not happened yet",
}
