"""What the encoder takes besides what the decoder gives, and what it refuses. Golden bytes are in test_golden.py."""

from __future__ import annotations

import enum
import math
from collections import OrderedDict, UserDict
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf import FALSE, NIL, TRUE, Atom, ImproperList, Map, Term, encode, encode_into, term_to_binary
from pyerlcoin.beam.etf.encode import MAX_ENCODED_DEPTH, MAX_ENCODED_INTEGER_BYTES


class _Range(NamedTuple):
    first: int
    last: int


class _Colour(enum.IntEnum):
    RED = 3


class _Text(str):
    __slots__ = ()


class _Numbers(list[int]):
    pass


@pytest.mark.parametrize(
    ("given", "same"),
    [
        (True, TRUE),
        (False, FALSE),
        (None, NIL),
        ("é", "é".encode()),
        (_Text("a"), b"a"),
        (bytearray(b"a"), b"a"),
        (memoryview(b"abc")[::2], b"ac"),
        (_Range(1, 5), (1, 5)),
        (_Colour.RED, 3),
        (_Numbers([1]), [1]),
        ({Atom("b"): 1, Atom("a"): {1: 2}}, Map([(Atom("a"), Map({1: 2})), (Atom("b"), 1)])),
        (OrderedDict(a=True), Map({b"a": TRUE})),
        (UserDict({1.0: None}), Map({1.0: NIL})),
        ([("a", {}), {}], [(b"a", Map()), Map()]),
    ],
)
def test_also_accepted(given: Term, same: Term) -> None:
    assert encode(given) == encode(same)
    assert term_to_binary(given) == b"\x83" + encode(same)


def _nested(depth: int, wrap: Callable[[Any], Any]) -> Any:
    term: Any = []
    for _ in range(depth):
        term = wrap(term)
    return term


def _cyclic_list() -> list[Any]:
    cycle: list[Any] = [1]
    cycle.append((cycle, 2))
    return cycle


def _cyclic_dict() -> dict[Any, Any]:
    cycle: dict[Any, Any] = {}
    cycle[1] = [cycle]
    return cycle


def _dicts_in_keys() -> Term:
    # Each level is encoded within the encoding of the one around it.
    term: Term = {}
    for _ in range(2000):
        term = _Pairs(term)
    return term


class _Pairs(UserDict[Any, Any]):
    """A mapping whose one key is another of its kind."""

    def __init__(self, key: Term) -> None:
        self.key = key

    def items(self) -> Any:
        return [(self.key, 1)]


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        (object(), "a object is no Erlang term"),
        ({1, 2}, "a set is no"),
        (1j, "a complex is no"),
        (len, "no Erlang term"),
        (math.inf, "no float inf"),
        (-math.inf, "no float -inf"),
        (math.nan, "no float nan"),
        ("\udc80", "surrogate"),
        ({"a": 1, b"a": 2}, "two equal keys"),
        ({"a": object()}, "no Erlang term"),
        ({object(): 1}, "no Erlang term"),
        (1 << 8 * MAX_ENCODED_INTEGER_BYTES, "larger than the BEAM's"),
        (_cyclic_list(), "contains itself"),
        (_cyclic_dict(), "contains itself"),
        (_dicts_in_keys(), "nested too deep"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)
def test_refused(term: Term, reason: str) -> None:
    out = bytearray(b"before")
    with pytest.raises(UnencodableTerm, match=reason):
        encode_into(out, (Atom("ok"), [term]))
    assert out == b"before"


@pytest.mark.parametrize(
    "wrap",
    [lambda term: [term], lambda term: (term,), lambda term: ImproperList([term], 1), lambda term: {1: term}],
    ids=["list", "tuple", "improper", "dict"],
)
def test_the_limit_of_depth_is_exact(wrap: Callable[[Any], Any]) -> None:
    assert encode(_nested(MAX_ENCODED_DEPTH, wrap))
    with pytest.raises(UnencodableTerm, match="nested deeper"):
        encode(_nested(MAX_ENCODED_DEPTH + 1, wrap))


def test_the_largest_integer() -> None:
    assert len(encode((1 << 8 * MAX_ENCODED_INTEGER_BYTES) - 1)) == 6 + MAX_ENCODED_INTEGER_BYTES
