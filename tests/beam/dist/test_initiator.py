from __future__ import annotations

from itertools import product

import pytest

from pyerlcoin.beam.dist import (
    OFFERED,
    AliveReceived,
    Cookie,
    DistributionFlags,
    Established,
    HandshakeInput,
    HandshakeState,
    Initiator,
    NameGiven,
    NodeName,
)
from pyerlcoin.beam.dist.handshake_messages import Challenge, ChallengeAck, ChallengeReply, Named, SendName
from pyerlcoin.beam.dist.initiator import INITIATOR_TRANSITIONS
from pyerlcoin.beam.errors import (
    AlreadyConnected,
    BeamError,
    CookieMismatch,
    HungUp,
    MalformedMessage,
    NameFormMismatch,
    NotAllowed,
    WrongPeer,
)
from tests.support import golden
from tests.support.handshakes import ASKING, GIVEN, MESSAGES, A, B, initiator, sent
from tests.support.machines import CHUNKINGS, feed

_S = HandshakeState
_I = HandshakeInput

_ANSWERS = {_I.ANSWER_TRUE: True, _I.ANSWER_FALSE: False}
_WAY_TO = {
    _S.AWAIT_STATUS: [],
    _S.AWAIT_NAMED: [],
    _S.DECIDE_ALIVE: [_I.STATUS_ALIVE],
    _S.AWAIT_CHALLENGE: [_I.STATUS_OK],
    _S.AWAIT_ACK: [_I.STATUS_OK, _I.CHALLENGE],
    _S.ESTABLISHED: [_I.STATUS_OK, _I.CHALLENGE, _I.ACK],
    _S.FAILED: [_I.STATUS_ALIVE, _I.ANSWER_FALSE],
}
_REFUSALS: dict[HandshakeInput, type[BeamError]] = {
    _I.STATUS_NOK: AlreadyConnected,
    _I.STATUS_NOT_ALLOWED: NotAllowed,
}


def _happen(machine: Initiator, happened: HandshakeInput) -> None:
    if happened in _ANSWERS:
        machine.answer_alive(_ANSWERS[happened])
    else:
        machine.receive_data(golden.message(MESSAGES[happened]))


def _brought_to(state: HandshakeState) -> Initiator:
    machine = initiator(flags=ASKING if state is _S.AWAIT_NAMED else OFFERED)
    for happened in _WAY_TO[state]:
        _happen(machine, happened)
    assert machine.state is state
    machine.events()
    machine.data_to_send()
    return machine


def test_the_table_has_all_states_of_an_initiator() -> None:
    assert set(INITIATOR_TRANSITIONS) == set(_WAY_TO)


@pytest.mark.parametrize(("state", "happened"), list(product(INITIATOR_TRANSITIONS, [*MESSAGES, *_ANSWERS])))
def test_every_input_in_every_state(state: HandshakeState, happened: HandshakeInput) -> None:
    machine = _brought_to(state)
    following = INITIATOR_TRANSITIONS[state].get(happened)
    if following is not None and happened in _REFUSALS:
        with pytest.raises(_REFUSALS[happened]):
            _happen(machine, happened)
        assert machine.state is following is _S.FAILED
    elif following is not None:
        _happen(machine, happened)
        assert machine.state is following
    elif happened in _ANSWERS:
        with pytest.raises(RuntimeError, match="not asked for"):
            _happen(machine, happened)
        assert machine.state is state
    elif state is _S.ESTABLISHED:
        with pytest.raises(RuntimeError):
            _happen(machine, happened)
    elif state is _S.FAILED:
        _happen(machine, happened)
        assert machine.state is _S.FAILED
    else:
        with pytest.raises(MalformedMessage):
            _happen(machine, happened)
        assert machine.state is _S.FAILED
        assert machine.data_to_send() == b""


@pytest.mark.parametrize("state", list(_WAY_TO)[:-2])
def test_the_end_of_the_connection_in_every_state(state: HandshakeState) -> None:
    machine = _brought_to(state)
    # An acceptor that finds our proof wrong says nothing.
    expected = CookieMismatch if state is _S.AWAIT_ACK else HungUp
    with pytest.raises(expected, match=B.full):
        machine.receive_eof()
    assert machine.state is _S.FAILED


@pytest.mark.parametrize("state", [_S.ESTABLISHED, _S.FAILED])
def test_after_the_end_an_end_means_nothing(state: HandshakeState) -> None:
    machine = _brought_to(state)
    machine.receive_eof()
    assert machine.state is state


@CHUNKINGS
def test_otp_25_is_dialled(chunk: int) -> None:
    machine = Initiator(
        ours=NodeName.parse(golden.GOLDEN),
        peer=NodeName.parse(golden.OTP25),
        cookie=Cookie(golden.COOKIE),
        challenge=0x12345678,
        creation=0x6B0354C0,
        flags=DistributionFlags(golden.GOLDEN_FLAGS),
    )
    assert machine.data_to_send().hex() == "001f4e0000002c07070fbc6b0354c00010676f6c64656e403132372e302e302e31"
    feed(machine, golden.CHALLENGE, chunk)
    # What otp25 took for a proof.
    assert machine.data_to_send().hex() == "0015721234567890d390e37e81676cdbbf4401d65382ae"
    feed(machine, golden.ACK[:-1], chunk)
    assert machine.events() == []
    machine.receive_data(golden.ACK[-1:] + b"\0\0\0")
    (event,) = machine.events()
    assert isinstance(event, Established)
    assert (event.peer.full, event.creation, event.trailing) == (golden.OTP25, 0x6B0354C2, b"\0\0\0")
    assert event.flags == 0xC07070FBC
    assert machine.events() == []


@CHUNKINGS
def test_otp_25_gives_a_name(chunk: int) -> None:
    machine = Initiator(
        ours=NodeName.parse("undefined@127.0.0.1"),
        peer=NodeName.parse(golden.OTP25),
        cookie=Cookie(golden.COOKIE),
        challenge=0x12345678,
        creation=0,
        flags=DistributionFlags(golden.GOLDEN_FLAGS) | DistributionFlags.DFLAG_NAME_ME,
    )
    assert machine.data_to_send().hex() == "00184e0000002e07070fbc0000000000093132372e302e302e31"
    feed(machine, golden.NAMED, chunk)
    assert machine.events() == [NameGiven(NodeName.parse("196S4SL2YD0S1@127.0.0.1"), 0x4A8E78F8)]
    feed(machine, golden.NAMED_CHALLENGE, chunk)
    # What otp25 took for a proof.
    assert machine.data_to_send().hex() == "0015721234567847e6cff003c8379914c034821eae5651"
    feed(machine, golden.NAMED_ACK, chunk)
    (event,) = machine.events()
    assert isinstance(event, Established)
    assert (event.peer.full, event.creation, event.flags) == (golden.OTP25, 0x6B03599D, 0xC07070FBC)


def test_a_name_of_another_host_is_none() -> None:
    machine = _brought_to(_S.AWAIT_NAMED)
    with pytest.raises(MalformedMessage, match=r"a node of 127\.0\.0\.1 the name x@127\.0\.0\.2"):
        machine.receive_data(golden.message(Named(NodeName.parse("x@127.0.0.2"), 9).encode()))
    assert machine.events() == []


def test_a_name_that_nobody_asked_for_is_a_fault() -> None:
    with pytest.raises(MalformedMessage, match="status named"):
        initiator().receive_data(golden.message(Named(GIVEN, 9).encode()))


def test_alive_is_answered_by_the_driver() -> None:
    for go_on, text, state in [(True, b"strue", _S.AWAIT_CHALLENGE), (False, b"sfalse", _S.FAILED)]:
        machine = initiator()
        machine.data_to_send()
        machine.receive_data(golden.ALIVE)
        assert machine.events() == [AliveReceived()]
        machine.answer_alive(go_on)
        assert (sent(machine), machine.state) == ([text], state)


def test_another_node_than_the_one_that_was_dialled() -> None:
    machine = _brought_to(_S.AWAIT_CHALLENGE)
    with pytest.raises(WrongPeer) as caught:
        machine.receive_data(golden.message(Challenge(OFFERED, 1, 9, NodeName.parse("c@127.0.0.1")).encode()))
    assert (caught.value.expected, caught.value.actual) == (B.full, "c@127.0.0.1")
    assert machine.data_to_send() == b""


def test_a_peer_that_lacks_a_flag() -> None:
    machine = _brought_to(_S.AWAIT_CHALLENGE)
    old = DistributionFlags(OFFERED & ~DistributionFlags.DFLAG_MANDATORY_25_DIGEST & ~DistributionFlags.DFLAG_V4_NC)
    with pytest.raises(NotAllowed, match="V4_NC") as caught:
        machine.receive_data(golden.message(Challenge(old, 1, 9, B).encode()))
    assert caught.value.lacking == ("V4_NC",)
    assert machine.data_to_send() == b""


def test_a_wrong_ack_is_another_cookie() -> None:
    machine = _brought_to(_S.AWAIT_ACK)
    with pytest.raises(CookieMismatch):
        machine.receive_data(golden.message(ChallengeAck(bytes(16)).encode()))
    assert machine.events() == []


def test_a_long_name_does_not_dial_a_short_one() -> None:
    with pytest.raises(NameFormMismatch):
        initiator(peer=NodeName.parse("b@host"))


def test_bytes_behind_a_message_are_ignored() -> None:
    machine = initiator()
    machine.receive_data(golden.message(b"sok") + golden.message(MESSAGES[_I.CHALLENGE] + b"news"))
    name, reply = sent(machine)
    assert SendName.decode(name).name == A
    assert ChallengeReply.decode(reply).challenge == 0x12345678
    machine.receive_data(golden.message(MESSAGES[_I.ACK] + b"news"))
    assert machine.state is _S.ESTABLISHED


@pytest.mark.parametrize("data", [b"", b"?", b"n\0\5", b"strue", b"snamed:\0\1x"])
def test_what_no_acceptor_says(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        initiator().receive_data(golden.message(data))
