"""The transport seam: how a node opens and accepts streams, and the one place where their errors become ours.

Plain TCP is here, TLS in `tls`: the same, with a length of four bytes in the handshake.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast

from pyerlcoin.beam.errors import CannotListen, HostUnknown, Unreachable

__all__ = [
    "Carrier",
    "ProtocolFactory",
    "Securing",
    "TcpCarrier",
    "cannot_listen",
    "connect_tcp",
    "listen_tcp",
    "listening_socket",
    "local_addresses",
    "resolve",
    "serve_socket",
    "stream",
    "turns",
    "why",
]

ProtocolFactory = Callable[[], asyncio.BaseProtocol]

_BACKLOG: Final = 128
"""Connections that may wait to be accepted."""


class Carrier(Protocol):
    """What carries a connection. Errors come out as `OSError`; `why` puts them in words."""

    @property
    def handshake_length_size(self) -> int:
        """Bytes of the length in front of each handshake message: 2 on TCP, 4 on TLS."""

    @property
    def encrypted(self) -> bool:
        """Whether it is TLS."""

    async def connect(self, factory: ProtocolFactory, host: str, address: str, port: int) -> None:
        """Open a stream to `address`:`port`, for the node whose host part is `host`; `factory` makes its protocol."""

    async def listen(self, factory: ProtocolFactory, address: str, port: int) -> asyncio.Server:
        """Accept streams there. Port 0 lets the system choose."""

    def vouches(self, transport: asyncio.Transport, host: str) -> bool:
        """Whether a peer that opened `transport` may say that its node is on `host`. The cookie is another question."""


class Securing(asyncio.Protocol):
    """A protocol that can be told of its stream before TLS is on it, so that giving up can close it."""

    def securing(self, transport: asyncio.Transport) -> None:
        """`connection_made` follows, or `connection_lost` with the reason."""


class TcpCarrier:
    """Distribution over plain TCP, `inet_tcp_dist`."""

    handshake_length_size = 2
    encrypted = False

    async def connect(self, factory: ProtocolFactory, host: str, address: str, port: int) -> None:
        """As `Carrier.connect`."""
        await connect_tcp(factory, address, port)

    async def listen(self, factory: ProtocolFactory, address: str, port: int) -> asyncio.Server:
        """As `Carrier.listen`."""
        return await listen_tcp(factory, address, port)

    def vouches(self, transport: asyncio.Transport, host: str) -> bool:
        """As `Carrier.vouches`: nothing is proved, so anybody may."""
        return True


def stream(transport: asyncio.BaseTransport) -> asyncio.Transport:
    """What `connection_made` got, as what it is. No isinstance: uvloop's transports are of no class of asyncio's."""
    return cast(asyncio.Transport, transport)


async def connect_tcp(factory: ProtocolFactory, address: str, port: int) -> None:
    """A TCP stream without Nagle's delay (asyncio sets TCP_NODELAY itself). Raises OSError."""
    await asyncio.get_running_loop().create_connection(factory, address, port)


def listening_socket(address: str, port: int, *, beside: Sequence[socket.socket] = ()) -> socket.socket:
    """A socket that listens; connections wait until it is served. Raises OSError.

    `beside` are sockets of ours that listen on that port of other addresses.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sharing = [*beside, listener] if beside and hasattr(socket, "SO_REUSEPORT") else []
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if beside and listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Linux gives the wildcard of a port to nobody while an address of it is listened on, unless all of them share
        # it. They do for this moment alone: else another process of the same user could have the port as well.
        try:
            for each in sharing:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind((address, port))
            # Two that do not listen yet may be bound to one port: here the second of them learns it. uvloop, which
            # listens later, tells nobody, and the server it gives has no socket.
            listener.listen(_BACKLOG)
        finally:
            for each in sharing:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
    except BaseException:
        listener.close()
        raise
    return listener


async def serve_socket(factory: ProtocolFactory, listener: socket.socket) -> asyncio.Server:
    """Accept streams on a socket that listens. It is the server's, and closed if there is none."""
    # Not with create_server alone: cancelled, it loses its socket, and since 3.13 it hides why it could not bind.
    try:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(factory, sock=listener, backlog=_BACKLOG, start_serving=False)
    except BaseException:
        listener.close()
        raise
    try:
        await server.start_serving()
    except BaseException:
        server.close()
        raise
    return server


async def listen_tcp(factory: ProtocolFactory, address: str, port: int) -> asyncio.Server:
    """A listening socket with its server. Raises OSError."""
    return await serve_socket(factory, listening_socket(address, port))


async def turns() -> None:
    """Let sockets that were accepted just now become transports, be refused, and close: a turn of the loop for each.

    A server of asyncio that is closed in between loses them (`Server._attach` asserts that it is open).
    """
    for _ in range(4):
        await asyncio.sleep(0)


def cannot_listen(address: str, port: int, error: OSError) -> CannotListen:
    """What the failure to listen means to a person."""
    if error.errno == errno.EADDRNOTAVAIL:
        return CannotListen(
            address, port, "it is no address of this machine: give one that is, in the node's name or to bind to"
        )
    return CannotListen(address, port, why(error))


async def resolve(host: str) -> str:
    """The IPv4 address of a host part, as `inet_tcp_dist` asks for it; an IPv6 one only if there is no other.

    Raises:
        HostUnknown: it does not resolve.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostUnknown(host) from error
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(found[0][4][0])


async def local_addresses(host: str, bind: str | None) -> tuple[str, ...]:
    """Where a node with that host part listens: there and on loopback, or on `bind` alone.

    Raises:
        HostUnknown: the host part, or `bind`, does not resolve.
    """
    if bind is not None:
        return (await resolve(bind),)
    own = await resolve(host)
    loopback = "::1" if ":" in own else "127.0.0.1"
    return (own,) if own == loopback else (own, loopback)


def why(error: BaseException) -> str:
    """A foreign error in a few words, without an errno."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    if isinstance(error, Unreachable):
        return str(error)
    # create_connection joins several errors into one text without a number.
    return str(error) or type(error).__name__
