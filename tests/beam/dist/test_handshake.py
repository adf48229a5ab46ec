from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import (
    HANDSHAKE_FRAME_LIMIT,
    MANDATORY,
    OFFERED,
    Acceptor,
    Cookie,
    DistributionFlags,
    HandshakeState,
    Initiator,
    NameReceived,
    NameRequested,
    Status,
)
from pyerlcoin.beam.errors import AlreadyConnected, CookieMismatch, HungUp, LimitExceeded, Refused, RemoteFault
from tests.support.golden import GIVEN_CREATION, message
from tests.support.handshakes import ASKING, GIVEN, MESSAGES, A, B, acceptor, initiator, join


@pytest.mark.parametrize("length_size", [2, 4], ids=["plain", "TLS"])
@pytest.mark.parametrize("status", [Status.OK, Status.OK_SIMULTANEOUS, Status.ALIVE])
def test_two_ends_come_to_an_agreement(status: Status, length_size: int) -> None:
    one, other = initiator(length_size=length_size), acceptor(length_size=length_size)
    at_b, at_a = join(one, other, status)
    assert (at_a.peer, at_a.creation, at_a.trailing) == (B, 9, b"")
    assert (at_b.peer, at_b.creation, at_b.trailing) == (A, 8, b"")
    assert at_a.flags == at_b.flags
    assert one.state is other.state is HandshakeState.ESTABLISHED


@pytest.mark.parametrize("offered", [OFFERED, ASKING])
@pytest.mark.parametrize("length_size", [2, 4], ids=["plain", "TLS"])
def test_a_node_without_a_name_gets_one(length_size: int, offered: DistributionFlags) -> None:
    one = initiator(flags=ASKING, length_size=length_size)
    at_b, at_a = join(one, acceptor(flags=offered, length_size=length_size), Status.OK)
    assert (at_a.peer, at_a.creation) == (B, 9)
    assert (at_b.peer, at_b.creation) == (GIVEN, GIVEN_CREATION)
    # To ask for a name is nothing that a connection speaks.
    assert at_a.flags == at_b.flags == OFFERED | MANDATORY[25]


def test_the_flags_are_what_both_offered() -> None:
    alias = DistributionFlags.DFLAG_ALIAS
    everything = DistributionFlags(0xFFFFFFFFFFFFFFFF)
    at_b, at_a = join(initiator(flags=everything & ~alias), acceptor(), Status.OK)
    assert at_a.flags == at_b.flags
    assert not at_a.flags & (alias | DistributionFlags.DFLAG_FRAGMENTS)
    assert at_a.flags & DistributionFlags.DFLAG_ALTACT_SIG


def test_an_initiator_may_give_way() -> None:
    one, other = initiator(), acceptor()
    with pytest.raises(AlreadyConnected):
        join(one, other, Status.ALIVE, go_on=False)
    assert one.state is other.state is HandshakeState.FAILED


@pytest.mark.parametrize("machine", [initiator(), acceptor()])
def test_a_long_message_is_refused_by_its_length_alone(machine: Initiator | Acceptor) -> None:
    with pytest.raises(LimitExceeded) as caught:
        machine.receive_data((HANDSHAKE_FRAME_LIMIT + 1).to_bytes(2, "big"))
    assert caught.value.size == HANDSHAKE_FRAME_LIMIT + 1
    assert machine.state is HandshakeState.FAILED


def test_an_established_handshake_takes_no_more_bytes() -> None:
    one, other = initiator(), acceptor()
    join(one, other, Status.OK)
    for machine in (one, other):
        machine.receive_eof()
        with pytest.raises(RuntimeError, match="link"):
            machine.receive_data(b"x")


@pytest.mark.parametrize("make", [initiator, acceptor])
def test_a_failed_handshake_swallows_what_still_comes(make: Callable[[], Initiator | Acceptor]) -> None:
    machine = make()
    machine.data_to_send()
    with pytest.raises(RemoteFault):
        machine.receive_data(message(b"?"))
    for data in MESSAGES.values():
        machine.receive_data(message(data))
    machine.receive_eof()
    assert machine.state is HandshakeState.FAILED
    assert (machine.events(), machine.data_to_send()) == ([], b"")


def test_nothing_shows_the_cookie() -> None:
    for machine in (initiator(), acceptor()):
        assert "monster" not in repr(vars(machine))


_pieces = st.one_of(st.sampled_from(list(MESSAGES.values())), st.binary(max_size=40))


@given(st.booleans(), st.lists(_pieces, max_size=6), st.sampled_from([Status.OK, Status.ALIVE]))
def test_whatever_comes_only_remote_faults_and_refusals_come_out(
    dialled: bool, pieces: list[bytes], status: Status
) -> None:
    machine = acceptor() if dialled else initiator()
    with suppress(RemoteFault, Refused):
        for piece in pieces:
            if machine.state is HandshakeState.ESTABLISHED:
                break
            machine.receive_data(message(piece))
            for event in machine.events():
                if isinstance(machine, Acceptor) and isinstance(event, NameReceived):
                    machine.answer(status)
                elif isinstance(machine, Acceptor) and isinstance(event, NameRequested):
                    machine.answer_named(GIVEN, GIVEN_CREATION)
        with suppress(HungUp):
            machine.receive_eof()


def test_a_wrong_proof_is_noticed_on_either_side() -> None:
    with pytest.raises(CookieMismatch) as caught:
        join(initiator(cookie=Cookie("other")), acceptor(), Status.OK)
    assert caught.value.node == A.full
