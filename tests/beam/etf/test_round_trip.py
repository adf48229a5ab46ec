"""What is encoded and decoded again is what it was; and another codec, written by others, agrees."""

from __future__ import annotations

import struct
from typing import Any

import erlang
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.etf import (
    Atom,
    BitString,
    ImproperList,
    Map,
    Pid,
    Reference,
    Term,
    binary_to_term,
    decode,
    encode,
    encode_into,
    term_to_binary,
)
from tests.support.terms import atoms, integers, terms


@given(terms)
def test_round_trip(term: Term) -> None:
    again = binary_to_term(term_to_binary(term))
    # repr tells 1 from 1.0, which Python's == does not.
    assert repr(again) == repr(term)
    assert again == term
    assert encode(again) == encode(term)


@given(terms, st.binary(max_size=9), st.binary(max_size=9))
def test_a_term_among_other_bytes(term: Term, before: bytes, after: bytes) -> None:
    out = bytearray(before)
    encode_into(out, term)
    end = len(out)
    again, found = decode(bytes(out) + after, len(before))
    assert found == end
    assert repr(again) == repr(term)


# The terms that erlang-py knows. Its dicts cannot tell 1 from 1.0, so keys are binaries and atoms; it reads
# `undefined` as None.
_names = atoms.filter(lambda atom: atom.name not in ("true", "false", "undefined"))
_floats = st.floats(allow_nan=False, allow_infinity=False)
_shared: st.SearchStrategy[Term] = st.recursive(
    st.one_of(
        _names,
        integers,
        _floats,
        st.binary(max_size=9),
        st.builds(BitString, st.binary(min_size=1, max_size=5), st.integers(1, 7)),
        st.builds(Pid.make, st.just("a@b"), st.integers(0, 99), st.integers(0, 2**32 - 1), st.just(7)),
        st.builds(Reference.make, st.just("a@b"), st.just(7), st.lists(st.integers(0, 99), min_size=1, max_size=5)),
    ),
    lambda children: st.one_of(
        st.lists(children, max_size=5),
        st.lists(children, max_size=5).map(tuple),
        st.builds(ImproperList, st.lists(children, min_size=1, max_size=4), st.one_of(_names, integers)),
        st.dictionaries(st.one_of(_names, st.binary(max_size=9)), children, max_size=5).map(Map),
    ),
    max_leaves=20,
)


def _theirs(term: Any) -> Any:
    """The same term in erlang-py's classes."""
    match term:
        case Atom(name):
            return erlang.OtpErlangAtom(name)
        case bytes():
            return erlang.OtpErlangBinary(term)
        case BitString(data, bits):
            return erlang.OtpErlangBinary(data, bits)
        case tuple():
            return tuple(map(_theirs, term))
        case list():
            return erlang.OtpErlangList(list(map(_theirs, term)))
        case ImproperList(items, tail):
            return erlang.OtpErlangList([*map(_theirs, items), _theirs(tail)], improper=True)
        case Map():
            return {_theirs(key): _theirs(value) for key, value in term.items()}
        case Pid():
            numbers = [struct.pack(">I", number) for number in (term.id, term.serial, term.creation)]
            return erlang.OtpErlangPid(erlang.OtpErlangAtom(term.node), *numbers)
        case Reference():
            words = struct.pack(f">{len(term.words)}I", *term.words)
            return erlang.OtpErlangReference(erlang.OtpErlangAtom(term.node), words, struct.pack(">I", term.creation))
    return term


@given(_shared)
def test_erlang_py_writes_what_we_read(term: Term) -> None:
    assert repr(binary_to_term(erlang.term_to_binary(_theirs(term)))) == repr(term)


@given(_shared)
def test_erlang_py_reads_what_we_write(term: Term) -> None:
    theirs = erlang.binary_to_term(term_to_binary(term))
    assert erlang.term_to_binary(theirs) == erlang.term_to_binary(_normal(_theirs(term)))


def _normal(theirs: Any) -> Any:
    """As erlang-py decodes it: a proper list is a plain list."""
    if isinstance(theirs, erlang.OtpErlangList):
        items = [_normal(item) for item in theirs.value]
        return erlang.OtpErlangList(items, improper=True) if theirs.improper else items
    if isinstance(theirs, tuple):
        return tuple(map(_normal, theirs))
    if isinstance(theirs, dict):
        return {key: _normal(value) for key, value in theirs.items()}
    return theirs
