"""Numbers as the game writes them, and what a hit is; no engine has its own idea of either."""

from __future__ import annotations

from collections.abc import Iterator

from pyerlcoin.coin.coin import MAX_ZEROS, decimal, is_coin
from pyerlcoin.search.engine import Job

__all__ = ["is_hit", "same_length", "threshold"]


def same_length(first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """The range as `(digits, first, last)` pieces, ascending, in each of which all integers have that many digits."""
    while first <= last:
        digits = len(decimal(first))
        end = min(last, 10**digits - 1)
        yield digits, first, end
        first = end + 1


def threshold(zeros: int) -> bytes:
    """What a digest sorts below exactly when its hex form starts with that many zeros (0 to 32)."""
    if not 0 <= zeros <= MAX_ZEROS:
        raise ValueError(f"{zeros} zeros: a digest has 0 to {MAX_ZEROS} hex digits")
    if zeros == 0:
        return b"\xff" * 17  # longer than any digest, so above them all
    return b"\x00" * ((zeros - 1) // 2) + (b"\x10" if zeros % 2 else b"\x01")


def is_hit(job: Job, n: int) -> bool:
    """Whether `n` is a coin of the job's secret, by the rule's own words, hashlib's digest in hex."""
    return is_coin(job.secret, n, job.zeros)
