"""All sections as one."""

from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engine.clock import Duration, parse_duration
from engine.errors import SettingsError
from engine.links import Links
from engine.settings.delivery import Breaker, Delivery, Dkim, SendGrid, Smtp, WarmUp
from engine.settings.policies import Checkout, Consent, CoolDown, Frequency, FrontEnd, Hold
from engine.settings.reports import Funnel, Sources
from engine.settings.running import Retention, Run, Staging, Watch
from engine.settings.secrets import Secrets
from engine.settings.shop import Sender, Shop, Utm
from engine.settings.values import Line, Names, Percent, Place, QuietHours, Topic
from engine.settings.web import Receiving, Web

PREFIX = "AFTERSALE_"
SIGNING = "AFTERSALE_SECRETS__SIGNING"


def _listed(value: Any) -> Any:
    """A single cap may stand without its list."""
    return (Frequency.model_validate(value),) if isinstance(value, dict | Frequency) else value


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
