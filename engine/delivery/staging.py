"""A rehearsal: everybody is planned for, and only those on the list get mail."""

from collections.abc import Collection

from engine.facts.values.addresses import as_compared


def on_the_list(address: str, only: Collection[str] | None) -> bool:
    """Whether mail to that address may leave; without a list all may."""
    if only is None:
        return True
    known = as_compared(address)
    return known in only or f"@{known.rpartition('@')[2]}" in only
