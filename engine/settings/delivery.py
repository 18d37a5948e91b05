"""The way out: how fast, by whom, and what stops it."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from engine.clock import parse_duration
from engine.settings.values import (
    ApiUrl,
    Lasting,
    Line,
    Mailbox,
    Names,
    Part,
    Percent,
    PerDomain,
    Place,
    VerificationKey,
)


class Delivery(Part):
    """The way out."""

    transport: Line = Field(
        "folder",
        description="`folder` writes mails as files, `console` prints them, `smtp` hands them to a server, "
        "`sendgrid` to that provider",
    )
    folder: Place = Field(
        "outbox", description="where `folder` writes them: below the project, or a whole path from / or ~"
    )
    lease: Lasting = Field(
        parse_duration("60s"),
        description="a mail on its way for longer, without an answer, becomes `unknown`",
    )
    batch: int = Field(100, ge=1, le=1000, description="mails written and handed over at a time")
    per_minute: int | None = Field(
        None, ge=1, description="so many mails a minute at most, of all processes together; empty: no limit"
    )
    per_hour: int | None = Field(
        None, ge=1, description="so many mails an hour at most; where both are set, the slower one holds"
    )
    try_for: Lasting = Field(
        parse_duration("3d"),
        description="how long a mail is tried again that is not taken, from the first time on; then it is "
        "`rejected`",
    )
    soft_bounces: int = Field(
        5,
        ge=1,
        le=1000,
        description="an address that so many mails in a row could not reach for the moment, without one that "
        "arrived, gets no more",
    )


class WarmUp(Part):
    """A new sender begins with few mails a day, and sends more every day."""

    since: date | None = Field(
        None, description="its first day, such as `2026-12-01`; empty: as many mails a day as there are"
    )
    first_day: int = Field(200, ge=1, description="so many mails on that day")
    daily_growth: Percent = Field(
        Decimal("0.30"), description="so many more on each day than on the one before"
    )
    until: int = Field(50_000, ge=1, description="from the day that would allow so many, there is no limit")


class Breaker(Part):
    """What pauses a campaign by itself: too many of its mails come back, or are called spam."""

    bounces: Percent = Field(Decimal("0.05"), description="this share at most may come back for good")
    complaints: Percent = Field(Decimal("0.003"), description="this share at most may be called spam")
    within: Lasting = Field(parse_duration("3d"), description="mails that left in this time are counted")
    at_least: int = Field(200, ge=1, description="with fewer mails than this nothing is judged")


class Smtp(Part):
    """The mail server that the transport `smtp` hands mails to. Its password is a [secret](#secrets)."""

    host: Line = Field("localhost", description="its name, as its certificate says it")
    port: int = Field(587, ge=1, le=65535, description="587 is usual for `starttls`, 465 for `tls`")
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="`starttls`: encrypted after the greeting, or not at all used; `tls`: from the first "
        "byte; `none`: readable by all, for this machine only",
    )
    user: str = Field("", max_length=200, description="whom to log in as; empty: no login")
    timeout: Lasting = Field(
        parse_duration("20s"), description="how long to wait for each answer; shorter than `delivery.lease`"
    )
    per_connection: int = Field(100, ge=1, description="so many mails, then a new connection")
    per_domain: PerDomain = Field(
        Names(), description="mails a minute to the addresses of a domain, such as `{gmail.com: 600}`"
    )
    bounces: Mailbox | None = Field(
        None, description="where reports of bounces go, the envelope's sender; empty: `sender.email`"
    )
    bounces_folder: str = Field(
        "",
        description="a Maildir, or a folder of .eml files, with what came there; from the project's folder. "
        "Empty: none",
    )


class Dkim(Part):
    """Signs what leaves by `smtp`. The private key is a [secret](#secrets); without one nothing is signed."""

    domain: str = Field(
        "", pattern=r"^$|^[\w-]+(\.[\w-]+)+$", description="the domain that vouches: that of `sender.email`"
    )
    selector: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.-]*$",
        max_length=100,
        description="the key's name: its public half stands in the DNS at `SELECTOR._domainkey.DOMAIN`",
    )


class SendGrid(Part):
    """The provider SendGrid: mails leave by it where `delivery.transport` says so; and what it tells of them.

    Its API key is a [secret](#secrets).
    """

    host: ApiUrl = Field(
        "https://api.sendgrid.com", description="where it is; `https://api.eu.sendgrid.com` for EU accounts"
    )
    batch: int = Field(
        100, ge=1, le=1000, description="mails in one request at most; and never more than `delivery.batch`"
    )
    timeout: Lasting = Field(
        parse_duration("20s"), description="how long it may take to answer; then the outcome is unknown"
    )
    connect_timeout: Lasting = Field(
        parse_duration("5s"), description="how long it may take to be reached; then nothing was sent"
    )
    idle: Lasting = Field(
        parse_duration("10s"), description="a connection unused for longer is not used again"
    )
    sandbox: bool = Field(
        default=False,
        description="it checks mails and delivers none; here they count as accepted all the same",
    )
    ip_pool: str = Field(
        "",
        pattern=r"^(.{2,64})?$",
        description="the pool of addresses to send from; empty: the account's own",
    )
    asm_group: int | None = Field(
        None, ge=1, description="the unsubscribe group of these mails there, by its number; empty: none"
    )
    clicks: bool | None = Field(None, description="whether it tracks clicks; empty: as the account says")
    opens: bool | None = Field(None, description="whether it tracks opens; empty: as the account says")
    webhook_key: VerificationKey = Field(
        "",
        description="the verification key of its signed event webhook, as its settings show it; empty: "
        "what it tells is refused",
    )
    look_up: Literal["off", "email_activity", "logs"] = Field(
        "off",
        description="where mails of unknown fate are looked for: in its Email Activity, which is an add-on "
        "of the account, or in its Email Logs",
    )
    suppressions: Literal["off", "read", "both"] | None = Field(
        None,
        description="its lists of suppressed addresses: `read` takes over once a day whom it sends nothing "
        "to, `both` puts there as well whom a person suppressed here, for all tools on that account; `off`: "
        "neither. Left out: `read` where `delivery.transport` is `sendgrid`, else `off`",
    )
