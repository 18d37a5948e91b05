"""campaign.md: every key of a campaign file."""

from pathlib import Path

from engine.campaigns.form import LATER_KEYS, CampaignForm, EmailForm, StepForm
from pages.markdown import code, field_rows, page, table

EXAMPLE = Path(__file__).parents[2] / "campaigns" / "flagship-after-guide.yaml"
COLUMNS = ("key", "type", "default", "meaning")

INTRO = """\
A campaign is one YAML file below `campaigns/`. It says who gets in, which mails they get, when, and what
ends it. Files whose names begin with a dot, `products.yaml` and `segments.yaml` are not campaigns.

This one is bundled:
"""
EDITOR = """\
The first line lets editors complete keys and mark mistakes as you type, by
`campaigns/campaign.schema.json`. `aftersale schema` prints that file.
"""
RUN = """\
## How a run goes

1. A customer whom the `audience` holds enters, if `enter` allows it. That begins a *run*: the draw for the
   `holdout` is made, and the first step falls due `after` its wait.
2. When a step is due, a [decision](reasons.md) is made: send, skip or hold. First the campaign's own
   questions are asked: the `goal`, then `while`, then the step's `when`. Then the policies: customers
   only, address, suppression, consent, `offers`, an open transaction, claims. Last, campaigns that want
   the same customer are put in order, by `priority` and up to the frequency cap.
3. After a send or a skip the next step falls due `after` its wait, counted from that decision. After a
   hold the step stays due.
4. A run ends with its last step, with the goal, or when `while` no longer holds. Leaving the audience
   does not end it; that is what `while` is for. What an edit does to a run is told in [edits](../edits.md).
"""
ENTER = """\
### enter

* `once`: who has ever begun a run never begins another.
* `every_time`: who left the audience and comes back begins anew.
* `{again_after: 180d}`: who is in the audience, and began the last run that long ago or longer, begins
  anew.

Nobody begins a run while one through the same campaign is in progress.
"""
RULES = """\
### audience, while, goal, when

All four are [rules](conditions.md). `audience` decides entry only. `while` is asked whenever a step is due;
where it does not hold, the run ends. `goal` counts only facts later than entry; it is asked at every run
of the engine, whether a step is due or not. `when` belongs to one step; where it does not hold, that
step is skipped and the next one waits its turn.
"""
OFFERS = """\
### offers

Who owns a product that the campaign offers gets none of its mails, net of full refunds. No rule is
needed for that. A subscription is owned while it runs, whoever sold it; who had one that is over may be
offered it again. What is used up and bought anew, such as flour, is not for `offers`: name it in the
template, as `product('flour')`. Templates reach the products as `offers`.
"""
HOLDOUT = """\
### holdout

This share of those who enter get nothing, by a draw that is fixed for each customer and campaign. They
go through every decision as if they were mailed, so that what they buy can be compared with what the
others buy. `0%` mails everybody.
"""
DURATIONS = """\
## Durations

A whole number and a unit: `90m`, `12h`, `30d`, `2w`, or a bare `0`. It is elapsed time: a day is 24 hours.
"""
LATER = """\
## Not in this version

These keys are understood, and refused with a hint. Nothing that a file asks for is passed over.
"""
ALSO_LATER = "`track: front-end` is not in this version either."
MISTAKES = """\
## Mistakes

`aftersale check` tells every mistake of every file at once, as `file:line:column: message (hint)`. A campaign
with a mistake is left out, the others go on. Where `products.yaml` or `segments.yaml` is wrong, no
campaign is run, since each may mean something else than it says.
"""


def pages() -> dict[str, str]:
    later = ([_place(path), hint] for path, hint in LATER_KEYS.items())
    return {
        "campaign.md": page(
            "The campaign file",
            *(INTRO, code(EXAMPLE.read_text(encoding="utf-8")), EDITOR),
            *("## Keys of a campaign", table(COLUMNS, field_rows(CampaignForm))),
            *(RULES, ENTER, OFFERS, HOLDOUT),
            *("## Keys of a step", table(COLUMNS, field_rows(StepForm))),
            *("## Keys of `email`", table(COLUMNS, field_rows(EmailForm)), COPY),
            *(RUN, DURATIONS, LATER, table(("key", "meanwhile"), later), ALSO_LATER, MISTAKES),
        )
    }


COPY = "What a subject and a template may say is told in [templates](templates.md)."


def _place(path: tuple[str, ...]) -> str:
    """`send:` of a step, `on:` of a campaign."""
    return f"`{path[-1]}`" + (" of a step" if len(path) > 1 else "")
