"""What one game takes from its peers, and the reading of what they call a name."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits", "read_name"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds, each with the reason for its default."""

    name_bytes: int = 256
    """Of a name in UTF-8: 64 characters of the widest kind, which is more than a board shows."""

    names: int = 10_000
    """In one game: a hall, not a workshop; it keeps board and memory bounded."""

    names_per_node: int = 1_000
    """Owned by one node: a person's own experiments never need them, and ten such nodes fill the game."""

    units_per_name: int = 1_000
    """Held at once under one name: more processes than any machine has cores."""

    digits: int = 1_000
    """Of a coin's integer: no search gets beyond forty, and to write digits costs the square of their number."""


def read_name(value: object, limits: Limits) -> str | None:
    """The name that a peer's `value` is (bytes or str), or None when it is none that this game takes."""
    if isinstance(value, bytes):
        if not 1 <= len(value) <= limits.name_bytes:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    if not isinstance(value, str) or not 1 <= len(value) <= limits.name_bytes:
        return None
    try:
        return value if len(value.encode()) <= limits.name_bytes else None
    except UnicodeEncodeError:
        return None
