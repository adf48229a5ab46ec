"""What is said to and by the port mapper (OTP, Distribution Protocol, "EPMD Protocol"): the bytes, both ways.

A request has a 2-byte length in front, a reply has none: its form says where it ends, or the end of the connection.
The client's machine is here, `EpmdQuery`; the server's is in `epmd_server`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, TypeAlias

from pyerlcoin.beam.errors import LimitExceeded, MalformedMessage

__all__ = [
    "DISTRIBUTION_VERSION",
    "EPMD_PORT",
    "HIDDEN_NODE",
    "NORMAL_NODE",
    "REPLY_LIMIT",
    "Alive2Request",
    "Alive2Response",
    "EpmdQuery",
    "EpmdReply",
    "EpmdRequest",
    "NamesRequest",
    "NamesResponse",
    "Port2Response",
    "PortPlease2Request",
    "decode_request",
]

EPMD_PORT: Final = 4369
NORMAL_NODE: Final = 77
HIDDEN_NODE: Final = 72
#: Highest and lowest, of the handshake: OTP 25 and later know 6 only.
DISTRIBUTION_VERSION: Final = 6

_ALIVE2_REQ: Final = 120
_PORT_PLEASE2_REQ: Final = 122
_NAMES_REQ: Final = 110
_ALIVE2_X_RESP: Final = 118
_ALIVE2_RESP: Final = 121
_PORT2_RESP: Final = 119

_ALIVE2_HEAD: Final = struct.Struct(">BHBBHHH")
_PORT2_HEAD: Final = struct.Struct(">BBHBBHHH")
_U16: Final = struct.Struct(">H")
_U32: Final = struct.Struct(">I")

#: NAMES has no length of its own. A line takes some 30 bytes, so these are thousands of nodes.
REPLY_LIMIT: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Alive2Request:
    """Register a node. `name` is the alive part only. The connection is the registration: closed, it ends."""

    name: str
    port: int
    node_type: int = HIDDEN_NODE
    protocol: int = 0
    highest: int = DISTRIBUTION_VERSION
    lowest: int = DISTRIBUTION_VERSION
    extra: bytes = b""

    def encode(self) -> bytes:
        name = self.name.encode()
        head = _ALIVE2_HEAD.pack(
            _ALIVE2_REQ, self.port, self.node_type, self.protocol, self.highest, self.lowest, len(name)
        )
        return _framed(head + name + _U16.pack(len(self.extra)) + self.extra)


@dataclass(frozen=True, slots=True)
class PortPlease2Request:
    """Ask for the port of the node with that alive part."""

    name: str

    def encode(self) -> bytes:
        return _framed(bytes((_PORT_PLEASE2_REQ,)) + self.name.encode())


@dataclass(frozen=True, slots=True)
class NamesRequest:
    """Ask for all nodes."""

    def encode(self) -> bytes:
        return _framed(bytes((_NAMES_REQ,)))


EpmdRequest: TypeAlias = Alive2Request | PortPlease2Request | NamesRequest


def decode_request(request: bytes) -> EpmdRequest:
    """Read a request, without its length.

    Raises:
        MalformedMessage: too short, a name that is no UTF-8, or a request that this port mapper does not serve:
            DUMP_REQ, KILL_REQ and STOP_REQ are among them, on purpose.
    """
    kind = request[0] if request else None
    if kind == _ALIVE2_REQ:
        if len(request) < _ALIVE2_HEAD.size:
            raise MalformedMessage("an ALIVE2_REQ that is too short")
        _, port, node_type, protocol, highest, lowest, length = _ALIVE2_HEAD.unpack_from(request)
        name_end = _ALIVE2_HEAD.size + length
        extra = _counted(request, name_end)
        if extra is None:
            raise MalformedMessage("an ALIVE2_REQ that is too short")
        name = _text(request[_ALIVE2_HEAD.size : name_end])
        return Alive2Request(name, port, node_type, protocol, highest, lowest, extra)
    if kind == _PORT_PLEASE2_REQ:
        return PortPlease2Request(_text(request[1:]))
    if kind == _NAMES_REQ:
        return NamesRequest()
    raise MalformedMessage(f"an epmd request of kind {kind}")


@dataclass(frozen=True, slots=True)
class Alive2Response:
    """Registered if `result` is 0; `creation` is then the node's. Else the name is taken, or too long."""

    result: int
    creation: int

    def encode(self, highest: int = DISTRIBUTION_VERSION) -> bytes:
        """`highest` is the request's: below 6 the old form with 16 bits is due."""
        if highest >= 6:
            return bytes((_ALIVE2_X_RESP, self.result)) + _U32.pack(self.creation)
        return bytes((_ALIVE2_RESP, self.result)) + _U16.pack(self.creation & 0xFFFF)

    @classmethod
    def maybe_decode(cls, reply: bytes | bytearray) -> Alive2Response | None:
        """None: more bytes are needed."""
        if not reply:
            return None
        size = {_ALIVE2_X_RESP: 6, _ALIVE2_RESP: 4}.get(reply[0])
        if size is None:
            raise MalformedMessage(f"epmd answers ALIVE2_REQ with {reply[0]}")
        if len(reply) < size:
            return None
        return cls(reply[1], int.from_bytes(reply[2:size], "big"))


@dataclass(frozen=True, slots=True)
class Port2Response:
    """Where a node listens. `port` is None if there is no such node; the other fields mean nothing then."""

    port: int | None
    name: str = ""
    node_type: int = HIDDEN_NODE
    protocol: int = 0
    highest: int = DISTRIBUTION_VERSION
    lowest: int = DISTRIBUTION_VERSION
    extra: bytes = b""

    def encode(self) -> bytes:
        if self.port is None:
            return bytes((_PORT2_RESP, 1))
        name = self.name.encode()
        head = _PORT2_HEAD.pack(
            _PORT2_RESP, 0, self.port, self.node_type, self.protocol, self.highest, self.lowest, len(name)
        )
        return head + name + _U16.pack(len(self.extra)) + self.extra

    @classmethod
    def maybe_decode(cls, reply: bytes | bytearray) -> Port2Response | None:
        """None: more bytes are needed."""
        if reply and reply[0] != _PORT2_RESP:
            raise MalformedMessage(f"epmd answers PORT_PLEASE2_REQ with {reply[0]}")
        if len(reply) >= 2 and reply[1] != 0:
            return cls(None)
        if len(reply) < _PORT2_HEAD.size:
            return None
        _, _, port, node_type, protocol, highest, lowest, length = _PORT2_HEAD.unpack_from(reply)
        name_end = _PORT2_HEAD.size + length
        extra = _counted(reply, name_end)
        if extra is None:
            return None
        name = _text(reply[_PORT2_HEAD.size : name_end])
        return cls(port, name, node_type, protocol, highest, lowest, extra)


@dataclass(frozen=True, slots=True)
class NamesResponse:
    """The port mapper's own port, and the port of each node by its alive part."""

    epmd_port: int
    nodes: dict[str, int]

    def encode(self) -> bytes:
        lines = "".join(f"name {name} at port {port}\n" for name, port in self.nodes.items())
        return _U32.pack(self.epmd_port) + lines.encode()

    @classmethod
    def decode(cls, reply: bytes | bytearray) -> NamesResponse:
        """Read the whole reply: it ends with the connection."""
        if len(reply) < 4:
            raise MalformedMessage("epmd closed before it had answered NAMES_REQ")
        nodes = {}
        for line in _text(reply[4:]).splitlines():
            match line.split(" "):
                # At most five digits: int() of more is a peer's way to keep us busy.
                case ["name", name, "at", "port", port] if port.isascii() and port.isdigit() and len(port) <= 5:
                    nodes[name] = int(port)
                case _:
                    raise MalformedMessage(f"a line of epmd's names: {line[:80]!r}")
        return cls(_U32.unpack_from(reply)[0], nodes)


EpmdReply: TypeAlias = Alive2Response | Port2Response | NamesResponse


class EpmdQuery:
    """One question to a port mapper, without I/O.

    After an ALIVE2 that was granted the connection must stay open; after the others it is closed. `receive_data` and
    `receive_eof` raise MalformedMessage or LimitExceeded; the reply is the one event.
    """

    def __init__(self, request: EpmdRequest, *, reply_limit: int = REPLY_LIMIT) -> None:
        self._request = request
        self._limit = reply_limit
        self._output = request.encode()
        self._buffer = bytearray()
        self._done = False
        self._events: list[EpmdReply] = []

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the port mapper's. What comes after the reply is ignored."""
        if self._done:
            return
        self._buffer += data
        # The reply alone is held against the limit, not what came behind it in the same piece.
        within = self._buffer[: self._limit]
        reply: EpmdReply | None = None
        try:
            if isinstance(self._request, Alive2Request):
                reply = Alive2Response.maybe_decode(within)
            elif isinstance(self._request, PortPlease2Request):
                reply = Port2Response.maybe_decode(within)
        except MalformedMessage:
            self._done = True
            raise
        if reply is not None:
            self._finish(reply)
        elif len(self._buffer) > self._limit:
            self._done = True
            raise LimitExceeded("epmd's reply", len(self._buffer), self._limit)

    def receive_eof(self) -> None:
        """The port mapper closed: that ends NAMES; before another reply it is a fault."""
        if self._done:
            return
        self._done = True
        if isinstance(self._request, NamesRequest):
            self._finish(NamesResponse.decode(self._buffer))
        else:
            raise MalformedMessage("epmd closed the connection without an answer")

    def events(self) -> list[EpmdReply]:
        """The reply, once, when it is complete."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """The request, once."""
        data, self._output = self._output, b""
        return data

    def _finish(self, reply: EpmdReply) -> None:
        self._done = True
        self._buffer.clear()
        self._events.append(reply)


def _framed(request: bytes) -> bytes:
    return _U16.pack(len(request)) + request


def _counted(data: bytes | bytearray, start: int) -> bytes | None:
    """The bytes behind a 2-byte count at `start`; None if they are not all there."""
    if len(data) < start + 2:
        return None
    end = start + 2 + _U16.unpack_from(data, start)[0]
    return None if len(data) < end else bytes(data[start + 2 : end])


def _text(data: bytes | bytearray) -> str:
    try:
        return bytes(data).decode()
    except UnicodeDecodeError as error:
        raise MalformedMessage("a name in an epmd message is not UTF-8") from error
