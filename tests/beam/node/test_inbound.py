from __future__ import annotations

import asyncio
import contextlib

import pytest

from pyerlcoin.beam import Atom, GenServer, Node, NodeLimits, Sender, Term, dist
from pyerlcoin.beam.dist import Control
from pyerlcoin.beam.errors import LimitExceeded
from pyerlcoin.beam.etf import OK
from pyerlcoin.beam.node.connection import Connection
from pyerlcoin.beam.node.events import NodeDisconnected
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog, RawPeer, settle, until
from tests.support.whole_calls import pid_of, ref_of

GEN_CALL = Atom("$gen_call")


class Much(GenServer):
    """Replies with more than what was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def handle_call(self, request: Term, sender: Sender) -> Term:
        self.asked += 1
        return bytes(100_000)


class Sink(GenServer):
    def __init__(self) -> None:
        self.messages = self.calls = 0

    def handle_call(self, request: Term, sender: Sender) -> Term:
        self.calls += 1
        return OK

    def handle_info(self, message: Term) -> None:
        self.messages += 1


def asks(peer: RawPeer, number: int) -> list[Control]:
    return [
        dist.RegSend(pid_of(peer), Atom("much"), (GEN_CALL, (pid_of(peer), ref_of(peer)), n)) for n in range(number)
    ]


async def behind(cluster: Cluster, node: Node, asked: int) -> tuple[RawPeer, Connection]:
    """A peer that asks so much without reading that it falls behind, and the node's connection to it."""
    peer = await cluster.raw(node)
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport can
    peer.send(*asks(peer, asked))
    await until(lambda: node.nodes() == [peer.name])
    (connection,) = node._peers.connections.values()
    await until(lambda: not connection.takes)
    return peer, connection


async def test_what_a_slow_reader_asks_is_put_off_until_it_reads() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(unsent_bytes=2**20))
        much = Much()
        node.spawn(much, "much")
        # In one read they lead to a hundred times what may be unsent.
        peer, connection = await behind(cluster, node, 1000)
        peer.send(*asks(peer, 1))
        assert await (await cluster.start()).ping(node.name) > 0
        assert 0 < much.asked < 1000
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
        got = 0
        while got < 1001:
            data = await peer.reader.read(2**20)
            assert data, "the node closed the connection"
            peer.link.receive_data(data)
            got += len(peer.link.events())
        assert much.asked == 1001
        assert connection.takes


async def test_what_is_put_off_has_its_bound() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events, limits=NodeLimits(unsent_bytes=2**20))
        much = Much()
        node.spawn(much, "much")
        peer = await cluster.raw(node)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: node.nodes() == [peer.name])
        (connection,) = node._peers.connections.values()
        while connection.up:
            peer.send(*asks(peer, 10), dist.RegSend(pid_of(peer), Atom("nobody"), bytes(1000)))
            with contextlib.suppress(ConnectionError):
                await peer.writer.drain()
            await asyncio.sleep(0)
        fault = (await events.wait(NodeDisconnected)).fault
        assert isinstance(fault, LimitExceeded)
        assert fault.limit == 2**20
        assert str(fault).startswith("what the node asks, without reading what it is sent, is ")
        assert await (await cluster.start()).ping(node.name) > 0


async def test_one_that_only_reads_late_is_not_taken_for_silent() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(unsent_bytes=2**20))
        node.spawn(Much(), "much")
        peer, connection = await behind(cluster, node, 1000)
        for _ in range(10):
            put_off = len(connection._put_off or b"")
            peer.write(bytes(4))  # a tick, which nobody looks at yet
            await until(lambda: len(connection._put_off or b"") > put_off)  # noqa: B023  # at once
            connection.check(5)
        assert connection.up


async def test_many_senders_that_wait_for_one_reader_keep_to_the_bound() -> None:
    async with Cluster() as cluster:
        node, other = await cluster.start(limits=NodeLimits(unsent_bytes=2**20)), await cluster.start()
        other.spawn(sink := Sink(), "sink")
        to = ("sink", other.name)
        await node.connect(other.name)

        async def sends() -> None:
            # No turn of the loop in between, unless `send` itself waits.
            for _ in range(20):
                await node.send(to, bytes(50_000))

        async def calls() -> None:
            for _ in range(20):
                assert await node.call(to, bytes(50_000), None) == OK

        await asyncio.gather(*(sends() for _ in range(20)), *(calls() for _ in range(20)))
        await settle(other, node)
        assert (sink.messages, sink.calls) == (400, 400)
        assert node.nodes() == [other.name]


@pytest.mark.parametrize("how", ["a call", "what the peer sends"])
async def test_who_streams_to_a_peer_leaves_room_for(how: str) -> None:
    """The stream alone has the peer behind nearly all the time; it reads as fast as it can."""
    async with Cluster() as cluster:
        node, other = await cluster.start(limits=NodeLimits(unsent_bytes=2**20)), await cluster.start()
        other.spawn(Sink(), "sink")
        node.spawn(mine := Sink(), "sink")
        await node.connect(other.name)
        process = node.process()
        enough = asyncio.Event()

        async def stream() -> None:
            while not enough.is_set():
                await process.send(("sink", other.name), bytes(100_000))

        streaming = asyncio.create_task(stream())
        (connection,) = node._peers.connections.values()
        await until(lambda: not connection.takes)
        async with asyncio.timeout(20 * UNIT):
            if how == "a call":
                assert await node.call(("sink", other.name), 1, None) == OK
            else:
                for _ in range(20):
                    await other.send(("sink", node.name), 1)
                assert await other.call(("sink", node.name), 1, None) == OK
                assert mine.messages == 20
        assert not streaming.done()
        enough.set()
        await streaming


async def test_what_was_asked_before_the_end_is_handled() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(unsent_bytes=2**20))
        node.spawn(much := Much(), "much")
        peer, _ = await behind(cluster, node, 100)
        peer.send(*asks(peer, 1000))
        peer.writer.write_eof()
        await until(lambda: not node.nodes())
        assert much.asked == 1100


async def test_a_peer_that_catches_up_bit_by_bit_costs_no_more_than_what_it_asked() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(unsent_bytes=2**20))
        node.spawn(much := Much(), "much")
        peer, connection = await behind(cluster, node, 3000)
        await until(lambda: connection._put_off is not None)
        most = len(connection._inbound._held)
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
        while much.asked < 3000:
            assert await peer.reader.read(100_000)
            most = max(most, len(connection._inbound._held))
        # Of four reads at most: all else waits as bytes.
        assert most <= 4 * 65_536 / len(asks(peer, 1)[0].encode())


async def test_links_and_unlinks_that_cross() -> None:
    """ "Link Protocol": a LINK that was sent before our UNLINK_ID had come makes no link, until the ack."""
    async with Cluster() as cluster:
        node = await cluster.start()
        process = node.process()
        peer = await cluster.raw(node)
        there, here = pid_of(peer), process.pid
        process.link(there)
        assert await peer.receive() == dist.Link(here, there)
        process.unlink(there)
        first = await peer.receive()
        assert isinstance(first, dist.UnlinkId)
        peer.send(dist.Link(there, here), dist.UnlinkIdAck(first.id + 1, there, here), dist.Link(there, here))
        peer.send(dist.MonitorP(there, Atom("nobody"), ref_of(peer)))
        await peer.receive()
        assert (process.linked, node.tables().links) == ([], 0)
        peer.send(dist.UnlinkIdAck(first.id, there, here), dist.Link(there, here))
        await until(lambda: process.linked == [there])
        # A link of ours ends the waiting as well.
        process.unlink(there)
        process.link(there)
        await until(lambda: process.linked == [there])
        peer.send(dist.Exit(there, here, Atom("bye")))
        await until(lambda: process.linked == [])
        assert node.tables().links == 0


async def test_the_end_of_many_that_many_watch() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        processes = [node.process() for _ in range(20)]
        peer = await cluster.raw(node)
        me = pid_of(peer)
        watches = [
            dist.MonitorP(me, process.pid, ref_of(peer, 100 * n + k))
            for n in range(40)
            for k, process in enumerate(processes)
        ]
        peer.send(*watches)
        await until(lambda: node.tables().monitors_on_us == len(watches) == 800)
        for process in processes[:10]:
            process.exit(Atom("first"))
        peer.send(dist.DemonitorP(me, processes[10].pid, watches[10].ref))
        await until(lambda: node.tables().monitors_on_us == 399)
        for process in processes[10:]:
            process.exit(Atom("then"))
        assert node.tables().monitors_on_us == 0
        assert [process.watched for process in processes] == [0] * 20
