"""Campaigns that have sent mail and are in no file any more, told as problems of the files."""

from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from engine.app.project import Project
from engine.errors import Problem, StoreError
from engine.planning.vanished import that_sent, vanished
from engine.store.connect import Store, is_there
from engine.store.migrate import NEWEST, revision

SHORT = 1_000  # milliseconds that a check waits for a busy database
TOLD = "has sent mail, and is in no file any more"
HINT = (
    "an id is for good: put its file back, or say `was:` in the file that it is called otherwise in now; "
    "a run ends all that is under way in it"
)


def vanished_campaigns(project: Project) -> list[str]:
    """Their ids."""
    with project.store.reading() as connection:
        return _that_sent(connection, project)


def vanished_problems(ids: Iterable[str]) -> list[Problem]:
    """A problem for each of them."""
    return [Problem("campaigns", 0, 0, f"the campaign {each!r} {TOLD}", HINT) for each in ids]


def everything_wrong(project: Project) -> list[Problem]:
    """The problems of the files, and of those that are gone."""
    return [*vanished_problems(vanished_campaigns(project)), *project.problems]


def vanished_if_known(project: Project, note: Callable[[str], None]) -> list[Problem]:
    """The same, where a database is there. One that cannot be read is noted; none is made or changed."""
    if not is_there(project.settings.database, project.folder):
        return []
    store = Store(project.settings.database, folder=project.folder, busy=SHORT)
    try:
        with store.reading() as connection:
            if revision(connection) == NEWEST:
                return vanished_problems(_that_sent(connection, project))
    except StoreError as error:
        note(f"the database was not asked which campaigns have sent: {error}")
    finally:
        store.close()
    return []


def _that_sent(connection: Connection, project: Project) -> list[str]:
    return that_sent(connection, vanished(connection, project.campaign_ids))
