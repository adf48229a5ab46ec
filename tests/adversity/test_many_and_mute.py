"""A thousand nodes that say nothing, and one that never reads: what they cost, and that others are served meanwhile."""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from pyerlcoin.beam import Atom, GenServer, Node, NodeLimits, Pid, Reference, Sender, Term, dist
from pyerlcoin.beam.errors import LimitExceeded
from pyerlcoin.beam.node.events import NodeDisconnected
from tests.support.beam import Beam
from tests.support.clock import UNIT
from tests.support.leaks import nothing_left
from tests.support.nodes import Cluster, EventLog, RawPeer, until
from tests.support.ports import fresh_node
from tests.support.process import Child
from tests.support.traffic import Traffic

ROOT = Path(__file__).parents[2]
MANY = 1000
MOST_BYTES = 5 * 1024
"""Of our heap, for one idle connection."""


def heap() -> int:
    """Bytes that tracemalloc counts after a collection."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def test_a_thousand_idle_connections(record_property: Callable[[str, object], None]) -> None:
    """Each keeps at most 5 kB of our heap, and nothing once it is gone; a ping takes its turn meanwhile."""
    async with Cluster() as cluster:
        node, other = await cluster.start(), await cluster.start()
        await other.ping(node.name)
        async with nothing_left(node):
            tracemalloc.start()
            try:
                left = []
                for count in (MANY, MANY // 4):
                    arguments = ("-m", "tests.adversity.idle_peers", node.name, str(node.port), str(count))
                    async with Child([sys.executable, *arguments], cwd=ROOT, label="idle peers") as peers:
                        before = heap()  # with the child's pipes, whose buffers of Python 3.14 have 128 KiB each
                        peers.write(cluster.cookie + "\n")
                        await peers.wait_line("^ready$", timeout=60 * UNIT)
                        assert node.tables().connections == count + 1
                        each = (heap() - before) / count
                        assert await other.ping(node.name) >= 0
                        peers.kill()
                        await peers.wait()
                    await until(lambda: node.tables().connections == 1 and not node._peers._closing)
                    left.append(heap())
                    record_property("heap_bytes_per_idle_connection", each)
                    print(f"{each:.0f} bytes of heap for each idle connection")
                    assert each <= MOST_BYTES
                # What containers grew to the first time may stay; of connections nothing.
                assert left[1] - left[0] < MANY // 4 * 80
            finally:
                tracemalloc.stop()


@pytest.mark.long
async def test_silence_ends_many_connections() -> None:
    """One timer looks at all: those that never tick are gone after the tick time and a quarter."""
    async with Cluster() as cluster:
        log = EventLog()
        node = await cluster.start(tick_time=2.0 * UNIT, on_event=log)
        async with nothing_left(node):
            arguments = ("-m", "tests.adversity.idle_peers", node.name, str(node.port), "200")
            async with Child([sys.executable, *arguments], cwd=ROOT, label="idle peers") as peers:
                peers.write(cluster.cookie + "\n")
                lost = await log.wait(NodeDisconnected, 200)
                assert "tick time" in lost.reason


class Generous(GenServer):
    """Every call gets a large reply."""

    reply = b"z" * 20_000

    def handle_call(self, request: Term, sender: Sender) -> Term:
        return self.reply


@pytest.mark.beam
async def test_a_caller_that_never_reads(beam: Beam) -> None:
    """It asks for far more than it may leave unread: our memory stays within the limit, and it is disconnected with the
    reason. The BEAM's calls go on."""
    limit, log = 4_000_000, EventLog()
    async with Node(
        fresh_node("py"),
        beam.cookie,
        epmd_port=beam.epmd_port,
        limits=NodeLimits(unsent_bytes=limit),
        on_event=log,
    ) as node:
        node.spawn(Generous(), "generous")
        traffic = Traffic(node, beam)
        await traffic.start()
        assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"
        async with nothing_left(node, beam), traffic.flowing():
            await traffic.until_answered(20)
            mute = RawPeer(*await asyncio.open_connection("127.0.0.1", node.port))
            await mute.shake_hands(node, beam.cookie)
            tracemalloc.start()
            try:
                before = heap()
                asked = 0
                while not any(event.node == mute.name for event in log.of(NodeDisconnected)):
                    me = Pid.make(mute.name, 1, 0, mute.creation)
                    for _ in range(50):
                        asked += 1
                        tag = Reference.make(mute.name, mute.creation, (asked, 2, 3))
                        mute.send(dist.RegSend(me, Atom("generous"), (Atom("$gen_call"), (me, tag), asked)))
                    await traffic.until_answered(1)
                grown = tracemalloc.get_traced_memory()[1] - before
            finally:
                tracemalloc.stop()
            assert grown < 2 * limit
            assert asked * len(Generous.reply) > limit
            lost = next(event for event in log.of(NodeDisconnected) if event.node == mute.name)
            assert isinstance(lost.fault, LimitExceeded)
            await mute.close()
            await traffic.until_answered(20)
        assert await traffic.wrong() == []
        assert traffic.ours["failed"] == traffic.theirs["failed"] == 0
