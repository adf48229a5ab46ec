"""Lengths of integers, and what sorts below what."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.search.digits import is_hit, same_length, threshold
from pyerlcoin.search.engine import Job


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_pieces_of_one_length_are_the_range(one: int, other: int) -> None:
    first, last = sorted((one, other))
    pieces = list(same_length(first, last))
    assert pieces[0][1] == first
    assert pieces[-1][2] == last
    assert all(len(str(low)) == len(str(high)) == digits for digits, low, high in pieces)
    assert all(before[2] + 1 == after[1] for before, after in pairwise(pieces))


def test_an_empty_range_has_no_piece() -> None:
    assert list(same_length(5, 4)) == []


@given(st.integers(0, 32), st.integers(0, 32), st.binary(min_size=16, max_size=16))
def test_below_the_threshold_is_what_starts_with_zeros(zeros: int, leading: int, rest: bytes) -> None:
    text = ("0" * leading + rest.hex())[:32]
    assert (bytes.fromhex(text) < threshold(zeros)) == text.startswith("0" * zeros)


@pytest.mark.parametrize("zeros", [-1, 33])
def test_no_digest_has_so_many_zeros(zeros: int) -> None:
    with pytest.raises(ValueError, match="0 to 32"):
        threshold(zeros)


def test_a_hit_is_what_the_rule_says() -> None:
    assert is_hit(Job(b"Serun+u", 0, 9), 1)
    assert not is_hit(Job(b"Serun+u", 0, 9, zeros=7), 1)
    assert hashlib.md5(b"Serun+u1").hexdigest().startswith("000000")
    assert not is_hit(Job(b"foo", 0, 999), 123)
