"""A BEAM that stands still, and ends that come back under their names with nothing of their former lives."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from pyerlcoin.beam import Atom, GenServer, Node, Pid, Reference, Sender, Term
from pyerlcoin.beam.errors import CallTimeout, NodeDown, NoProcess, ProcessDown
from pyerlcoin.beam.node.events import NodeDisconnected
from tests.support.beam import Beam, RealEpmd, Release
from tests.support.clock import UNIT, eventually
from tests.support.leaks import meeting, nothing_left
from tests.support.nodes import EventLog
from tests.support.ports import fresh_cookie, fresh_node

pytestmark = pytest.mark.beam


async def test_a_beam_that_stands_still_past_the_tick_time(beam: Beam) -> None:
    """We give it up, every call to it fails; when it goes on, it finds out, and both connect anew."""
    async with meeting(beam, tick_time=1.0 * UNIT) as here:
        async with here.traffic.flowing() as traffic:
            await traffic.until_answered(20)
            beam.signal(signal.SIGSTOP)
            try:
                lost = await here.log.wait(NodeDisconnected)
                assert "tick time" in lost.reason
                assert here.node.nodes() == []
                await traffic.until_failed()
            finally:
                beam.signal(signal.SIGCONT)
            await traffic.until_answered(20)
        assert traffic.ours["failed"] > 0


async def stands_still(pid: int) -> bool:
    """Whether every thread of a process is stopped: the signal returns before they are."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")  # noqa: ASYNC240  # no file on a disk
    states = [stat.read_text().rpartition(")")[2].split()[0] for stat in threads]
    return set(states) == {"T"}


async def test_a_beam_that_stands_still_for_less_loses_nothing(beam: Beam) -> None:
    async with meeting(beam) as here:
        beam.signal(signal.SIGSTOP)
        try:
            await eventually(lambda: stands_still(beam.pid))
            with pytest.raises(CallTimeout):
                await here.node.call(here.traffic.target, ((b"still", 0), 1, b""), 0.2 * UNIT)
            waits = asyncio.create_task(here.node.call(here.traffic.target, ((b"still", 0), 2, b""), None))
        finally:
            beam.signal(signal.SIGCONT)
        assert await waits == ((b"still", 0), 2, b"")
        # The late reply to the first one was dropped here; it was heard once.
        assert await beam.eval('PyerlcoinTest.Traffic.counts("still")') == "[2, 0]"
        assert here.log.of(NodeDisconnected) == []


class Holder(GenServer):
    """Keeps whom it owes a reply, and what else it hears."""

    def __init__(self) -> None:
        self.owed: asyncio.Queue[tuple[Sender, Term]] = asyncio.Queue()
        self.heard: asyncio.Queue[Term] = asyncio.Queue()

    def handle_call(self, request: Term, sender: Sender) -> object:
        return request

    def handle_info(self, message: Term) -> None:
        self.heard.put_nowait(message)

    async def next(self) -> Term:
        """The next message."""
        return await asyncio.wait_for(self.heard.get(), 20 * UNIT)


async def test_a_beam_restarted_under_its_name(beam_release: Release, epmd: RealEpmd) -> None:
    """Pids of its former life are nobody: nothing sent to them reaches whoever has their numbers now."""
    cookie, name, log, holder = fresh_cookie(), fresh_node("beam"), EventLog(), Holder()
    async with Node(fresh_node("py"), cookie, epmd_port=epmd.port, on_event=log) as node:
        process = node.spawn(holder, "holder")
        to_us = f'{{:holder, :"{node.name}"}}'
        mute = (
            "pid = spawn(fn -> Process.register(self(), :mute); receive do :never -> 1 end end); "
            f"send({to_us}, pid); pid"
        )
        async with nothing_left(node):
            async with Beam(beam_release, epmd_port=epmd.port, cookie=cookie, name=name) as first:
                await first.eval(mute)
                old = await holder.next()
                assert isinstance(old, Pid)
                reference = process.monitor(old)
                waits = asyncio.create_task(process.call(old, 1, None))
                await node.ping(name)
                first.kill()
                with pytest.raises(NodeDown):
                    await waits
                down = await holder.next()
                assert isinstance(down, tuple)
                assert (down[1], down[4]) == (reference, Atom("noconnection"))
            async with Beam(beam_release, epmd_port=epmd.port, cookie=cookie, name=name) as second:
                # Whoever has the old number in the new life, or nobody, hears nothing of this.
                process.send_nowait(old, Atom("for_the_dead"))
                with pytest.raises(NoProcess):
                    await process.call(old, 1, 20 * UNIT)
                reference = process.monitor(old)
                down = await holder.next()
                assert isinstance(down, tuple)
                assert (down[1], down[4]) == (reference, Atom("noproc"))
                await second.eval(mute)
                new = await holder.next()
                assert isinstance(new, Pid)
                assert new.creation != old.creation
                assert new != old
                # Its own number with the old creation is not it either.
                twin = Pid.make(name, new.id, new.serial, old.creation)
                with pytest.raises(NoProcess):
                    await process.call(twin, 1, 20 * UNIT)
                assert await second.eval("Process.info(Process.whereis(:mute), :message_queue_len)") == (
                    "{:message_queue_len, 0}"
                )
            await log.wait(NodeDisconnected, 2)


async def test_our_node_restarted_under_its_name(beam: Beam) -> None:
    """The BEAM's pids and calls of our former life mean nobody in the new one."""
    name = fresh_node("phoenix")
    to = f'{{:holder, :"{name}"}}'
    async with Node(name, beam.cookie, epmd_port=beam.epmd_port) as first:
        holder = Holder()
        old = first.spawn(holder, "holder").pid
        assert await beam.eval(f"GenServer.call({to}, 1)") == "1"
        keeper = f"keeper_{name.partition('@')[0].replace('-', '_')}"
        # It is told our pid, and asked by a call whose reply it gives to our next life.
        await beam.eval(
            f"me = self(); spawn(fn -> Process.register(self(), :{keeper}); send(me, :up); "
            'receive do {:"$gen_call", {pid, _} = from, _} -> send(me, {:asked, pid}); '
            "receive do :now -> GenServer.reply(from, :late); send(pid, :for_the_dead); "
            f"m = Process.monitor(pid); receive do {{:DOWN, ^m, _, _, why}} -> send({to}, why) end end end end); "
            "receive do :up -> :ok end"
        )
        waits = asyncio.create_task(first.call((keeper, beam.node), 1, None))

        async def asked() -> bool:
            return "[]" not in await beam.eval(f"Process.info(Process.whereis(:{keeper}), :monitored_by)")

        await eventually(asked)
    with pytest.raises(ProcessDown):
        await waits
    log = EventLog()
    async with Node(name, beam.cookie, epmd_port=beam.epmd_port, on_event=log) as second:
        holder = Holder()
        new = second.spawn(holder, "holder").pid
        assert new.creation != old.creation
        async with nothing_left(second):
            await second.send((keeper, beam.node), Atom("now"))
            # The first thing that comes is the end of its monitor: the late reply and the message went to nobody.
            assert await holder.next() == Atom("noproc")
            assert await beam.eval(f"GenServer.call({to}, 2)") == "2"
            assert holder.heard.empty()
            assert second.tables().messages == 0
            assert second.disconnect(beam.node)


async def test_references_of_a_former_life_resolve_nothing(beam: Beam) -> None:
    """A reply with the tag of a call that an earlier life made is an ordinary message, and no call's end."""
    async with meeting(beam) as here:
        holder = Holder()
        process = here.node.spawn(holder, "holder")
        former = Reference.make(here.node.name, here.node.identities.creation + 1, (1, 2, 3))
        await process.send(here.traffic.target, (Atom("$gen_call"), (process.pid, former), ((b"former", 0), 1, b"")))
        assert await holder.next() == (former, ((b"former", 0), 1, b""))
        process.exit()
