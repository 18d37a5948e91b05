"""policies.md: what may stand against a mail, in the order in which it is asked."""

from engine.campaigns.form import MARKETING_KEYS
from engine.planning.policies import CONTESTS, LIMITS, POLICIES
from engine.planning.reasons import Reason, Verdict
from engine.planning.slots import TAKES_A_SLOT
from pages.markdown import code, page, table

INTRO = """\
A step that is due is not yet a mail. After the campaign's own questions (`goal`, `while`, `when`) come the
policies, in this order. The first that catches a customer gives the [reason](reasons.md). What is
skipped is gone; what is held is asked again at every run.
"""
ENDS = {
    Reason.PAUSED: "with `aftersale resume`",
    Reason.NOT_A_CUSTOMER: "",
    Reason.NO_ADDRESS: "",
    Reason.SUPPRESSED: "",
    Reason.NO_CONSENT: "",
    Reason.OWNS_OFFER: "",
    Reason.REFUSED_LATELY: "when the last refusal is `offers_again_after` ago",
    Reason.OPEN_TRANSACTION: "when `front_end.quiet` is over; of a checkout with an order, or after "
    "`checkout.expires`",
    Reason.COOL_DOWN: "when the last purchase is `cool_down.after_purchase` ago",
    Reason.CLAIM_UNPROVEN: "when a fact proves the claim",
    Reason.ANOTHER_OFFER: "when the other campaign's run is over",
    Reason.MINIMUM_GAP: "when the last mail is `minimum_gap` ago",
    Reason.FREQUENCY_CAP: "when every cap has room",
}
AFTERWARDS = """\
The first of them are about facts. The last are about what else the same customer gets, so they are asked of
those mails only against which nothing else stands. `aftersale explain` tells which one holds a mail, until
when, and when it is given up.
"""
CAPS = """\
## Caps and the gap

Each cap says how many mails one customer gets in any span of time, whichever span one looks at. A cap
with a `topic` counts and holds the mails of that topic only, one without counts all. A mail goes if
every cap that concerns it has room. An empty list is no cap. A cap is of back-end mails, unless it says
`track: front-end`; none of them counts for [the other track](../tracks.md).
"""
CAPS_EXAMPLE = """\
frequency:
  - {max: 1, per: 1d}
  - {max: 3, per: 7d, topic: marketing}
  - {max: 8, per: 30d}
minimum_gap: 20h
"""
LINE = """\
A single cap may stand without its list: `frequency: {max: 3, per: 7d}`. `minimum_gap` is the least time
between two back-end mails to one customer, `front_end.minimum_gap` between two front-end ones.

All that is due for one customer stands in line: the higher `priority` first, then what has been due
longer, then by the campaign's id. One after the other goes, as long as there is room for it. Who is
held takes no room, so a mail further behind may go, if it is of a topic that has room. The detail names
the campaign that took the last place, or the cap that is full.
"""
SLOTS = """\
A mail counts from when it leaves. Until then the plan that decided to send it keeps its place. A mail that
does not leave at once, because the way out is shut or asks to wait, is decided anew before it is
tried again, and may have to wait for another place.
"""
COUNTED = "These count: {}. A mail that was rejected or cancelled gives its place back."
OFFERS = """\
## One offer at a time

A campaign with `offers` makes an offer, whatever the product. While a run that makes one is under way
for a customer, no other campaign makes them another. A run is under way from its first mail until it
ends and its last mail has left. A run that waits for its first mail is in nobody's way. Front-end and
back-end campaigns are not in each other's way.

Where several could begin at the same time, the campaign with the higher `priority` goes first; then the
one that the customer entered earlier; then by id. A run under way is never overtaken. Those in the
holdout take part as if they were mailed. Campaigns without `offers` and transactional ones take no
part, nor does one whose file has a mistake.
"""
REFUSED = """\
## What was refused

`offers_again_after: 14d` in the settings keeps a back-end campaign from offering what the customer refused in
the front end so lately, as an import of the funnel tells it (`offer_refused`). A campaign may name its own
time, also `0`. Being shown an offer is not refusing it; the condition [`offered`](conditions/offered.md) asks
for either.
"""
COOL = """\
## After a purchase

`cool_down: {after_purchase: 3d}` in the settings leaves who has just bought in peace for so long. A
campaign may name its own time, also `0`: a thank-you wants none. Every paid order above zero counts,
whatever was refunded since. The quiet after a transaction, `front_end.quiet`, is there in any case.
"""
OWED = """\
## What is owed

`transactional: true` is for mails that somebody waits for and that sell nothing: a receipt, a renewal
notice, a way in to what was bought. They need no consent, are in no holdout, count under no cap and are
held by none, go while a transaction is open, and in quiet hours as well. These still stand against them: {}.

A suppressed address with the reason `unsubscribed` wants no more marketing, and still gets what is
owed. Any other reason, such as a bounce or a complaint, stops that as well.

These keys have no place in such a campaign, and are told as mistakes:
"""
WAITING = """\
## What has to wait

A held mail waits, and is given up in the end, with the reason `expired`: by default after 30 days. The
next step then counts its wait from there; with `then: exit` the run ends.
"""
WAITING_EXAMPLE = """\
hold: {at_most: 14d, then: skip}    # in config.yaml, for all campaigns
hold: {at_most: 2d, then: exit}     # in a campaign, or in one step of it
hold: {at_most: 0}                  # now or not at all
hold: {at_most: forever}            # as long as it takes
"""
KEYS = """\
The time counts from when the step was due, and for a mail that was planned and did not leave from when it was
planned. A key that a step leaves out is its campaign's; one that the campaign leaves out is the settings'.
What is no longer held goes, however late it is. A pause gives nothing up, nor does a wait for a window or
for quiet hours to end: of those `late` and `latest` have the say.
"""


def pages() -> dict[str, str]:
    states = ", ".join(f"`{status}`" for status in TAKES_A_SLOT)
    still = ", ".join(f"`{policy.reason}`" for policy in POLICIES if policy.owed_too)
    keys = table(("key", "because"), ([f"`{key}`", why] for key, why in MARKETING_KEYS.items()))
    parts = [
        *(INTRO, table(("reason", "decision", "told as", "a hold ends"), _rows()), AFTERWARDS),
        *(CAPS, code(CAPS_EXAMPLE), LINE, SLOTS, COUNTED.format(states)),
        *(OFFERS, REFUSED, COOL, OWED.format(still), keys),
        *(WAITING, code(WAITING_EXAMPLE), KEYS),
    ]
    return {"policies.md": page("What may stand against a mail", *parts)}


def _rows() -> list[list[str]]:
    asked = [(policy.reason, policy.verdict) for policy in POLICIES]
    asked += [(other.reason, Verdict.HOLD) for other in (*CONTESTS, *LIMITS)]
    return [[f"`{reason}`", verdict.value, reason.sentence, ENDS[reason]] for reason, verdict in asked]
