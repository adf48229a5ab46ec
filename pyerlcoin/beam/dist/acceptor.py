"""The end of the handshake that was dialled (OTP, Distribution Protocol, "Distribution Handshake", node B)."""

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
    Complement,
    Named,
    OldSendName,
    SendHost,
    Status,
    decode_send_name,
)
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.errors import (
    AlreadyConnected,
    BeamError,
    CookieMismatch,
    HungUp,
    MalformedMessage,
    NotAllowed,
)

__all__ = ["ACCEPTOR_TRANSITIONS", "Acceptor", "NameReceived", "NameRequested", "choose_status"]

_S = HandshakeState
_I = HandshakeInput

#: What follows what. A message that has no entry in its state is out of turn.
ACCEPTOR_TRANSITIONS: Transitions = MappingProxyType(
    {
        _S.AWAIT_NAME: MappingProxyType(
            {_I.NAME: _S.DECIDE_STATUS, _I.OLD_NAME: _S.DECIDE_STATUS_OLD, _I.NAME_REQUEST: _S.DECIDE_NAME}
        ),
        _S.DECIDE_STATUS: MappingProxyType(
            {
                _I.ANSWER_OK: _S.AWAIT_REPLY,
                _I.ANSWER_OK_SIMULTANEOUS: _S.AWAIT_REPLY,
                _I.ANSWER_NOK: _S.FAILED,
                _I.ANSWER_NOT_ALLOWED: _S.FAILED,
                _I.ANSWER_ALIVE: _S.AWAIT_ALIVE,
            }
        ),
        _S.DECIDE_STATUS_OLD: MappingProxyType(
            {
                _I.ANSWER_OK: _S.AWAIT_COMPLEMENT,
                _I.ANSWER_OK_SIMULTANEOUS: _S.AWAIT_COMPLEMENT,
                _I.ANSWER_NOK: _S.FAILED,
                _I.ANSWER_NOT_ALLOWED: _S.FAILED,
                _I.ANSWER_ALIVE: _S.AWAIT_ALIVE_OLD,
            }
        ),
        # A node without a name has no connection and is dialled by nobody: it gets a name, or is sent away.
        _S.DECIDE_NAME: MappingProxyType({_I.ANSWER_NAMED: _S.AWAIT_REPLY, _I.ANSWER_NOT_ALLOWED: _S.FAILED}),
        _S.AWAIT_ALIVE: MappingProxyType({_I.ALIVE_TRUE: _S.AWAIT_REPLY, _I.ALIVE_FALSE: _S.FAILED}),
        _S.AWAIT_ALIVE_OLD: MappingProxyType({_I.ALIVE_TRUE: _S.AWAIT_COMPLEMENT, _I.ALIVE_FALSE: _S.FAILED}),
        _S.AWAIT_COMPLEMENT: MappingProxyType({_I.COMPLEMENT: _S.AWAIT_REPLY}),
        _S.AWAIT_REPLY: MappingProxyType({_I.REPLY: _S.ESTABLISHED}),
        _S.ESTABLISHED: MappingProxyType({}),
        _S.FAILED: MappingProxyType({}),
    }
)

_ANSWERS = {
    Status.OK: _I.ANSWER_OK,
    Status.OK_SIMULTANEOUS: _I.ANSWER_OK_SIMULTANEOUS,
    Status.NOK: _I.ANSWER_NOK,
    Status.NOT_ALLOWED: _I.ANSWER_NOT_ALLOWED,
    Status.ALIVE: _I.ANSWER_ALIVE,
}


@dataclass(frozen=True, slots=True)
class NameReceived:
    """A node says who it is; nothing proves it yet. Call `Acceptor.answer`, say with `choose_status`.

    flags: what it offers; only the low 32 bits if it used the old form.
    """

    peer: NodeName
    flags: DistributionFlags


@dataclass(frozen=True, slots=True)
class NameRequested:
    """A node of that host asks for a name; nothing is proved yet. Call `Acceptor.answer_named`."""

    host: str
    flags: DistributionFlags


def choose_status(ours: NodeName, peer: NodeName, *, connected: bool, pending: bool) -> Status:
    """The status that net_kernel would answer.

    `connected`: we have an established connection to that name; it stays until this peer's proof holds.
    `pending`: our own attempt to that name is under way. Of two attempts that cross, the one of the node with the
    greater name wins (compared by code points): NOK lets ours go on, OK_SIMULTANEOUS means that the caller now
    drops it. A node with our own name is not allowed.
    """
    if peer == ours:
        return Status.NOT_ALLOWED
    if connected:
        return Status.ALIVE
    if pending:
        return Status.NOK if ours.full > peer.full else Status.OK_SIMULTANEOUS
    return Status.OK


class Acceptor(HandshakeMachine):
    """The end that was dialled.

    Args:
        ours: the local node.
        cookie: what the digests are made with.
        challenge: a fresh unpredictable number, 0 to 2**32 - 1.
        creation: ours, from epmd.
        flags: what we offer.
        length_size: bytes of the length in front of each message: 2, or 4 on a TLS carrier.
        frame_limit: the longest message taken, in bytes.

    Events: NameReceived or NameRequested, then Established. On Established close an older connection to that name
    first, and only then write `data_to_send()`: it holds the ack, which tells the peer that this connection is the one.

    `receive_data` raises NotAllowed (it lacks a flag) with a `not_allowed` queued; CookieMismatch with nothing queued:
    the peer is told nothing; AlreadyConnected when it gives way after ALIVE; or a RemoteFault. `receive_eof` raises
    HungUp.
    """

    _transitions = ACCEPTOR_TRANSITIONS

    def __init__(
        self,
        *,
        ours: NodeName,
        cookie: Cookie,
        challenge: int,
        creation: int,
        flags: DistributionFlags,
        length_size: int = 2,
        frame_limit: int = HANDSHAKE_FRAME_LIMIT,
    ) -> None:
        super().__init__(HandshakeState.AWAIT_NAME, length_size, frame_limit)
        self._ours = ours
        self._cookie = cookie
        self._challenge = challenge
        self._creation = creation
        self._flags = flags
        self._peer: NodeName | None = None
        self._peer_flags = DistributionFlags(0)
        self._peer_creation = 0
        self._events: list[NameReceived | NameRequested | Established] = []

    def events(self) -> list[NameReceived | NameRequested | Established]:
        """What happened since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def answer(self, status: Status) -> None:
        """Answer NameReceived; or NameRequested, with NOT_ALLOWED.

        After NOK and NOT_ALLOWED nothing more comes: write `data_to_send()` and close.
        """
        self._decide(_ANSWERS[status])
        self._send(status)
        if status in (Status.OK, Status.OK_SIMULTANEOUS):
            self._send_challenge()

    def answer_named(self, name: NodeName, creation: int) -> None:
        """Answer NameRequested: the peer goes on under that name, of its own host, and with that creation, not 0 to 3.

        `NodeName.dynamic` makes such names. Nobody else may be called so: the handshake does not look.
        """
        self._decide(HandshakeInput.ANSWER_NAMED)
        self._peer = name
        self._peer_creation = creation
        self._send(Named(name, creation))
        # dist_util (OTP 25 to 29) goes under the name only if the flag stands in the challenge as well.
        self._send_challenge(DistributionFlags.DFLAG_NAME_ME)

    def _receive(self, frame: bytes) -> None:
        tag = frame[:1]
        if tag == b"N":
            name = decode_send_name(frame)
            if isinstance(name, SendHost):
                self._move(HandshakeInput.NAME_REQUEST)
                peer = NodeName("undefined", name.host)
                event: NameReceived | NameRequested = NameRequested(name.host, name.flags)
            else:
                self._move(HandshakeInput.NAME)
                self._peer_creation = name.creation
                peer = name.name
                event = NameReceived(peer, name.flags)
            self._receive_name(peer, event, missing(name.flags, REQUIRED))
        elif tag == OldSendName.tag:
            self._move(HandshakeInput.OLD_NAME)
            old = OldSendName.decode(frame)
            # The high half comes with the complement.
            lacking = missing(old.flags, REQUIRED & 0xFFFFFFFF)
            self._receive_name(old.name, NameReceived(old.name, old.flags), lacking)
        elif tag == b"s":
            self._receive_status(Status.decode(frame))
        elif tag == Complement.tag:
            self._move(HandshakeInput.COMPLEMENT)
            self._receive_complement(Complement.decode(frame))
        elif tag == ChallengeReply.tag:
            self._move(HandshakeInput.REPLY)
            self._receive_reply(ChallengeReply.decode(frame))
        else:
            raise MalformedMessage(f"an initiator's handshake has no message {tag!r}")

    def _receive_name(self, peer: NodeName, event: NameReceived | NameRequested, lacking: tuple[str, ...]) -> None:
        self._peer = peer
        self._peer_flags = event.flags
        # A long name and a short one: only who dials minds that, as on the BEAM. It lets C nodes in, whose host part is
        # whatever their machine is called.
        if lacking:
            self._send(Status.NOT_ALLOWED)
            raise NotAllowed(peer.full, lacking)
        self._events.append(event)

    def _receive_status(self, status: Status) -> None:
        if status is Status.TRUE:
            self._move(HandshakeInput.ALIVE_TRUE)
            self._send_challenge()
        elif status is Status.FALSE:
            self._move(HandshakeInput.ALIVE_FALSE)
            raise AlreadyConnected(self._known_peer.full)
        else:
            raise MalformedMessage(f"status {status.value} from an initiator")

    def _receive_complement(self, message: Complement) -> None:
        self._peer_flags |= message.flags_high << 32
        self._peer_creation = message.creation
        # Too late for a status: the challenge is out. dist_util closes here as well.
        lacking = missing(self._peer_flags, REQUIRED)
        if lacking:
            raise NotAllowed(self._known_peer.full, lacking)

    def _receive_reply(self, message: ChallengeReply) -> None:
        peer = self._known_peer
        if not hmac.compare_digest(message.digest, digest(self._cookie, self._challenge)):
            raise CookieMismatch(peer.full)
        self._send(ChallengeAck(digest(self._cookie, message.challenge)))
        flags = negotiate(self._flags, self._peer_flags)
        self._events.append(Established(peer, flags, self._peer_creation, self._take_trailing()))

    @property
    def _known_peer(self) -> NodeName:
        assert self._peer is not None  # the table leads nowhere before a name came
        return self._peer

    def _send_challenge(self, extra: int = 0) -> None:
        self._send(Challenge(self._flags | extra, self._challenge, self._creation, self._ours))

    def _meaning_of_eof(self) -> BeamError:
        return HungUp(self._peer.full if self._peer else "a node", self._state.value)
