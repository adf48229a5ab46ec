"""Nodes that know each other's port, and ask no port mapper."""

from __future__ import annotations

import pytest

from pyerlcoin.beam import Node
from pyerlcoin.beam.errors import EpmdUnreachable, PortUnreachable
from pyerlcoin.beam.node import epmd_client
from pyerlcoin.beam.node.events import NodeUp
from tests.support.beam import Beam, Release
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog
from tests.support.ports import free_port, fresh_node


async def none_answers(port: int) -> None:
    with pytest.raises(EpmdUnreachable):
        await epmd_client.names("127.0.0.1", "127.0.0.1", port)


async def test_two_of_ours() -> None:
    async with Cluster() as cluster:
        port = free_port()
        a = await cluster.start(fresh_node(host="127.0.0.2"), bind="127.0.0.2", port=port, peer_port=port)
        # One that nobody has to find may listen anywhere, so a machine has room for many.
        b = await cluster.start(peer_port=port)
        assert (a.port, b.port == port) == (port, False)
        await b.ping(a.name)
        assert a.nodes() == [b.name]
        assert not a.serves_epmd
        assert min(a.identities.creation, b.identities.creation) > 3
        assert a.identities.creation != b.identities.creation
        await none_answers(cluster.epmd_port)


async def test_nobody_on_that_port() -> None:
    async with Cluster() as cluster:
        port = free_port()
        node = await cluster.start(peer_port=port)
        with pytest.raises(PortUnreachable, match=f"port {port}, where n@127.0.0.1 is to be found"):
            await node.connect("n@127.0.0.1")


async def test_a_beam_that_does_so_too(beam_release: Release) -> None:
    async with Cluster() as cluster:
        port, events = free_port(), EventLog()
        flags = [f"-erl_epmd_port {port}"]
        async with Beam(beam_release, epmd_port=cluster.epmd_port, cookie=cluster.cookie, flags=flags) as beam:

            async def start() -> Node:
                return await cluster.start(
                    fresh_node(host="127.0.0.2"), bind="127.0.0.2", port=port, peer_port=port, on_event=events
                )

            node = await start()
            assert await node.ping(beam.node) > 0
            await node.stop()
            node = await start()
            assert await beam.eval(f'Node.ping(:"{node.name}")', timeout=60 * UNIT) == ":pong"
            assert [up.dialled for up in events.of(NodeUp)] == [True, False]
            await none_answers(cluster.epmd_port)
