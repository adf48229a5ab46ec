"""Maps, improper lists, bitstrings and external funs as Python values."""

from __future__ import annotations

import pickle
from collections import UserDict

import pytest
from hypothesis import given

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf import TRUE, Atom, BitString, Export, ImproperList, Map, Term, encode
from tests.support.terms import pairs_of, scalars, terms

A, B = Atom("a"), Atom("b")


def test_keys_are_exact() -> None:
    made = Map([(1, A), (1.0, B), (TRUE, b"c"), ([1], b"d"), (Map({1: 1}), b"e"), (Map({1: 1.0}), b"f"), (0.0, 1)])
    assert len(made) == 7
    assert made[1] == A
    assert made[1.0] == B
    assert made[TRUE] == made[True] == b"c"
    assert made[[1]] == b"d"
    assert made[Map({1: 1})] == b"e"
    assert made[{1: 1.0}] == b"f"
    assert made[0.0] == 1
    assert -0.0 not in made


@given(pairs_of(terms))
def test_each_key_is_found_and_no_other(pairs: list[tuple[Term, Term]]) -> None:
    made = Map(pairs)
    assert len(made) == len(pairs)
    for key, value in pairs:
        assert key in made
        assert repr(made[key]) == repr(value)
    assert {repr(key) for key in made} == {repr(key) for key, _ in pairs}


@given(pairs_of(scalars))
def test_the_order_of_insertion_does_not_count(pairs: list[tuple[Term, Term]]) -> None:
    one, other = Map(pairs), Map(reversed(pairs))
    assert one == other
    assert hash(one) == hash(other)
    assert encode(one) == encode(other)
    assert repr(one) == repr(other)


def test_looks_up_what_encodes_alike() -> None:
    made = Map({"name": "Alice", None: 1})
    assert made["name"] == made[b"name"] == "Alice"
    assert made[Atom("nil")] == 1
    assert made.get("coins") is None
    assert "coins" not in made


def test_what_has_no_form_is_no_key() -> None:
    made = Map({A: 1})
    assert object() not in made
    with pytest.raises(KeyError):
        made[object()]
    with pytest.raises(KeyError):
        made[B]
    with pytest.raises(UnencodableTerm):
        Map([(object(), 1)])


def test_equal_keys_are_refused() -> None:
    for pairs in ([(A, 1), (A, 2)], [("a", 1), (b"a", 1)], [([1], 1), ([1], 1)]):
        with pytest.raises(UnencodableTerm, match="two equal keys"):
            Map(pairs)


def test_equality_is_exact_by_value_too() -> None:
    assert Map({A: 1}) == Map([(A, 1)])
    assert Map({A: 1}) != Map({A: 1.0})
    assert Map({A: True}) != Map({A: 1})
    assert Map({A: 1}) != Map({B: 1})
    other: object = {A: 1}
    assert Map({A: 1}) != other
    assert len({Map({A: 1}), Map({A: 1}), Map({A: 1.0})}) == 2


def test_matches_as_a_mapping() -> None:
    match Map({Atom("__struct__"): Atom("Elixir.Range"), Atom("first"): 1}):
        case {**rest}:
            assert rest == {Atom("__struct__"): Atom("Elixir.Range"), Atom("first"): 1}
        case _:
            pytest.fail("a Map is a Mapping")


def test_a_map_is_made_from_any_mapping_and_pickles() -> None:
    made = Map(UserDict({A: [1, 2]}))
    assert made == Map({A: [1, 2]})
    assert pickle.loads(pickle.dumps(made)) == made
    assert repr(made) == "Map({Atom('a'): [1, 2]})"
    assert made.form_bytes() == 3


def test_improper_lists() -> None:
    made = ImproperList([A, [B]], 7)
    assert (made.items, made.tail) == ((A, [B]), 7)
    assert made == ImproperList((A, [B]), 7)
    assert made != ImproperList([A, [B]], 8)
    assert made != ImproperList([A], 7)
    other: object = [A, [B], 7]
    assert made != other
    assert repr(ImproperList([A], 7)) == "ImproperList((Atom('a'),), 7)"
    assert len({ImproperList([A], 7), ImproperList([A], 7)}) == 1
    match made:
        case ImproperList((Atom("a"), _), int(tail)):
            assert tail == 7
        case _:
            pytest.fail("it is one")


@pytest.mark.parametrize(("items", "tail"), [([], A), ([A], []), ([A], [B]), ([A], ImproperList([A], B))])
def test_a_proper_list_is_no_improper_one(items: list[Term], tail: Term) -> None:
    with pytest.raises(UnencodableTerm):
        ImproperList(items, tail)


def test_bitstrings_compare_their_bits_only() -> None:
    assert BitString(b"\xff\xff", 3) == BitString(b"\xff\xe0", 3)
    assert BitString(b"\xff\xff", 3).data == b"\xff\xe0"
    assert BitString(b"\xe0", 3) != BitString(b"\xe0", 4)
    assert BitString(b"\xe0", 3) != BitString(b"\xc0", 3)
    assert BitString(b"\xe0", 3) != b"\xe0"
    assert len({BitString(b"\xff", 1), BitString(b"\x80", 1)}) == 1
    assert repr(BitString(b"\x80", 1)) == r"BitString(b'\x80', 1)"


@pytest.mark.parametrize(("data", "bits"), [(b"", 1), (b"a", 0), (b"a", 8), (b"a", -1)])
def test_what_is_no_bitstring(data: bytes, bits: int) -> None:
    with pytest.raises(UnencodableTerm):
        BitString(data, bits)


def test_external_funs() -> None:
    made = Export(A, B, 2)
    assert made == Export(A, B, 2)
    assert made != Export(A, B, 3)
    assert made != (A, B, 2)
    assert len({made, Export(A, B, 2)}) == 1
    assert repr(made) == "Export(Atom('a'), Atom('b'), 2)"
    for arity in (-1, 256):
        with pytest.raises(UnencodableTerm):
            Export(A, B, arity)
