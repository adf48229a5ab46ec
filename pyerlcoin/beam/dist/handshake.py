"""What both ends of the handshake share: states, inputs, framing and the four verbs.

`initiator.Initiator` and `acceptor.Acceptor` are machines without I/O. Their driver owes them this order::

    machine.receive_data(data)          # or receive_eof(); may raise
    for event in machine.events(): …    # may call answer(), answer_named() or answer_alive()
    transport.write(machine.data_to_send())

also when `receive_data` raised: what was queued before still goes out (a `not_allowed` does), then the
connection is closed. `receive_data` raises RemoteFault or Refused and nothing else on peer bytes, `receive_eof` HungUp
or CookieMismatch; after that the machine is FAILED for good and swallows what still comes. There is no clock inside:
the driver closes what is not ESTABLISHED within `net_setuptime`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from pyerlcoin.beam.dist.flags import DistributionFlags
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.errors import BeamError, LimitExceeded, MalformedMessage

__all__ = [
    "HANDSHAKE_FRAME_LIMIT",
    "Established",
    "HandshakeInput",
    "HandshakeMachine",
    "HandshakeState",
    "Transitions",
]

#: The longest real message is a challenge with a 255 byte name, 274 bytes; what follows it may grow.
HANDSHAKE_FRAME_LIMIT = 1024


class HandshakeState(Enum):
    """Where a handshake stands. DECIDE_ states wait for the driver, AWAIT_ states for the peer.

    The _OLD twins remember that the name came in the old form, so that a complement is due before the reply.
    """

    # the initiator's
    AWAIT_STATUS = "the status"
    AWAIT_NAMED = "the name that it asked for"
    DECIDE_ALIVE = "our answer to alive"
    AWAIT_CHALLENGE = "the challenge"
    AWAIT_ACK = "the challenge ack"
    # the acceptor's
    AWAIT_NAME = "the name"
    DECIDE_STATUS = "our status"
    DECIDE_STATUS_OLD = "our status (old name)"
    DECIDE_NAME = "the name that we give"
    AWAIT_ALIVE = "the answer to alive"
    AWAIT_ALIVE_OLD = "the answer to alive (old name)"
    AWAIT_COMPLEMENT = "the complement"
    AWAIT_REPLY = "the challenge reply"
    # either's
    ESTABLISHED = "nothing: it is established"
    FAILED = "nothing: it failed"


class HandshakeInput(Enum):
    """What moves a handshake: a message of the peer's, or a decision of the driver's (ANSWER_)."""

    # to the initiator
    STATUS_OK = "status ok"
    STATUS_OK_SIMULTANEOUS = "status ok_simultaneous"
    STATUS_NOK = "status nok"
    STATUS_NOT_ALLOWED = "status not_allowed"
    STATUS_ALIVE = "status alive"
    STATUS_NAMED = "status named"
    CHALLENGE = "a challenge"
    ACK = "a challenge ack"
    ANSWER_TRUE = "answer true"
    ANSWER_FALSE = "answer false"
    # to the acceptor
    NAME = "a name"
    OLD_NAME = "an old name"
    NAME_REQUEST = "a request for a name"
    ALIVE_TRUE = "status true"
    ALIVE_FALSE = "status false"
    COMPLEMENT = "a complement"
    REPLY = "a challenge reply"
    ANSWER_OK = "answer ok"
    ANSWER_OK_SIMULTANEOUS = "answer ok_simultaneous"
    ANSWER_NOK = "answer nok"
    ANSWER_NOT_ALLOWED = "answer not_allowed"
    ANSWER_ALIVE = "answer alive"
    ANSWER_NAMED = "answer named"


Transitions = Mapping[HandshakeState, Mapping[HandshakeInput, HandshakeState]]


@dataclass(frozen=True, slots=True)
class Established:
    """Both proofs held. The last event of a handshake; make the link from it.

    flags: what both sides offered. creation: the peer's. trailing: bytes that came after the handshake's last
    message; they are the link's first.
    """

    peer: NodeName
    flags: DistributionFlags
    creation: int
    trailing: bytes = field(repr=False)


class _Message(Protocol):
    def encode(self) -> bytes:
        """Its bytes, without the length."""


class HandshakeMachine(ABC):
    """The common half of Initiator and Acceptor: frames in, frames out, the state. Not for direct use."""

    _transitions: Transitions

    def __init__(self, start: HandshakeState, length_size: int, frame_limit: int) -> None:
        self._state = start
        self._length_size = length_size
        self._frame_limit = frame_limit
        self._buffer = bytearray()
        self._output = bytearray()

    @property
    def state(self) -> HandshakeState:
        """Where it stands."""
        return self._state

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the peer's.

        Raises:
            RemoteFault: they break the protocol or pass a limit.
            Refused: the peer says no, or its proof fails.
            RuntimeError: the handshake is established; these bytes are the link's.
        """
        if self._state is HandshakeState.ESTABLISHED:
            raise RuntimeError("the handshake is over: these bytes belong to the link")
        if self._state is HandshakeState.FAILED:
            return
        self._buffer += data
        try:
            while self._state not in (HandshakeState.ESTABLISHED, HandshakeState.FAILED):
                frame = self._maybe_take_frame()
                if frame is None:
                    return
                self._receive(frame)
        except BeamError:
            self._state = HandshakeState.FAILED
            raise

    def receive_eof(self) -> None:
        """The peer closed. Raises what that means here, unless the handshake had already ended."""
        if self._state in (HandshakeState.ESTABLISHED, HandshakeState.FAILED):
            return
        error = self._meaning_of_eof()
        self._state = HandshakeState.FAILED
        raise error

    def data_to_send(self) -> bytes:
        """What is to be written to the peer now; empty if nothing."""
        data = bytes(self._output)
        self._output.clear()
        return data

    @abstractmethod
    def _receive(self, frame: bytes) -> None:
        """Take one message, without its length."""

    @abstractmethod
    def _meaning_of_eof(self) -> BeamError:
        """What it means that the peer closes in this state."""

    def _send(self, message: _Message) -> None:
        frame = message.encode()
        self._output += len(frame).to_bytes(self._length_size, "big") + frame

    def _maybe_take_frame(self) -> bytes | None:
        if len(self._buffer) < self._length_size:
            return None
        length = int.from_bytes(self._buffer[: self._length_size], "big")
        if length > self._frame_limit:
            raise LimitExceeded("a handshake message", length, self._frame_limit)
        end = self._length_size + length
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[self._length_size : end])
        del self._buffer[:end]
        return frame

    def _take_trailing(self) -> bytes:
        trailing = bytes(self._buffer)
        self._buffer.clear()
        return trailing

    def _move(self, happened: HandshakeInput) -> None:
        """Follow the table for a message of the peer's."""
        following = self._transitions[self._state].get(happened)
        if following is None:
            raise MalformedMessage(f"{happened.value} in the handshake while it waits for {self._state.value}")
        self._state = following

    def _decide(self, answer: HandshakeInput) -> None:
        """Follow the table for a decision of the driver's."""
        following = self._transitions[self._state].get(answer)
        if following is None:
            raise RuntimeError(f"{answer.value} was not asked for: the handshake waits for {self._state.value}")
        self._state = following
