"""Native records: what is read, what is refused, and what they say of themselves."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.errors import LimitExceeded, MalformedTerm
from pyerlcoin.beam.etf import Atom, Limits, Map, Record, Term, binary_to_term, decode, encode
from tests.beam.etf.golden import RECORD
from tests.support.terms import atoms, terms

_COIN = bytes.fromhex(RECORD)
_HEAD = b"\x43\0\0\0\1\1\x77\1m\x77\1r"


def _record(data: bytes) -> Record:
    term, end = decode(data)
    assert end == len(data)
    assert isinstance(term, Record)
    return term


def test_a_record_is_its_bytes() -> None:
    coin = _record(_COIN)
    assert coin == Record(_COIN) == pickle.loads(pickle.dumps(coin))
    assert encode(coin) == _COIN
    assert hash(coin) == hash(Record(_COIN))
    assert coin != Record(_COIN[:-1] + b"\0")
    not_exported = _record(_COIN[:5] + b"\0" + _COIN[6:])
    assert not_exported != coin
    assert repr(coin) == f"Record(Atom('c'), Atom('coin'), <{len(_COIN)} bytes>)"


def test_it_says_what_is_inside() -> None:
    coin = _record(_COIN)
    assert (coin.module, coin.name) == (Atom("c"), Atom("coin"))
    assert list(coin.fields.items()) == [(Atom("name"), b"Alice"), (Atom("n"), 255)]
    coin.fields.clear()
    assert coin.fields[Atom("n")] == 255


@given(atoms, atoms, st.dictionaries(atoms, terms, max_size=4))
def test_it_gives_back_what_it_is_made_of(module: Atom, name: Atom, fields: dict[Atom, Term]) -> None:
    body = b"".join(map(encode, (module, name, *fields, *fields.values())))
    made = _record(b"\x43" + len(fields).to_bytes(4) + b"\0" + body)
    assert (made.module, made.name) == (module, name)
    assert repr(made.fields) == repr(fields)


def test_more_fields_than_a_small_tuple_has_elements() -> None:
    names = [Atom(f"f{number}") for number in range(300)]
    body = b"".join(map(encode, (Atom("m"), Atom("r"), *names, *range(300))))
    assert _record(b"\x43\0\0\1\x2c\1" + body).fields == dict(zip(names, range(300), strict=True))


def test_records_are_keys_and_elements() -> None:
    coin = Record(_COIN)
    assert decode(b"\x68\2" + _COIN + _COIN)[0] == (coin, coin)
    held = decode(b"\x74\0\0\0\1" + _COIN + b"\x61\1")[0]
    assert held == Map({coin: 1})
    assert isinstance(held, Map)
    assert held[coin] == 1


def test_a_record_within_a_record_keeps_its_own_bytes() -> None:
    outer = _record(_HEAD + b"\x77\1a" + _COIN)
    assert outer.fields == {Atom("a"): Record(_COIN)}
    assert decode(b"\x68\2" + _COIN + outer.wire)[0] == (Record(_COIN), outer)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x43\0\0\0\0\2\x77\1m\x77\1r", "flags 2"),
        (b"\x43\0\0\0\0\xff\x77\1m\x77\1r", "flags 255"),
        (b"\x43\0\0\0\0\1\x61\1\x77\1r", "no atom"),
        (b"\x43\0\0\0\0\1\x77\1m\x6a", "no atom"),
        (_HEAD + b"\x61\1\x61\1", "no atom"),
        (b"\x43\0\0\0\2\1\x77\1m\x77\1r\x77\1a\x77\1a\x61\1\x61\2", "two equal fields"),
        (b"\x43\0\0\0\2\1\x77\1m\x77\1r\x77\1a\x64\0\1a\x61\1\x61\2", "two equal fields"),
        (b"\x43\0\0\0\3\1\x77\1m\x77\1", "8 terms announced where 5 bytes are left"),
        (b"\x43\0\0\0\0", "ends too early"),
        (b"\x43\0\0", "ends too early"),
        (_HEAD + b"\x77\1a", "ends too early"),
        (_HEAD + b"\x77\1a\x50", "a compressed term"),
        (_HEAD + b"\x77\1a\x74\0\0\0\2\x6a\x6a\x6a\x6a", "two equal keys"),
    ],
)
def test_malformed(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedTerm, match=reason):
        binary_to_term(b"\x83" + data)


def test_the_limits_hold_inside() -> None:
    nested = _HEAD + b"\x77\1a\x68\1\x6e\2\0\1\1"
    exact = {"max_depth": 2, "max_terms": 5, "max_integer_bytes": 2}
    assert decode(nested, 0, Limits(**exact))[0] == Record(nested)
    for name, value in exact.items():
        with pytest.raises(LimitExceeded):
            decode(nested, 0, Limits(**{**exact, name: value - 1}))


def test_who_takes_more_can_look_into_more() -> None:
    deep = _HEAD + b"\x77\1a" + b"\x68\1" * 300 + b"\x6e\2\0\1\1"
    record, _ = decode(deep, 0, Limits(max_depth=301))
    assert isinstance(record, Record)
    assert encode(record.fields[Atom("a")]) == b"\x68\1" * 300 + b"\x62\0\0\1\1"
