"""A port mapper without I/O: the registry, and the machine of one connection to it.

It serves ALIVE2_REQ, PORT_PLEASE2_REQ and NAMES_REQ. It closes on DUMP_REQ, KILL_REQ and STOP_REQ, which let any
process on the machine list, stop or empty it, and on everything else: all that epmd does with what it does not like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pyerlcoin.beam.dist.epmd import (
    EPMD_PORT,
    Alive2Request,
    Alive2Response,
    NamesResponse,
    Port2Response,
    PortPlease2Request,
    decode_request,
)
from pyerlcoin.beam.errors import LimitExceeded, MalformedMessage

__all__ = ["MOST_NAMES", "REQUEST_LIMIT", "EpmdSession", "Registry", "creations_from"]

#: A request with the longest name has 270 bytes; a node of ours adds up to 661, where it is to be found.
REQUEST_LIMIT: Final = 1024
#: A machine has some tens of nodes at most.
MOST_NAMES: Final = 1000

# As a node name allows. No control character gets into the lines of NAMES, and no '@'.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
# What epmd refuses with: result 1, and a creation that means nothing.
_REFUSED: Final = Alive2Response(1, 99)


class Registry:
    """Who listens where.

    Args:
        creations: gives each registration its creation, 32 bits and greater than 3; see `creations_from`.
        port: the port mapper's own, which NAMES tells.
        most_names: more nodes than this are refused.
    """

    def __init__(self, creations: Iterator[int], *, port: int = EPMD_PORT, most_names: int = MOST_NAMES) -> None:
        self._creations = creations
        self._port = port
        self._most_names = most_names
        self._nodes: dict[str, Alive2Request] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The alive parts that are registered."""
        return tuple(self._nodes)

    def register(self, request: Alive2Request) -> Alive2Response:
        """Take the node in, unless its name is taken, is none, or there are too many: result 1 then."""
        if request.name in self._nodes or len(self._nodes) >= self._most_names or not _NAME.fullmatch(request.name):
            return _REFUSED
        self._nodes[request.name] = request
        return Alive2Response(0, next(self._creations))

    def unregister(self, name: str) -> None:
        """Forget the node. Its connection has ended."""
        del self._nodes[name]

    def find(self, request: PortPlease2Request) -> Port2Response:
        """Where that node listens."""
        node = self._nodes.get(request.name)
        if node is None:
            return Port2Response(None)
        return Port2Response(node.port, node.name, node.node_type, node.protocol, node.highest, node.lowest, node.extra)

    def list_names(self) -> NamesResponse:
        """All nodes."""
        return NamesResponse(self._port, {name: node.port for name, node in self._nodes.items()})


def creations_from(seconds: int) -> Iterator[int]:
    """Creations that differ within this life and most likely from those of an earlier one.

    `seconds` is the time of the start, as the real daemon takes it. 0 to 3 are left out: they were the creations of
    old, and 0 meant any.
    """
    value = seconds & 0xFFFFFFFF
    while True:
        if value > 3:
            yield value
        value = (value + 1) & 0xFFFFFFFF


class EpmdSession:
    """One connection to the port mapper.

    Args:
        registry: the port mapper's.
        loopback: whether the peer is this machine. Others may ask, and may not register.
        request_limit: the longest request taken, in bytes.

    The driver writes `data_to_send()` and closes when `close_expected`; at the end of the connection, whoever ended
    it, it calls `receive_eof`, which unregisters. `receive_data` raises RemoteFault; the driver closes then.
    """

    def __init__(self, registry: Registry, *, loopback: bool, request_limit: int = REQUEST_LIMIT) -> None:
        self._registry = registry
        self._loopback = loopback
        self._limit = request_limit
        self._buffer = bytearray()
        self._output = b""
        self._name: str | None = None
        self._over = False
        self._events: list[Alive2Request] = []

    @property
    def close_expected(self) -> bool:
        """Whether the connection is to be closed once `data_to_send()` is written."""
        return self._over

    @property
    def name(self) -> str | None:
        """The node that this connection registered."""
        return self._name

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the peer's. A connection brings one request.

        Raises:
            MalformedMessage: a request that is not served, or more bytes after the request.
            LimitExceeded: a request over the limit.
        """
        if self._over:
            return
        self._buffer += data
        try:
            self._maybe_serve()
        except (MalformedMessage, LimitExceeded):
            self._over = True
            raise

    def receive_eof(self) -> None:
        """The connection has ended: the node that it registered is gone. May be called again."""
        self._over = True
        if self._name is not None:
            self._registry.unregister(self._name)
            self._name = None

    def events(self) -> list[Alive2Request]:
        """The node that was registered, once."""
        events, self._events = self._events, []
        return events

    def data_to_send(self) -> bytes:
        """What is to be written to the peer now; empty if nothing."""
        data, self._output = self._output, b""
        return data

    def _maybe_serve(self) -> None:
        if self._name is not None:
            self._require_silence()
        if len(self._buffer) < 2:
            return
        length = int.from_bytes(self._buffer[:2], "big")
        if length > self._limit:
            raise LimitExceeded("a request to epmd", length, self._limit)
        if len(self._buffer) < 2 + length:
            return
        request = decode_request(bytes(self._buffer[2 : 2 + length]))
        del self._buffer[: 2 + length]
        if isinstance(request, Alive2Request):
            self._register(request)
            return
        if isinstance(request, PortPlease2Request):
            self._output = self._registry.find(request).encode()
        else:
            self._output = self._registry.list_names().encode()
        self._over = True

    def _register(self, request: Alive2Request) -> None:
        if not self._loopback:
            raise MalformedMessage(f"another machine wants to register {request.name!r}")
        answer = self._registry.register(request)
        self._output = answer.encode(request.highest)
        if answer.result == 0:
            self._name = request.name
            self._events.append(request)
            self._require_silence()
        else:
            self._over = True

    def _require_silence(self) -> None:
        if self._buffer:
            raise MalformedMessage(f"{self._name} sent more to epmd after it had registered")
