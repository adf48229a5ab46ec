from __future__ import annotations

import asyncio
import gc

import pytest

from pyerlcoin.beam import NO_REPLY, Atom, GenServer, Sender, Term
from pyerlcoin.beam.errors import (
    CallTimeout,
    InvalidNodeName,
    NodeDown,
    NodeNotRunning,
    NoProcess,
    ProcessDown,
    UnencodableTerm,
    Unreachable,
)
from pyerlcoin.beam.etf import OK, Pid
from pyerlcoin.beam.node.events import Event, NodeUp
from tests.support.nodes import Cluster, settle, until


class Echo(GenServer):
    def handle_call(self, request: Term, sender: Sender) -> Term:
        return request


class Silent(GenServer):
    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def handle_call(self, request: Term, sender: Sender) -> object:
        self.asked.set()
        return NO_REPLY


async def test_many_calls_leave_nothing_behind() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        there.spawn(Echo(), "echo")
        target = ("echo", there.name)

        async def caller(numbers: range) -> None:
            for number in numbers:
                assert await here.call(target, number, timeout=None) == number

        before = here.tables()
        await asyncio.gather(*(caller(range(lane * 200, lane * 200 + 200)) for lane in range(50)))
        await settle(there, here)
        assert there.tables().monitors_on_us == 0
        after = here.tables()
        assert (after.calls, after.monitors_by_us, after.processes) == (0, 0, before.processes)


@pytest.mark.parametrize("where", ["here", "there"])
async def test_no_process(where: str) -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        node = here if where == "here" else there
        with pytest.raises(NoProcess, match=f"no process nobody on {node.name} is running"):
            await here.call(("nobody", node.name), 1, timeout=None)
        with pytest.raises(NoProcess):
            await here.call(Pid.make(node.name, 77, 7, node.identities.creation), 1, timeout=None)
        pid = node.spawn(Echo()).pid
        with pytest.raises(NoProcess):  # of an earlier life
            await here.call(Pid.make(node.name, pid.id, pid.serial, pid.creation - 1), 1, timeout=None)
        assert here.tables().calls == 0


async def test_the_process_ends_first() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        silent = Silent()
        process = there.spawn(silent, "silent")
        call = asyncio.create_task(here.call(process.pid, 1, timeout=None))
        await silent.asked.wait()
        process.exit((Atom("bye"), 1))
        with pytest.raises(ProcessDown) as caught:
            await call
        assert caught.value.reason == (Atom("bye"), 1)


async def test_the_node_goes_first() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        silent = Silent()
        there.spawn(silent, "silent")
        call = asyncio.create_task(here.call(("silent", there.name), 1, timeout=None))
        await silent.asked.wait()
        assert here.disconnect(there.name)
        with pytest.raises(NodeDown):
            await call
        assert not here.disconnect(there.name)


async def test_a_cancelled_call_cleans_up() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        silent = Silent()
        there.spawn(silent, "silent")
        call = asyncio.create_task(here.call(("silent", there.name), 1, timeout=None))
        await silent.asked.wait()
        assert there.tables().monitors_on_us == 1
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert here.tables().calls == 0
        await settle(there, here)
        assert there.tables().monitors_on_us == 0


async def test_a_timeout_cleans_up() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        there.spawn(Silent(), "silent")
        await here.connect(there.name)
        with pytest.raises(CallTimeout, match=f"silent on {there.name} did not answer within 0.01 s"):
            await here.call(("silent", there.name), 1, timeout=0.01)
        await settle(there, here)
        assert here.tables().calls == 0
        assert there.tables().monitors_on_us == 0


async def test_a_timeout_counts_the_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Cluster() as cluster:
        here = await cluster.start()
        # A port mapper that takes the question and says nothing.
        silent = await here.loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        async with silent:
            monkeypatch.setattr(here, "epmd_port", silent.sockets[0].getsockname()[1])
            with pytest.raises(CallTimeout):
                await here.call(("x", "y@127.0.0.1"), 1, timeout=0.01)
            await here.stop()


async def test_an_unencodable_request_is_not_sent() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        there.spawn(Echo(), "echo")
        for node in here, there:
            node.registry.named(Atom("echo")) or node.spawn(Echo(), "echo")
            with pytest.raises(UnencodableTerm):
                await here.call(("echo", node.name), object())
        await settle(there, here)
        assert here.tables().calls == 0
        assert there.tables().monitors_on_us == 0


async def test_what_cannot_be_tried() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        with pytest.raises(InvalidNodeName):
            await node.call(("x", "nonsense"), 1)
        process = node.process()
        process.exit()
        with pytest.raises(NodeNotRunning):
            await process.call("x", 1)
        await node.stop()
        with pytest.raises(NodeNotRunning):
            await node.call("x", 1)


async def test_the_end_of_the_caller_ends_its_calls() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        silent = Silent()
        there.spawn(silent, "silent")
        process = here.process()
        call = asyncio.create_task(process.call(("silent", there.name), 1, timeout=None))
        await silent.asked.wait()
        process.exit(Atom("enough"))
        with pytest.raises(ProcessDown) as caught:
            await call
        assert caught.value.reason == Atom("enough")
        await settle(there, here)
        assert there.tables().monitors_on_us == 0


async def test_requests_go_out_before_anybody_waits() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        there.spawn(Echo(), "echo")
        target = ("echo", there.name)
        with here.process() as process:
            await process.call(target, 0)
            sent = [process.send_request(target, number) for number in range(20)]
            assert process.counts[0] == 20
            assert [await request for request in reversed(sent)] == list(reversed(range(20)))
        await settle(there, here)
        assert (here.tables().calls, here.tables().monitors_by_us, there.tables().monitors_on_us) == (0, 0, 0)


async def test_a_request_to_a_node_that_is_not_connected_yet() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        there.spawn(Echo(), "echo")
        with here.process() as process:
            assert await process.send_request(("echo", there.name), 1) == 1
            nobody = process.send_request(("echo", "nobody@127.0.0.1"), 1)
            with pytest.raises(Unreachable):
                await nobody


async def test_what_is_sent_before_there_is_a_connection_arrives_in_order() -> None:
    class Log(GenServer):
        def __init__(self) -> None:
            self.got: list[Term] = []

        def handle_call(self, request: Term, sender: Sender) -> Term:
            self.got.append(request)
            return OK

        def handle_cast(self, request: Term) -> None:
            self.got.append(request)

    async with Cluster() as cluster:
        there = await cluster.start()
        to = ("log", there.name)
        there.spawn(log := Log(), "log")

        def told(event: Event) -> None:
            if isinstance(event, NodeUp):
                process.cast_nowait(to, 4)

        here = await cluster.start(on_event=told)
        process = here.process()
        process.cast_nowait(to, 1)
        request = process.send_request(to, 2)
        process.cast_nowait(to, 3)
        assert process.counts[0] == 1
        assert await request == OK
        assert await process.call(to, 5) == OK
        assert log.got == [1, 2, 3, 4, 5]


async def test_a_request_to_a_node_that_is_being_connected_to_can_be_given_up() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        there.spawn(Echo(), "echo")
        to = ("echo", there.name)
        process = here.process()
        given_up, unencodable, kept = (process.send_request(to, term) for term in (1, object(), 3))
        given_up.cancel()
        with pytest.raises(UnencodableTerm):
            await unencodable
        assert await kept == 3
        await here.call(to, 0)
        orphan = process.send_request(("echo", "nobody@127.0.0.1"), 1)
        process.exit()
        with pytest.raises(ProcessDown):
            await orphan
        assert here.tables().calls == 0


async def test_a_request_before_the_connection_that_nobody_awaits_is_complained_of_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        process = here.process()
        for node in there.name, "nobody@127.0.0.1":
            process.send_request(("nobody", node), 1)
        await until(lambda: process.counts[0] == 0)
        gc.collect()
    assert "never retrieved" not in caplog.text


async def test_a_request_that_is_given_up_cleans_up() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        silent = Silent()
        there.spawn(silent, "silent")
        there.spawn(Echo(), "echo")
        with here.process() as process:
            await process.call(("echo", there.name), 0)
            request = process.send_request(("silent", there.name), 1)
            awaited = process.send_request(("silent", there.name), 2)

            async def wait() -> Term:
                return await awaited

            waiting = asyncio.create_task(wait())
            await silent.asked.wait()
            request.cancel()
            request.cancel()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert process.counts[0] == 0
            await until(lambda: there.tables().monitors_on_us == 0)
            with pytest.raises(asyncio.CancelledError):
                await request


@pytest.mark.parametrize("connected", [True, False])
async def test_nobody_is_warned_of_a_request_that_failed_and_was_given_up(
    connected: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        with here.process() as process:
            if connected:
                await here.ping(there.name)
            first = process.send_request(("nobody", there.name), 1)
            second = process.send_request(("nobody", there.name), 2)
            with pytest.raises(NoProcess):
                await first
            await until(lambda: process.counts[0] == 0)
            second.cancel()
            del first, second
            gc.collect()
    assert "never retrieved" not in caplog.text


async def test_a_request_that_cannot_be_sent() -> None:
    async with Cluster() as cluster:
        here, there = await cluster.start(), await cluster.start()
        there.spawn(Echo(), "echo")
        target = ("echo", there.name)
        process = here.process()
        await process.call(target, 0)
        with pytest.raises(UnencodableTerm):
            process.send_request(target, object())
        assert process.counts[0] == 0
        process.exit()
        with pytest.raises(NodeNotRunning):
            process.send_request(target, 1)
