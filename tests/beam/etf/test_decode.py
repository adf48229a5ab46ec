"""What the decoder refuses in well-framed bytes, and why. Golden bytes are in test_golden.py, limits and hostile
bytes in test_hostile_bytes.py."""

from __future__ import annotations

import zlib

import pytest

from pyerlcoin.beam.errors import LimitExceeded, MalformedTerm
from pyerlcoin.beam.etf import Atom, Export, Fun, Map, Term, binary_to_term, decode, encode, term_to_binary
from tests.beam.etf.golden import FUN

_PLAIN_FUN = bytes.fromhex(FUN)


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (b"", "does not start with 131", 0),
        (b"\x82\x6a", "does not start with 131", 0),
        (b"\x83", "ends too early", 1),
        (b"\x83\x6a\x6a", "1 bytes after its end", 2),
        (b"\x83\x50\0\0\0\1" + zlib.compress(b"\x6a"), "a compressed term", 1),
        (b"\x83\x52\0", "atom cache", 1),
        (b"\x83\x79\0", "local form", 1),
        (b"\x83\0", "unknown tag 0", 1),
        (b"\x83\x75\0\0", "unknown tag 117", 1),
        (b"\x83\x68\2\x6a", "2 terms announced where 1 bytes are left", 1),
        (b"\x83\x74\0\0\0\2\x6a\x6a\x6a", "4 terms announced where 3 bytes", 1),
        (b"\x83\x74\0\0\0\2\x61\1\x6a\x62\0\0\0\1\x6a", "two equal keys", 15),
        (b"\x83\x6d\0\0\0\2a", "a binary ends 1 bytes too early", 7),
        (b"\x83\x71\x77\1a\x77\1b\x62\0\0\1\0", "external fun", 13),
        (b"\x83\x71\x77\1a\x77\1b\x62\xff\xff\xff\xff", "external fun", 13),
        (b"\x83\x71\x77\1a\x61\1\x61\2", "external fun", 9),
    ],
)
def test_malformed(data: bytes, reason: str, offset: int) -> None:
    with pytest.raises(MalformedTerm, match=reason) as caught:
        binary_to_term(data)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "change",
    [
        (4, 0x41),  # shorter than it is
        (4, 0x43),  # longer than it is
        (30, 0x6A),  # the module is no atom, but []
        (33, 0x6D),  # the old index is no small integer, and what follows shifts
        (37, 0x68),  # the pid is none
        (29, 2),  # one more free variable than there are
    ],
    ids=str,
)
def test_a_fun_is_checked_inside(change: tuple[int, int]) -> None:
    assert decode(_PLAIN_FUN) == (Fun(_PLAIN_FUN), len(_PLAIN_FUN))
    broken = bytearray(_PLAIN_FUN)
    at, value = change
    assert broken[at] != value
    broken[at] = value
    with pytest.raises((MalformedTerm, LimitExceeded)):
        binary_to_term(b"\x83\x68\1" + bytes(broken))


def test_a_fun_within_a_fun_keeps_its_own_bytes() -> None:
    inner = _PLAIN_FUN
    outer = bytearray(_PLAIN_FUN[:-2] + inner)
    outer[1:5] = (len(outer) - 1).to_bytes(4)
    assert decode(bytes(outer) + b"\x6a") == (Fun(bytes(outer)), len(outer))
    assert decode(b"\x68\2" + inner + bytes(outer))[0] == (Fun(inner), Fun(bytes(outer)))


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_any_buffer_is_read_and_not_kept(make: type[bytes]) -> None:
    term: Term = (Atom("ok"), b"Alice", [Map({1: 2})], Export(Atom("a"), Atom("b"), 0))
    external = bytearray(term_to_binary(term))
    read = binary_to_term(make(external))
    external[:] = bytes(len(external))
    assert read == term


def test_each_empty_list_is_its_own() -> None:
    pair = binary_to_term(b"\x83\x68\2\x6a\x6a")
    assert isinstance(pair, tuple)
    first, second = pair
    first.append(1)
    assert second == []


def test_offsets() -> None:
    data = b"??" + encode((1, 2)) + encode(b"x")
    first, end = decode(data, 2)
    second, last = decode(data, end)
    assert (first, second, last) == ((1, 2), b"x", len(data))
    with pytest.raises(MalformedTerm):
        decode(data, last)
