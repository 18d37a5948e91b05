"""DKIM: the domain vouches for every header of a mail, and for its body."""

import dkim
from dkim.crypto import UnparsableKeyError, parse_pem_private_key

from engine.delivery.transports.base import Refused
from engine.errors import SettingsError
from engine.rendering.eml import ascii_domain
from engine.settings.model import Settings

ONCE_MORE = tuple(  # what readers and mail programs go by: none may be added to a mail of ours
    name.encode()
    for name in ("from", "to", "subject", "reply-to", "date", "list-unsubscribe", "list-unsubscribe-post")
)
SHORTEST = 1024  # bits; receivers take a shorter one for no signature
VARIABLE = "AFTERSALE_SECRETS__DKIM_KEY"
HOW = (b"relaxed", b"simple")


class Signer:
    """Puts a signature before a mail."""

    def __init__(self, domain: str, selector: str, key: bytes) -> None:
        self._domain, self._selector, self._key = ascii_domain(domain).encode(), selector.encode(), key

    def sign(self, content: bytes) -> bytes:
        """The mail as it leaves. What matters most is signed once more than it is there: none can be added.

        Raises Refused.
        """
        names = (self._selector, self._domain)
        try:
            signed = [*ONCE_MORE, *(name.lower() for name, _ in dkim.rfc822_parse(content)[0])]
            signature = dkim.sign(content, *names, self._key, canonicalize=HOW, include_headers=signed)
        except dkim.DKIMException as error:
            msg = f"it cannot be signed: {error}"
            raise Refused(msg) from error
        return bytes(signature) + content


def signer(settings: Settings) -> Signer | None:
    """The signer that the settings ask for, if they do. Raises SettingsError."""
    secret, wanted = settings.secrets.dkim_key, settings.dkim
    given = (secret is not None, bool(wanted.domain), bool(wanted.selector))
    if not any(given):
        return None
    if secret is None or not all(given):
        msg = f"dkim.domain, dkim.selector and {VARIABLE} are there together, or not at all"
        raise SettingsError(msg)
    return Signer(wanted.domain, wanted.selector, _usable(secret.get_secret_value()))


def _usable(pem: str) -> bytes:
    """The key with its line breaks, which may be written as \\n where a variable must be one line."""
    key = "\n".join(line.strip() for line in pem.replace("\\n", "\n").splitlines()).encode()
    try:
        size = parse_pem_private_key(key)["modulus"].bit_length()
    except (UnparsableKeyError, ValueError, LookupError) as error:
        msg = f"{VARIABLE} is no private RSA key in PEM form"  # and not a word of what it is
        raise SettingsError(msg, hint="make one with: openssl genrsa 2048") from error
    if size < SHORTEST:
        msg = f"{VARIABLE} has {size} bits, and receivers believe none below {SHORTEST}"
        raise SettingsError(msg, hint="make one with: openssl genrsa 2048")
    return key
