"""Pids, ports, references and funs."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf import Fun, Pid, Port, Reference, decode
from tests.beam.etf.golden import FUN
from tests.support.terms import identifiers

_U32 = st.integers(0, 2**32 - 1)
_NODES = st.sampled_from(["a@b", "", "é@h", "é" * 255, "😀" * 255])


@given(_NODES, _U32, _U32, _U32)
def test_a_pid_gives_back_its_parts(node: str, id: int, serial: int, creation: int) -> None:
    pid = Pid.make(node, id, serial, creation)
    assert (pid.node, pid.id, pid.serial, pid.creation) == (node, id, serial, creation)


@given(_NODES, st.integers(0, 2**64 - 1), _U32)
def test_a_port_gives_back_its_parts(node: str, id: int, creation: int) -> None:
    port = Port.make(node, id, creation)
    assert (port.node, port.id, port.creation) == (node, id, creation)


@given(_NODES, _U32, st.lists(_U32, min_size=1, max_size=5))
def test_a_reference_gives_back_its_parts(node: str, creation: int, words: list[int]) -> None:
    reference = Reference.make(node, creation, words)
    assert (reference.node, reference.creation, reference.words) == (node, creation, tuple(words))


@given(identifiers, identifiers)
def test_equal_exactly_if_all_parts_are(one: Pid | Port | Reference, other: Pid | Port | Reference) -> None:
    assert (one == other) == (repr(one) == repr(other))
    again, _ = decode(one.wire)
    assert again == one
    assert hash(again) == hash(one)
    assert pickle.loads(pickle.dumps(one)) == one


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pid.make("a@b", 2**32, 0, 0),
        lambda: Pid.make("a@b", 0, -1, 0),
        lambda: Pid.make("a@b", 0, 0, 2**32),
        lambda: Pid.make("a" * 256, 0, 0, 0),
        lambda: Port.make("a@b", 2**64, 0),
        lambda: Port.make("a@b", 0, -1),
        lambda: Reference.make("a@b", 0, []),
        lambda: Reference.make("a@b", 0, [1] * 6),
        lambda: Reference.make("a@b", 0, [2**32]),
        lambda: Reference.make("a@b", -1, [1]),
    ],
)
def test_parts_that_do_not_fit(make: Callable[[], object]) -> None:
    with pytest.raises(UnencodableTerm):
        make()


def test_shown_by_their_parts() -> None:
    assert repr(Pid.make("a@b", 91, 0, 3)) == "Pid('a@b', 91, 0, creation=3)"
    assert repr(Port.make("a@b", 6, 3)) == "Port('a@b', 6, creation=3)"
    assert repr(Reference.make("a@b", 3, [1, 2])) == "Reference('a@b', creation=3, words=(1, 2))"


def test_a_fun_is_its_bytes() -> None:
    fun = Fun(bytes.fromhex(FUN))
    assert fun == decode(fun.wire)[0] == pickle.loads(pickle.dumps(fun))
    assert fun != Fun(fun.wire[:-1] + b"\0")
    assert repr(fun) == f"Fun(<{len(FUN) // 2} bytes>)"
