"""What a coin is."""

from __future__ import annotations

import hashlib
from typing import Final

__all__ = ["MAX_ZEROS", "WRITABLE", "ZEROS", "decimal", "digest_hex", "is_coin"]

ZEROS: Final = 5
"""The leading zeros that the game asks for. The protocol does not carry their number."""

MAX_ZEROS: Final = 32
"""An MD5 in hex has no more digits."""

_CHUNK: Final = 4_000
"""Decimal digits written at once: CPython refuses to write more than 4,300 unless told otherwise."""

WRITABLE: Final = 10**_CHUNK
"""An integer below this can be written wherever one is: in a sentence, on a page, in JSON."""


def decimal(n: int) -> bytes:
    """`n`, at least 0, in decimal, at any size. Takes time in the square of its length, so bound what peers send."""
    if n < WRITABLE:
        return b"%d" % n
    high, low = divmod(n, WRITABLE)
    return decimal(high) + (b"%d" % low).rjust(_CHUNK, b"0")


def digest_hex(secret: bytes, n: int) -> str:
    """The lower-case hex MD5 of `secret <> decimal(n)`; `n` is at least 0."""
    return hashlib.md5(secret + decimal(n), usedforsecurity=False).hexdigest()


def is_coin(secret: bytes, n: int, zeros: int = ZEROS) -> bool:
    """Whether (secret, n) is a coin: its digest starts with `zeros` zeros. A negative `n` is none."""
    return n >= 0 and digest_hex(secret, n).startswith("0" * zeros)
