"""MD5's steps on values that are known while they are written: then the writer computes them, and hashlib knows."""

from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.search.simd.steps import INITIAL, Forms, Uniform, Value, Varying, Writer, compress, compress_to_a

FORMS = [Forms(ternary=False), Forms(ternary=True)]


def words(block: bytes) -> list[Value]:
    return list(struct.unpack("<16I", block))


def padded(text: bytes) -> bytes:
    return text + b"\x80" + bytes((55 - len(text)) % 64) + struct.pack("<Q", 8 * len(text))


@pytest.mark.parametrize("forms", FORMS, ids=str)
@given(text=st.binary(max_size=55))
def test_one_block_of_ints_is_hashlibs_digest(forms: Forms, text: bytes) -> None:
    w = Writer(1, forms)
    state = compress(w, INITIAL, words(padded(text)))
    assert struct.pack("<4I", *state) == hashlib.md5(text).digest()
    a = compress_to_a(w, INITIAL, words(padded(text)))
    assert w.add(a, INITIAL[0]) == state[0]
    assert w.preamble == w.body == []


@pytest.mark.parametrize("forms", FORMS, ids=str)
@given(text=st.binary(min_size=56, max_size=119))
def test_two_blocks(forms: Forms, text: bytes) -> None:
    w = Writer(4, forms)
    blocks = padded(text)
    state = compress(w, compress(w, INITIAL, words(blocks[:64])), words(blocks[64:]))
    assert struct.pack("<4I", *state) == hashlib.md5(text).digest()


def varied(word: int, forms: Forms) -> Writer:
    w = Writer(8, forms)
    message: list[Value] = [Uniform(f"%m{i}") for i in range(16)]
    message[word] = Varying("%entry")
    compress_to_a(w, [Uniform(f"%s{i}") for i in range(4)], message)
    return w


@pytest.mark.parametrize("forms", FORMS, ids=str)
def test_the_later_the_varying_word_the_less_varies(forms: Forms) -> None:
    sizes = [len(varied(word, forms).body) for word in range(16)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] - sizes[12] > 12 * 4


def test_uniforms_are_computed_once_for_all_streams() -> None:
    w = varied(3, FORMS[0])
    before = len(w.preamble)
    message: list[Value] = [Uniform(f"%m{i}") for i in range(16)]
    message[3] = Varying("%other")
    compress_to_a(w, [Uniform(f"%s{i}") for i in range(4)], message)
    assert len(w.preamble) == before


def test_sums_gather_what_is_known() -> None:
    w = Writer(4, FORMS[0])
    assert w.add(1, 0xFFFFFFFF) == 0
    assert w.add(Uniform("%u"), 0) == Uniform("%u")
    total = w.add(Varying("%v"), 5, Uniform("%u"), 2**32 - 2)
    assert isinstance(total, Varying)
    assert len(w.body) == 1
    assert w.preamble[0].endswith("add i32 %u, 3")
