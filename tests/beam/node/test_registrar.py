from __future__ import annotations

import asyncio

import pytest

from pyerlcoin.beam import Node
from pyerlcoin.beam.dist import NodeName
from pyerlcoin.beam.errors import CannotListen, EpmdUnreachable, NameInUse
from pyerlcoin.beam.node import epmd_client, registrar
from pyerlcoin.beam.node.events import EpmdLost, EpmdOpened, EpmdRegistered, EpmdTakenOver
from pyerlcoin.beam.node.registrar import Registrar
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog
from tests.support.ports import LOOPBACK, free_port, fresh_node


async def names(port: int) -> set[str]:
    return set(await epmd_client.names("127.0.0.1", "127.0.0.1", port))


async def test_the_first_node_serves_the_others() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        a = await cluster.start(on_event=events)
        b = await cluster.start()
        assert (a.serves_epmd, b.serves_epmd) == (True, False)
        assert events.of(EpmdTakenOver) == [EpmdTakenOver(cluster.epmd_port, LOOPBACK)]
        assert events.of(EpmdRegistered) == [EpmdRegistered(cluster.epmd_port, a.port)]
        assert await names(cluster.epmd_port) == {a.node_name.alive, b.node_name.alive}
        assert a.identities.creation != b.identities.creation
        await b.stop()
        assert await names(cluster.epmd_port) == {a.node_name.alive}


async def test_a_node_of_the_room_is_found_though_one_of_loopback_serves() -> None:
    async with Cluster() as cluster:
        log = EventLog()
        await cluster.start(on_event=log)
        room = await cluster.start(fresh_node(host="127.0.0.2"))
        assert not room.serves_epmd
        assert log.of(EpmdOpened) == [EpmdOpened(cluster.epmd_port, ("127.0.0.2",))]
        worker = await cluster.start(fresh_node(host="127.0.0.3"))
        await worker.ping(room.name)


async def test_a_node_of_loopback_takes_over_and_that_of_the_room_is_found_again() -> None:
    async with Cluster() as cluster:
        room = await cluster.start(fresh_node(host="127.0.0.2"))
        log = EventLog()
        other = await cluster.start(on_event=log)
        worker = await cluster.start(fresh_node(host="127.0.0.3"), embedded_epmd=False)
        await worker.ping(room.name)
        await room.stop()
        await log.wait(EpmdRegistered, 2)
        assert other.serves_epmd
        again = await cluster.start(room.name)
        await worker.ping(again.name)
        assert not again.serves_epmd


async def test_nodes_of_loopback_keep_the_port_mapper_there() -> None:
    async with Cluster() as cluster:
        log = EventLog()
        nodes = [await cluster.start(on_event=log), await cluster.start(), await cluster.start(bind="127.0.0.1")]
        assert log.of(EpmdOpened) == []
        with pytest.raises(EpmdUnreachable):
            await epmd_client.names("127.0.0.2", "127.0.0.2", cluster.epmd_port)
        assert await names(cluster.epmd_port) == {node.node_name.alive for node in nodes}


async def test_a_bound_node_says_only_where_it_is_bound() -> None:
    async with Cluster() as cluster:
        log = EventLog()
        await cluster.start(on_event=log)
        await cluster.start(fresh_node(host="127.0.0.2"), bind="127.0.0.3")
        assert log.of(EpmdOpened) == [EpmdOpened(cluster.epmd_port, ("127.0.0.3",))]
        await cluster.start(bind="0.0.0.0")
        assert log.of(EpmdOpened)[1:] == [EpmdOpened(cluster.epmd_port, ("0.0.0.0",))]


async def test_many_nodes_start_at_once_and_one_of_them_serves() -> None:
    async with Cluster() as cluster:
        nodes = [cluster.make() for _ in range(10)]
        await asyncio.gather(*(node.start() for node in nodes))
        assert [node.serves_epmd for node in nodes].count(True) == 1
        assert await names(cluster.epmd_port) == {node.node_name.alive for node in nodes}


async def test_when_the_server_goes_one_takes_over_and_the_others_follow() -> None:
    async with Cluster() as cluster:
        logs: dict[str, EventLog] = {}

        async def start() -> Node:
            log = EventLog()
            node = await cluster.start(on_event=log)
            logs[node.name] = log
            return node

        nodes = [await start() for _ in range(4)]
        await nodes[1].ping(nodes[2].name)
        creations = [node.identities.creation for node in nodes]
        for times in 2, 3, 4:
            serving = next(node for node in nodes if node.serves_epmd)
            await serving.stop()
            nodes.remove(serving)
            for node in nodes:
                await logs[node.name].wait(EpmdRegistered, times)
            assert await names(cluster.epmd_port) == {node.node_name.alive for node in nodes}
            assert [node.serves_epmd for node in nodes].count(True) == 1
            for node in nodes[1:]:
                await nodes[0].ping(node.name)
        assert nodes[0].identities.creation in creations


async def test_a_living_name_is_refused_and_keeps_its_holder() -> None:
    async with Cluster() as cluster:
        a = await cluster.start()
        with pytest.raises(NameInUse):
            await cluster.start(a.name)
        assert await names(cluster.epmd_port) == {a.node_name.alive}


async def test_without_an_embedded_epmd_there_must_be_one() -> None:
    async with Cluster() as cluster:
        with pytest.raises(EpmdUnreachable):
            await cluster.start(embedded_epmd=False)
        await cluster.start()
        late = await cluster.start(embedded_epmd=False)
        assert not late.serves_epmd


async def test_something_else_on_the_port_of_epmd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar, "_FIRST_PAUSE", 0.001)

    class NoEpmd(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"SSH-2.0-x\r\n")

    server = await asyncio.get_running_loop().create_server(NoEpmd, "127.0.0.1", 0)
    async with server, Cluster() as cluster:
        with pytest.raises(CannotListen):
            await cluster.start(epmd_port=server.sockets[0].getsockname()[1])


async def test_losing_the_race_for_the_port_asks_the_winner(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        taken: list[Node] = []

        class Late(Registrar):
            """Finds no port mapper, and when it binds the port another node has it."""

            async def _take_over(self) -> None:
                if not taken:
                    taken.append(await cluster.start())
                await super()._take_over()

        log = EventLog()
        late = Late(
            NodeName.parse(fresh_node()),
            1,
            hidden=True,
            epmd_port=cluster.epmd_port,
            addresses=("127.0.0.1",),
            embedded=True,
            tell=log,
        )
        assert await late.start() > 3
        assert not late.serving
        await late.stop()


async def test_stop_while_it_registers_again() -> None:
    async with Cluster() as cluster:
        log = EventLog()
        a = await cluster.start()
        b = await cluster.start(embedded_epmd=False, on_event=log)
        await a.stop()
        await log.wait(EpmdLost)
        await b.stop()
        await b.stop()


async def test_it_registers_again_when_the_name_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrar, "_FIRST_PAUSE", 0.001 * UNIT)
    monkeypatch.setattr(registrar, "_LONGEST_PAUSE", 0.001 * UNIT)
    async with Cluster() as cluster:
        log = EventLog()
        a = await cluster.start()
        b = await cluster.start(embedded_epmd=False, on_event=log)
        await a.stop()
        await log.wait(EpmdLost)
        await cluster.start()
        await log.wait(EpmdRegistered, 2)
        assert b.node_name.alive in await names(cluster.epmd_port)


async def test_the_port_of_epmd_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("ERL_EPMD_PORT", str(port))
    assert Node(fresh_node(), "c").epmd_port == port
    for nonsense in "", "x", "0", "70000":
        monkeypatch.setenv("ERL_EPMD_PORT", nonsense)
        assert Node(fresh_node(), "c").epmd_port == 4369
