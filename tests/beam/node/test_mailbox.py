from __future__ import annotations

import asyncio
from itertools import pairwise

from pyerlcoin.beam import GenServer, NodeLimits, Sender, Term
from pyerlcoin.beam.node.events import MailboxFull
from tests.support.nodes import Cluster, EventLog, until


class Waits(GenServer):
    """A call waits for the gate; casts are kept."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.casts: list[Term] = []

    async def handle_call(self, request: Term, sender: Sender) -> Term:
        await self.gate.wait()
        return request

    def handle_cast(self, request: Term) -> None:
        self.casts.append(request)


async def test_it_is_told_each_time_that_it_fills_up() -> None:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(limits=NodeLimits(mailbox=3), on_event=events)
        server = Waits()
        process = node.spawn(server, "server")
        for time in range(1, 3):
            server.gate.clear()
            call = asyncio.create_task(node.call("server", time))
            await until(lambda: process._mailbox._busy)
            for number in range(5):
                process.cast_nowait("server", number)
            await events.wait(MailboxFull, time)
            server.gate.set()
            assert await call == time
            await until(lambda: not process._mailbox._busy)
        assert [event.waiting for event in events.of(MailboxFull)] == [3, 3]
        assert server.casts == [0, 1, 2] * 2


async def test_others_get_their_turn_while_much_is_handled() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        server = Waits()
        process = node.spawn(server, "server")
        call = asyncio.create_task(node.call("server", 0))
        await until(lambda: process._mailbox._busy)
        for number in range(1000):
            process.cast_nowait("server", number)
        await until(lambda: len(process._mailbox) == 1000)
        handled: list[int] = []

        def look() -> None:
            handled.append(len(server.casts))
            if len(server.casts) < 1000:
                node.loop.call_soon(look)

        server.gate.set()
        look()
        await call
        await until(lambda: len(server.casts) == 1000)
        assert max(after - before for before, after in pairwise(handled)) < 300
        assert server.casts == list(range(1000))
