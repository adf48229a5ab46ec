"""The other nodes: who is connected, who is being dialled, who knocks; and which of two connections wins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyerlcoin.beam.dist import Established, NodeName, Status, choose_status
from pyerlcoin.beam.errors import AlreadyConnected, BeamError, HungUp, LimitExceeded, NodeNotRunning, TooMuchAtOnce
from pyerlcoin.beam.node.connection import Connection
from pyerlcoin.beam.node.dial import Dial
from pyerlcoin.beam.node.events import HandshakeRefused, NodeDisconnected, NodeUp
from pyerlcoin.beam.node.handshaking import Handshaking, Refusal

if TYPE_CHECKING:
    from pyerlcoin.beam.node.node import Node

__all__ = ["Peers"]


class Peers:
    """At most one connection to each node name, and at most one dial."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.connections: dict[str, Connection] = {}
        self._dials: dict[str, Dial] = {}
        self._knocking: dict[Handshaking, None] = {}  # oldest first
        self._preferred: dict[Handshaking, Dial] = {}  # knocks that went before a dial of ours, which waits for them
        self._closing: set[Connection] = set()
        self._stopped = False

    @property
    def counts(self) -> tuple[int, int, int]:
        """Connections, dials, sockets in an accepted handshake."""
        return len(self.connections), len(self._dials), len(self._knocking)

    def via(self, name: str, use: Callable[[Connection], None], failed: Callable[[BeamError], None] | None) -> None:
        """Use the connection to a node, now or once it is there."""
        connection = self.connections.get(name)
        if connection is not None:
            use(connection)
            return
        try:
            self._dial(name).then(use, failed)
        except BeamError as error:
            if failed is not None:
                self.node.loop.call_soon(failed, error)

    async def connect(self, name: str) -> Connection:
        """The connection to a node, opened if need be. Raises what opening one can raise."""
        connection = self.connections.get(name)
        if connection is None:
            dialled = self._dial(name).connection
            await asyncio.wait({dialled})  # and no shield: of one that fails after its waiter left, that would complain
            connection = dialled.result()
        return connection

    def _dial(self, name: str) -> Dial:
        dial = self._dials.get(name)
        if dial is None:
            peer = NodeName.parse(name)
            self.node.node_name.require_same_form(peer)
            if self._stopped:
                raise NodeNotRunning
            if len(self._dials) >= self.node.limits.dials:
                raise TooMuchAtOnce("the number of connections being opened", self.node.limits.dials)
            # As net_kernel: the connection that the peer is making already will do.
            knock = next((knock for knock in self._knocking if knock.peer == peer), None)
            dial = self._dials[name] = Dial(self, peer, after=knock)
        return dial

    def dial_failed(self, dial: Dial) -> None:
        """Somebody may dial again."""
        if self._dials.get(dial.peer.full) is dial:
            del self._dials[dial.peer.full]

    def accept(self) -> asyncio.Protocol:
        """The protocol of a socket that somebody opened to us."""
        node = self.node
        if not node.running:  # not registered yet, so nobody was told of the port; or no longer
            return Refusal()
        handshaking = Handshaking(
            node.acceptor(),
            node.loop,
            node.setup_time,
            self._opened,
            self._knock_failed,
            self._check_name,
            node.carrier.vouches,
        )
        self._knocking[handshaking] = None
        if len(self._knocking) > node.limits.handshakes:
            # The oldest goes: a peer is done in a moment, who only holds the door open is not.
            limit = node.limits.handshakes
            oldest = next(iter(self._knocking))
            oldest.fail(LimitExceeded("the number of unfinished handshakes", len(self._knocking), limit))
        return handshaking

    def _check_name(self, handshaking: Handshaking, peer: NodeName) -> Status:
        dial = self._dials.get(peer.full)
        if dial is not None and not dial.begun:
            dial = None  # it waits for an earlier one of the peer's, and takes this as well
        status = choose_status(
            self.node.node_name, peer, connected=peer.full in self.connections, pending=dial is not None
        )
        if dial is not None and status is Status.OK_SIMULTANEOUS:
            self._preferred[handshaking] = dial
            dial.give_way()
        return status

    def _knock_failed(self, handshaking: Handshaking, error: BeamError) -> None:
        self._knocking.pop(handshaking, None)
        dial = self._preferred.pop(handshaking, None)
        if self._stopped:
            return
        if dial is not None:
            dial.fail(error)
        # That of two attempts one gives up is in order. That somebody connects and says nothing is a probe.
        if not isinstance(error, AlreadyConnected) and not (
            handshaking.peer is None and isinstance(error, HungUp) and not handshaking.heard
        ):
            self.node.tell(HandshakeRefused(handshaking.address, error))

    def _opened(self, handshaking: Handshaking, transport: asyncio.Transport, established: Established) -> None:
        self._knocking.pop(handshaking, None)
        self._preferred.pop(handshaking, None)
        self.establish(handshaking, transport, established, dialled=False)

    def establish(
        self, handshaking: Handshaking, transport: asyncio.Transport, established: Established, *, dialled: bool
    ) -> None:
        """A handshake succeeded: this is the connection to that node from now on."""
        name = established.peer.full
        if self._stopped:
            transport.abort()
            return
        older = self.connections.get(name)
        if older is not None:
            # Before our ack goes out: the peer takes the ack as the sign that this connection is the one.
            older.close("the node connected anew")
        connection = self.connections[name] = Connection(self.node, transport, established, dialled=dialled)
        transport.write(handshaking.machine.data_to_send())
        dial = self._dials.pop(name, None)
        if dial is not None:
            # Before anybody is told: what waited for the connection goes before what they send over it.
            dial.succeed(connection)
        self.node.tell(NodeUp(name, established.creation, dialled))
        connection.begin(established.trailing)

    def disconnected(self, connection: Connection, reason: str, fault: BeamError | None) -> None:
        """A connection went down."""
        if self.connections.get(connection.node) is connection:
            del self.connections[connection.node]
        self._closing.add(connection)
        connection.gone.add_done_callback(lambda _: self._closing.discard(connection))
        self.node.tell(NodeDisconnected(connection.node, reason, fault))

    async def stop(self, patience: float) -> None:
        """Close everything; what a peer does not read within `patience` seconds is dropped."""
        self._stopped = True
        dials = list(self._dials.values())
        for dial in dials:
            dial.fail(NodeNotRunning())
        for handshaking in list(self._knocking):
            handshaking.fail(NodeNotRunning())
        for connection in list(self.connections.values()):
            connection.close("this node stopped")
        if dials:
            await asyncio.wait([dial.task for dial in dials])
        closing = {connection: connection.gone for connection in self._closing}
        if closing:
            await asyncio.wait(closing.values(), timeout=patience)
            for connection, gone in closing.items():
                if not gone.done():
                    connection.abort()
            await asyncio.wait(closing.values())
