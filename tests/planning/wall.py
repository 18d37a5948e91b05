"""What the clock on the wall shows where somebody lives, read without any of the engine's arithmetic."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
SHOP = "America/New_York"
ODD_ZONES = ["Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu"]
UNKNOWN_ZONES = ["", "Nowhere/At_All"]
ZONES = ["Europe/Berlin", SHOP, *ODD_ZONES, "America/St_Johns", *UNKNOWN_ZONES]
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def shows(zone: str, at: datetime, span: str, days: list[str]) -> bool:
    """The clock on the wall is within the span of one of these days, or of the night before."""
    local = at.astimezone(ZoneInfo(SHOP if zone in UNKNOWN_ZONES else zone)).replace(tzinfo=None)
    start, end = (time.fromisoformat(part) for part in span.split("-"))
    today, yesterday = (NAMES[(local - back * DAY).weekday()] in days for back in (0, 1))
    if start < end:
        return today and start <= local.time() < end
    return (today and local.time() >= start) or (yesterday and local.time() < end)
