"""Whether mails could leave at all, asked without sending one."""

from engine.app.project import Project
from engine.delivery.transports.base import Examined
from engine.delivery.transports.one_by_one import together
from engine.errors import SettingsError, TransportError


def obstacle(project: Project) -> SettingsError | TransportError | None:
    """What stands against it, as far as the way out can tell from here."""
    try:
        transport = project.transport()
        try:
            together(transport).ready()
            if isinstance(transport, Examined):
                transport.examine()
        finally:
            transport.close()
    except (SettingsError, TransportError) as error:
        return error
    return None


def not_sending(project: Project) -> str | None:
    """The same in a line."""
    found = obstacle(project)
    return str(found) if found else None
