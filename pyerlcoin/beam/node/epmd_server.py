"""The embedded port mapper: sockets around `dist.EpmdSession`."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Callable, Sequence

from pyerlcoin.beam.dist import Alive2Request, EpmdSession, Registry, creations_from, read_extra
from pyerlcoin.beam.errors import RemoteFault
from pyerlcoin.beam.node.carrier import stream, turns
from pyerlcoin.beam.node.epmd_addresses import EVERYWHERE, EpmdAddresses

__all__ = ["EpmdServer"]

_QUESTION_TIME = 5.0
"""Seconds that a socket may be open without having registered a node."""

_MOST_SOCKETS = 1_500
"""More than the names it holds, so that a full port mapper still answers."""


class EpmdServer:
    """Serves registration to loopback, and questions to whoever reaches one of its addresses.

    Who registers is looked for at its own addresses, so these are listened on as well: a node of ours says them. A BEAM
    says none, and while one is registered every address of the machine is listened on, as by OTP's epmd.

    Its creations start at a random number: a machine whose nodes all restart within one second gets new ones.

    Args:
        port: 0 lets the system choose.
        opened: is called with the addresses when others come to those of the start.
    """

    def __init__(self, port: int, opened: Callable[[tuple[str, ...]], None] | None = None) -> None:
        self.port = port
        self._opened = opened
        self._listening = EpmdAddresses(self._session)
        self._registry = Registry(creations_from(secrets.randbits(32)), port=port)
        self._sessions: set[_Session] = set()
        self._wanted: dict[_Session, tuple[str, ...]] = {}  # where those who are registered are looked for
        self._stopped = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens now."""
        return self._listening.names

    @property
    def names(self) -> tuple[str, ...]:
        """The alive parts of the nodes that are registered."""
        return self._registry.names

    def answers_on(self, address: str) -> bool:
        """Whether who asks at that address of this machine is heard."""
        return self._listening.covers(address)

    async def start(self, addresses: Sequence[str]) -> None:
        """Listen on loopback, and on those of `addresses` that can be had.

        Raises:
            CannotListen: not on loopback, that is, most likely another port mapper does.
        """
        try:
            await self._listening.start(addresses, self.port)
        except BaseException:
            await self.stop()
            raise
        self.port = self._listening.port

    async def stop(self) -> None:
        """Close everything; nodes that were registered here notice, and one of them takes over."""
        self._stopped = True
        await turns()
        await self._listening.close()
        sessions = list(self._sessions)
        for session in sessions:
            session.close()
        if sessions:
            await asyncio.wait([session.gone for session in sessions])

    def _session(self) -> asyncio.Protocol:
        session = _Session(self._registry, self._sessions, self._registered, self._left)
        if self._stopped:  # accepted in the very turn in which it stopped
            session.refuse()
        return session

    def _registered(self, session: _Session, request: Alive2Request) -> None:
        if self._stopped:
            return
        said = read_extra(request.extra)
        self._wanted[session] = wanted = EVERYWHERE if said is None else said
        new = self._listening.open(wanted)
        if new and self._opened is not None:
            self._opened(new)

    def _left(self, session: _Session) -> None:
        if self._wanted.pop(session, None) is not None and not self._stopped:
            self._listening.keep(address for wanted in self._wanted.values() for address in wanted)


class _Session(asyncio.Protocol):
    """One socket."""

    def __init__(
        self,
        registry: Registry,
        sessions: set[_Session],
        registered: Callable[[_Session, Alive2Request], None],
        left: Callable[[_Session], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = loop.create_future()
        self._registry = registry
        self._sessions = sessions
        self._registered = registered
        self._left = left
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
        # Before it is answered: from then on it is looked for.
        for request in self._machine.events():
            self._registered(self, request)
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
        self._left(self)
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
