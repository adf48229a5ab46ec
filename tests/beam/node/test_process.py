from __future__ import annotations

import asyncio

import pytest

from pyerlcoin.beam import Atom, GenServer, Process, Sender, Term
from pyerlcoin.beam.errors import CallTimeout, NameRegistered, NodeNotFound, NodeNotRunning, UnencodableTerm
from pyerlcoin.beam.etf import Pid, Reference
from pyerlcoin.beam.node.process import NOCONNECTION, NOPROC, NORMAL
from tests.support.nodes import Cluster, settle, until


class Watcher(GenServer):
    """Puts all it is told into queues."""

    def __init__(self) -> None:
        self.downs: asyncio.Queue[tuple[Term, Reference, Term]] = asyncio.Queue()
        self.exits: asyncio.Queue[tuple[Pid, Term]] = asyncio.Queue()
        self.infos: asyncio.Queue[Term] = asyncio.Queue()

    def handle_info(self, message: Term) -> None:
        self.infos.put_nowait(message)

    def handle_down(self, target: Term, reference: Reference, reason: Term) -> None:
        self.downs.put_nowait((target, reference, reason))

    def handle_exit(self, pid: Pid, reason: Term) -> None:
        self.exits.put_nowait((pid, reason))


@pytest.mark.parametrize("where", ["here", "there"])
async def test_a_monitor_fires_once(where: str) -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        node = here if where == "here" else there
        watcher = Watcher()
        process = here.spawn(watcher)
        target = node.spawn(GenServer(), "target")
        reference = process.monitor(target.pid)
        undone = process.monitor(target.pid)
        await here.ping(there.name)
        process.demonitor(undone)
        await here.ping(there.name)
        target.exit(Atom("bye"))
        assert await watcher.downs.get() == (target.pid, reference, Atom("bye"))
        after = process.monitor(("target", node.name))
        assert await watcher.downs.get() == ((Atom("target"), Atom(node.name)), after, NOPROC)
        assert watcher.downs.empty()
        assert here.tables().monitors_by_us == 0


async def test_monitors_and_links_fire_when_the_node_is_lost() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        watcher, remote = Watcher(), Watcher()
        process, target = here.spawn(watcher), there.spawn(remote)
        reference = process.monitor(target.pid)
        process.link(target.pid)
        await here.ping(there.name)
        assert (there.tables().monitors_on_us, there.tables().links) == (2, 1)  # the other is the ping's
        here.disconnect(there.name)
        assert await watcher.downs.get() == (target.pid, reference, NOCONNECTION)
        assert await watcher.exits.get() == (target.pid, NOCONNECTION)
        assert await remote.exits.get() == (process.pid, NOCONNECTION)
        assert target.watched == 0
        assert (here.tables().links, there.tables().links) == (0, 0)


async def test_a_monitor_on_a_node_out_of_reach() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        watcher = Watcher()
        process = node.spawn(watcher)
        reference = process.monitor(("x", "nobody@127.0.0.1"))
        assert await watcher.downs.get() == ((Atom("x"), Atom("nobody@127.0.0.1")), reference, NOCONNECTION)
        process.link(Pid.make("nobody@127.0.0.1", 1, 1, 4))
        assert (await watcher.exits.get())[1] == NOCONNECTION
        assert node.tables().dials == 0


@pytest.mark.parametrize("where", ["here", "there"])
async def test_links(where: str) -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        node = here if where == "here" else there
        watcher = Watcher()
        process = here.spawn(watcher)

        def other() -> tuple[Watcher, Process]:
            server = Watcher()
            return server, node.spawn(server)

        ends_it, unlinked, undoes_it, told = other(), other(), other(), other()
        for _, linked in ends_it, unlinked, undoes_it, told:
            process.link(linked.pid)
        await settle(node, here) if node is there else await here.ping(there.name)
        process.unlink(unlinked[1].pid)
        undoes_it[1].unlink(process.pid)
        ends_it[1].exit(Atom("a"))
        assert await watcher.exits.get() == (ends_it[1].pid, Atom("a"))
        await here.ping(there.name)
        await there.ping(here.name)
        unlinked[1].exit(Atom("b"))
        process.exit(Atom("c"))
        assert await told[0].exits.get() == (process.pid, Atom("c"))
        assert told[1].alive
        await here.ping(there.name)
        await there.ping(here.name)
        assert undoes_it[0].exits.empty()
        assert watcher.exits.empty()
        assert (here.tables().links, there.tables().links) == (0, 0)


async def test_the_end_of_a_process_that_linked_itself_to_one_of_a_former_life() -> None:
    """It is told over the connection that comes, and keeps nobody else from that."""
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        watcher = Watcher()
        process, now = here.spawn(watcher), there.process().pid
        process.link(Pid.make(now.node, now.id, now.serial, now.creation - 1))
        process.exit()
        await here.ping(there.name)
        assert watcher.exits.empty()
        assert (process.linked, here.tables().links, there.tables().links) == ([], 0, 0)


@pytest.mark.parametrize("where", ["here", "there"])
async def test_a_link_that_crosses_an_unlink_is_none(where: str) -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        await here.ping(there.name)
        a, b = here.process(), (here if where == "here" else there).process()
        a.link(b.pid)
        b.link(a.pid)
        a.unlink(b.pid)
        for _ in range(2):
            await here.ping(there.name)
            await there.ping(here.name)
        assert (a.linked, b.linked) == ([], [])
        assert (here.tables().links, there.tables().links) == (0, 0)
        b.link(a.pid)  # and later it is one
        await until(lambda: a.linked == [b.pid])


async def test_a_link_to_nobody() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        watcher = Watcher()
        process = here.spawn(watcher)
        for node in here, there:
            gone = node.process()
            gone.exit()
            process.link(gone.pid)
            assert await watcher.exits.get() == (gone.pid, NOPROC)


@pytest.mark.parametrize("where", ["here", "there"])
async def test_a_reply_may_carry_the_reference_of_a_monitor(where: str) -> None:
    """What a hand-made call in Erlang does: monitor, send the reference along, and wait for either."""

    class Server(GenServer):
        def handle_info(self, message: Term) -> None:
            assert isinstance(message, tuple)
            assert isinstance(message[0], Pid)
            self.process.send_nowait(message[0], (message[1], b"reply"))

    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        node = here if where == "here" else there
        server, watcher = node.spawn(Server(), "server"), Watcher()
        process = here.spawn(watcher)
        reference = process.monitor(("server", node.name))
        process.send_nowait(("server", node.name), (process.pid, reference))
        assert await watcher.infos.get() == (reference, b"reply")
        server.exit(Atom("bye"))
        assert (await watcher.downs.get())[1:] == (reference, Atom("bye"))


@pytest.mark.parametrize("where", ["here", "there", "there, connected"])
async def test_the_end_of_a_process_reaches_one_it_was_linked_to_just_before(where: str) -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        node = here if where == "here" else there
        if where.endswith("connected"):
            await here.ping(there.name)
        watcher, other = Watcher(), Watcher()
        target, process = node.spawn(watcher), here.process()
        process.link(target.pid)
        unlinked = node.spawn(other)
        process.link(unlinked.pid)
        process.unlink(unlinked.pid)
        process.exit(Atom("bye"))
        assert await watcher.exits.get() == (process.pid, Atom("bye"))
        await settle(here, there)
        assert other.exits.empty()
        assert (here.tables().links, there.tables().links) == (0, 0)


async def test_nobody_forges_a_down() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        watcher = Watcher()
        process = there.spawn(watcher)
        forged = (Atom("DOWN"), here.identities.reference(), Atom("process"), process.pid, NORMAL)
        await here.send(process.pid, forged)
        assert await watcher.infos.get() == forged
        assert watcher.downs.empty()


async def test_nowait_connects_in_the_background() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        watcher = Watcher()
        there.spawn(watcher, "watcher")
        with here.process() as process:
            for number in range(3):
                process.send_nowait(("watcher", there.name), number)
            process.send_nowait(("watcher", "nobody@127.0.0.1"), b"dropped")
            assert [await watcher.infos.get() for _ in range(3)] == [0, 1, 2]
            with pytest.raises(UnencodableTerm):
                process.send_nowait(("watcher", there.name), object())
            process.cast_nowait(("watcher", there.name), 1)
            with pytest.raises(NodeNotFound):
                await process.send(("watcher", "nobody@127.0.0.1"), 1)
        assert not process.alive
        with pytest.raises(NodeNotRunning):
            process.send_nowait("watcher", 1)


async def test_messages_of_a_node_to_itself_do_not_recurse() -> None:
    class Chain(GenServer):
        def __init__(self) -> None:
            self.done = asyncio.Event()

        def handle_info(self, message: Term) -> None:
            assert isinstance(message, int)
            if message == 0:
                self.done.set()
            else:
                self.process.send_nowait(self.process.pid, message - 1)

    async with Cluster() as cluster:
        node = await cluster.start()
        chain = Chain()
        await node.send(node.spawn(chain).pid, 5000)
        await chain.done.wait()


async def test_names() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        process = node.spawn(GenServer(), "name")
        with pytest.raises(NameRegistered):
            node.spawn(GenServer(), Atom("name"))
        assert node.registry.names == ["name", "net_kernel", "rex"]
        process.exit()
        process.exit()
        node.spawn(GenServer(), "name")


async def test_an_exit_reason_must_be_a_term() -> None:
    async with Cluster() as cluster:
        process = (await cluster.start()).process()
        with pytest.raises(UnencodableTerm):
            process.exit(object())
        assert process.alive


async def test_ending_a_process_cancels_its_waiting_handler() -> None:
    class Waits(GenServer):
        def __init__(self) -> None:
            self.began = asyncio.Event()
            self.cancelled = asyncio.Event()

        async def handle_info(self, message: Term) -> None:
            self.began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise

    async with Cluster() as cluster:
        node = await cluster.start()
        server = Waits()
        process = node.spawn(server)
        await node.send(process.pid, 1)
        await server.began.wait()
        process.exit()
        await server.cancelled.wait()


async def test_a_process_that_ends_watches_nobody_any_more() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        process, target = here.process(), there.process()
        process.monitor(target.pid)
        await here.ping(there.name)
        assert target.watched == 1
        process.exit()
        await here.ping(there.name)
        await until(lambda: target.watched == 0)


async def test_a_reply_that_comes_late_is_no_message() -> None:
    class Slow(GenServer):
        async def handle_call(self, request: Term, sender: Sender) -> Term:
            await asked.wait()
            return request

    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        asked = asyncio.Event()
        there.spawn(Slow(), "slow")
        watcher = Watcher()
        process = here.spawn(watcher)
        with pytest.raises(CallTimeout):
            await process.call(("slow", there.name), 1, timeout=0.01)
        asked.set()
        await there.ping(here.name)
        await here.ping(there.name)
        await there.send(process.pid, Atom("last"))
        assert await watcher.infos.get() == Atom("last")
        assert watcher.infos.empty()


async def test_what_is_no_target() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        process = node.process()
        for wrong in (7, b"name", None, node.identities.reference()):
            with pytest.raises(TypeError, match="a process is named by"):
                process.monitor(wrong)  # type: ignore[arg-type]
        process.send_nowait(node.identities.reference(), 1)  # an alias, of which this node makes none
        assert node.tables().monitors_by_us == 0


async def test_no_living_process_has_the_pid_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        first = node.process()
        monkeypatch.setattr(node.identities, "_pids", 0)  # as after 2**28 of them
        others = [node.process() for _ in range(10)]
        assert len({process.pid for process in (first, *others)}) == 11
        assert {process.pid for process in node.registry} >= {first.pid, *(process.pid for process in others)}
