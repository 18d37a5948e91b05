"""The daemon, what it watches, what it forgets, and a rehearsal."""

from typing import Literal

from pydantic import Field

from engine.clock import parse_duration
from engine.settings.values import Lasting, OnTheList, Part


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
