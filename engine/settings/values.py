"""What a single value may be: how it is written, what is refused, and how JSON Schema tells it."""

import re
from base64 import b64decode
from datetime import timedelta
from decimal import Decimal
from os.path import normpath, sep
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

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
    WithJsonSchema,
)

from engine.clock import DURATION_PATTERN, Duration, format_duration, parse_duration
from engine.zones import HOURS_PATTERN, Hours, parse_hours, zone_names

HOST = re.compile(r"[\w-]+(\.[\w-]+)+")
SHORTEST = timedelta(seconds=1)
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")  # begins every such key
P256_LENGTH = 91


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
PublicUrl = Annotated[str, AfterValidator(_public)]
ApiUrl = Annotated[str, AfterValidator(_api)]
VerificationKey = Annotated[str, AfterValidator(_verification_key)]
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
