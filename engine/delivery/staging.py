"""A rehearsal: everybody is planned for, and only those on the list get mail."""

from collections.abc import Collection


def on_the_list(address: str, only: Collection[str] | None) -> bool:
    """Whether mail to that address may leave; without a list all may."""
    if only is None:
        return True
    small = address.lower()
    return small in only or f"@{small.rpartition('@')[2]}" in only
