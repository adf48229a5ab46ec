from __future__ import annotations

import re
from itertools import product

import pytest

from pyerlcoin.beam.dist import (
    OFFERED,
    Acceptor,
    Cookie,
    DistributionFlags,
    Established,
    HandshakeInput,
    HandshakeState,
    NameReceived,
    NameRequested,
    NodeName,
    Status,
    choose_status,
)
from pyerlcoin.beam.dist.acceptor import ACCEPTOR_TRANSITIONS
from pyerlcoin.beam.dist.handshake_messages import ChallengeReply, Complement, OldSendName, SendHost, SendName
from pyerlcoin.beam.errors import (
    AlreadyConnected,
    CookieMismatch,
    HungUp,
    MalformedMessage,
    NotAllowed,
)
from tests.support import golden
from tests.support.handshakes import ASKING, GIVEN, MESSAGES, A, B, acceptor, sent
from tests.support.machines import CHUNKINGS, feed

_S = HandshakeState
_I = HandshakeInput

_ANSWERS = {
    _I.ANSWER_OK: Status.OK,
    _I.ANSWER_OK_SIMULTANEOUS: Status.OK_SIMULTANEOUS,
    _I.ANSWER_NOK: Status.NOK,
    _I.ANSWER_NOT_ALLOWED: Status.NOT_ALLOWED,
    _I.ANSWER_ALIVE: Status.ALIVE,
}
_WAY_TO = {
    _S.AWAIT_NAME: [],
    _S.DECIDE_STATUS: [_I.NAME],
    _S.DECIDE_STATUS_OLD: [_I.OLD_NAME],
    _S.DECIDE_NAME: [_I.NAME_REQUEST],
    _S.AWAIT_ALIVE: [_I.NAME, _I.ANSWER_ALIVE],
    _S.AWAIT_ALIVE_OLD: [_I.OLD_NAME, _I.ANSWER_ALIVE],
    _S.AWAIT_COMPLEMENT: [_I.OLD_NAME, _I.ANSWER_OK],
    _S.AWAIT_REPLY: [_I.NAME, _I.ANSWER_OK],
    _S.ESTABLISHED: [_I.NAME, _I.ANSWER_OK, _I.REPLY],
    _S.FAILED: [_I.NAME, _I.ANSWER_NOK],
}
_LACKING_V4 = OFFERED & ~DistributionFlags.DFLAG_V4_NC


def _happen(machine: Acceptor, happened: HandshakeInput) -> None:
    if happened is _I.ANSWER_NAMED:
        machine.answer_named(GIVEN, golden.GIVEN_CREATION)
    elif happened in _ANSWERS:
        machine.answer(_ANSWERS[happened])
    else:
        machine.receive_data(golden.message(MESSAGES[happened]))


def _brought_to(state: HandshakeState) -> Acceptor:
    machine = acceptor()
    for happened in _WAY_TO[state]:
        _happen(machine, happened)
    assert machine.state is state
    machine.events()
    machine.data_to_send()
    return machine


def test_the_table_has_all_states_of_an_acceptor() -> None:
    assert set(ACCEPTOR_TRANSITIONS) == set(_WAY_TO)


@pytest.mark.parametrize(
    ("state", "happened"), list(product(ACCEPTOR_TRANSITIONS, [*MESSAGES, *_ANSWERS, _I.ANSWER_NAMED]))
)
def test_every_input_in_every_state(state: HandshakeState, happened: HandshakeInput) -> None:
    machine = _brought_to(state)
    following = ACCEPTOR_TRANSITIONS[state].get(happened)
    if following is not None and happened is _I.ALIVE_FALSE:
        with pytest.raises(AlreadyConnected, match=A.full):
            _happen(machine, happened)
        assert machine.state is following is _S.FAILED
    elif following is not None:
        _happen(machine, happened)
        assert machine.state is following
    elif happened in _ANSWERS or happened is _I.ANSWER_NAMED:
        with pytest.raises(RuntimeError, match="not asked for"):
            _happen(machine, happened)
        assert machine.state is state
        assert machine.data_to_send() == b""
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


@pytest.mark.parametrize("state", [state for state in ACCEPTOR_TRANSITIONS if state not in (_S.ESTABLISHED, _S.FAILED)])
def test_the_end_of_the_connection_in_every_state(state: HandshakeState) -> None:
    machine = _brought_to(state)
    who = {_S.AWAIT_NAME: "a node", _S.DECIDE_NAME: "undefined@127.0.0.1"}.get(state, A.full)
    with pytest.raises(HungUp, match=re.escape(f"{who} hung up while the handshake waited for {state.value}:")):
        machine.receive_eof()
    assert machine.state is _S.FAILED


@CHUNKINGS
def test_otp_25_dials(chunk: int) -> None:
    machine = Acceptor(
        ours=NodeName.parse(golden.GOLDEN),
        cookie=Cookie(golden.COOKIE),
        challenge=0xDEADBEEF,
        creation=golden.CREATION,
        flags=DistributionFlags(golden.GOLDEN_FLAGS),
    )
    assert machine.data_to_send() == b""
    feed(machine, golden.NAME, chunk)
    peer = NodeName.parse(golden.OTP25)
    assert machine.events() == [NameReceived(peer, DistributionFlags(golden.OTP25_FLAGS))]
    machine.answer(Status.OK)
    # What otp25 understood, and the ack that it took.
    assert machine.data_to_send().hex() == (
        "0003736f6b00234e0000002c07070fbcdeadbeef6b03549b0010676f6c64656e403132372e302e302e31"
    )
    feed(machine, golden.CHALLENGE_REPLY[:-1], chunk)
    machine.receive_data(golden.CHALLENGE_REPLY[-1:] + b"rest")
    (event,) = machine.events()
    assert isinstance(event, Established)
    assert (event.peer, event.creation, event.trailing) == (peer, golden.OTP25_CREATION, b"rest")
    assert machine.data_to_send().hex() == "001161299134cafac6205779ccf5087b4dc22e"


@CHUNKINGS
def test_otp_25_asks_for_a_name(chunk: int) -> None:
    machine = Acceptor(
        ours=NodeName.parse(golden.GOLDEN),
        cookie=Cookie(golden.COOKIE),
        challenge=0xDEADBEEF,
        creation=golden.CREATION,
        flags=DistributionFlags(golden.GOLDEN_FLAGS),
    )
    feed(machine, golden.NAME_REQUEST, chunk)
    flags = DistributionFlags(golden.OTP25_FLAGS | DistributionFlags.DFLAG_NAME_ME)
    assert machine.events() == [NameRequested("127.0.0.1", flags)]
    machine.answer_named(GIVEN, golden.GIVEN_CREATION)
    # What it understood, took for its name, and the ack that it took.
    assert machine.data_to_send().hex() == (
        "0027736e616d65643a001a30313233343536373839414243444546403132372e302e302e3100000077"
        "00234e0000002e07070fbcdeadbeef6b03549b0010676f6c64656e403132372e302e302e31"
    )
    feed(machine, golden.NAME_REQUEST_REPLY, chunk)
    (event,) = machine.events()
    assert isinstance(event, Established)
    assert (event.peer, event.creation) == (GIVEN, golden.GIVEN_CREATION)
    assert event.flags == OFFERED & golden.OTP25_FLAGS
    assert machine.data_to_send().hex() == "001161324040668c387f86c7a3c2573cb476db"


def test_a_request_for_a_name_may_be_refused() -> None:
    machine = _brought_to(_S.DECIDE_NAME)
    machine.answer(Status.NOT_ALLOWED)
    assert (sent(machine), machine.state) == ([b"snot_allowed"], _S.FAILED)


def test_a_node_that_was_named_and_has_another_cookie() -> None:
    machine = _brought_to(_S.DECIDE_NAME)
    machine.answer_named(GIVEN, golden.GIVEN_CREATION)
    with pytest.raises(CookieMismatch, match=GIVEN.full):
        machine.receive_data(golden.message(ChallengeReply(1, bytes(16)).encode()))


@pytest.mark.parametrize("status", [Status.OK, Status.ALIVE])
def test_a_name_of_old_is_complemented(status: Status) -> None:
    machine = acceptor()
    machine.receive_data(golden.message(MESSAGES[_I.OLD_NAME]))
    assert machine.events() == [NameReceived(A, DistributionFlags(OFFERED & 0xFFFFFFFF))]
    machine.answer(status)
    if status is Status.ALIVE:
        machine.receive_data(golden.message(b"strue"))
    for happened in (_I.COMPLEMENT, _I.REPLY):
        machine.receive_data(golden.message(MESSAGES[happened]))
    (event,) = machine.events()
    assert isinstance(event, Established)
    assert (event.creation, event.flags) == (8, OFFERED)


def test_nok_and_not_allowed_are_said_and_nothing_more() -> None:
    for status, text in [(Status.NOK, b"snok"), (Status.NOT_ALLOWED, b"snot_allowed")]:
        machine = _brought_to(_S.DECIDE_STATUS)
        machine.answer(status)
        assert (sent(machine), machine.state) == ([text], _S.FAILED)


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        (SendName(DistributionFlags(0), 8, A), "EXTENDED_REFERENCES"),
        (SendName(_LACKING_V4, 8, A), "V4_NC"),
        (SendHost(ASKING & ~DistributionFlags.DFLAG_UNLINK_ID, 0, A.host), "UNLINK_ID"),
        (OldSendName(DistributionFlags(0x7000F94), A), None),
        (OldSendName(DistributionFlags(0x1070F94), A), "UNLINK_ID"),
    ],
)
def test_a_node_without_a_mandatory_flag_is_not_allowed(
    name: SendName | SendHost | OldSendName, lacking: str | None
) -> None:
    machine = acceptor()
    if lacking is None:
        # The digest stands for the others; what is in the high half comes later.
        machine.receive_data(golden.message(name.encode()))
        assert machine.state is _S.DECIDE_STATUS_OLD
        return
    with pytest.raises(NotAllowed) as caught:
        machine.receive_data(golden.message(name.encode()))
    assert lacking in caught.value.lacking
    assert (sent(machine), machine.events()) == ([b"snot_allowed"], [])


def test_the_high_flags_are_judged_when_they_are_there() -> None:
    machine = _brought_to(_S.AWAIT_COMPLEMENT)
    with pytest.raises(NotAllowed, match="V4_NC"):
        machine.receive_data(golden.message(Complement(0, 8).encode()))
    assert machine.data_to_send() == b""


@pytest.mark.parametrize("name", [SendName(OFFERED, 8, NodeName.parse("a@host")), SendHost(ASKING, 0, "host")])
def test_a_short_name_is_let_in_as_on_the_beam(name: SendName | SendHost) -> None:
    """C nodes have one, where their machine has no domain."""
    machine = acceptor()
    machine.receive_data(golden.message(name.encode()))
    assert len(machine.events()) == 1


def test_a_wrong_proof_is_answered_with_silence() -> None:
    machine = _brought_to(_S.AWAIT_REPLY)
    with pytest.raises(CookieMismatch, match=A.full):
        machine.receive_data(golden.message(ChallengeReply(1, bytes(16)).encode()))
    assert (machine.data_to_send(), machine.events(), machine.state) == (b"", [], _S.FAILED)


@pytest.mark.parametrize("data", [b"", b"?", b"a" + bytes(16), b"sok", b"N\0"])
def test_what_no_initiator_says(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        acceptor().receive_data(golden.message(data))


@pytest.mark.parametrize(
    ("peer", "connected", "pending", "status"),
    [
        (A, False, False, Status.OK),
        (A, True, False, Status.ALIVE),
        (A, True, True, Status.ALIVE),
        # Ours is b: it is greater than a, and its own attempt goes on.
        (A, False, True, Status.NOK),
        (NodeName.parse("c@127.0.0.1"), False, True, Status.OK_SIMULTANEOUS),
        (NodeName.parse("B@127.0.0.1"), False, True, Status.NOK),
        (B, False, False, Status.NOT_ALLOWED),
        (B, True, True, Status.NOT_ALLOWED),
    ],
)
def test_the_rule_for_connections_that_cross(peer: NodeName, connected: bool, pending: bool, status: Status) -> None:
    assert choose_status(B, peer, connected=connected, pending=pending) is status


def test_of_two_attempts_that_cross_one_survives() -> None:
    answers = {choose_status(ours, peer, connected=False, pending=True) for ours, peer in [(A, B), (B, A)]}
    assert answers == {Status.NOK, Status.OK_SIMULTANEOUS}
