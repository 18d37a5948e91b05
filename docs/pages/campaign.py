"""campaign.md: every key of a campaign file."""

from pathlib import Path

from engine.campaigns.form import LATER_KEYS, CampaignForm, CoolDownForm, EmailForm, HoldForm, StepForm
from engine.campaigns.waits import SendForm
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

1. A customer whom the `audience` holds enters, with `on` when something happens, if `enter` allows it. That
   begins a *run*: the draw for the `holdout` is made, and the first step falls due `after` its wait.
2. When a step is due, a [decision](reasons.md) is made: send, skip or hold. First the campaign's own
   questions are asked: the `goal`, then `while`, then whether the step's `send` lets a mail go now, then
   its `when`. Then come the [policies](policies.md), from consent to the frequency cap.
3. After a send or a skip the next step falls due `after` its wait, counted from that decision. After a
   hold the step stays due, until it is given up as `hold` says. What waits for its window is asked again
   when that opens.
4. A run ends with its last step, with the goal, or when `while` no longer holds. Leaving the audience
   does not end it; that is what `while` is for. What an edit does to a run is told in [edits](../edits.md).
"""
ENTER = """\
### enter

* `once`: who has ever begun a run never begins another.
* `every_time`: who left the audience and comes back begins anew.
* `{again_after: 180d}`: who is in the audience, and began the last run that long ago or longer, begins
  anew.

Nobody begins a run while one through the same campaign is in progress; by `on` and `every_time` they do.
"""
RULES = """\
### audience, while, goal, when

All four are [rules](conditions.md). `audience` decides entry only. `while` is asked whenever a step is due;
where it does not hold, the run ends. `goal` counts only facts later than entry; it is asked at every run
of the engine, whether a step is due or not. `when` belongs to one step; where it does not hold, that
step is skipped and the next one waits its turn.
"""
ON = """\
### on

Without `on` a run begins as soon as the audience holds somebody. With it, a run begins when something
happens: `on` says when, `audience` says whose.

| written | a run begins |
| --- | --- |
| `on: {bought: {product: flour}}` | with each order of it; or `kind`, `category`, `tag`, `any: true` |
| `on: {consumed: {product: course, unit: lesson-3}}` | when the unit is completed |
| `on: {started: {product: course}}` | when the product, or one `unit` of it, is started |
| `on: {renews: {product: membership, before: 7d}}` | so long before a subscription that is active renews |
| `on: {date: "2026-11-27 09:00"}` | then, for everybody in the audience; or a list of such dates |
| `on: {cron: "0 9 1 * *"}` | by a crontab's line: minute, hour, day of the month, month, day of the week |

A purchase may also be named by its `position` and `end`.

Dates and cron lines go by the shop's clock. In a cron line Sunday is 0, as everywhere; a day of the month
and a day of the week cannot stand together. A line that names no day there is, such as 31 February, is a
mistake; of dates that are all past `check` warns.

When the clocks are changed, dates and cron lines go by the same rule: a time that they leave out is taken
as if they had not been changed, so 02:30 comes at 03:30; of a time that they show twice, the first is
meant. So a line of every hour rests for one hour when the clocks go back.

* The run counts from when it happened: `after: 1d` is a day after the purchase, though the import told of
  it hours later. What is told so late that a step is due already is mailed at once; `send: {latest: 2d}`
  gives it up.
* Each event is looked at once, in the first run of the engine that knows of it. Who is not in the audience
  then begins no run by it, and neither does a second import of the same.
* With `enter: every_time` each event begins a run of its own, also while another is in progress. With
  `once` the first one does; with `{again_after: 30d}` the first one that comes so long after the event of
  the last run, when that is over.
* What happened before the engine first planned with the campaign is no event, and no more is what happened
  before `on` was changed.
* Of the moments of a cron line that were missed, while the engine did not run, only the last one counts.
"""
TRACK = """\
### track

A back-end campaign speaks to customers while none of their transactions or checkouts is open. A front-end one
runs inside a transaction that is open, in minutes, and stops when it closes. They have caps of their own, and
[what each may say and ask](../tracks.md) differs.
"""
OFFERS = """\
### offers

Who owns a product that the campaign offers gets none of its mails, net of full refunds. No rule is
needed for that. A subscription is owned while it runs, whoever sold it; who had one that is over may be
offered it again. What is used up and bought anew, such as flour, is not for `offers`: name it in the
template, as `product('flour')`. Where all in the audience have bought what is offered, `check` warns of it.
Templates reach the products as `offers`. Nobody is made two offers at once: see [one offer at a
time](policies.md#one-offer-at-a-time). Nor is what they refused in the front end
offered again at once: see [what was refused](policies.md#what-was-refused).
"""
OWED = """\
### transactional

A receipt, a renewal notice, a way in to what was bought: somebody waits for it, and it sells nothing.
It needs no consent, is in no holdout, and no cap, gap or open transaction holds it. [What is
owed](policies.md#what-is-owed) tells what still stands against it, and which keys it cannot have.
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

`after: {local_days: 3}` is a wait by the calendar: three days later, at the same time of day where the
customer lives, whether the clocks were changed meanwhile or not. A time that they leave out is an hour
later then; of one that they show twice, the first is meant.
"""
SEND = """\
## When a mail may go

Without `send` a mail goes as soon as its step is due. `send` gives it a window:

    send: {days: mon-thu, between: 09:00-11:00, late: next_window, latest: 3d}

* `days` and `between` go by the customer's clock; by the shop's where the customer's time zone is not
  known. `timezone: shop`, or a zone by name, sends to everybody at once.
* A window over night, such as `22:00-02:00`, belongs to the day on which it opens. The second time of a
  window is no longer part of it.
* What the clock shows counts. Where the clocks go forward, a window that lies within the hour left out is
  not open that day; where they go back, one within the hour shown twice is open twice.
* `skip_holidays: true` keeps off the public holidays of the customer's country, or of `shop.country` where
  that is not known; `skip_holidays: DE` off those of Germany, `DE-BY` off those of Bavaria, whoever it is.
  Which days these are is known from the library [holidays](https://pypi.org/project/holidays/).
* `quiet_hours` in the [settings](settings.md) cut out of every window what lies in them, by the customer's
  clock, also where there is no `send`. A window of which they leave nothing is a mistake.

A step that falls due while its window is closed is held, and waits for the next one: that is the window
that was meant. A mail is *late* when that window has ended and it has not gone, because the engine did not
run, or because something else held it. Then `late` says what becomes of it:

* `next_window`: it waits for the next window. This is what happens where nothing is said.
* `send`: it goes at once, at any time but in quiet hours; what is `transactional` goes in these as well.
* `skip`: the step is passed over.

`latest` is the longest that a mail may be late, from the end of the window that was meant until it could
go; beyond that the step is passed over. Without a window it counts from when the step fell due.

`while` is asked when the step falls due and again when the window opens, `when` and the policies only then.
A change of the file, of `quiet_hours`, or of where a customer lives, counts for those who wait already. A
mail that has not left when its window ends is decided anew.
"""
LATER = """\
## Not in this version

These keys are understood, and refused with a hint. Nothing that a file asks for is passed over.
"""
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
            *(RULES, TRACK, ON, ENTER, OFFERS, OWED, HOLDOUT),
            *("## Keys of a step", table(COLUMNS, field_rows(StepForm))),
            *("## Keys of `email`", table(COLUMNS, field_rows(EmailForm)), COPY),
            *(SEND, "### Keys of `send`", table(COLUMNS, field_rows(SendForm))),
            *("## Keys of `hold` and `cool_down`", table(COLUMNS, field_rows(HoldForm)), HOLDS),
            table(COLUMNS, field_rows(CoolDownForm)),
            *(RUN, DURATIONS, LATER, table(("key", "meanwhile"), later), MISTAKES),
        )
    }


HOLDS = """\
A key that is left out is that of what stands above: of the campaign, then of the settings. See [what has to
wait](policies.md#what-has-to-wait). `cool_down` stands in a campaign, and has one key:
"""
COPY = "What a subject and a template may say is told in [templates](templates.md)."


def _place(path: tuple[str, ...]) -> str:
    """`send:` of a step, `on:` of a campaign."""
    return f"`{path[-1]}`" + (" of a step" if len(path) > 1 else "")
