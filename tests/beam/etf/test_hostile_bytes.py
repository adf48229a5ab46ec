"""Whatever the bytes, decoding ends with a term or with one of two errors."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyerlcoin.beam.errors import LimitExceeded, MalformedTerm
from pyerlcoin.beam.etf import Limits, Term, binary_to_term, decode, encode, tags, term_to_binary
from tests.beam.etf.golden import READ, WRITTEN
from tests.support.terms import terms

_GOLDEN = [bytes.fromhex(golden.external) for golden in WRITTEN + READ]
_TAGS = [value for name, value in vars(tags).items() if name.isupper()]
_SMALL = Limits(max_depth=5, max_terms=50, max_integer_bytes=20)


def _attempt(data: bytes, limits: Limits) -> Term:
    """The term, or None; any other error than the two goes through."""
    try:
        return binary_to_term(data, limits)
    except (MalformedTerm, LimitExceeded):
        return None


@pytest.mark.parametrize("external", _GOLDEN, ids=lambda external: external.hex()[:24])
def test_every_truncation_is_malformed(external: bytes) -> None:
    # Read once whole, so that its atoms are known and the short ways are tried.
    assert decode(external, 1)[1] == len(external)
    for size in range(len(external)):
        with pytest.raises(MalformedTerm):
            binary_to_term(external[:size])
        with pytest.raises(MalformedTerm):
            decode(external[:size], 1)


@pytest.mark.parametrize("external", _GOLDEN, ids=lambda external: external.hex()[:24])
def test_bytes_after_the_end_are_malformed(external: bytes) -> None:
    with pytest.raises(MalformedTerm, match="1 bytes after its end"):
        binary_to_term(external + b"\0")


@given(terms, st.data())
def test_a_truncated_term_is_malformed(term: Term, data: st.DataObject) -> None:
    external = term_to_binary(term)
    with pytest.raises(MalformedTerm):
        binary_to_term(external[: data.draw(st.integers(0, len(external) - 1))])


@given(terms, st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_mutated_bytes(term: Term, changes: list[tuple[int, int]]) -> None:
    external = bytearray(term_to_binary(term))
    for at, value in changes:
        external[1 + at % (len(external) - 1)] = value
    for limits in (Limits(), _SMALL):
        survivor = _attempt(bytes(external), limits)
        if survivor is not None:
            # What came through can go back to its sender.
            assert repr(binary_to_term(term_to_binary(survivor))) == repr(survivor)


@given(st.lists(st.one_of(st.sampled_from(_TAGS), st.integers(0, 255), st.integers(0, 3)), max_size=60).map(bytes))
@example(bytes([tags.NEW_FUN_EXT]) + b"\xff" * 40)
@example(bytes([tags.LARGE_TUPLE_EXT]) + b"\xff" * 40)
def test_random_bytes(data: bytes) -> None:
    for limits in (Limits(), _SMALL):
        _attempt(b"\x83" + data, limits)


def test_every_pair_of_bytes_and_some_more() -> None:
    choose = random.Random(20261122)
    for first in range(256):
        for second in range(256):
            _attempt(bytes([131, first, second]) + choose.randbytes(choose.randrange(20)), _SMALL)


def _nested(depth: int) -> dict[str, bytes]:
    one = b"\x68\1"
    return {
        "tuple": one * depth + b"\x6a",
        "list": b"\x6c\0\0\0\1" * depth + b"\x6a" * (depth + 1),
        "tail": b"\x6c\0\0\0\1\x6a\x68\1" * depth + b"\x6a",
        "map value": b"\x74\0\0\0\1\x6a" * depth + b"\x6a",
        "map key": b"\x74\0\0\0\1" * depth + b"\x6a" * (depth + 1),
        "fun": (b"\x70\0\0\xff\xff" + bytes(21) + b"\0\0\0\1") * depth + b"\x6a",
        "large tuple": b"\x69\0\0\0\1" * depth + b"\x6a",
        "record": b"\x43\0\0\0\1\1\x77\1m\x77\1r\x77\1a" * depth + b"\x6a",
    }


@pytest.mark.parametrize("shape", _nested(1))
def test_a_hundred_thousand_deep_is_refused(shape: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        decode(_nested(100_000)[shape])
    assert (caught.value.size, caught.value.limit) == (257, 256)


def _at_depth(frames: int, act: Callable[[], object]) -> object:
    return act() if frames == 0 else _at_depth(frames - 1, act)


def _frames_in_use() -> int:
    frame, count = sys._getframe(), 0
    while frame.f_back is not None:
        frame, count = frame.f_back, count + 1
    return count


@pytest.mark.parametrize("shape", sorted(set(_nested(1)) - {"fun"}))
def test_near_the_interpreters_recursion_limit(shape: str) -> None:
    # Thirty frames are left: a decoder that called itself would need hundreds.
    frames = sys.getrecursionlimit() - _frames_in_use() - 30
    with pytest.raises(LimitExceeded):
        _at_depth(frames, lambda: decode(_nested(100_000)[shape]))
    deep = _nested(100)[shape]
    term, end = decode(deep)
    assert end == len(deep)
    _at_depth(frames, lambda: decode(deep))
    assert _at_depth(frames, lambda: encode(term)) == encode(term)


@pytest.mark.parametrize("shape", sorted(set(_nested(1)) - {"fun"}))
def test_the_limit_of_depth_is_exact(shape: str) -> None:
    for depth in (1, 7):
        assert decode(_nested(depth)[shape], limits=Limits(max_depth=2 * depth))
    exact = 2 * 7 if shape == "tail" else 7
    decode(_nested(7)[shape], limits=Limits(max_depth=exact))
    with pytest.raises(LimitExceeded):
        decode(_nested(7)[shape], limits=Limits(max_depth=exact - 1))


def test_a_chain_of_tails_is_no_depth() -> None:
    term, _ = decode(b"\x6c\0\0\0\1\x61\7" * 100_000 + b"\x6a")
    assert term == [7] * 100_000


@pytest.mark.parametrize(
    "head",
    ["69", "6c", "74", "6d", "6f", "4d", "70", "43", "76ff", "6bff"],
)
def test_announced_lengths_allocate_nothing(head: str) -> None:
    # Each announces as much as its length field can say, and brings 40 bytes.
    data = bytes.fromhex(head) + b"\xff\xff\xff\xf0" + b"\0" * 36
    with pytest.raises((MalformedTerm, LimitExceeded)):
        decode(data)


def test_the_number_of_terms_is_limited() -> None:
    inner = b"\x68\4" + b"\x6a" * 4
    data = b"\x68\3" + inner * 3
    assert decode(data, limits=Limits(max_terms=15))
    with pytest.raises(LimitExceeded) as caught:
        decode(data, limits=Limits(max_terms=14))
    assert (caught.value.size, caught.value.limit) == (15, 14)
    with pytest.raises(LimitExceeded):
        decode(b"\x6b\0\x0f" + bytes(15), limits=Limits(max_terms=14))
    with pytest.raises(LimitExceeded):
        decode(b"\x6c\0\0\0\1\x6a" * 15 + b"\x6a", limits=Limits(max_terms=20))


def test_keys_within_keys_do_not_multiply() -> None:
    # A map keeps the forms of its keys. 200 maps around one key of 100,000 bytes would keep 20 MB.
    data = b"\x74\0\0\0\1" * 200 + b"\x6d\0\1\x86\xa0" + bytes(100_000) + b"\x6a" * 200
    with pytest.raises(LimitExceeded):
        decode(data)
    assert decode(data, limits=Limits(max_terms=2_000_000))


def test_integers_are_limited() -> None:
    for data in (b"\x6e\x15\0" + b"\1" * 21, b"\x6f\0\0\0\x15\0" + b"\1" * 21):
        assert decode(data)
        with pytest.raises(LimitExceeded) as caught:
            decode(data, limits=_SMALL)
        assert (caught.value.size, caught.value.limit) == (21, 20)
