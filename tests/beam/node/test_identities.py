from __future__ import annotations

from pyerlcoin.beam.etf import Reference
from pyerlcoin.beam.node.identities import Identities

NODE = "a@127.0.0.1"


def test_every_pid_and_reference_is_new() -> None:
    ids = Identities(NODE, 7)
    pids = {ids.pid() for _ in range(40_000)}
    assert len(pids) == 40_000
    assert {(pid.node, pid.creation) for pid in pids} == {(NODE, 7)}
    references = {mint() for mint in (ids.reference, ids.call_reference) for _ in range(1000)}
    assert len(references) == 2000
    assert {(reference.node, reference.creation) for reference in references} == {(NODE, 7)}
    assert all(reference.words[0] < 2**18 for reference in references)  # in the order of the wire


def test_the_references_of_calls_are_told_from_all_others() -> None:
    ids, other = Identities(NODE, 7), Identities(NODE, 8)
    for _ in range(200_000):  # past the end of the counter, which begins anywhere
        assert ids.is_of_a_call(reference := ids.call_reference())
    assert not other.is_of_a_call(reference)
    assert not ids.is_of_a_call(other.call_reference())
    assert not any(ids.is_of_a_call(ids.reference()) for _ in range(1000))
    assert not ids.is_of_a_call(Reference.make(NODE, 7, [2]))
