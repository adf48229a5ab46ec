"""The `python` engine: the standard library alone, always there.

Two techniques, both with no Python object made per candidate that can be avoided:

- *rows*: 1,000 whole messages stand in one bytearray; from one thousand to the next only the digit columns that
  change are written, by strided slices. What is hashed is 1,000 memoryviews that were made once.
- *copies*: a hash object that has seen everything but the last three digits is copied for each candidate.

Which one wins depends on the interpreter's hash objects, the processor and the length of the secret (rows hash
the whole message again, copies only its last block), so the engine lets both do a few thousand integers of the
real work and goes on with the winner.

`_md5` is CPython's own implementation, a module of no promise that most builds have. It answers 1.5 to 3 times
sooner than `hashlib`'s, which passes through OpenSSL's dispatch, in 3.11 as well as in 3.12 and later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from math import inf
from time import perf_counter
from typing import Protocol

from pyerlcoin.coin.coin import decimal
from pyerlcoin.search.digits import same_length, threshold
from pyerlcoin.search.engine import Job

__all__ = ["PythonEngine"]

_BLOCK = 1000
_SUFFIXES = [b"%03d" % i for i in range(_BLOCK)]
_SHORT = [b"%d" % i for i in range(_BLOCK)]

# Where fewer of a thousand than this are hits, on average, it is quicker to ask for the least of all digests first, in
# a loop that runs no byte code, and to look for the hits in a second pass if that is one: 2 to 7 % of all time.
_FEW = 1 / 16

# A run shorter than this many thousands is left to copies: building the rows takes as long as a thousand hashes.
_RUN = 16
# Thousands that each technique does, in turn, before one is chosen.
_TRIALS = 4


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...
    def copy(self) -> _Hash: ...


_New = Callable[[bytes | memoryview], _Hash]
_Thousand = Callable[[bytes], list[int]]
# What a contest is about: the length of the message, and whether hits are few.
_Kind = tuple[int, bool]


def _few(limit: bytes) -> bool:
    """Whether hardly a thousand has a digest below `limit`."""
    return _BLOCK * int.from_bytes(limit) <= _FEW * (1 << 8 * len(limit))


def _fastest_md5() -> _New:
    try:
        private = import_module("_md5")
    except ImportError:
        return hashlib.md5
    fastest: _New = private.md5
    return fastest


class PythonEngine:
    """Searches with the interpreter's own MD5.

    Keeps what its contests found, by the length of the message and whether hits are few.
    """

    name = "python"
    parallel = "processes"

    def __init__(self, md5: _New | None = None) -> None:
        """`md5` makes a hash object of bytes; the fastest that this interpreter has, unless given."""
        self._md5 = md5 or _fastest_md5()
        self._rows_win: dict[_Kind, bool] = {}

    def unavailable(self) -> str | None:
        """None: the standard library is always there."""
        return None

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        """Every coin of the job, ascending; see `Engine.search`. Asks `stop` after every thousand."""
        limit = threshold(job.zeros)
        copies = _Copies(self._md5(job.secret), limit)
        found: list[int] = []
        for digits, first, last in same_length(job.first, job.last):
            thousand = copies.thousand if digits <= 3 else self._fastest(copies, job.secret, digits, first, last, limit)
            for block in range(first // _BLOCK, last // _BLOCK + 1):
                start = block * _BLOCK
                low = max(first - start, 0)
                high = min(last - start + 1, _BLOCK)
                if digits <= 3:
                    hits = copies.some(b"", _SHORT, low, high)
                elif high - low < _BLOCK:
                    hits = copies.some(decimal(block), _SUFFIXES, low, high)
                else:
                    hits = thousand(decimal(block))
                if hits:
                    found += [start + i for i in hits]
                progress(high - low)
                if stop():
                    return found
        return found

    def _fastest(self, copies: _Copies, secret: bytes, digits: int, first: int, last: int, limit: bytes) -> _Thousand:
        length = len(secret) + digits
        # Copies hash only the last block of a message, rows all of it.
        if last - first < _RUN * _BLOCK or length - 3 >= 64:
            return copies.thousand
        kind = length, _few(limit)
        rows_win = self._rows_win.get(kind)
        if rows_win is False:
            return copies.thousand
        rows = _Rows(self._md5, secret, digits, limit)
        if rows_win is True:
            return rows.thousand
        return _Contest(rows.thousand, copies.thousand, self._rows_win, kind)


class _Copies:
    """A hash object that has seen all but the last digits, copied for each candidate."""

    def __init__(self, base: _Hash, limit: bytes) -> None:
        self._base = base
        self._limit = limit

    def thousand(self, prefix: bytes) -> list[int]:
        return self.some(prefix, _SUFFIXES, 0, _BLOCK)

    def some(self, prefix: bytes, suffixes: list[bytes], low: int, high: int) -> list[int]:
        limit = self._limit
        start = self._base.copy()
        start.update(prefix)
        copy = start.copy
        hits = []
        for suffix in suffixes[low:high]:
            candidate = copy()
            candidate.update(suffix)
            if candidate.digest() < limit:
                hits.append(suffix)
        return [int(suffix) for suffix in hits]


class _Rows:
    """A thousand whole messages in one bytearray, rewritten in place."""

    def __init__(self, md5: _New, secret: bytes, digits: int, limit: bytes) -> None:
        self._md5 = md5
        self._limit = limit
        self._digest = type(md5(b"")).digest
        self._few = _few(limit)
        self._prefix = b"0" * (digits - 3)
        self._at = len(secret)
        self._length = len(secret) + digits
        self._table = bytearray().join([secret + self._prefix + suffix for suffix in _SUFFIXES])
        view = memoryview(self._table)
        self._messages = [view[i : i + self._length] for i in range(0, len(view), self._length)]

    def thousand(self, prefix: bytes) -> list[int]:
        md5, limit = self._md5, self._limit
        at, length, table = self._at, self._length, self._table
        for column, (old, new) in enumerate(zip(self._prefix, prefix, strict=True), at):
            if old != new:
                table[column::length] = bytes((new,)) * _BLOCK
        self._prefix = prefix
        if self._few and min(map(self._digest, map(md5, self._messages))) >= limit:
            return []
        hits = [message for message in self._messages if md5(message).digest() < limit]
        return [int(message[-3:]) for message in hits]


class _Contest:
    """Lets rows and copies do thousands in turn until one has won."""

    def __init__(self, rows: _Thousand, copies: _Thousand, verdicts: dict[_Kind, bool], kind: _Kind) -> None:
        self._entrants = (copies, rows)
        self._best = [inf, inf]
        self._turn = 0
        self._verdicts = verdicts
        self._kind = kind
        self._winner: _Thousand | None = None

    def __call__(self, prefix: bytes) -> list[int]:
        if self._winner is not None:
            return self._winner(prefix)
        which = self._turn % 2
        started = perf_counter()
        hits = self._entrants[which](prefix)
        # The best of a few, not their sum: another process may have had the core for a while.
        self._best[which] = min(self._best[which], perf_counter() - started)
        self._turn += 1
        if self._turn == 2 * _TRIALS:
            rows_won = self._best[1] <= self._best[0]
            self._verdicts[self._kind] = rows_won
            self._winner = self._entrants[rows_won]
        return hits
