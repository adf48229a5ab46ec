"""The end of the handshake that dialled (OTP, Distribution Protocol, "Distribution Handshake", node A)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from types import MappingProxyType

from pyerlcoin.beam.dist.cookie import Cookie, digest
from pyerlcoin.beam.dist.flags import REQUIRED, DistributionFlags, missing, negotiate
from pyerlcoin.beam.dist.handshake import (
    HANDSHAKE_FRAME_LIMIT,
    Established,
    HandshakeInput,
    HandshakeMachine,
    HandshakeState,
    Transitions,
)
from pyerlcoin.beam.dist.handshake_messages import (
    Challenge,
    ChallengeAck,
    ChallengeReply,
    Named,
    SendHost,
    SendName,
    Status,
)
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.errors import (
    AlreadyConnected,
    BeamError,
    CookieMismatch,
    HungUp,
    MalformedMessage,
    NotAllowed,
    WrongPeer,
)

__all__ = ["INITIATOR_TRANSITIONS", "AliveReceived", "Initiator", "NameGiven"]

_S = HandshakeState
_I = HandshakeInput

#: What follows what. A message that has no entry in its state is out of turn.
INITIATOR_TRANSITIONS: Transitions = MappingProxyType(
    {
        _S.AWAIT_STATUS: MappingProxyType(
            {
                _I.STATUS_OK: _S.AWAIT_CHALLENGE,
                _I.STATUS_OK_SIMULTANEOUS: _S.AWAIT_CHALLENGE,
                _I.STATUS_NOK: _S.FAILED,
                _I.STATUS_NOT_ALLOWED: _S.FAILED,
                _I.STATUS_ALIVE: _S.DECIDE_ALIVE,
            }
        ),
        _S.AWAIT_NAMED: MappingProxyType(
            {_I.STATUS_NAMED: _S.AWAIT_CHALLENGE, _I.STATUS_NOT_ALLOWED: _S.FAILED},
        ),
        _S.DECIDE_ALIVE: MappingProxyType({_I.ANSWER_TRUE: _S.AWAIT_CHALLENGE, _I.ANSWER_FALSE: _S.FAILED}),
        _S.AWAIT_CHALLENGE: MappingProxyType({_I.CHALLENGE: _S.AWAIT_ACK}),
        _S.AWAIT_ACK: MappingProxyType({_I.ACK: _S.ESTABLISHED}),
        _S.ESTABLISHED: MappingProxyType({}),
        _S.FAILED: MappingProxyType({}),
    }
)

_STATUS_INPUTS = {
    Status.OK: _I.STATUS_OK,
    Status.OK_SIMULTANEOUS: _I.STATUS_OK_SIMULTANEOUS,
    Status.NOK: _I.STATUS_NOK,
    Status.NOT_ALLOWED: _I.STATUS_NOT_ALLOWED,
    Status.ALIVE: _I.STATUS_ALIVE,
}


@dataclass(frozen=True, slots=True)
class AliveReceived:
    """Status `alive`: the peer believes that it still has a connection to our name. Call `answer_alive`."""


@dataclass(frozen=True, slots=True)
class NameGiven:
    """Status `named:`: the name that we asked for, and our creation. Ours if Established follows."""

    name: NodeName
    creation: int


class Initiator(HandshakeMachine):
    """The dialling end. Its first bytes are ready at once.

    Args:
        ours, peer: the local node, and the one that was dialled; NameFormMismatch if one is long, one short.
            With DFLAG_NAME_ME in `flags` only the host part of `ours` is told, and the peer gives a name of it.
        cookie: what the digests are made with.
        challenge: a fresh unpredictable number, 0 to 2**32 - 1.
        creation: ours, from epmd.
        flags: what we offer.
        length_size: bytes of the length in front of each message: 2, or 4 on a TLS carrier.
        frame_limit: the longest message taken, in bytes.

    Events: AliveReceived, NameGiven, Established. `receive_data` raises AlreadyConnected (nok), NotAllowed, WrongPeer,
    CookieMismatch, or a RemoteFault; `receive_eof` CookieMismatch once our proof is sent, since a node with
    another cookie closes without a word, else HungUp.
    """

    _transitions = INITIATOR_TRANSITIONS

    def __init__(
        self,
        *,
        ours: NodeName,
        peer: NodeName,
        cookie: Cookie,
        challenge: int,
        creation: int,
        flags: DistributionFlags,
        length_size: int = 2,
        frame_limit: int = HANDSHAKE_FRAME_LIMIT,
    ) -> None:
        asks = bool(flags & DistributionFlags.DFLAG_NAME_ME)
        super().__init__(HandshakeState.AWAIT_NAMED if asks else HandshakeState.AWAIT_STATUS, length_size, frame_limit)
        ours.require_same_form(peer)
        self._host = ours.host
        self._peer = peer
        self._cookie = cookie
        self._challenge = challenge
        self._flags = flags
        self._peer_creation = 0
        self._events: list[AliveReceived | NameGiven | Established] = []
        self._send(SendHost(flags, creation, ours.host) if asks else SendName(flags, creation, ours))

    def events(self) -> list[AliveReceived | NameGiven | Established]:
        """What happened since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def answer_alive(self, go_on: bool) -> None:
        """Answer AliveReceived. True: the old connection is gone here, take this one. False: give this one up.

        After False nothing more comes: write `data_to_send()` and close.
        """
        self._decide(HandshakeInput.ANSWER_TRUE if go_on else HandshakeInput.ANSWER_FALSE)
        self._send(Status.TRUE if go_on else Status.FALSE)

    def _receive(self, frame: bytes) -> None:
        tag = frame[:1]
        if frame.startswith(Named.tag):
            self._move(HandshakeInput.STATUS_NAMED)
            self._receive_named(Named.decode(frame))
        elif tag == b"s":
            self._receive_status(Status.decode(frame))
        elif tag == Challenge.tag:
            self._move(HandshakeInput.CHALLENGE)
            self._receive_challenge(Challenge.decode(frame))
        elif tag == ChallengeAck.tag:
            self._move(HandshakeInput.ACK)
            self._receive_ack(ChallengeAck.decode(frame))
        else:
            raise MalformedMessage(f"an acceptor's handshake has no message {tag!r}")

    def _receive_status(self, status: Status) -> None:
        happened = _STATUS_INPUTS.get(status)
        if happened is None:
            raise MalformedMessage(f"status {status.value} from an acceptor")
        self._move(happened)
        if status is Status.NOK:
            raise AlreadyConnected(self._peer.full)
        if status is Status.NOT_ALLOWED:
            raise NotAllowed(self._peer.full)
        if status is Status.ALIVE:
            self._events.append(AliveReceived())

    def _receive_named(self, message: Named) -> None:
        if message.name.host != self._host:
            raise MalformedMessage(f"{self._peer} gives a node of {self._host} the name {message.name}")
        self._events.append(NameGiven(message.name, message.creation))

    def _receive_challenge(self, message: Challenge) -> None:
        if message.name != self._peer:
            raise WrongPeer(self._peer.full, message.name.full)
        self._flags = negotiate(self._flags, message.flags)
        # dist_util: the initiator judges the flags that both have, the acceptor those that the peer sent.
        lacking = missing(self._flags, REQUIRED)
        if lacking:
            raise NotAllowed(self._peer.full, lacking)
        self._peer_creation = message.creation
        self._send(ChallengeReply(self._challenge, digest(self._cookie, message.challenge)))

    def _receive_ack(self, message: ChallengeAck) -> None:
        if not hmac.compare_digest(message.digest, digest(self._cookie, self._challenge)):
            raise CookieMismatch(self._peer.full)
        self._events.append(Established(self._peer, self._flags, self._peer_creation, self._take_trailing()))

    def _meaning_of_eof(self) -> BeamError:
        # "B closes the connection": an acceptor that finds our digest wrong says nothing else.
        if self._state is HandshakeState.AWAIT_ACK:
            return CookieMismatch(self._peer.full)
        return HungUp(self._peer.full, self._state.value)
