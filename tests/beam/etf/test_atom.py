"""Atoms as Python values."""

from __future__ import annotations

import copy
import pickle

import pytest

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf import FALSE, NIL, OK, TRUE, UNDEFINED, Atom


def test_equal_by_name_and_to_nothing_else() -> None:
    assert Atom("ok") == OK
    assert hash(Atom("ok")) == hash(OK)
    assert Atom("ok") != Atom("okay")
    others: list[object] = ["true", b"true", True, 1]
    assert TRUE not in others
    assert len({TRUE, FALSE, NIL, UNDEFINED, *others}) == 7


def test_shows_its_name() -> None:
    assert repr(Atom("ok")) == "Atom('ok')"
    assert str(Atom("Elixir.ElixirCoin.Server")) == "Elixir.ElixirCoin.Server"


def test_matches_by_name() -> None:
    request: object = (Atom("hello"), b"Alice")
    match request:
        case (Atom("done"), bytes()):
            pytest.fail("another atom")
        case (Atom("hello"), bytes() as name):
            assert name == b"Alice"
        case _:
            pytest.fail("it is a hello")


@pytest.mark.parametrize("character", ["a", "é", "😀"])
def test_the_limit_is_in_characters(character: str) -> None:
    assert Atom(character * 255).name == character * 255
    with pytest.raises(UnencodableTerm, match="255 characters, not 256"):
        Atom(character * 256)


def test_no_lone_surrogate() -> None:
    with pytest.raises(UnencodableTerm, match="surrogate"):
        Atom("\ud800")


def test_copies_and_pickles() -> None:
    assert pickle.loads(pickle.dumps(OK)) == OK
    assert copy.deepcopy(OK).wire == OK.wire
