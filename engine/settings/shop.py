"""Who is speaking, and what the links of mails tell."""

from pydantic import Field

from engine.settings.values import Country, Currency, Host, Line, Mailbox, Part, ZoneName


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


class Utm(Part):
    """What links to the shop tell whoever counts its visits. `utm_campaign` is the campaign's id,
    `utm_content` that of the step. A word that a link has already stays as it is.
    """

    source: str = Field("", max_length=100, description="`utm_source`; empty: nothing is added to any link")
    medium: str = Field("email", max_length=100, description="`utm_medium`; empty: left out")
    domains: tuple[Host, ...] = Field(
        (), description="where links are counted as well, beside the host of `shop.url` and those below it"
    )
