"""Nodes of ours for the tests: each cluster on its own epmd port, with its own cookie, and events to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from pyerlcoin.beam import Cookie, Node
from pyerlcoin.beam.dist import (
    OFFERED,
    AliveReceived,
    Control,
    DistributionFlags,
    DistributionLink,
    Established,
    Initiator,
    NameGiven,
    NodeName,
)
from pyerlcoin.beam.node.events import Event
from tests.support.clock import UNIT
from tests.support.ports import free_port, fresh_cookie, fresh_node

__all__ = ["Cluster", "EventLog", "RawPeer", "settle", "until"]

_E = TypeVar("_E", bound=Event)


class EventLog:
    """Keeps the events of a node, and lets a test wait for one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def of(self, kind: type[_E]) -> list[_E]:
        """Those of one kind, so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def wait(self, kind: type[_E], count: int = 1) -> _E:
        """The `count`-th event of a kind, past or to come."""
        async with asyncio.timeout(20 * UNIT):
            while len(self.of(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.of(kind)[count - 1]


async def settle(node: Node, peer: Node) -> None:
    """Returns once `node` has handled all that `peer` had sent until now, its last demonitor included."""
    await node.ping(peer.name)


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until something in it has come about that tells nobody."""
    async with asyncio.timeout(20 * UNIT):
        while not condition():  # noqa: ASYNC110  # there is no event
            await asyncio.sleep(0)


class Cluster:
    """Makes nodes that find each other; stops them all at the end of the block."""

    def __init__(self) -> None:
        self.epmd_port = free_port()
        self.cookie = fresh_cookie()
        self._nodes: list[Node] = []
        self._peers: list[RawPeer] = []

    def make(self, name: str | None = None, **options: object) -> Node:
        """A node that is not started yet, and is stopped with the others."""
        options.setdefault("epmd_port", self.epmd_port)
        cookie = options.pop("cookie", self.cookie)
        node = Node(name or fresh_node(), cookie, **options)  # type: ignore[arg-type]  # options are Node's own
        self._nodes.append(node)
        return node

    async def start(self, name: str | None = None, **options: object) -> Node:
        """A running node."""
        node = self.make(name, **options)
        await node.start()
        return node

    async def raw(
        self, node: Node, name: str | None = None, cookie: str | None = None, flags: DistributionFlags = OFFERED
    ) -> RawPeer:
        """A `RawPeer` of a node; closed at the end."""
        peer = await self.socket(node)
        await peer.shake_hands(node, cookie or self.cookie, name, flags=flags)
        return peer

    async def socket(self, node: Node) -> RawPeer:
        """A `RawPeer` that has yet to shake hands."""
        peer = RawPeer(*await asyncio.open_connection("127.0.0.1", node.port))
        self._peers.append(peer)
        return peer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for peer in self._peers:
            await peer.close()
        for node in reversed(self._nodes):
            await node.stop()


class RawPeer:
    """A peer that can break every rule: a socket behind a handshake that was in order.

    `link` decodes what comes and encodes what is to be sent; `write` sends any bytes.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.link: DistributionLink
        self.creation = 0
        self.given: NameGiven | None = None

    async def shake_hands(
        self,
        node: Node | NodeName,
        cookie: str,
        name: str | None = None,
        *,
        asks: bool = False,
        flags: DistributionFlags = OFFERED,
    ) -> None:
        """Do the handshake; with `asks`, under the name that the node gives. Raises what an `Initiator` raises."""
        ours = NodeName.parse(name or fresh_node("raw"))
        creation = 1 + secrets.randbits(30)
        machine = Initiator(
            ours=ours,
            peer=node if isinstance(node, NodeName) else node.node_name,
            cookie=Cookie(cookie),
            challenge=secrets.randbits(32),
            creation=creation,
            flags=flags | DistributionFlags.DFLAG_NAME_ME if asks else flags,
        )
        async with asyncio.timeout(20 * UNIT):
            established = await self._drive(machine)
        self.creation = self.given.creation if self.given else creation
        self._established(self.given.name if self.given else ours, established)

    async def _drive(self, machine: Initiator) -> Established:
        while True:
            self.writer.write(machine.data_to_send())
            data = await self.reader.read(65536)
            if data:
                machine.receive_data(data)
            else:
                machine.receive_eof()
            for event in machine.events():
                if isinstance(event, Established):
                    return event
                if isinstance(event, AliveReceived):
                    machine.answer_alive(True)
                else:
                    self.given = event

    def _established(self, ours: NodeName, established: Established) -> None:
        self.link = DistributionLink(ours, established.peer, established.flags)
        self.link.receive_data(established.trailing)

    @property
    def name(self) -> str:
        return self.link.ours.full

    def send(self, *messages: Control) -> None:
        """Control messages, in one write."""
        for message in messages:
            self.link.send(message)
        self.writer.write(self.link.data_to_send())

    def write(self, data: bytes) -> None:
        """Any bytes."""
        self.writer.write(data)

    async def receive_any(self) -> object:
        """The first of the next control messages; the others of its batch are lost."""
        async with asyncio.timeout(20 * UNIT):
            while not (events := self.link.events()):
                data = await self.reader.read(65536)
                assert data, "the node closed the connection"
                self.link.receive_data(data)
        return events[0]

    async def receive(self) -> object:
        """The next control message; it must be the only one that has come."""
        message = await self.receive_any()
        assert not self.link.events()
        return message

    async def closed(self) -> bytes:
        """What still comes until the node closes."""
        async with asyncio.timeout(20 * UNIT):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def close(self) -> None:
        """Close the socket."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
