"""The driver with a kernel of Python's: what it asks, and what it makes of the answers."""

from __future__ import annotations

import ctypes
import struct

import pytest

from pyerlcoin.search.engine import Job
from pyerlcoin.search.simd.driver import Masks, Pace, hunt
from pyerlcoin.search.simd.layout import Layout
from pyerlcoin.search.simd.steps import Forms, Writer, compress
from tests.support.search import expected

Words = tuple[int, ...]


def md5_of_blocks(state: Words, blocks: bytes) -> Words:
    w = Writer(1, Forms(ternary=False))
    for at in range(0, len(blocks), 64):
        after = compress(w, state, struct.unpack("<16I", blocks[at : at + 64]))
        state = tuple(word for word in after if isinstance(word, int))
    return state


def absorb(rows: int | bytes, count: int, stride: int, blocks: int, state: bytes, states: int) -> None:
    before = struct.unpack("<4I", state)
    for row in range(count):
        at = row * stride
        text = rows[at:][: 64 * blocks] if isinstance(rows, bytes) else ctypes.string_at(rows + at, 64 * blocks)
        ctypes.memmove(states + 16 * row, struct.pack("<4I", *md5_of_blocks(before, text)), 16)


class Kernel:
    """As generator.kernel's type says, a candidate at a time."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.calls = 0

    def __call__(
        self, rows: int, count: int, stride: int, states: bytes, state_stride: int, table: bytes,
        first: int, until: int, low_mask: int, mask: int, hits: int, room: int,
    ) -> int:  # fmt: skip
        self.calls += 1
        assert low_mask & mask == low_mask
        found = []
        at = 4 * self.layout.word
        for row in range(count):
            text = bytearray(ctypes.string_at(rows + row * stride, 64 * self.layout.kernel_blocks))
            state = struct.unpack_from("<4I", states, row * state_stride)
            for entry in range(first, until):
                text[at : at + 4] = table[4 * entry : 4 * entry + 4]
                if md5_of_blocks(state, bytes(text))[0] & mask == 0:
                    found.append(row << 32 | entry)
        for i, hit in enumerate(found[:room]):
            ctypes.c_uint64.from_address(hits + 8 * i).value = hit
        return len(found)


@pytest.mark.parametrize("length", [0, 6, 49, 57, 60, 130])
def test_what_the_kernel_hits_is_what_hashlib_finds(length: int) -> None:
    job = Job(b"s" * length, 12_345_678_900, 12_345_678_940, 1)
    layout = Layout(length, 11)
    told: list[int] = []
    found = hunt(
        Kernel(layout), absorb, job.secret, layout, job.first, job.last, Masks(1), Pace(), lambda: False, told.append
    )
    assert sorted(found) == expected(job)
    assert sum(told) == job.size


def test_room_grows_when_hits_do_not_fit() -> None:
    layout = Layout(6, 10)
    kernel = Kernel(layout)
    first = 10**9
    found = hunt(kernel, absorb, b"Serun+", layout, first, first + 299, Masks(0), Pace(), lambda: False, lambda _: None)
    assert sorted(found) == list(range(first, first + 300))
    assert kernel.calls == 2


def test_calls_grow_or_shrink_until_each_takes_some_milliseconds() -> None:
    for rate in (2e7, 1e8, 2e9):
        pace = Pace()
        for _ in range(30):
            pace.took(pace.digests, pace.digests / rate)
        assert 0.002 < pace.digests / rate < 0.02
    settled = pace.digests
    pace.took(settled // 3, 10.0)
    assert pace.digests == settled, "a small call says nothing"
    pace.took(settled, 10.0)
    assert pace.digests > settled // 2, "one that had to wait says little"


class Steady(Pace):
    def took(self, digests: int, seconds: float) -> None:
        pass


def test_a_call_is_cut_by_the_pace_and_worth_what_was_asked() -> None:
    layout = Layout(7, 10)
    pace = Steady()
    pace.digests = 90
    told: list[int] = []
    job, kernel = Job(b"Serun+u", 10**9 + 5, 10**9 + 304, 1), Kernel(layout)
    found = hunt(kernel, absorb, job.secret, layout, job.first, job.last, Masks(1), pace, lambda: False, told.append)
    assert sorted(found) == expected(job)
    # Ten rows of 31 entries, two at a time.
    assert (kernel.calls, len(told), sum(told)) == (5, 5, 300)


@pytest.mark.parametrize("zeros", range(9))
def test_masks(zeros: int) -> None:
    masks = Masks(zeros)
    for bit in range(32):
        digest = struct.pack("<I", 1 << bit).hex()
        assert (masks.mask >> bit & 1 == 0) == digest.startswith("0" * zeros)
    assert masks.low_mask + 1 & masks.low_mask == 0
    assert masks.low_mask & ~masks.mask == 0
