"""Calls the kernels: from a range of integers to the hits in it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from struct import Struct
from time import perf_counter

from pyerlcoin.coin.coin import decimal
from pyerlcoin.search.simd.layout import Call, Layout
from pyerlcoin.search.simd.steps import INITIAL

__all__ = ["Absorb", "Kernel", "Masks", "Pace", "absorb_type", "hunt", "kernel_type"]

_P, _N, _W = ctypes.c_void_p, ctypes.c_int64, ctypes.c_uint32
# ctypes lets go of the interpreter's lock during such a call.
kernel_type = ctypes.CFUNCTYPE(_N, _P, _N, _N, _P, _N, _P, _N, _N, _W, _W, _P, _N)
absorb_type = ctypes.CFUNCTYPE(None, _P, _N, _N, _N, _P, _P)
Kernel = Callable[..., int]
Absorb = Callable[..., None]

_STATE = Struct("<4I")

# Between two calls it is asked whether to stop, and the interpreter's lock is taken, for which another thread that has
# it may have to be waited for: so calls are few.
_CALL_SECONDS = 0.012
# Digests in the first one, and the fewest: some ms of a vector unit.
_FIRST_CALL = 1_000_000
_LEAST_CALL = 100_000
_FIRST_ROOM = 256


class Masks:
    """Which bits of the digest's word A must be 0."""

    def __init__(self, zeros: int) -> None:
        """`zeros` hex digits, 0 to 8: what word A has."""
        # The digest's hex form has a byte's high half first, and the lowest byte of A first.
        self.mask = sum(0xF << 4 * (i ^ 1) for i in range(zeros))
        self.low_mask = (1 << 4 * (zeros - zeros % 2)) - 1


class Pace:
    """How many digests make a call of some ms, by how long the last ones took. Any threads may share it."""

    def __init__(self) -> None:
        self.digests = _FIRST_CALL
        """For the next call to compute."""

    def took(self, digests: int, seconds: float) -> None:
        """A call of so many ended. One that is much smaller than the others says little of them."""
        if 2 * digests >= self.digests:
            measured = int(digests * _CALL_SECONDS / max(seconds, 1e-6))
            # Up at once, down slowly: a call may have had to wait for a core.
            pace = measured if measured > self.digests else (3 * self.digests + measured) // 4
            self.digests = max(_LEAST_CALL, min(pace, 4 * self.digests))


def hunt(
    kernel: Kernel,
    absorb: Absorb,
    secret: bytes,
    layout: Layout,
    first: int,
    last: int,
    masks: Masks,
    pace: Pace,
    stop: Callable[[], bool],
    progress: Callable[[int], None],
) -> Iterator[int]:
    """The integers from `first` to `last`, all of the layout's length, whose digests pass the masks; not in order."""
    room = _Hits()
    size = layout.low_size
    whole = len(secret) // 64 * 64
    secret_state = _absorb(absorb, _STATE.pack(*INITIAL), secret[:whole])
    for prefix in range(first // size, last // size + 1):
        base = prefix * size
        head = secret + decimal(prefix) if prefix else secret
        state = _absorb(absorb, secret_state, head[whole : layout.absorbed])
        rest = head[layout.absorbed :]
        table = layout.table(rest)
        for count, call in layout.calls(max(first - base, 0), min(last - base, size - 1)):
            for done, part in _parts(count, call, pace):
                rows = layout.write(rest, part.row, part.row_until)
                at = ctypes.addressof(ctypes.c_char.from_buffer(rows))
                row_count = part.row_until - part.row
                states, state_stride = state, 0
                if layout.rows_absorb:
                    row_states = ctypes.create_string_buffer(16 * row_count)
                    absorb(at, row_count, layout.row_length, 1, state, ctypes.addressof(row_states))
                    states, state_stride = row_states.raw, 16
                started = perf_counter()
                hits = room.call(
                    kernel,
                    (at + layout.rows_absorb, row_count, layout.row_length, states, state_stride, table),
                    (part.entry, part.entry_until, masks.low_mask, masks.mask),
                )
                pace.took(row_count * (part.entry_until - part.entry), perf_counter() - started)
                for hit in hits:
                    n = base + layout.low(part.row + (hit >> 32), hit & 0xFFFFFFFF)
                    if first <= n <= last:
                        yield n
                progress(done)
                if stop():
                    return


class _Hits:
    """Where a kernel writes its hits: as large as needed so far."""

    def __init__(self) -> None:
        self._buffer = (ctypes.c_uint64 * _FIRST_ROOM)()

    def call(self, kernel: Kernel, before: tuple[object, ...], after: tuple[object, ...]) -> list[int]:
        count = kernel(*before, *after, ctypes.addressof(self._buffer), len(self._buffer))
        if count > len(self._buffer):
            self._buffer = (ctypes.c_uint64 * (2 * count))()
            count = kernel(*before, *after, ctypes.addressof(self._buffer), len(self._buffer))
        return self._buffer[:count] if count else []


def _absorb(absorb: Absorb, state: bytes, blocks: bytes) -> bytes:
    if not blocks:
        return state
    after = ctypes.create_string_buffer(16)
    absorb(blocks, 1, 0, len(blocks) // 64, state, ctypes.addressof(after))
    return after.raw


def _parts(count: int, call: Call, pace: Pace) -> Iterator[tuple[int, Call]]:
    """The call in parts of the pace, each with how many of the `count` integers it is worth."""
    entries = call.entry_until - call.entry
    row = call.row
    while row < call.row_until:
        until = min(row + max(1, pace.digests // entries), call.row_until)
        # Where J's digits make the call cover more than the integers asked for, the last part takes the difference.
        worth = count if until == call.row_until else min(count, (until - row) * entries)
        count -= worth
        yield worth, Call(row, until, call.entry, call.entry_until)
        row = until
