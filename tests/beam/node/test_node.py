from __future__ import annotations

import asyncio
import logging

import pytest

import pyerlcoin.beam
from pyerlcoin.beam import Atom, Cookie, GenServer, Node, NodeName
from pyerlcoin.beam.errors import (
    CannotListen,
    EpmdUnreachable,
    HostUnknown,
    InvalidCookie,
    InvalidNodeName,
    NameInUse,
    NodeNotRunning,
    UnencodableTerm,
)
from pyerlcoin.beam.node.events import Event, NodeUp
from pyerlcoin.beam.node.registrar import Registrar
from tests.support.nodes import Cluster, settle, until
from tests.support.ports import fresh_node


def test_what_anybody_imports() -> None:
    for name in pyerlcoin.beam.__all__:
        assert getattr(pyerlcoin.beam, name)


def test_what_no_node_can_be() -> None:
    with pytest.raises(InvalidNodeName):
        Node("no-host", "c")
    with pytest.raises(InvalidCookie):
        Node("a@127.0.0.1", "")


def test_names_and_cookies_may_be_made_before() -> None:
    assert Node(NodeName.parse("a@127.0.0.1"), Cookie("c")).name == "a@127.0.0.1"


async def refuses_all(node: Node) -> None:
    assert not node.running
    assert not node.serves_epmd
    assert node.nodes() == []
    for refused in node.call("x", 1), node.cast("x", 1), node.send("x", 1), node.connect("a@127.0.0.1"):
        with pytest.raises(NodeNotRunning):
            await refused
    with pytest.raises(NodeNotRunning):
        node.spawn(GenServer())
    assert not node.disconnect("a@127.0.0.1")
    assert node.tables().connections == 0


async def test_before_the_start_and_after_the_stop() -> None:
    async with Cluster() as cluster:
        node = cluster.make()
        await refuses_all(node)
        await node.stop()
        await node.start()
        with pytest.raises(NodeNotRunning):
            await node.start()
        assert node.serves_epmd
        await node.stop()
        await refuses_all(node)
        with pytest.raises(NodeNotRunning):
            await node.start()


async def test_a_start_that_failed_can_be_tried_again() -> None:
    async with Cluster() as cluster:
        node = cluster.make(embedded_epmd=False)
        with pytest.raises(EpmdUnreachable):
            await node.start()
        await refuses_all(node)
        async with cluster.make():  # the port mapper
            await node.start()
            assert node.running
            await node.stop()


@pytest.mark.parametrize("turns", [0, 1, 2, 4, 6, 9, 40])
async def test_a_stop_that_was_cut_short_is_finished_by_the_next(turns: int) -> None:
    async with Cluster() as cluster:
        await cluster.start()  # the port mapper
        node = await cluster.start()
        peer = await cluster.raw(node)
        await until(lambda: node.nodes() == [peer.name])
        # What the peer never reads has the stop wait for it.
        node.process().send_nowait(("sink", peer.name), bytes(12_000_000))
        cut = asyncio.create_task(node.stop())
        for _ in range(turns):
            await asyncio.sleep(0)
        cut.cancel()
        await asyncio.wait({cut})
        await node.stop()
        again = await cluster.start(node.name, port=node.port)
        assert again.port == node.port


async def test_two_stops_at_once_both_wait_for_the_end() -> None:
    async with Cluster() as cluster:
        await cluster.start()  # the port mapper
        node = await cluster.start()
        stops = [asyncio.create_task(node.stop()) for _ in range(2)]
        await asyncio.wait(stops, return_when=asyncio.FIRST_COMPLETED)
        await cluster.start(node.name, port=node.port)
        await asyncio.wait(stops)


async def test_stop_ends_processes_and_tells_who_watches() -> None:
    class Watcher(GenServer):
        def __init__(self) -> None:
            self.down: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def handle_down(self, target: object, reference: object, reason: object) -> None:
            self.down.set_result(reason)

    class Ends(GenServer):
        ended: object = None

        def terminate(self, reason: object) -> None:
            self.ended = reason

    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        ends, watcher = Ends(), Watcher()
        target = there.spawn(ends, "ends")
        here.spawn(watcher).monitor(target.pid)
        await settle(there, here)
        await there.stop()
        assert ends.ended == Atom("shutdown")
        assert await watcher.down == Atom("shutdown")
        tables = there.tables()
        assert (tables.processes, tables.connections, tables.monitors_on_us, tables.handshakes) == (0, 0, 0, 0)


async def test_a_terminate_that_raises_holds_up_nothing() -> None:
    class Broken(GenServer):
        def terminate(self, reason: object) -> None:
            raise KeyError

    async with Cluster() as cluster:
        node = await cluster.start()
        node.spawn(Broken(), "broken").exit()
        assert node.registry.names == ["net_kernel", "rex"]


async def test_an_exit_reason_that_fits_in_no_message() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        process = node.process()
        with pytest.raises(UnencodableTerm):
            process.exit(bytes(node.limits.frame_bytes))
        assert process.alive


async def test_where_it_listens() -> None:
    async with Cluster() as cluster:
        elsewhere = await cluster.start(fresh_node(host="127.0.0.5"))
        for address in "127.0.0.5", "127.0.0.1":
            _, writer = await asyncio.open_connection(address, elsewhere.port)
            writer.close()
            await writer.wait_closed()
        only = await cluster.start(bind="127.0.0.6")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", only.port)
        named = await cluster.start(bind="localhost")
        await elsewhere.ping(named.name)


async def test_where_it_cannot_listen() -> None:
    async with Cluster() as cluster:
        with pytest.raises(
            CannotListen, match="no address of this machine: give one that is, in the node's name or to bind"
        ):
            await cluster.start(fresh_node(host="192.0.2.1"))
        with pytest.raises(HostUnknown):
            await cluster.start(fresh_node(host="no.such.host.invalid"))
        node = await cluster.start()
        with pytest.raises(CannotListen, match="address already in use"):
            await cluster.start(port=node.port)


async def test_a_fixed_port() -> None:
    async with Cluster() as cluster:
        first = await cluster.start()
        port = first.port
        await first.stop()
        assert (await cluster.start(port=port)).port == port


async def test_a_start_that_fails_leaves_nothing_open() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        twin = cluster.make(node.name)
        with pytest.raises(NameInUse):
            await twin.start()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", twin.port)
        assert not twin.running


async def test_a_start_may_be_cancelled_at_any_moment() -> None:
    async with Cluster() as cluster:
        for turns in range(12):
            task = asyncio.create_task(cluster.make().start())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])


async def test_a_subscriber_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def subscriber(event: Event) -> None:
        raise KeyError(event)

    caplog.set_level(logging.DEBUG, "pyerlcoin.beam.node")
    async with Cluster() as cluster:
        a, b = await cluster.start(on_event=subscriber), await cluster.start()
        await a.ping(b.name)
        assert f"a subscriber raised on {NodeUp.__name__}" in caplog.text
        assert f"connected to {b.name}" in caplog.text
        assert cluster.cookie not in caplog.text
        assert cluster.cookie not in repr(vars(a))


async def test_ping_says_how_long_it_took() -> None:
    async with Cluster() as cluster:
        a, b = await cluster.start(), await cluster.start()
        assert await a.ping(b.name) > 0
        assert await a.ping(a.name) > 0


async def test_a_socket_that_comes_before_it_is_registered_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        node = cluster.make()
        register = Registrar.start

        async def knocked_at(registrar: Registrar) -> int:
            peer = await cluster.socket(node)
            assert await peer.closed() == b""
            return await register(registrar)

        monkeypatch.setattr(Registrar, "start", knocked_at)
        await node.start()
        assert node.tables().handshakes == 0
