"""report: what the funnel and the sources of traffic are worth, and what mails have claimed."""

from datetime import datetime

from engine.app.cataloguing import products_file
from engine.app.project import Project
from engine.app.vanished import vanished_campaigns
from engine.errors import UnknownName, UsageError
from engine.facts.catalogue import load_catalogue
from engine.facts.lookup import find_customer
from engine.registry import did_you_mean
from engine.reports.claims import AskedClaims, MadeClaim, claims_made
from engine.reports.cohorts import By as SourcesBy
from engine.reports.funnel import By, FunnelReport, funnel_report
from engine.reports.periods import Asked
from engine.reports.sources import SourcesReport, sources_report


def funnel(
    project: Project, since: datetime | None, until: datetime | None, now: datetime, by: By | None = None
) -> FunnelReport:
    """The funnel of those first seen in that time, as known at `now`."""
    with project.store.reading() as connection:
        return funnel_report(connection, project.settings, _asked(since, until, now), by)


def sources(
    project: Project, since: datetime | None, until: datetime | None, now: datetime, by: SourcesBy = "source"
) -> SourcesReport:
    """What advertising cost and brought in that time, as known at `now`."""
    asked = _asked(since, until, now)
    catalogue = load_catalogue(products_file(project), project.settings.shop.currency)
    with project.store.reading() as connection:
        return sources_report(connection, project.settings, catalogue, asked, by)


def claims(
    project: Project, now: datetime, customer: str | None, campaign: str | None, most: int
) -> tuple[list[MadeClaim], int]:
    """The claims made until `now`, to one or to all, of one campaign or of all; and how many in all.

    Raises UnknownCustomer, UnknownName.
    """
    campaign_id = None if campaign is None else _first_id(project, campaign)
    with project.store.reading() as connection:
        customer_id = None if customer is None else find_customer(connection, customer)
        return claims_made(connection, AskedClaims(now, customer_id, campaign_id, most))


def _first_id(project: Project, name: str) -> str:
    """Under which the store knows the campaign; it may be in no sound file any more."""
    found, ids = project.files.campaign(name), project.campaign_ids
    if found is not None:
        return found.id
    if ids is None or name in ids or name in vanished_campaigns(project):
        return name
    msg = f"there is no campaign {name!r}"
    raise UnknownName(msg, hint=did_you_mean(name, ids))


def _asked(since: datetime | None, until: datetime | None, now: datetime) -> Asked:
    end = min(until, now) if until else now
    if since is not None and since >= end:
        msg = "--since is not before --until, or not before the instant that is asked about"
        raise UsageError(msg)
    return Asked(since, end, now)
