"""Integers of any size in a column of SQLite, in their order.

Up to 63 bits they are SQLite's own integers. Larger ones are blobs: two bytes of length, then the bytes, big end
first. SQLite orders every blob after every integer and compares blobs byte by byte, so the column keeps the order
(sqlite.org/datatype3.html, 4.1). It must have no affinity.
"""

from __future__ import annotations

from typing import Final, TypeAlias

__all__ = ["Stored", "from_column", "to_column"]

Stored: TypeAlias = int | bytes

_LARGEST: Final = 2**63 - 1
_LENGTH: Final = 2


def to_column(n: int) -> Stored:
    """What to store for `n`, at least 0 and shorter than 64 KiB. Raises `OverflowError` for another."""
    if 0 <= n <= _LARGEST:
        return n
    body = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return len(body).to_bytes(_LENGTH, "big") + body


def from_column(value: Stored) -> int:
    """The integer that was stored."""
    return value if isinstance(value, int) else int.from_bytes(value[_LENGTH:], "big")
