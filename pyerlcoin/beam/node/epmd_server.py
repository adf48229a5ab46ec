"""The embedded port mapper: sockets around `dist.EpmdSession`."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
from collections.abc import Sequence

from pyerlcoin.beam.dist import EpmdSession, Registry, creations_from
from pyerlcoin.beam.errors import CannotListen, RemoteFault
from pyerlcoin.beam.node.carrier import listen_tcp, stream, turns

__all__ = ["EpmdServer"]

_QUESTION_TIME = 5.0
"""Seconds that a socket may be open without having registered a node."""

_MOST_SOCKETS = 1_500
"""More than the names it holds, so that a full port mapper still answers."""


class EpmdServer:
    """Serves registration to loopback, and questions to whoever reaches one of its addresses.

    Its creations start at a random number: a machine whose nodes all restart within one second gets new ones.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.addresses: tuple[str, ...] = ()
        self._registry = Registry(creations_from(secrets.randbits(32)), port=port)
        self._servers: list[asyncio.Server] = []
        self._sessions: set[_Session] = set()
        self._stopped = False

    @property
    def names(self) -> tuple[str, ...]:
        """The alive parts of the nodes that are registered."""
        return self._registry.names

    async def start(self, addresses: Sequence[str]) -> None:
        """Listen on loopback, and on those of `addresses` that can be had.

        Raises:
            CannotListen: not on loopback, that is, most likely another port mapper does.
        """
        # Loopback first and whatever else is wanted: nodes of this machine register there, so whoever has it is the
        # port mapper of the machine.
        wildcard = next((address for address in addresses if ipaddress.ip_address(address).is_unspecified), None)
        first = wildcard or "127.0.0.1"
        self._servers.append(await listen_tcp(self._session, first, self.port))
        self.port = self._servers[0].sockets[0].getsockname()[1]
        listening = [first]
        try:
            for address in addresses if wildcard is None else ():
                if address != first:
                    with contextlib.suppress(CannotListen):
                        self._servers.append(await listen_tcp(self._session, address, self.port))
                        listening.append(address)
        except BaseException:
            await self.stop()
            raise
        self.addresses = tuple(listening)

    async def stop(self) -> None:
        """Close everything; nodes that were registered here notice, and one of them takes over."""
        self._stopped = True
        await turns()
        for server in self._servers:
            server.close()
        sessions = list(self._sessions)
        for session in sessions:
            session.close()
        if sessions:
            await asyncio.wait([session.gone for session in sessions])

    def _session(self) -> asyncio.Protocol:
        session = _Session(self._registry, self._sessions)
        if self._stopped:  # accepted in the very turn in which it stopped
            session.refuse()
        return session


class _Session(asyncio.Protocol):
    """One socket."""

    def __init__(self, registry: Registry, sessions: set[_Session]) -> None:
        loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = loop.create_future()
        self._registry = registry
        self._sessions = sessions
        self._machine: EpmdSession | None = None
        self._transport: asyncio.Transport | None = None
        self._clock = loop.call_later(_QUESTION_TIME, self._expire)
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = stream(transport)
        if self._refused:
            self._transport.abort()
            return
        self._sessions.add(self)
        peer = transport.get_extra_info("peername")
        self._machine = EpmdSession(self._registry, loopback=peer is not None and _is_loopback(peer[0]))
        if len(self._sessions) > _MOST_SOCKETS:
            self.close()

    def data_received(self, data: bytes) -> None:
        assert self._machine is not None
        assert self._transport is not None
        try:
            self._machine.receive_data(data)
        except RemoteFault:
            # As the real one: it closes, without a word.
            self.close()
            return
        reply = self._machine.data_to_send()
        if reply:
            self._transport.write(reply)
        if self._machine.close_expected:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._clock.cancel()
        self._sessions.discard(self)
        if self._machine is not None:
            self._machine.receive_eof()
        if not self.gone.done():
            self.gone.set_result(None)

    def refuse(self) -> None:
        """Close as soon as it is open."""
        self._refused = True

    def close(self) -> None:
        """End it; a registration ends with it."""
        if self._transport is not None:
            self._transport.close()

    def _expire(self) -> None:
        if self._machine is None or self._machine.name is None:
            self.close()


def _is_loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped.is_loopback
    return parsed.is_loopback
