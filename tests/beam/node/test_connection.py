from __future__ import annotations

import asyncio
import zlib

import pytest

from pyerlcoin.beam import Atom, GenServer, ImproperList, Node, NodeLimits, Pid, Reference, Sender, Term, dist
from pyerlcoin.beam.errors import LimitExceeded, MalformedMessage, MalformedTerm, NodeDown
from pyerlcoin.beam.etf import term_to_binary
from pyerlcoin.beam.node import connection as connection_module
from pyerlcoin.beam.node.connection import Connection
from pyerlcoin.beam.node.events import NodeDisconnected
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog, until
from tests.support.whole_calls import pid_of, ref_of, whole_call

ALIAS, YES, NOPROC, NOTSUP = Atom("alias"), Atom("yes"), Atom("noproc"), Atom("notsup")
GEN_CALL, IS_AUTH, NET_KERNEL = Atom("$gen_call"), Atom("is_auth"), Atom("net_kernel")


class Echo(GenServer):
    def __init__(self) -> None:
        self.infos: asyncio.Queue[Term] = asyncio.Queue()

    def handle_call(self, request: Term, sender: Sender) -> Term:
        return request

    def handle_info(self, message: Term) -> None:
        self.infos.put_nowait(message)


async def still_answers(cluster: Cluster, node: Node) -> bool:
    """Another peer gets its ping answered."""
    peer = await cluster.raw(node)
    me, ref = pid_of(peer), ref_of(peer)
    peer.send(dist.RegSend(me, NET_KERNEL, (GEN_CALL, (me, ref), (IS_AUTH, Atom(peer.name)))))
    reply = await peer.receive()
    await peer.close()
    return reply == dist.Send(me, (ref, YES))


async def test_replies_go_where_the_tag_says() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        server = node.spawn(Echo(), "echo").pid
        peer = await cluster.raw(node)
        me, ref, other = pid_of(peer), ref_of(peer), ref_of(peer, 9)
        plain: tuple[Term, ...] = (ref, (ref, Atom(peer.name)), ImproperList([ALIAS], 7))
        aliased = (ImproperList([ALIAS], ref), ImproperList([ImproperList([ALIAS], ref)], other))
        for tag in (*plain, *aliased):
            peer.send(dist.RegSend(me, Atom("echo"), (GEN_CALL, (me, tag), 5)))
            reply = await peer.receive()
            if tag in plain:
                assert reply == dist.Send(me, (tag, 5))
            else:
                assert reply == dist.AltactSigSend(4, server, ref, None, (tag, 5))


async def test_monitors_of_a_peer() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        process = node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        me = pid_of(peer)
        old = Pid.make(node.name, process.pid.id, process.pid.serial, process.pid.creation - 1)
        for missing in Atom("nobody"), old:
            peer.send(dist.MonitorP(me, missing, ref_of(peer)))
            assert await peer.receive() == dist.MonitorPExit(missing, me, ref_of(peer), NOPROC)
        by_name, by_pid, undone = (ref_of(peer, number) for number in (1, 2, 3))
        watch = dist.MonitorP(me, Atom("echo"), by_name)
        peer.send(watch, watch, dist.MonitorP(me, process.pid, by_pid), dist.MonitorP(me, process.pid, undone))
        peer.send(dist.DemonitorP(me, process.pid, undone), dist.DemonitorP(me, process.pid, undone))
        peer.send(dist.MonitorP(me, Atom("nobody"), by_name))
        await peer.receive()
        assert (node.tables().monitors_on_us, process.watched) == (2, 2)
        process.exit(Atom("bye"))
        ends: list[object] = []
        while len(ends) < 2:
            async with asyncio.timeout(20 * UNIT):
                peer.link.receive_data(await peer.reader.read(65536))
            ends += peer.link.events()
        assert ends == [
            dist.MonitorPExit(Atom("echo"), me, by_name, Atom("bye")),
            dist.MonitorPExit(process.pid, me, by_pid, Atom("bye")),
        ]
        assert node.tables().monitors_on_us == 0


async def test_links_of_a_peer() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        process = node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        me, nobody = pid_of(peer), Pid.make(node.name, 999, 0, process.pid.creation)
        peer.send(dist.Link(me, nobody))
        assert await peer.receive() == dist.Exit(nobody, me, NOPROC)
        peer.send(dist.Link(me, process.pid), dist.UnlinkId(5, me, process.pid))
        assert await peer.receive() == dist.UnlinkIdAck(5, process.pid, me)
        assert node.tables().links == 0
        peer.send(dist.Link(me, process.pid), dist.UnlinkId(6, me, nobody))
        assert await peer.receive() == dist.UnlinkIdAck(6, nobody, me)
        process.exit(Atom("bye"))
        assert await peer.receive() == dist.Exit(process.pid, me, Atom("bye"))


async def test_what_a_peer_cannot_do_is_ignored_or_refused() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        echo = Echo()
        process = node.spawn(echo, "echo")
        peer = await cluster.raw(node)
        me, ref, kill = pid_of(peer), ref_of(peer), Atom("kill")
        token, mfa = (1, 2), (Atom("os"), Atom("cmd"), 1)
        peer.send(
            dist.Exit2(me, process.pid, kill),
            dist.PayloadExit2(me, process.pid, kill),
            dist.Exit2TT(me, process.pid, token, kill),
            dist.PayloadExit2TT(me, process.pid, token, kill),
            dist.Exit(me, process.pid, kill),
            dist.GroupLeader(me, process.pid),
            dist.AliasSend(me, ref, 1),
            dist.AltactSigSend(16, me, process.pid, None, kill),
            dist.AltactSigSend(4, me, ref, None, 1),
            dist.UnlinkIdAck(1, me, process.pid),
            dist.MonitorPExit(me, process.pid, ref, kill),
            dist.SpawnReply(ref, process.pid, 0, me),
            dist.Send(Pid.make(node.name, 999, 0, process.pid.creation), 1),
            dist.RegSend(me, Atom("nobody"), 1),
            dist.SpawnRequest(ref, me, me, mfa, [], ["id"]),
        )
        assert await peer.receive() == dist.SpawnReply(ref, me, 0, NOTSUP)
        assert process.alive
        # And the other ways to say a message.
        peer.send(
            dist.Send(process.pid, 1),
            dist.SendTT(process.pid, token, 2),
            dist.SendSender(me, process.pid, 3),
            dist.SendSenderTT(me, process.pid, token, 4),
            dist.RegSendTT(me, Atom("echo"), token, 5),
            dist.AltactSigSend(0, me, process.pid, None, 6),
            dist.AltactSigSend(9, me, Atom("echo"), None, 7),
        )
        assert [await echo.infos.get() for _ in range(7)] == [1, 2, 3, 4, 5, 6, 7]


async def test_a_peer_without_monitors_is_called_without() -> None:
    """As C nodes mostly are, which end the connection at the sight of one; a BEAM spares them, too."""
    async with Cluster() as cluster:
        node = await cluster.start()
        peer = await cluster.raw(node, flags=dist.OFFERED & ~dist.DistributionFlags.DFLAG_DIST_MONITOR)
        watcher = Echo()
        process = node.spawn(watcher)
        reference = process.monitor(("any", peer.name))
        called = asyncio.create_task(process.call(("any", peer.name), 5))
        message = await peer.receive()
        assert isinstance(message, dist.RegSend)
        match message.message:
            case (_, (Pid() as caller, Reference() as tag), 5):
                peer.send(dist.Send(caller, (tag, 6)))
            case other:
                raise AssertionError(other)
        assert await called == 6
        await peer.close()
        assert (await watcher.infos.get())[1] == reference  # type: ignore[index]


async def test_a_link_to_a_process_of_a_former_life() -> None:
    """A BEAM answers it, and then closes the connection on the unlink."""
    async with Cluster() as cluster:
        node = await cluster.start()
        watcher = Echo()
        process = node.spawn(watcher)
        peer = await cluster.raw(node)
        await until(lambda: node.nodes() == [peer.name])
        now = pid_of(peer)
        old = Pid.make(now.node, now.id, now.serial, now.creation - 1)
        process.link(old)
        assert await watcher.infos.get() == (Atom("EXIT"), old, NOPROC)
        process.unlink(old)
        process.send_nowait(now, 1)
        assert await peer.receive() == dist.Send(now, 1)


def frame(control: bytes, message: bytes = b"") -> bytes:
    body = b"p" + control + message
    return len(body).to_bytes(4) + body


REG_SEND_ECHO = b"\x83h\x04a\x06"


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("a frame of 100 MB", LimitExceeded),
        ("a term nested 100,000 deep", LimitExceeded),
        ("a compressed term", MalformedTerm),
        ("an unknown operation", MalformedMessage),
        ("the old UNLINK", MalformedMessage),
        ("a distribution header", MalformedMessage),
        ("bytes left over", MalformedMessage),
        ("a monitor of a third node's process", MalformedMessage),
        ("a term cut short", MalformedTerm),
    ],
)
async def test_a_peer_that_breaks_the_protocol_is_disconnected(what: str, fault: type[Exception]) -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events)
        peer = await cluster.raw(node)
        to_echo = term_to_binary((6, pid_of(peer), Atom(""), Atom("echo")))
        deep = b"\x83" + b"l\0\0\0\1" * 100_000 + b"j" * 100_001
        small = term_to_binary([0] * 1000)[1:]
        data = {
            "a frame of 100 MB": (100 * 2**20).to_bytes(4) + b"p\x83",
            "a term nested 100,000 deep": frame(to_echo, deep),
            "a compressed term": frame(to_echo, b"\x83P" + len(small).to_bytes(4) + zlib.compress(small)),
            "an unknown operation": frame(term_to_binary((99, 1))),
            "the old UNLINK": frame(term_to_binary((4, pid_of(peer), pid_of(peer)))),
            "a distribution header": (3).to_bytes(4) + b"\x83D\0",
            "bytes left over": frame(to_echo, b"\x83j\0"),
            "a monitor of a third node's process": frame(
                term_to_binary((19, Pid.make("x@y.z", 1, 0, 4), Atom("echo"), ref_of(peer)))
            ),
            "a term cut short": frame(to_echo, b"\x83m\0\0\0\5abc"),
        }[what]
        peer.write(data)
        assert await peer.closed() == b""
        down = await events.wait(NodeDisconnected)
        assert type(down.fault) is fault
        await peer.close()
        assert await still_answers(cluster, node)


async def test_frames_in_single_bytes() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        peer = await cluster.raw(node)
        me, ref = pid_of(peer), ref_of(peer)
        peer.link.send(dist.RegSend(me, NET_KERNEL, (GEN_CALL, (me, ref), (IS_AUTH, Atom(peer.name)))))
        for byte in peer.link.data_to_send():
            peer.write(bytes((byte,)))
            await peer.writer.drain()
            await asyncio.sleep(0)
        assert await peer.receive() == dist.Send(me, (ref, YES))


async def test_the_replies_of_one_batch_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        me = pid_of(peer)
        (connection,) = node._peers.connections.values()
        writes: list[bytes] = []
        transport = connection._transport
        write = transport.write

        def counted(data: bytes) -> None:
            writes.append(data)
            write(data)

        monkeypatch.setattr(transport, "write", counted)
        peer.send(*(dist.RegSend(me, Atom("echo"), (GEN_CALL, (me, ref_of(peer, n)), n)) for n in range(20)))
        got: list[object] = []
        while len(got) < 20:
            peer.link.receive_data(await peer.reader.read(65536))
            got += peer.link.events()
        assert got == [dist.Send(me, (ref_of(peer, n), n)) for n in range(20)]
        assert len(writes) == 1


async def test_the_end_of_a_monitor_goes_with_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_SOON", 3600.0)
    async with Cluster() as cluster:
        node, there = await cluster.start(), await cluster.start()
        there.spawn(Echo(), "echo")
        assert await node.call(("echo", there.name), 0) == 0
        writes: list[bytes] = []
        (connection,) = node._peers.connections.values()
        write = connection._transport.write

        def counted(data: bytes) -> None:
            writes.append(data)
            write(data)

        monkeypatch.setattr(connection._transport, "write", counted)
        for number in range(10):
            assert await node.call(("echo", there.name), number) == number
        assert len(writes) == 10
        assert there.tables().monitors_on_us == 1, "that of the last call"


async def test_the_end_of_a_monitor_goes_by_itself_when_nothing_is_called() -> None:
    async with Cluster() as cluster:
        node, there = await cluster.start(), await cluster.start()
        there.spawn(Echo(), "echo")
        assert await node.call(("echo", there.name), 0) == 0
        await until(lambda: there.tables().monitors_on_us == 0)


async def test_monitors_are_capped() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events, limits=NodeLimits(monitors=3))
        process = node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        peer.send(*(dist.MonitorP(pid_of(peer), Atom("echo"), ref_of(peer, number)) for number in range(4)))
        assert await peer.closed() == b""
        assert isinstance((await events.wait(NodeDisconnected)).fault, LimitExceeded)
        assert (node.tables().monitors_on_us, process.watched) == (0, 0)
        await peer.close()
        peer = await cluster.raw(node)
        peer.send(*(dist.Link(pid_of(peer, number), process.pid) for number in range(4)))
        assert await peer.closed() == b""
        assert isinstance((await events.wait(NodeDisconnected, 2)).fault, LimitExceeded)
        assert node.tables().links == 0


async def test_a_peer_that_never_reads_is_disconnected() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events, limits=NodeLimits(unsent_bytes=2**20))
        node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport can
        me = pid_of(peer)

        async def flood() -> None:
            while True:
                peer.send(dist.RegSend(me, Atom("echo"), (GEN_CALL, (me, ref_of(peer)), bytes(100_000))))
                await peer.writer.drain()

        with pytest.raises(ConnectionError):
            await flood()
        down = await events.wait(NodeDisconnected)
        assert isinstance(down.fault, LimitExceeded)
        await peer.close()
        assert await still_answers(cluster, node)


async def test_sending_waits_for_a_slow_reader() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(limits=NodeLimits(unsent_bytes=2**20))
        peer = await cluster.raw(node)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while True:
                await node.send(pid_of(peer), bytes(100_000))
                sent += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(flood())
        (connection,) = node._peers.connections.values()
        await until(lambda: connection._writable is not None)
        for _ in range(10):
            await asyncio.sleep(0)
        waiting = sent
        for _ in range(10):
            await asyncio.sleep(0)
        assert sent == waiting
        assert node.nodes() == [peer.name]
        await peer.close()
        task.cancel()
        with pytest.raises((asyncio.CancelledError, Exception)):
            await task


async def test_a_call_whose_connection_breaks() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        peer = await cluster.raw(node)
        call = asyncio.create_task(node.call(("x", peer.name), 1, timeout=None))
        assert type(await peer.receive_any()) is dist.MonitorReceived
        await peer.close()
        with pytest.raises(NodeDown):
            await call


async def test_ticks_keep_an_idle_connection_and_silence_ends_it() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        a, b = await cluster.start(tick_time=0.04 * UNIT), await cluster.start(tick_time=0.04 * UNIT)
        node = await cluster.start(on_event=events, tick_time=0.04 * UNIT)
        await a.ping(b.name)
        peer = await cluster.raw(node)
        down = await events.wait(NodeDisconnected)
        assert down.reason == "the node sent nothing for longer than the tick time"
        ticks = await peer.closed()
        assert len(ticks) >= 12
        assert ticks == bytes(len(ticks))
        # As long, and longer, two nodes that tick have been idle.
        assert a.nodes() == [b.name]


async def test_ticks_of_an_idle_connection_are_echoed_so_that_two_nodes_fall_silent() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        peer = await cluster.raw(node)
        (connection,) = node._peers.connections.values()

        async def tick(number: int) -> None:
            peer.write(bytes(4))
            await until(lambda: connection._link.ticks_received == number)

        await tick(1)  # the handshake was written before it
        await tick(2)  # nothing was
        await tick(3)  # the echo was
        await tick(4)
        node.disconnect(peer.name)
        assert await peer.closed() == bytes(8)


class Gate(Echo):
    """Waits before the first answer."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = asyncio.Event()

    async def handle_call(self, request: Term, sender: Sender) -> Term:
        async with asyncio.timeout(20 * UNIT):
            await self.opened.wait()
        return request


async def test_whole_calls_while_a_handler_waits() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        gate = Gate()
        process = node.spawn(gate, "gate")
        peer = await cluster.raw(node)
        for number in range(1, 6):
            peer.send(*whole_call(peer, "gate", number))
        connection = node.route_if_up(peer.name)
        assert isinstance(connection, Connection)
        await until(lambda: connection.fast_hits.get("whole call") == 5)
        assert process.counts[3] == 4  # wait for the first
        assert (process.watched, node.tables().monitors_on_us) == (1, 1)
        gate.opened.set()
        got: list[object] = []
        while len(got) < 5:
            peer.link.receive_data(await peer.reader.read(65536))
            got += peer.link.events()
        refs = {number: ref_of(peer, number) for number in range(1, 6)}
        assert got == [
            dist.AltactSigSend(4, process.pid, ref, None, (ImproperList([ALIAS], ref), number))
            for number, ref in refs.items()
        ]
        process.exit(Atom("done"))
        assert await peer.receive() == dist.MonitorPExit(Atom("gate"), pid_of(peer), ref_of(peer, 5), Atom("done"))


async def test_a_whole_call_of_nobody() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        peer.send(*whole_call(peer, "nobody", 1))
        assert await peer.receive() == dist.MonitorPExit(Atom("nobody"), pid_of(peer), ref_of(peer), NOPROC)
        assert node.tables().monitors_on_us == 0


async def test_whole_calls_count_against_the_monitors() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events, limits=NodeLimits(monitors=3))
        node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        for number in range(1, 6):
            peer.send(*whole_call(peer, "echo", number)[-2:])
        assert isinstance((await events.wait(NodeDisconnected)).fault, LimitExceeded)
        await peer.closed()
