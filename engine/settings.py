"""config.yaml and `AFTERSALE_*` as one set of settings.

The environment wins over the file: `AFTERSALE_DATABASE=postgresql://…`,
`AFTERSALE_FREQUENCY__MAX=2`. Secrets (a database password, API keys) come from there only.
"""

import os
import re
from base64 import b64decode
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from os.path import normpath, sep
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, quote, urlsplit
from zoneinfo import ZoneInfo

import idna
from babel.numbers import list_currencies
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from engine.clock import DURATION_PATTERN, Duration, format_duration, parse_duration
from engine.documents import Document, problems_of, skim_document
from engine.errors import Problem, Problems, SettingsError
from engine.links import Links
from engine.registry import did_you_mean
from engine.zones import HOURS_PATTERN, Hours, parse_hours, zone_names

HOST = re.compile(r"[\w-]+(\.[\w-]+)+")
SHORTEST = timedelta(seconds=1)
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")  # begins every such key
P256_LENGTH = 91
CONFIG_FILE = "config.yaml"
PREFIX = "AFTERSALE_"
SIGNING = "AFTERSALE_SECRETS__SIGNING"
NOT_SETTINGS = ("project", "test_data")  # read by the command line and by the tests


def parse_percent(value: Any) -> Decimal:
    """`10%` as 0.10; between 0% and 100%. A Decimal is a share already."""
    if isinstance(value, Decimal):
        return value
    text = str(value).strip()
    try:
        share = Decimal(text.removesuffix("%")) / 100 if text.endswith("%") else Decimal(-1)
    except ArithmeticError:
        share = Decimal(-1)
    if not 0 <= share <= 1:
        msg = f"{value!r} is not a percentage, such as 10%"
        raise ValueError(msg)
    return share


def percent(share: Decimal) -> str:
    """0.10 as `10%`."""
    return f"{(share * 100).normalize():f}%"


def known_zone_name(name: str) -> str:
    """The name of a time zone, if it is one."""
    if name not in zone_names():
        msg = f"unknown time zone {name!r}; write it as Europe/Berlin"
        raise ValueError(msg)
    return name


def _mailbox(address: str) -> str:
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        msg = f"{address!r} is not an e-mail address: {error}"
        raise ValueError(msg) from error


def _on_the_list(entry: str) -> str:
    """An address, or a domain with its @, in small letters."""
    if entry.startswith("@"):
        return _mailbox(f"anybody{entry}").partition("anybody")[2].lower()
    return _mailbox(entry).lower()


def _currency(code: str) -> str:
    if code.upper() not in list_currencies():
        msg = f"{code!r} is not a currency; write its three letters, such as USD"
        raise ValueError(msg)
    return code.upper()


def _host(name: str) -> str:
    host = name.strip().lower()
    if not HOST.fullmatch(host):
        msg = f"{name!r} is no host; write it without https:// and without a path, such as learn.example"
        raise ValueError(msg)
    return host


def _mail_domain(name: str) -> str:
    """The domain of addresses as importing keeps it: `xn--strae-oqa.de` is `straße.de`."""
    try:
        found = validate_email(f"anybody@{name.strip()}", check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        msg = f"{name!r} is no domain of addresses; write it as gmail.com"
        raise ValueError(msg) from error
    return found.domain.lower()


def _each_once(value: Any) -> Any:
    """A domain that is there twice, in other letters, would have two rates."""
    known: set[str] = set()
    for name in value if isinstance(value, dict) else ():
        try:
            domain = _mail_domain(str(name))
        except ValueError:  # told at its own place
            continue
        if domain in known:
            msg = f"{domain} is there twice"
            raise ValueError(msg)
        known.add(domain)
    return value


def _public(url: str) -> str:
    """The address without a slash at its end; plain http only where it is this machine's own."""
    parts = urlsplit(url)
    own = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if url and (parts.scheme not in (("http", "https") if own else ("https",)) or not parts.hostname):
        msg = f"{url!r} is no public address; write it as https://mail.shop.example"
        raise ValueError(msg)
    if parts.query or parts.fragment:
        msg = f"{url!r} must end with its path, without ? and #"
        raise ValueError(msg)
    return _in_ascii(url.rstrip("/"))


def _in_ascii(url: str) -> str:
    """As it may stand in the header of a mail, where mail programs read no encoded words."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    host = idna.encode(parts.hostname or "", uts46=True).decode()
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{quote(parts.path, safe='/%')}"


def _verification_key(key: str) -> str:
    """A public key of the curve P-256 in base64; it may be broken into lines."""
    joined = "".join(key.split())
    try:
        bare = b64decode(joined, validate=True)
    except ValueError:
        bare = b""
    if joined and not (bare.startswith(P256) and len(bare) == P256_LENGTH):
        msg = "this is no verification key; copy it from SendGrid: Settings, Mail Settings, Event Webhook"
        raise ValueError(msg)
    return joined


def _api(url: str) -> str:
    """The address of an interface, without a slash at its end; plain http only on this machine."""
    parts = urlsplit(url)
    own = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme not in (("http", "https") if own else ("https",)) or not parts.hostname:
        msg = f"{url!r} is no host to send to; write it as https://api.sendgrid.com"
        raise ValueError(msg)
    if parts.query or parts.fragment or parts.username or parts.path.strip("/"):
        msg = f"{url!r} must end with the name of the host, or its port"
        raise ValueError(msg)
    return url.rstrip("/")


def _lasting(duration: timedelta) -> timedelta:
    if duration < SHORTEST:
        msg = f"must be at least {format_duration(SHORTEST)}"
        raise ValueError(msg)
    return duration


def _patience(value: Any) -> Any:
    return value if value == "forever" else parse_duration(value)


def _listed(value: Any) -> Any:
    """A single cap may stand without its list."""
    return (Frequency.model_validate(value),) if isinstance(value, dict | Frequency) else value


def _place(folder: str) -> str:
    """A folder below the project, or one named from the root; `~` is the user's own."""
    try:
        place = Path(folder).expanduser()
    except RuntimeError as error:
        msg = f"{folder!r} is no place: {error}"
        raise ValueError(msg) from error
    if not folder.strip() or "\0" in folder:
        msg = "name a folder"
        raise ValueError(msg)
    if not place.is_absolute() and normpath(place).split(sep)[0] == "..":
        msg = f"{folder!r} climbs out of the project; write the whole path, from / or ~"
        raise ValueError(msg)
    return str(place)


def _quiet(value: Any) -> Hours | None:
    if value in (None, "", "none"):
        return None
    hours = parse_hours(value)
    if hours.whole_day:
        msg = "quiet all day long: no mail could ever go"
        raise ValueError(msg)
    return hours


def _country(code: str) -> str:
    if code and not re.fullmatch(r"[A-Z]{2}", code):
        msg = f"{code!r} is not a country; write its two letters, such as US"
        raise ValueError(msg)
    return code


class Names(dict[str, Any]):
    """Names and what belongs to them: once read never changed, so that settings can be told apart by hash."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


Lasting = Annotated[Duration, AfterValidator(_lasting)]
Percent = Annotated[
    Decimal,
    BeforeValidator(parse_percent),
    WithJsonSchema({"type": "string", "pattern": r"^(100|\d{1,2}(\.\d+)?)%$", "description": "such as 10%"}),
]
ZoneName = Annotated[str, AfterValidator(known_zone_name)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
OnTheList = Annotated[str, AfterValidator(_on_the_list)]
Currency = Annotated[str, AfterValidator(_currency)]
Country = Annotated[str, AfterValidator(_country)]
QuietHours = Annotated[
    Hours | None,
    BeforeValidator(_quiet),
    PlainSerializer(lambda hours: str(hours or ""), return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^$|^none$|{HOURS_PATTERN}"}),
]
Host = Annotated[str, AfterValidator(_host)]
MailDomain = Annotated[str, AfterValidator(_mail_domain), Field(max_length=50)]
PerDomain = Annotated[
    dict[MailDomain, Annotated[int, Field(ge=1)]], BeforeValidator(_each_once), AfterValidator(Names)
]
Place = Annotated[str, AfterValidator(_place)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]
TheirSku = Annotated[str, Field(pattern=r"^[a-z]+:.+$", max_length=200)]
Sku = Annotated[str, Field(min_length=1, max_length=80)]
Topic = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")]
Patience = Annotated[
    timedelta | Literal["forever"],
    BeforeValidator(_patience),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"enum": [0, "forever"]}]}),
]


class Part(BaseModel):
    """A section of the settings: an unknown key in it is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Shop(Part):
    """Who is speaking."""

    name: Line = Field("My shop", description="as mails say it")
    currency: Currency = Field("USD", description="of every amount in rules and products; three letters")
    timezone: ZoneName = Field("UTC", description="the zone in which days begin, and dates are told")
    country: Country = Field(
        "",
        description="whose public holidays count for customers of unknown country; two letters, empty: none",
    )
    locale: Line = Field(
        "en", description="the language in which dates and amounts are written, such as en-US"
    )
    url: Line = Field("https://shop.example", description="the shop's address, for links in mails")
    postal_address: str = Field("", description="shown at the foot of every mail; the law asks for it")


class Sender(Part):
    """The From of every mail, and where answers and unsubscribe requests go."""

    name: Line = Field("My shop", description="the name in From")
    email: Mailbox = Field("hello@shop.example", description="the address in From")
    reply_to: Mailbox | None = Field(None, description="where answers go, if not to `email`")
    unsubscribe: Mailbox = Field(
        "unsubscribe@shop.example", description="where a click on Unsubscribe sends its mail"
    )


class FrontEnd(Part):
    """The first transaction, which the back end never interrupts."""

    window: Duration = Field(
        parse_duration("60m"),
        description="orders this soon after the first order of a checkout belong to the same transaction",
    )
    quiet: Duration = Field(
        parse_duration("24h"), description="no back-end mail for this long after a transaction closed"
    )
    minimum_gap: Duration = Field(
        timedelta(0), description="at least so long between two front-end mails to one customer"
    )


class Checkout(Part):
    """A checkout that was started, and has no order yet. The back end does not interrupt it either."""

    expires: Lasting = Field(
        parse_duration("24h"), description="so long after its start it is given up, if no order came of it"
    )


class Consent(Part):
    """What counts where no consent is on record."""

    default: Literal["none", "soft_opt_in"] = Field(
        "none", description="`none`: no mail; `soft_opt_in`: customers get mail until they say no"
    )


class Frequency(Part):
    """A cap: at most `max` mails to one customer in any span of `per`. One, or a list of several."""

    max: int = Field(3, ge=1, le=1000, description="so many mails to one customer, over all campaigns")
    per: Lasting = Field(parse_duration("7d"), description="in any span of this length")
    topic: Topic | None = Field(None, description="counts and holds mails of this topic only")
    track: Literal["back-end", "front-end"] = Field(
        "back-end", description="counts and holds mails of this track only"
    )

    def __str__(self) -> str:
        return f"{{max: {self.max}, per: {format_duration(self.per)}}}"


class CoolDown(Part):
    """How long the back end leaves a customer in peace."""

    after_purchase: Duration = Field(
        timedelta(0), description="no mail for this long after a paid order; a campaign may name its own"
    )


class Hold(Part):
    """What becomes of a mail that has to wait. A campaign or a step may name its own."""

    at_most: Patience = Field(
        parse_duration("30d"), description="how long it waits, from when it was due; `0` waits for nothing"
    )
    then: Literal["skip", "exit"] = Field(
        "skip", description="`skip`: on to the next step; `exit`: the run ends"
    )


class Utm(Part):
    """What links to the shop tell whoever counts its visits. `utm_campaign` is the campaign's id,
    `utm_content` that of the step. A word that a link has already stays as it is.
    """

    source: str = Field("", max_length=100, description="`utm_source`; empty: nothing is added to any link")
    medium: str = Field("email", max_length=100, description="`utm_medium`; empty: left out")
    domains: tuple[Host, ...] = Field(
        (), description="where links are counted as well, beside the host of `shop.url` and those below it"
    )


class Watch(Part):
    """A folder whose files are imported as they come."""

    folder: str = Field("", description="the folder, from the project's folder; empty: none")
    map: str = Field("", description="a map for its files, from the project's folder; empty: none")
    every: Lasting = Field(parse_duration("60s"), description="how long to wait between two looks at it")


class Run(Part):
    """The daemon: `aftersale run`."""

    every: Lasting = Field(parse_duration("60s"), description="how long from one plan to the next")
    lead: Lasting = Field(
        parse_duration("60s"),
        description="after so long without a sign of the daemon that plans, another one takes over",
    )
    stop_within: Lasting = Field(
        parse_duration("30s"), description="how long a daemon that is told to stop may take to finish"
    )
    log: Literal["text", "json"] = Field("text", description="a line of words for each event, or of JSON")


class Retention(Part):
    """How long files and words are kept that hold what is known of people. Empty: for ever."""

    rejects: Lasting | None = Field(
        parse_duration("90d"),
        description="files of rejected rows, and mails that came back, from when they were written",
    )
    mails: Lasting | None = Field(
        None, description="mails that the `folder` transport wrote, from the day they were planned for"
    )
    events: Lasting | None = Field(
        parse_duration("30d"),
        description="what providers told, word for word; what was learned from it stays",
    )


class Staging(Part):
    """A rehearsal: everything is planned, and only those on the list get mail."""

    only: list[OnTheList] | None = Field(
        None, description="addresses, and whole domains as `@shop.example`; left out: no rehearsal"
    )


class Stage(Part):
    """A stage of the funnel: a page that is visited, the order, or an offer around it."""

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S(.*\S)?$")] = Field(
        description="as visits say it"
    )
    kind: Literal["page", "opt-in", "sales-page", "order-form", "order", "bump", "upsell", "downsell"] = (
        Field(description="what it is")
    )
    sku: str = Field("", max_length=80, description="of an offer; empty: whatever stood at that position")
    target: Percent | None = Field(
        None, description="the share that should go on to it from the stage before, or take the offer"
    )

    @property
    def is_offer(self) -> bool:
        return self.kind in OFFERS

    def __str__(self) -> str:
        return self.name


OFFERS = ("bump", "upsell", "downsell")


def _usual_stages() -> tuple[Stage, ...]:
    usual = ("opt-in", "sales-page", "order-form", "order", *OFFERS)
    return (
        Stage(name="landing", kind="page"),
        *(Stage.model_validate({"name": kind, "kind": kind}) for kind in usual),
    )


class Funnel(Part):
    """The way to the first order, for `report funnel`. See [reports](../reports.md#funnel)."""

    stages: Annotated[tuple[Stage, ...], Field(max_length=20)] = Field(
        _usual_stages(), description="in the order of the way"
    )
    at_least: int = Field(100, ge=1, description="with fewer visitors at a stage nothing is judged")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        names = [stage.name for stage in self.stages]
        way = [stage.kind for stage in self.stages if not stage.is_offer]
        for name in names:
            if names.count(name) > 1:
                msg = f"there are two stages {name!r}"
                raise ValueError(msg)
        if way.count("order") != 1 or way[-1] != "order" or len(way) < 2:
            msg = "stages: one stage is the order; pages come before it, and only offers after it"
            raise ValueError(msg)
        for stage in self.stages:
            if stage.sku and not stage.is_offer:
                msg = f"stage {stage.name!r}: only an offer has a sku"
                raise ValueError(msg)
        return self


class Sources(Part):
    """What advertising must bring, for `report sources`. See [reports](../reports.md#sources)."""

    payback: Lasting = Field(
        parse_duration("90d"),
        description="what was spent on a customer should have come back after so long; whole days",
    )
    at_least: int = Field(30, ge=1, description="with fewer customers of a source nothing is judged")

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        if self.payback % timedelta(days=1):
            msg = "payback: write whole days, such as 90d"
            raise ValueError(msg)
        return self


class Breaker(Part):
    """What pauses a campaign by itself: too many of its mails come back, or are called spam."""

    bounces: Percent = Field(Decimal("0.05"), description="this share at most may come back for good")
    complaints: Percent = Field(Decimal("0.003"), description="this share at most may be called spam")
    within: Lasting = Field(parse_duration("3d"), description="mails that left in this time are counted")
    at_least: int = Field(200, ge=1, description="with fewer mails than this nothing is judged")


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

    host: Annotated[str, AfterValidator(_api)] = Field(
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
    webhook_key: Annotated[str, AfterValidator(_verification_key)] = Field(
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


class Web(Part):
    """The web server, for `aftersale serve`, and for `aftersale run` where `url` is set."""

    host: Line = Field(
        "127.0.0.1", description="where it listens; `0.0.0.0`: at every address of the machine"
    )
    port: int = Field(8025, ge=0, le=65535, description="the port it listens at; 0: any free one")
    url: Annotated[str, AfterValidator(_public)] = Field(
        "",
        description="its address in the internet, such as `https://mail.shop.example`; empty: `run` opens no "
        "port, and no mail links to it",
    )


class Receiving(Part):
    """What shops, payment providers and course platforms tell by themselves, and the events API. Each of
    them is let in by its [secret](#secrets).
    """

    silent_after: Lasting | None = Field(
        parse_duration("7d"),
        description="a source that told something before, and nothing for so long, is named by `status` and "
        "`doctor`; empty: never",
    )
    products: Annotated[dict[TheirSku, Sku], AfterValidator(Names)] = Field(
        Names(),
        description="what a source calls a product that has another sku here, such as "
        "`{thinkific:123: flagship}`",
    )


class Secrets(Part):
    """What nobody may read. From the environment only, and never shown."""

    signing: SecretStr | None = Field(
        None,
        min_length=20,
        description="signs the links in mails, which need it where `web.url` is set, and hashes what is kept "
        "of who was erased; any long text, the same for ever",
    )
    smtp_password: SecretStr | None = Field(None, min_length=1, description="that of `smtp.user`")
    dkim_key: SecretStr | None = Field(
        None, min_length=1, description="the private RSA key in PEM form; line breaks may be written as `\\n`"
    )
    sendgrid_key: SecretStr | None = Field(
        None,
        description="the API key of SendGrid; it needs the right Mail Send, and for its lists Suppressions",
    )
    write_key: SecretStr | None = Field(
        None,
        min_length=20,
        description="lets into the events API whoever has it; any long text. Without it nothing is let in",
    )
    stripe_webhook: SecretStr | None = Field(
        None, min_length=8, description="the signing secret of Stripe's webhook endpoint, `whsec_…`"
    )
    shopify_webhook: SecretStr | None = Field(
        None,
        min_length=8,
        description="what Shopify signs webhooks with, as its settings show it",
    )
    woocommerce_webhook: SecretStr | None = Field(
        None, min_length=8, description="the secret of WooCommerce's webhooks, the same for all of them"
    )
    gumroad_webhook: SecretStr | None = Field(
        None, min_length=20, description="the end of the address that Gumroad pings; letters and digits"
    )
    thinkific_webhook: SecretStr | None = Field(
        None, min_length=8, description="what Thinkific signs webhooks with: the API key"
    )
    teachable_webhook: SecretStr | None = Field(
        None, min_length=20, description="the end of the address that Teachable posts to; letters and digits"
    )


class Settings(BaseSettings):
    """Everything that can be set, with its default."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__"
    )
    database: str = Field(
        "sqlite:///aftersale.db",
        repr=False,
        description="where everything is kept: SQLite by path, PostgreSQL by URL",
    )
    shop: Shop = Shop()
    sender: Sender = Sender()
    front_end: FrontEnd = FrontEnd()
    checkout: Checkout = Checkout()
    consent: Consent = Consent()
    holdout: Percent = Field(
        Decimal("0.10"), description="the share of those entering a campaign who get nothing, for comparison"
    )
    frequency: Annotated[tuple[Frequency, ...], BeforeValidator(_listed)] = Field(
        (Frequency(),), description="the caps; an empty list is none"
    )
    minimum_gap: Duration = Field(
        timedelta(0),
        description="at least so long between two back-end mails to one customer, over all campaigns",
    )
    offers_again_after: Duration = Field(
        parse_duration("14d"),
        description="no back-end campaign offers for this long what somebody refused in the front end; "
        "a campaign may name its own",
    )
    cool_down: CoolDown = CoolDown()
    hold: Hold = Hold()
    funnel: Funnel = Funnel()
    sources: Sources = Sources()
    utm: Utm = Utm()
    topics: Annotated[dict[Topic, Line], AfterValidator(Names)] = Field(
        Names(),
        description="what a topic is called where customers choose what they get, such as `recipes: A recipe "
        "a week`; a topic of a campaign that is not named here is shown by its id",
    )
    unsubscribe: Literal["ours", "sendgrid"] = Field(
        "ours",
        description="whose way out each mail has: `ours`, by headers and a link to the web server or by "
        "mail; `sendgrid`, by the headers and the link that SendGrid puts in",
    )
    quiet_hours: QuietHours = Field(
        None,
        description="no mail in these hours by the customer's clock, such as `21:00-08:00`, but what is "
        "transactional; empty: none",
    )
    watch: Watch = Watch()
    delivery: Delivery = Delivery()
    warm_up: WarmUp = WarmUp()
    breaker: Breaker = Breaker()
    smtp: Smtp = Smtp()
    dkim: Dkim = Dkim()
    sendgrid: SendGrid = SendGrid()
    run: Run = Run()
    retention: Retention = Retention()
    staging: Staging = Staging()
    web: Web = Web()
    receiving: Receiving = Receiving()
    secrets: Secrets = Field(Secrets(), repr=False)
    state: Place = Field(
        ".aftersale",
        description="a folder for what a copy of the database must not have, and for what was told and is "
        "not in it yet: in the project, or a whole path",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.shop.timezone)

    @property
    def sendgrid_lists(self) -> Literal["off", "read", "both"]:
        """What is done with the lists of suppressed addresses there."""
        usual: Literal["off", "read"] = "read" if self.delivery.transport == "sendgrid" else "off"
        return self.sendgrid.suppressions or usual

    @property
    def links(self) -> Links | None:
        """The links of mails to the web server; None where it has no public address.

        Raises SettingsError where there is nothing to sign them with.
        """
        if not self.web.url:
            return None
        if self.secrets.signing is None:
            msg = f"web.url is set, and {SIGNING} is not: the links in mails could not be signed"
            hint = f"set it once, to the same long text for ever, such as {SIGNING}=$(openssl rand -hex 32)"
            raise SettingsError(msg, hint=hint)
        return _links(self.web.url, self.secrets.signing.get_secret_value())


@cache
def _links(url: str, secret: str) -> Links:
    return Links(url, secret)


def load_settings(folder: Path) -> Settings:
    """The settings of the project in that folder; every mistake in them at once, as SettingsError."""
    path = folder / CONFIG_FILE
    if not path.exists():
        msg = f"there is no {CONFIG_FILE} in {folder.resolve()}"
        hint = "go to your project's folder, or make a project with: aftersale init DIR"
        raise SettingsError(msg, hint=hint)
    try:
        document = skim_document(path)
    except Problems as problems:
        raise SettingsError(str(problems)) from problems
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        msg = f"{document.file}: write settings as `key: value`"
        raise SettingsError(msg)
    _refuse_password(document, data)
    _refuse_secrets(document, data)
    _refuse_unknown_variables()
    _refuse_half_a_cap(data)
    try:
        settings = Settings(**data)
    except ValidationError as error:
        found = [
            _of_the_environment(problem, finding["loc"])
            for problem, finding in zip(
                problems_of(document, Settings, error, ()), error.errors(), strict=True
            )
        ]
        raise SettingsError(str(Problems([*document.problems, *found]))) from error
    except UnreadableVariable as error:
        raise SettingsError(str(error), hint="set its keys one by one: AFTERSALE_SHOP__NAME=…") from error
    if document.problems:
        raise SettingsError(str(Problems(document.problems)))
    _refuse_a_second_way_out(document, settings)
    _ = settings.links  # what they lack is told at once, not with the first mail
    return settings


def _of_the_environment(problem: Problem, loc: tuple[Any, ...]) -> Problem:
    """A mistake in a variable is told of the variable, not of the file it overrules."""
    parts = [str(part).upper() for part in loc]
    names = (PREFIX + "__".join(parts[:length]) for length in range(len(parts), 0, -1))
    variable = next((name for name in names if name in os.environ), None)
    if variable is None:
        return problem
    return Problem(f"the environment variable {variable}", 0, 0, problem.message, problem.hint)


def _refuse_password(document: Document, data: dict[str, Any]) -> None:
    url = urlsplit(str(data.get("database", "")))
    if url.password or "password" in parse_qs(url.query):
        hint = "leave it out here and set AFTERSALE_DATABASE in the environment"
        raise SettingsError(
            str(document.problem(("database",), "a password does not belong in a file", hint))
        )


def _refuse_secrets(document: Document, data: dict[str, Any]) -> None:
    if "secrets" in data:
        hint = f"leave it out here and set {PREFIX}SECRETS__{next(iter(Secrets.model_fields)).upper()}=…"
        problem = document.problem(("secrets",), "secrets do not belong in a file", hint)
        raise SettingsError(str(problem))


def _refuse_unknown_variables() -> None:
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX).partition("__")[0].lower()
        if variable.startswith(PREFIX) and name not in {*Settings.model_fields, *NOT_SETTINGS}:
            msg = f"the environment variable {variable} is not a setting"
            raise SettingsError(msg, hint=did_you_mean(name, Settings.model_fields))


def _refuse_a_second_way_out(document: Document, settings: Settings) -> None:
    """Where SendGrid puts in the link, it must be the only one, and what comes of it be heard of here."""
    if settings.unsubscribe == "ours":
        return
    wrong = ""
    if settings.delivery.transport != "sendgrid":
        wrong = f"mails leave by {settings.delivery.transport!r}, where nobody puts in the link of SendGrid"
        hint = "write unsubscribe: ours, or delivery.transport: sendgrid"
    elif settings.sendgrid.asm_group:
        wrong = "its link is of the list of the whole account, and sendgrid.asm_group names a group beside it"
        hint = "leave sendgrid.asm_group out, or write unsubscribe: ours"
    elif not settings.sendgrid.webhook_key and settings.sendgrid_lists == "off":
        wrong = "nobody would tell who unsubscribed: no sendgrid.webhook_key is set, and no list read"
        hint = "set sendgrid.webhook_key, or sendgrid.suppressions: read"
    if wrong:
        raise SettingsError(str(document.problem(("unsubscribe",), wrong, hint)))


def _refuse_half_a_cap(data: dict[str, Any]) -> None:
    """A variable for the one cap would put a whole list of caps out of force."""
    single = [name for name in sorted(os.environ) if name.startswith(f"{PREFIX}FREQUENCY__")]
    if single and isinstance(data.get("frequency"), list):
        msg = f"the environment variable {single[0]} is of a single cap, and {CONFIG_FILE} has a list of caps"
        raise SettingsError(msg, hint=f"write the whole list into {PREFIX}FREQUENCY, as JSON")
