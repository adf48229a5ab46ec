"""The messages of the distribution handshake, version 6 (OTP, Distribution Protocol, "Distribution Handshake").

Each class is one message: `encode` gives its bytes without the length in front, `decode` reads them and raises
MalformedMessage. Bytes after a message's last field are ignored, as the chapter asks of every receiver.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from pyerlcoin.beam.dist.flags import DistributionFlags
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.errors import InvalidNodeName, MalformedMessage

__all__ = [
    "Challenge",
    "ChallengeAck",
    "ChallengeReply",
    "Complement",
    "Named",
    "OldSendName",
    "SendHost",
    "SendName",
    "Status",
    "decode_send_name",
]

_NAME = struct.Struct(">cQIH")
_OLD_NAME = struct.Struct(">cHI")
_CHALLENGE = struct.Struct(">cQIIH")
_COMPLEMENT = struct.Struct(">cII")
_REPLY = struct.Struct(">cI16s")
_ACK = struct.Struct(">c16s")
_NAMED = struct.Struct(">7sH")
_CREATION = struct.Struct(">I")
_LOW_32 = 0xFFFFFFFF


class Status(Enum):
    """What stands in a status message. The last two answer ALIVE, from the initiator.

    The one that carries more than its text, `named:`, is `Named`.
    """

    OK = "ok"
    OK_SIMULTANEOUS = "ok_simultaneous"
    NOK = "nok"
    NOT_ALLOWED = "not_allowed"
    ALIVE = "alive"
    TRUE = "true"
    FALSE = "false"

    def encode(self) -> bytes:
        """`s`, text."""
        return b"s" + self.value.encode("ascii")

    @classmethod
    def decode(cls, frame: bytes) -> Status:
        """The text must be one of ours, whole."""
        try:
            return cls(frame[1:].decode("ascii"))
        except ValueError:
            raise MalformedMessage(f"unknown handshake status {frame[1:33]!r}") from None


@dataclass(frozen=True, slots=True)
class SendName:
    """Initiator to acceptor, first: who I am and what I can."""

    tag: ClassVar[bytes] = b"N"
    flags: DistributionFlags
    creation: int
    name: NodeName

    def encode(self) -> bytes:
        name = self.name.full.encode("ascii")
        return _NAME.pack(self.tag, self.flags, self.creation, len(name)) + name

    @classmethod
    def decode(cls, frame: bytes) -> SendName:
        if len(frame) < _NAME.size:
            raise _too_short("name")
        _, flags, creation, length = _NAME.unpack_from(frame)
        return cls(DistributionFlags(flags), creation, _read_name(frame, _NAME.size, length))


@dataclass(frozen=True, slots=True)
class SendHost:
    """SendName of a node that has no name and asks for one (DFLAG_NAME_ME): its host part stands for the name.

    The creation means nothing: one comes with the name.
    """

    tag: ClassVar[bytes] = b"N"
    flags: DistributionFlags
    creation: int
    host: str

    def encode(self) -> bytes:
        host = self.host.encode("ascii")
        return _NAME.pack(self.tag, self.flags, self.creation, len(host)) + host

    @classmethod
    def decode(cls, frame: bytes) -> SendHost:
        if len(frame) < _NAME.size:
            raise _too_short("name")
        _, flags, creation, length = _NAME.unpack_from(frame)
        host = _text(frame, _NAME.size, length)
        try:
            # So that every name that can be made for this host is one.
            NodeName.dynamic(host, 0)
        except InvalidNodeName as error:
            raise MalformedMessage(str(error)) from error
        return cls(DistributionFlags(flags), creation, host)


def decode_send_name(frame: bytes) -> SendName | SendHost:
    """Either, as the flag of the sender says. Raises MalformedMessage."""
    asks = int.from_bytes(frame[1:9], "big") & DistributionFlags.DFLAG_NAME_ME
    return SendHost.decode(frame) if asks else SendName.decode(frame)


@dataclass(frozen=True, slots=True)
class Named:
    """Acceptor to initiator, the status that answers SendHost: who you are from now on, and your creation."""

    tag: ClassVar[bytes] = b"snamed:"
    name: NodeName
    creation: int

    def encode(self) -> bytes:
        name = self.name.full.encode("ascii")
        return _NAMED.pack(self.tag, len(name)) + name + _CREATION.pack(self.creation)

    @classmethod
    def decode(cls, frame: bytes) -> Named:
        if len(frame) < _NAMED.size:
            raise _too_short("named")
        _, length = _NAMED.unpack_from(frame)
        name = _read_name(frame, _NAMED.size, length)
        if len(frame) < _NAMED.size + length + _CREATION.size:
            raise _too_short("named")
        return cls(name, _CREATION.unpack_from(frame, _NAMED.size + length)[0])


@dataclass(frozen=True, slots=True)
class OldSendName:
    """The version 5 form, from an OTP 23 or 24 that asked no epmd. A Complement follows it after the challenge."""

    tag: ClassVar[bytes] = b"n"
    flags: DistributionFlags  # the low 32 bits
    name: NodeName

    def encode(self) -> bytes:
        return _OLD_NAME.pack(self.tag, 5, self.flags & _LOW_32) + self.name.full.encode("ascii")

    @classmethod
    def decode(cls, frame: bytes) -> OldSendName:
        if len(frame) < _OLD_NAME.size:
            raise _too_short("name")
        _, version, flags = _OLD_NAME.unpack_from(frame)
        # "The Version is a 16-bit unsigned integer and must always have the value 5."
        if version != 5:
            raise MalformedMessage(f"handshake version {version}, not 5")
        return cls(DistributionFlags(flags), _read_name(frame, _OLD_NAME.size, len(frame) - _OLD_NAME.size))


@dataclass(frozen=True, slots=True)
class Challenge:
    """Acceptor to initiator: who I am, what I can, and prove that you know my cookie."""

    tag: ClassVar[bytes] = b"N"
    flags: DistributionFlags
    challenge: int
    creation: int
    name: NodeName

    def encode(self) -> bytes:
        name = self.name.full.encode("ascii")
        return _CHALLENGE.pack(self.tag, self.flags, self.challenge, self.creation, len(name)) + name

    @classmethod
    def decode(cls, frame: bytes) -> Challenge:
        if len(frame) < _CHALLENGE.size:
            raise _too_short("challenge")
        _, flags, challenge, creation, length = _CHALLENGE.unpack_from(frame)
        return cls(DistributionFlags(flags), challenge, creation, _read_name(frame, _CHALLENGE.size, length))


@dataclass(frozen=True, slots=True)
class Complement:
    """Initiator to acceptor, after an OldSendName: the high 32 flags and the creation."""

    tag: ClassVar[bytes] = b"c"
    flags_high: int
    creation: int

    def encode(self) -> bytes:
        return _COMPLEMENT.pack(self.tag, self.flags_high, self.creation)

    @classmethod
    def decode(cls, frame: bytes) -> Complement:
        if len(frame) < _COMPLEMENT.size:
            raise _too_short("complement")
        _, flags_high, creation = _COMPLEMENT.unpack_from(frame)
        return cls(flags_high, creation)


@dataclass(frozen=True, slots=True)
class ChallengeReply:
    """Initiator to acceptor: the proof, and a challenge back. The digest stays out of the repr."""

    tag: ClassVar[bytes] = b"r"
    challenge: int
    digest: bytes

    def encode(self) -> bytes:
        return _REPLY.pack(self.tag, self.challenge, self.digest)

    @classmethod
    def decode(cls, frame: bytes) -> ChallengeReply:
        if len(frame) < _REPLY.size:
            raise _too_short("challenge reply")
        _, challenge, digest = _REPLY.unpack_from(frame)
        return cls(challenge, digest)

    def __repr__(self) -> str:
        return "ChallengeReply(…)"


@dataclass(frozen=True, slots=True)
class ChallengeAck:
    """Acceptor to initiator: the proof of the other side. The digest stays out of the repr."""

    tag: ClassVar[bytes] = b"a"
    digest: bytes

    def encode(self) -> bytes:
        return _ACK.pack(self.tag, self.digest)

    @classmethod
    def decode(cls, frame: bytes) -> ChallengeAck:
        if len(frame) < _ACK.size:
            raise _too_short("challenge ack")
        _, digest = _ACK.unpack_from(frame)
        return cls(digest)

    def __repr__(self) -> str:
        return "ChallengeAck(…)"


def _too_short(what: str) -> MalformedMessage:
    return MalformedMessage(f"the handshake's {what} message is too short")


def _text(frame: bytes, start: int, length: int) -> str:
    if len(frame) < start + length:
        raise MalformedMessage("the node name in the handshake is cut short")
    return frame[start : start + length].decode("latin-1")


def _read_name(frame: bytes, start: int, length: int) -> NodeName:
    try:
        return NodeName.parse(_text(frame, start, length))
    except InvalidNodeName as error:
        raise MalformedMessage(str(error)) from error
