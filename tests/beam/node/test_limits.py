from __future__ import annotations

import asyncio

from pyerlcoin.beam import GenServer, NodeLimits, Sender, Term
from pyerlcoin.beam.errors import LimitExceeded
from pyerlcoin.beam.node.events import NodeDisconnected
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog, settle, until
from tests.support.whole_calls import pid_of


class Echo(GenServer):
    def handle_call(self, request: Term, sender: Sender) -> Term:
        return request


async def test_a_peer_that_takes_nothing_of_what_it_is_sent_is_disconnected() -> None:
    """Though it asks for nothing, and nobody here waits for it."""
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events, limits=NodeLimits(unsent_bytes=2**20))
        process = node.process()
        peer = await cluster.raw(node)
        await until(lambda: node.nodes() == [peer.name])
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sent = 0
        while not events.of(NodeDisconnected):
            process.send_nowait(pid_of(peer), bytes(100_000))
            sent += 100_000
            await asyncio.sleep(0)
            assert sent < 2**26
        fault = events.of(NodeDisconnected)[0].fault
        assert isinstance(fault, LimitExceeded)
        assert fault.what == "what the node has not read yet"
        await peer.close()


async def test_one_message_may_be_longer_than_all_that_may_wait() -> None:
    async with Cluster() as cluster:
        limits = NodeLimits(frame_bytes=2**24, unsent_bytes=2**20)
        node, other = await cluster.start(limits=limits), await cluster.start(limits=limits)
        node.spawn(Echo(), "echo")
        assert await other.call(("echo", node.name), bytes(10_000_000), 20 * UNIT) == bytes(10_000_000)
        await node.send(("nobody", other.name), bytes(10_000_000))
        await settle(node, other)
        assert node.nodes() == [other.name]
