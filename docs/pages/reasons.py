"""reasons.md: why a customer gets a mail or none, and what becomes of a mail."""

from collections.abc import Iterable
from typing import get_args

from engine.delivery.states import MOVES, Status
from engine.planning.policies import CONTESTS, LIMITS, POLICIES
from engine.planning.reasons import Reason, Verdict
from engine.rendering.mail import WhyNot
from pages.markdown import page, table

INTRO = """\
Whenever a step is due for a customer, one decision is made, and it carries exactly one reason.
`preview` counts them, `run` writes them down, and `explain` tells the one that met a customer.

* **send**: the mail goes to the outbox, and the customer moves on to the next step.
* **skip**: no mail; the customer moves on to the next step, or leaves where the reason ends the run.
* **hold**: not now. The customer stays at the step, and every later run asks again; where it is for the
  time of day, the first one after the window has opened.
"""
ORDER = """\
## For a step that is due

The reasons are asked in this order, and the first that fits is the answer. What the policies among them are
for is told in [what may stand against a mail](policies.md).
"""
ASKED_FIRST = (
    (Reason.CAMPAIGN_REMOVED, Verdict.SKIP),
    (Reason.STEP_REMOVED, Verdict.SKIP),
    (Reason.GOAL_REACHED, Verdict.SKIP),
    (Reason.TRANSACTION_CLOSED, Verdict.SKIP),
    (Reason.WHILE_ENDED, Verdict.SKIP),
    (Reason.TOO_LATE, Verdict.SKIP),
    (Reason.NEVER_OPEN, Verdict.SKIP),
    (Reason.OUTSIDE_WINDOW, Verdict.HOLD),
    (Reason.QUIET_HOURS, Verdict.HOLD),
    (Reason.WHEN_NOT_MET, Verdict.SKIP),
)
ASKED_LAST = (
    *((each.reason, Verdict.HOLD) for each in (*CONTESTS, *LIMITS)),
    (Reason.EXPIRED, Verdict.SKIP),
    (Reason.HELD_OUT, Verdict.SKIP),
    (Reason.REVIEW, Verdict.SEND),
    (Reason.DUE, Verdict.SEND),
)
ENDED = (Reason.MERGED,)
NOTHING_DUE = (Reason.WAITING, Reason.BEEN_THROUGH, Reason.NOT_BEGUN)
MORE = {
    Reason.CAMPAIGN_REMOVED: "Also where no step is due. A file with a mistake is still a file; while the id "
    "in one of them cannot be read, no campaign counts as removed.",
    Reason.STEP_REMOVED: "The run goes on with the step that came after it, and ends where none is left. See "
    "[edits](../edits.md).",
    Reason.MERGED: "Two people were one, and both were in the campaign: the run with more steps behind it "
    "goes on. Runs of both count.",
    Reason.GOAL_REACHED: "Also where no step is due. Only facts after entry count.",
    Reason.TRANSACTION_CLOSED: "Also where no step is due. A front-end run lives inside one transaction. See "
    "[the two tracks](../tracks.md).",
    Reason.WHILE_ENDED: "It is asked whenever a step is due.",
    Reason.TOO_LATE: "The window that was meant has ended, and `late: skip` or `latest` says to give it "
    "up. See [when a mail may go](campaign.md#when-a-mail-may-go).",
    Reason.NEVER_OPEN: "By another clock than the customer's, for more than a year.",
    Reason.OUTSIDE_WINDOW: "It is asked again when the next window opens, which the detail tells.",
    Reason.QUIET_HOURS: "`quiet_hours` in the settings. It is asked again when they end.",
    Reason.WHEN_NOT_MET: "The next step counts its wait from this decision.",
    Reason.PAUSED: "By `aftersale pause`, until `aftersale resume`. People still enter, and nobody moves on.",
    Reason.NOT_A_CUSTOMER: "A customer has a paid order above zero that was not wholly refunded.",
    Reason.NO_ADDRESS: "Import one, and the steps to come are sent.",
    Reason.SUPPRESSED: "By `aftersale suppress`. It holds for the address, whoever's it is. With the reason "
    "`unsubscribed` it does not stop [what is owed](policies.md#what-is-owed).",
    Reason.NO_CONSENT: "The last word on the campaign's `topic` must be a yes; in the same instant no "
    "beats yes. With `consent.default: soft_opt_in` silence is a yes.",
    Reason.OWNS_OFFER: "Owns one of the products in `offers`, net of refunds; a subscription while it runs.",
    Reason.REFUSED_LATELY: "Of one of the products in `offers`, less than `offers_again_after` ago. See "
    "[what was refused](policies.md#what-was-refused).",
    Reason.OPEN_TRANSACTION: "Until a transaction closes, and for `front_end.quiet` after it closed or an "
    "order was added to it; or while a checkout that was started has no order yet, until `checkout.expires`.",
    Reason.COOL_DOWN: "Within `cool_down.after_purchase` of a paid order.",
    Reason.CLAIM_UNPROVEN: "A fact that proved what the copy says was taken back since entry, mostly by a "
    "refund. See [claims](../claims.md).",
    Reason.ANOTHER_OFFER: "A run that makes an offer is under way, or goes first. The detail names its "
    "campaign. See [one offer at a time](policies.md#one-offer-at-a-time).",
    Reason.MINIMUM_GAP: "Less than `minimum_gap` ago, or a campaign that goes first writes now.",
    Reason.FREQUENCY_CAP: "A cap of `frequency` is full. Higher `priority` goes first, then what has been "
    "due longer. The detail names the campaign that took the last place. See "
    "[caps](policies.md#caps-and-the-gap).",
    Reason.EXPIRED: "It was held for as long as `hold` allows. The detail tells what it waited for. See "
    "[what has to wait](policies.md#what-has-to-wait).",
    Reason.HELD_OUT: "Takes the place under the cap that the mail would have taken, so that the comparison "
    "is fair.",
    Reason.REVIEW: "It is in the outbox as `held`, and leaves by `aftersale outbox release`. See "
    "[operating](../operating.md).",
    Reason.DUE: "",
    Reason.WAITING: "",
    Reason.NOT_BEGUN: "Of campaigns with `on`, and of front-end ones. See [on](campaign.md#on).",
    Reason.BEEN_THROUGH: "See `enter` in [the campaign file](campaign.md#enter).",
}
ENDINGS = """\
## What else ends a run

An import can end a run as well. `explain` tells it.
"""
STANDING = """\
## For whom no step is due

`preview` counts these people as well, so that everybody in an audience is accounted for.
"""
OUTBOX = """\
## What becomes of a mail

A decision to send puts a mail into the outbox. From there on it has a state, which `aftersale status`
counts.
"""
STATES = {
    Status.SCHEDULED: "Planned, and not yet taken on. The next run sends it.",
    Status.SENDING: "On its way: the intent to send it was written down before it left.",
    Status.ACCEPTED: "The transport has it.",
    Status.REJECTED: "It has not left, and never will by itself. `status` tells why; `aftersale outbox "
    "retry` lets it go again.",
    Status.UNKNOWN: "Nobody can say whether it left. It is shown and kept, and never sent again blindly.",
    Status.CANCELLED: "It should no longer leave.",
    Status.HELD: "The database was adopted, and the mail was due before. It waits for `aftersale outbox "
    "release` or `aftersale cancel`.",
    Status.HELD_OUT: "Stands in the place of a mail to somebody in the holdout. Nothing is sent.",
}
MOVED = "A mail moves between them in these ways and no others:"
UNWRITABLE = """\
A mail is written at the moment it leaves, on the facts of that moment. Where that fails, it does not
go, and the reason is one of these:
"""
WHY_NOT = {
    "claim_unproven": "A fact that the mail speaks of is gone since the plan. It waits, and is asked again.",
    "render_failed": "The template broke on this customer's values. It waits, and is tried again.",
    "no_address": "There is no address left that a mail can go to. Rejected.",
}


def pages() -> dict[str, str]:
    asked = [*ASKED_FIRST, *((policy.reason, policy.verdict) for policy in POLICIES), *ASKED_LAST]
    due = table(
        ("reason", "decision", "told as", "to know"), (_row(reason, verdict) for reason, verdict in asked)
    )
    ended = table(("reason", "told as", "to know"), ([f"`{r}`", r.sentence, MORE[r]] for r in ENDED))
    idle = table(("reason", "told as", "to know"), ([f"`{r}`", r.sentence, MORE[r]] for r in NOTHING_DUE))
    _all_told([reason for reason, _ in asked] + [*ENDED, *NOTHING_DUE])
    states = table(("state", "meaning"), ([f"`{status}`", STATES[status]] for status in Status))
    moves = table(("from", "to", "when"), ([f"`{a}`", f"`{b}`", why] for (a, b), why in MOVES.items()))
    wrong = table(("reason", "meaning"), ([f"`{why}`", WHY_NOT[why]] for why in get_args(WhyNot)))
    parts = [
        INTRO,
        ORDER,
        due,
        ENDINGS,
        ended,
        STANDING,
        idle,
        OUTBOX,
        states,
        MOVED,
        moves,
        UNWRITABLE,
        wrong,
    ]
    return {"reasons.md": page("Decisions and their reasons", *parts)}


def _row(reason: Reason, verdict: Verdict) -> list[str]:
    return [f"`{reason}`", verdict.value, reason.sentence, MORE[reason]]


def _all_told(told: Iterable[Reason]) -> None:
    if missing := set(Reason) - set(told):
        msg = f"the reference says nothing of {', '.join(sorted(missing))}"
        raise LookupError(msg)
