"""What is open to the internet: the web server, and who may tell it something."""

from typing import Annotated

from pydantic import AfterValidator, Field

from engine.clock import parse_duration
from engine.settings.values import Lasting, Line, Names, Part, PublicUrl, Sku, TheirSku


class Web(Part):
    """The web server, for `aftersale serve`, and for `aftersale run` where `url` is set."""

    host: Line = Field(
        "127.0.0.1", description="where it listens; `0.0.0.0`: at every address of the machine"
    )
    port: int = Field(8025, ge=0, le=65535, description="the port it listens at; 0: any free one")
    url: PublicUrl = Field(
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
    test_sales: bool = Field(
        default=False,
        description="take what its sender marks as a test as if it were real: Stripe's test mode, Shopify's "
        "test orders, Gumroad's own purchases; for trying out an installation",
    )
    products: Annotated[dict[TheirSku, Sku], AfterValidator(Names)] = Field(
        Names(),
        description="what a source calls a product that has another sku here, such as "
        "`{thinkific:123: flagship}`",
    )
