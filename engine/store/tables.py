"""Every table, on one page.

`customer_id` comes first in every key and index of a customer-bound table, so the same schema can
run distributed. The exceptions are registries: `identities`, `suppressions`, `tombstones`, `rates`,
`imported_under`, `campaign_versions`, `looks`, `triggers`, `leases`, `pauses`, `throttle`, `generation`,
`failures`, `inbound`, `dossiers`, `quotas`, `resumes`, `spend`.
Instants are UTC microseconds; money is integer minor units of the shop's currency unless a currency
stands beside it. Text keys that may be absent are '' rather than NULL, so that they can stand in a
primary key.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from engine.store.types import Instant, RowId

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)


# An index of the refunded only: few orders ever are.
_KNOWN = text("refunded_at IS NOT NULL")
REFUNDED: dict[str, Any] = {"sqlite_where": _KNOWN, "postgresql_where": _KNOWN}


# An index of the runs that wait for their window: few do at a time.
ASLEEP_SQL = "wake_at > due_at"
ASLEEP: dict[str, Any] = {"sqlite_where": text(ASLEEP_SQL), "postgresql_where": text(ASLEEP_SQL)}


# Indexes of what providers told and nobody has looked at, or could read: little at a time.
WAITING_SQL = "applied_at IS NULL"
PARKED_SQL = "outcome = 'parked'"
PARKED: dict[str, Any] = {"sqlite_where": text(PARKED_SQL), "postgresql_where": text(PARKED_SQL)}
WAITING: dict[str, Any] = {"sqlite_where": text(WAITING_SQL), "postgresql_where": text(WAITING_SQL)}


def customer_key() -> Column[int]:
    return Column("customer_id", BigInteger, primary_key=True, autoincrement=False)


# ── What we know ────────────────────────────────────────────────────────────────────────────────

customers = Table(
    "customers",
    metadata,
    Column("customer_id", RowId, primary_key=True, autoincrement=False),
    Column("email", String(320)),  # lower case; NULL where none is known
    Column("shop_id", String(200)),
    Column("first_name", String(200), nullable=False, default=""),
    Column("last_name", String(200), nullable=False, default=""),
    Column("country", String(60), nullable=False, default=""),
    Column("locale", String(35), nullable=False, default=""),
    Column("timezone", String(64), nullable=False, default=""),
    Column("known_at", Instant, nullable=False),  # the first we heard of them
    Column("lot", Integer, nullable=False),  # a fixed random number; holdouts are drawn from it
    Column("recorded_at", Instant, nullable=False),
    Index(None, "known_at", "customer_id"),
)

identities = Table(  # a registry: which customer an address or shop id belongs to
    "identities",
    metadata,
    Column("kind", String(20), primary_key=True),  # email | shop_id | anonymous_id
    Column("value", String(320), primary_key=True),
    Column("customer_id", BigInteger, nullable=False),
    Index(None, "customer_id"),
)

customer_aliases = Table(  # after a merge: the id that was, and who it is now
    "customer_aliases",
    metadata,
    customer_key(),
    Column("merged_into", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
)

attributes = Table(  # with their history: the value in force is the last one at or before an instant
    "attributes",
    metadata,
    customer_key(),
    Column("name", String(100), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("value", Text, nullable=False),
    Column("number", Double),  # the same as a number, where it is one
    Column("recorded_at", Instant, nullable=False),
    Index("ix_attributes_by_time", "name", "at", "customer_id"),
    Index("ix_attributes_by_value", "name", "value", "customer_id", "at"),
)

consents = Table(
    "consents",
    metadata,
    customer_key(),
    Column("topic", String(60), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("granted", Boolean, primary_key=True),  # opt-out beats opt-in in the same instant
    Column("basis", String(60), nullable=False, default=""),
    Column("source", String(200), nullable=False, default=""),
    Column("recorded_at", Instant, nullable=False),
)

suppressions = Table(  # a registry: addresses that get nothing, whoever's they are
    "suppressions",
    metadata,
    Column("address_hash", String(64), primary_key=True),  # sha-256 of the lower-case address
    Column("reason", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", String(200), nullable=False, default=""),
)

lifts = Table(  # a registry: when an address was last let in again; what is older counts no more
    "lifts",
    metadata,
    Column("address_hash", String(64), primary_key=True),
    Column("reason", String(40), primary_key=True),  # '' = whatever the reason was
    Column("at", Instant, nullable=False),
)
listed_elsewhere = Table(  # a registry: addresses that stand on a provider's own list, as far as it was read
    "listed_elsewhere",
    metadata,
    Column("list", String(60), primary_key=True),  # the provider's, such as `sendgrid bounces`
    Column("address_hash", String(64), primary_key=True),
    Column("at", Instant, nullable=False),  # since when, as the provider says
    Column("seen_at", Instant, nullable=False),  # when it was last read, or put there by us
)

lists_read = Table(  # a registry: up to when each of these lists was read to its end
    "lists_read",
    metadata,
    Column("list", String(60), primary_key=True),
    Column("until", Instant, nullable=False),
)

tombstones = Table(  # a registry: names of people who were erased, hashed with a secret of the shop
    "tombstones",
    metadata,
    Column("name_hash", String(64), primary_key=True),
    Column("erasure", String(32), nullable=False),  # what the names of one person have in common
    Column("at", Instant, nullable=False),
    Index(None, "erasure"),
)

orders = Table(
    "orders",
    metadata,
    customer_key(),
    Column("order_ref", String(200), primary_key=True),  # the shop's own number
    Column("at", Instant, nullable=False),
    Column("paid", Boolean, nullable=False),
    Column("amount", BigInteger, nullable=False),  # shop's currency, minor units
    Column("currency", String(3), nullable=False),  # as charged
    Column("charged", BigInteger, nullable=False),  # as charged, minor units
    Column("checkout_id", String(200), nullable=False, default=""),
    Column("source", String(200), nullable=False, default=""),
    Column("medium", String(200), nullable=False, default=""),
    Column("campaign", String(200), nullable=False, default=""),
    Column("refunded_at", Instant),  # wholly refunded from then on
    Column("digest", String(32), nullable=False),  # of the order as imported: an equal one changes nothing
    Column("recorded_at", Instant, nullable=False),
    Index(None, "customer_id", "at", "paid", "amount", "refunded_at"),
    Index("ix_orders_by_ref", "order_ref", "customer_id"),  # an order that turns up with another customer
    Index("ix_orders_by_refund", "refunded_at", "customer_id", **REFUNDED),
    Index("ix_orders_by_time", "at", "customer_id", "paid", "amount", "refunded_at"),
)

order_lines = Table(  # paid or free; lines of unpaid orders are not here
    "order_lines",
    metadata,
    customer_key(),
    Column("order_ref", String(200), primary_key=True),
    Column("line_ref", String(200), primary_key=True),  # the source's id, else sku#ordinal
    Column("sku", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),  # of the line, shop's currency, minor units
    Column("position", String(10), nullable=False, default=""),  # core | bump | upsell | downsell
    Column("side", String(5), nullable=False, default=""),  # front | back
    Column("refunded_at", Instant),  # fully refunded from then on
    Column("recorded_at", Instant, nullable=False),
    Index(None, "customer_id", "sku", "at", "refunded_at"),
    Index("ix_order_lines_by_refund", "refunded_at", "customer_id", "sku", **REFUNDED),
    Index("ix_order_lines_by_product", "sku", "at", "customer_id", "refunded_at"),
)

refunds = Table(  # money that went back, each at its own time
    "refunds",
    metadata,
    customer_key(),
    Column("refund_ref", String(200), primary_key=True),
    Column("order_ref", String(200), nullable=False, default=""),  # '' = a credit that names no order
    Column("line_ref", String(200), nullable=False, default=""),
    Column("sku", String(200), nullable=False, default=""),
    Column("at", Instant, nullable=False),
    Column("amount", BigInteger, nullable=False),  # shop's currency, minor units; 0: it does not count
    Column("charged", BigInteger),  # in the order's currency, of one that came by itself
    Column("recorded_at", Instant, nullable=False),
    Index(None, "customer_id", "at", "amount"),
    Index("ix_refunds_by_time", "at", "customer_id"),
)

consumption = Table(
    "consumption",
    metadata,
    customer_key(),
    Column("sku", String(200), primary_key=True),
    Column("unit", String(200), primary_key=True),  # '' = the product as a whole
    Column("kind", String(12), primary_key=True),  # started | progressed | completed
    Column("at", Instant, primary_key=True),
    Column("progress", Integer),  # percent, where the source tells
    Column("recorded_at", Instant, nullable=False),
    Index("ix_consumption_by_product", "sku", "kind", "at", "customer_id", "unit"),
)

funnel_events = Table(  # the way of a visitor, and of a checkout, as the shop's pages tell it
    "funnel_events",
    metadata,
    customer_key(),
    Column("what", String(20), primary_key=True),
    # visited | checkout_started | offer_shown | offer_accepted | offer_refused | completed | released
    Column("stage", String(60), primary_key=True),  # of the funnel, by its name; '' where it tells none
    Column("sku", String(200), primary_key=True),  # of the offer; '' where it is about none
    Column("at", Instant, primary_key=True),
    Column("checkout_id", String(200), primary_key=True),  # '' where it is of none
    Column("source", String(200), nullable=False, default=""),
    Column("medium", String(200), nullable=False, default=""),
    Column("campaign", String(200), nullable=False, default=""),
    Column("ad", String(200), nullable=False, default=""),
    Column("device", String(20), nullable=False, default=""),  # desktop | mobile | tablet | other | bot
    Column("recorded_at", Instant, nullable=False),
    Index("ix_funnel_events_by_stage", "what", "stage", "at", "customer_id"),
    Index("ix_funnel_events_by_offer", "sku", "what", "at", "customer_id"),
)

spend = Table(  # a registry: what advertising cost
    "spend",
    metadata,
    Column("day", Date, primary_key=True),  # in the shop's zone
    Column("source", String(200), primary_key=True),
    Column("campaign", String(200), primary_key=True),
    Column("ad", String(200), primary_key=True),
    Column("amount", BigInteger, nullable=False),  # shop's currency, minor units
    Column("currency", String(3), nullable=False),  # as charged
    Column("charged", BigInteger, nullable=False),  # as charged, minor units
    Column("recorded_at", Instant, nullable=False),
)

subscriptions = Table(  # how a subscription stood, from `at` until `until`; a row for each change
    "subscriptions",
    metadata,
    customer_key(),
    Column("subscription_ref", String(200), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("sku", String(200), nullable=False),
    Column("status", String(10), nullable=False),  # active | past_due | cancelled | expired
    Column("renews_at", Instant),
    Column("ends_at", Instant),  # when it runs out, where the source tells
    Column("until", Instant),  # the next change's `at`; NULL while this is the latest
    Column("derived", Boolean, nullable=False),  # `expired`, because `ends_at` came: no source said so
    Column("recorded_at", Instant, nullable=False),
    Index(None, "customer_id", "sku", "at", "until"),
    Index("ix_subscriptions_by_product", "sku", "status", "at", "customer_id", "until"),
    Index("ix_subscriptions_by_change", "sku", "at", "customer_id"),
    Index("ix_subscriptions_by_end", "sku", "until", "customer_id"),
    Index("ix_subscriptions_by_ref", "subscription_ref", "customer_id"),  # one that turns up with another
    Index("ix_subscriptions_by_renewal", "sku", "renews_at", "customer_id"),
)

transactions = Table(  # the orders of one checkout
    "transactions",
    metadata,
    customer_key(),
    Column("first_order_ref", String(200), primary_key=True),
    Column("opened_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("closed_by", String(10), nullable=False, default="window"),  # window | completed | released
    Column("last_addition_at", Instant, nullable=False),
    Column("number", Integer, nullable=False),  # 1 = the front end
    Index(None, "customer_id", "closes_at"),
    Index("ix_transactions_by_close", "closes_at", "customer_id"),
)

rates = Table(  # a registry: what a unit of a foreign currency was worth in the shop's, from a day on
    "rates",
    metadata,
    Column("currency", String(3), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("rate", String(40), nullable=False),  # decimal, as imported
    Column("recorded_at", Instant, nullable=False),
)

imported_under = Table(  # a registry: settings that stored facts were worked out with
    "imported_under",
    metadata,
    Column("setting", String(60), primary_key=True),
    Column("value", String(60), nullable=False),
)

changes = Table(  # whose facts were written since the last look; taken by DELETE … RETURNING
    "changes",
    metadata,
    customer_key(),
    Column("change_id", BigInteger, primary_key=True, autoincrement=False),
)

# ── What we promise, who is in it, and what became of each mail ─────────────────────────────────

campaign_versions = Table(  # a registry
    "campaign_versions",
    metadata,
    Column("campaign_id", String(100), primary_key=True),
    Column("version", String(16), primary_key=True),  # a digest of the definition
    Column("first_used_at", Instant, nullable=False),
    Column("last_taken_at", Instant, nullable=False, server_default="0"),  # in the place of another one
    Column("definition", Text, nullable=False),  # JSON
)

membership = Table(  # who an audience held at the last look
    "membership",
    metadata,
    customer_key(),
    Column("campaign_id", String(100), primary_key=True),
    Column("inside", Boolean, nullable=False),
    Column("spell", Integer, nullable=False),  # how many runs through the campaign have begun
    Column("since", Instant, nullable=False),
    Index("ix_membership_by_campaign", "campaign_id", "inside", "customer_id"),
)

looks = Table(  # a registry: when an audience was last judged, and by which rule
    "looks",
    metadata,
    Column("campaign_id", String(100), primary_key=True),
    Column("rule", String(16), nullable=False),  # a digest of all that the answer depends on but facts
    Column("timing", String(16), nullable=False, default=""),  # a digest of when its mails may go
    Column("at", Instant, nullable=False),
)

triggers = Table(  # a registry: what campaigns begin on, since when, and up to when it was looked for
    "triggers",
    metadata,
    Column("campaign_id", String(100), primary_key=True),
    Column("rule", String(16), nullable=False),  # a digest of `on`
    Column("since", Instant, nullable=False),  # what happened earlier is no occasion
    Column("seen_at", Instant, nullable=False),
)

occasions = Table(  # what happened to somebody, and was looked at: it begins one run, or none
    "occasions",
    metadata,
    customer_key(),
    Column("campaign_id", String(100), primary_key=True),
    Column("at", Instant, primary_key=True),
)

enrollments = Table(
    "enrollments",
    metadata,
    customer_key(),
    Column("campaign_id", String(100), primary_key=True),
    Column("spell", Integer, primary_key=True),
    Column("version", String(16), nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("held_out", Boolean, nullable=False),
    Column("status", String(10), nullable=False),  # active | finished | exited
    Column("exit_reason", String(40), nullable=False, default=""),
    Column("step_id", String(100), nullable=False),  # the next one while active, else the last
    Column("due_at", Instant, nullable=False),  # of that step
    Column("wake_at", Instant, nullable=False),  # when to ask: then, or where it waits for a window, later
    Column("updated_at", Instant, nullable=False),
    Index("ix_enrollments_by_entry", "campaign_id", "entered_at", "customer_id"),
    Index("ix_enrollments_asleep", "customer_id", "campaign_id", **ASLEEP),
    Index("ix_enrollments_due", "status", "wake_at", "customer_id", "campaign_id"),
)

decisions = Table(  # the last word on each step of each run: what happened, and why
    "decisions",
    metadata,
    customer_key(),
    Column("campaign_id", String(100), primary_key=True),
    Column("spell", Integer, primary_key=True),
    Column("step_id", String(100), primary_key=True),
    Column("verdict", String(8), nullable=False),  # send | hold | skip
    Column("reason", String(40), nullable=False),
    Column("detail", String(400), nullable=False, default=""),
    Column("at", Instant, nullable=False),
    Column("first_at", Instant, nullable=False),  # since when this has been the answer
)

messages = Table(  # the outbox
    "messages",
    metadata,
    customer_key(),
    Column("campaign_id", String(100), primary_key=True),
    Column("step_id", String(100), primary_key=True),
    Column("spell", Integer, primary_key=True),
    Column("version", String(16), nullable=False),
    Column("track", String(10), nullable=False),
    Column("topic", String(100), nullable=False, default="marketing"),  # '' where it is transactional
    Column("status", String(10), nullable=False),
    # scheduled → sending → accepted | rejected | unknown | cancelled; held_out in a mail's place;
    # held until a person has looked at it
    Column("planned_at", Instant, nullable=False),  # the instant of the plan that made it
    Column("due_at", Instant, nullable=False),  # when to send or ask
    Column("meant_at", Instant, nullable=False),  # when its step fell due
    Column("closes_at", Instant),  # the end of its window: from then on it is decided anew
    Column("slot_at", Instant),  # when it counts for caps, where it was decided anew or claimed later
    Column("message_id", String(36)),  # from the intent on
    Column("address", String(320)),  # as used, from the intent on
    Column("owner", String(100)),
    Column("attempt", Integer, nullable=False, default=0),
    Column("lease_until", Instant),
    Column("transport", String(40)),
    Column("provider_id", String(200)),
    Column("error", String(400)),
    Column("in_vain_since", Instant),  # when it was first not taken, of what is tried again and again
    Column("evidence", Text),  # JSON: the facts behind each claim
    Column("settled_at", Instant),
    Index(None, "customer_id", "planned_at", "status", "track"),
    Index("ix_messages_by_status", "status", "due_at", "customer_id"),
    Index("ix_messages_by_campaign", "campaign_id", "settled_at", "customer_id"),
    Index("ix_messages_by_message_id", "message_id"),
)

mail_events = Table(  # what became of mails once they had left, as their provider told it
    "mail_events",
    metadata,
    customer_key(),
    Column("source", String(20), primary_key=True),
    Column("event_id", String(100), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("at", Instant, nullable=False),
    Column("message_id", String(36), nullable=False, default=""),  # '' = of no one mail of ours
    Column("campaign_id", String(100), nullable=False, default=""),
    Column("step_id", String(100), nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0),  # at that mail; 0 = not told
    Column("machine", Boolean, nullable=False),  # opened by a program, not by a person
    Column("address_hash", String(64), nullable=False),
    Column("detail", String(400), nullable=False, default=""),
    Column("recorded_at", Instant, nullable=False),
    Index("ix_mail_events_by_campaign", "campaign_id", "kind", "at", "customer_id"),
)

inbound = Table(  # a registry: what others told, kept before it is looked at
    "inbound",
    metadata,
    Column("source", String(20), primary_key=True),
    Column("event_id", String(100), primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("body", Text, nullable=False),  # JSON, as it came; '' once it was kept long enough
    Column("applied_at", Instant),
    Column("outcome", String(20)),  # applied | ignored | parked | nobody | test
    Column("error", String(400)),
    Index("ix_inbound_by_source", "source", "received_at"),
    Index("ix_inbound_parked", "received_at", **PARKED),
    Index("ix_inbound_waiting", "received_at", "source", "event_id", **WAITING),
)

meanings = Table(  # a registry: the products that a source's name of one has stood for so far
    "meanings",
    metadata,
    Column("source", String(20), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("sku", String(200), primary_key=True),
)

dossiers = Table(  # a registry: all that a source told of an order, the latest of each thing
    "dossiers",
    metadata,
    Column("source", String(20), primary_key=True),
    Column("order_ref", String(200), primary_key=True),
    Column("said", Text, nullable=False),  # JSON
    Column("recorded_at", Instant, nullable=False),
)

contact_state = Table(  # one row per customer, from the start: what a planner locks before it counts
    "contact_state",
    metadata,
    Column("customer_id", RowId, primary_key=True, autoincrement=False),
    Column("touched_at", Instant),
)

leases = Table(  # a registry: who may do what only one may do
    "leases",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("owner", String(100), nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

failures = Table(  # a registry: when a job of a daemon failed, for as long as somebody may ask
    "failures",
    metadata,
    Column("owner", String(100), primary_key=True),  # the daemon
    Column("job", String(40), primary_key=True),
    Column("since", Instant, primary_key=True),
    Column("until", Instant),  # NULL = it goes on, while that daemon lives
    Column("error", String(400), nullable=False),  # the last one, as the log tells it
)

pauses = Table(  # a registry: campaigns whose mails wait until they are resumed
    "pauses",
    metadata,
    Column("campaign_id", String(100), primary_key=True),  # '' = all of them
    Column("at", Instant, nullable=False),
    Column("reason", String(400), nullable=False, default="", server_default=""),  # '' = a person's wish
)

resumes = Table(  # a registry: when a pause was last ended; what was before is not held against a campaign
    "resumes",
    metadata,
    Column("campaign_id", String(100), primary_key=True),
    Column("at", Instant, nullable=False),
)

quotas = Table(  # a registry: how many of a day's mails are used up
    "quotas",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("day", String(10), primary_key=True),  # ISO 8601, in the shop's zone
    Column("used", Integer, nullable=False),
)

throttle = Table(  # a registry: when the next mail may leave, for all processes together
    "throttle",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("next_at", Instant, nullable=False),
)

generation = Table(  # a registry of one row: which database this is, and how far it has got
    "generation",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("database_id", String(36), nullable=False),
    Column("number", BigInteger, nullable=False),  # rises with every intent to send
    Column("at", Instant, nullable=False),  # when it last rose
    Column("review_until", Instant),  # mails whose step was due by then are held, to be looked at
)
