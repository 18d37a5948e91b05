"""The key to the account, from the environment."""

from engine.errors import SettingsError
from engine.settings.secrets import Secrets


def api_key(secrets: Secrets) -> str:
    """Raises SettingsError where there is none, or none that could be one."""
    key = secrets.sendgrid_key.get_secret_value() if secrets.sendgrid_key else ""
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        msg = "SendGrid needs an API key" if not key else "that is no API key of SendGrid"
        raise SettingsError(msg, hint="set AFTERSALE_SECRETS__SENDGRID_KEY in the environment")
    return key
