"""The menu of ways out: one file or folder and one line each."""

from collections.abc import Callable
from pathlib import Path

from engine.delivery.transports.base import Transport
from engine.delivery.transports.console import ConsoleTransport
from engine.delivery.transports.folder import FolderTransport
from engine.delivery.transports.sendgrid import SendGridTransport
from engine.delivery.transports.smtp import SmtpTransport
from engine.registry import Menu
from engine.settings.model import Settings

TRANSPORTS: Menu[Callable[[Settings, Path], Transport]] = Menu(
    "transport",
    {
        "folder": FolderTransport,
        "console": ConsoleTransport,
        "smtp": SmtpTransport,
        "sendgrid": SendGridTransport,
    },
)
