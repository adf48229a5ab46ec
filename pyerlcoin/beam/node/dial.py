"""Opening a connection: resolve, ask epmd, connect, shake hands; or give way to the peer that dials us meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pyerlcoin.beam.dist import Established, NodeName
from pyerlcoin.beam.errors import (
    AlreadyConnected,
    BeamError,
    EpmdUnreachable,
    HungUp,
    NoErlangNode,
    PortUnreachable,
    RemoteFault,
    TlsRefused,
    TooMuchAtOnce,
    UnencodableTerm,
)
from pyerlcoin.beam.node import epmd_client
from pyerlcoin.beam.node.carrier import resolve, why
from pyerlcoin.beam.node.handshaking import Handshaking
from pyerlcoin.beam.node.tls_words import CLOSED_AFTER_TLS, tls_refused

if TYPE_CHECKING:
    from pyerlcoin.beam.node.connection import Connection
    from pyerlcoin.beam.node.peers import Peers

__all__ = ["Dial"]

_PART_FOR_THEIRS: Final = 4
"""That part of the setup time belongs to a handshake that the node has begun: more, and a stranger who says that it is
the node, and no more, would keep us from it."""


class Dial:
    """One attempt to reach a node, shared by all who want to.

    `connection` is done when there is a connection to that node, whoever opened it, or has the error.

    after: a handshake that the node has begun with us: only if that comes to nothing soon is there an attempt of ours,
    and `begun` is True.
    """

    def __init__(self, peers: Peers, peer: NodeName, *, after: Handshaking | None) -> None:
        self.peer: Final = peer
        self._after = after
        self.begun = after is None
        self._peers = peers
        self._loop = peers.node.loop
        self.connection: asyncio.Future[Connection] = self._loop.create_future()
        self._waiting: list[tuple[Callable[[Connection], None], Callable[[BeamError], None] | None]] = []
        self._port = peers.node.peer_port or 0  # 0: not known yet
        self._handshaking: Handshaking | None = None
        self._gave_way: AlreadyConnected | None = None
        self._attempt = self._loop.create_task(self._try())
        self.task = self._loop.create_task(self._run())

    def then(self, use: Callable[[Connection], None], failed: Callable[[BeamError], None] | None) -> None:
        """Use the connection as soon as it is there; in the order of the calls."""
        if len(self._waiting) < self._peers.node.limits.waiting:
            self._waiting.append((use, failed))
        elif failed is not None:
            limit = self._peers.node.limits.waiting
            self._loop.call_soon(failed, TooMuchAtOnce("the number of signals that wait for a node", limit))

    def give_way(self) -> None:
        """The peer's own attempt goes on instead of ours (`ok_simultaneous`): close ours at once, wait for theirs."""
        if self._gave_way is None:
            self._gave_way = AlreadyConnected(self.peer.full)
            self._attempt.cancel()

    def succeed(self, connection: Connection) -> None:
        """There is a connection to the node, ours or theirs."""
        if self.connection.done():
            return
        self.connection.set_result(connection)
        if not self._attempt.done():
            self.give_way()
        for use, _ in self._waiting:
            try:
                use(connection)
            except UnencodableTerm as error:
                self._peers.node.log_dropped(error)
        self._waiting.clear()

    def fail(self, error: BeamError) -> None:
        """There will be none."""
        if self.connection.done():
            return
        self.connection.set_exception(error)
        self.connection.exception()  # seen, also if nobody waits for it
        self._attempt.cancel()
        self._peers.dial_failed(self)
        for _, failed in self._waiting:
            if failed is not None:
                failed(error)
        self._waiting.clear()

    async def _run(self) -> None:
        setup_time = self._peers.node.setup_time
        try:
            async with asyncio.timeout(setup_time):
                try:
                    await self._attempt
                except asyncio.CancelledError:
                    if self._gave_way is None:
                        raise
                except AlreadyConnected as error:
                    self._gave_way = error
                if self._gave_way is not None:
                    await asyncio.wait({self.connection})
        except TimeoutError:
            self.fail(self._meaning_of_timeout(setup_time))
        except BeamError as error:
            self.fail(error)
        finally:
            self._attempt.cancel()

    async def _try(self) -> None:
        """One attempt. When it returns, `succeed` was called."""
        node = self._peers.node
        if self._after is not None:
            await asyncio.wait({self._after.ended}, timeout=node.setup_time / _PART_FOR_THEIRS)
            self.begun = True
        address = await resolve(self.peer.host)
        self._port = self._port or await epmd_client.find_port(self.peer, address, node.epmd_port)
        outcome: asyncio.Future[None] = self._loop.create_future()

        def opened(handshaking: Handshaking, transport: asyncio.Transport, established: Established) -> None:
            if not outcome.done():
                outcome.set_result(None)
            self._peers.establish(handshaking, transport, established, dialled=True)

        def failed(handshaking: Handshaking, error: BeamError) -> None:
            if isinstance(error, HungUp) and node.carrier.encrypted and not handshaking.heard:
                # TLS 1.3: a server judges our certificate when we are done already.
                error = TlsRefused(self.peer.full, CLOSED_AFTER_TLS)
            elif isinstance(error, RemoteFault):
                error = NoErlangNode(self.peer.full, self._port, str(error))
            if not outcome.done():
                outcome.set_exception(error)

        handshaking = Handshaking(node.initiator(self.peer), self._loop, node.setup_time, opened, failed)
        handshaking.peer = self.peer
        self._handshaking = handshaking
        try:
            try:
                await node.carrier.connect(lambda: handshaking, self.peer.host, address, self._port)
            except OSError as error:
                if handshaking.reached:
                    raise tls_refused(self.peer.full, error) from error
                raise PortUnreachable(self.peer.full, self._port, why(error)) from error
            await outcome
        finally:
            # Cancelled: the socket of the attempt that lost closes at once, as net_kernel there waits for that.
            if not outcome.done():
                outcome.cancel()
            elif not outcome.cancelled():
                outcome.exception()  # seen, also if the time ran out while it connected
            handshaking.fail(AlreadyConnected(self.peer.full))

    def _meaning_of_timeout(self, seconds: float) -> BeamError:
        if self._gave_way is not None:
            return self._gave_way
        if not self._port:
            return EpmdUnreachable(self.peer.host, self._peers.node.epmd_port, why(TimeoutError()))
        if self._handshaking is None or not self._handshaking.reached:
            return PortUnreachable(self.peer.full, self._port, why(TimeoutError()))
        return self._handshaking.timeout(self.peer.full, seconds)
