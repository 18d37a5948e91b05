"""A folder that a command names, or else the settings."""

from pathlib import Path

from engine.app.project import Project
from engine.errors import SettingsError, UsageError, relative


def folder_of(project: Project, named: Path | None, setting: str, set_to: str, what: str) -> Path:
    """That folder, which is there. `what` says what it is for; an empty `set_to` is none.

    Raises UsageError where nobody names one, SettingsError where it is not there.
    """
    if named is None and not set_to:
        msg = f"no folder {what}"
        raise UsageError(msg, hint=f"name one, or set {setting} in config.yaml")
    found = named or project.folder / set_to
    if not found.is_dir():
        msg = f"there is no folder {relative(found)} {what}"
        raise SettingsError(msg)
    return found
