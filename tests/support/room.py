"""A network, its clock, and one miner whose searches are in the test's hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from pyerlcoin.beam.etf import Atom, Term
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.roles import events as told
from pyerlcoin.roles.cluster import Address
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.miner import MinerOptions, MinerRole
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.roles.sink import FactSink
from pyerlcoin.search.engine import Job
from tests.support.clock import UNIT
from tests.support.hand_search import HandSearch, HandSearches
from tests.support.manual_timing import ManualTiming, until
from tests.support.memory_cluster import MemoryCluster, MemoryHost, MemoryNetwork
from tests.support.original import OriginalServer
from tests.support.search import expected

SERVER = Address(SERVER_NAME, "server@a.b")
SECRET = b"Serun+u"
HELLO, COIN, DONE = Atom("hello"), Atom("coin"), Atom("done")
E = TypeVar("E")

__all__ = ["COIN", "DONE", "HELLO", "SECRET", "SERVER", "Room", "beyond", "coins"]


class Room:
    """A network, its clock, and one miner whose searches are in the test's hand."""

    def __init__(self, *, lanes: int | None = 1, zeros: int = 1, **options: object) -> None:
        self.timing = ManualTiming()
        self.network = MemoryNetwork()
        self.searches = HandSearches(held=True)
        self.seen: list[object] = []
        events = Events()
        events.subscribe(self.seen.append)
        self.cluster = MemoryCluster(self.network, "alice@a.b")
        self.miner = MinerRole(
            self.cluster,
            self.searches,
            MinerOptions("Alice", SERVER, lanes=lanes, zeros=zeros, **options),  # type: ignore[arg-type]  # by test
            events,
            chance=lambda: 1.0,
            timing=self.timing,
        )

    async def serve(self, secret: bytes = SECRET, *, sink: FactSink | None = None, **rules: object) -> ServerRole:
        """Start a server of ours."""
        rules = {"zeros": 1, "workload": 100, "now": self.timing.now(), **rules}
        ledger = Ledger(secret, **rules)  # type: ignore[arg-type]  # each test's own
        role = ServerRole(ledger, Events(), sink=sink, timing=self.timing)
        await role.open(MemoryCluster(self.network, SERVER.node))
        return role

    async def serve_original(self, workload: int = 100) -> OriginalServer:
        server = OriginalServer(MemoryCluster(self.network, SERVER.node), SECRET, zeros=1, workload=workload)
        await server.start()
        return server

    @asynccontextmanager
    async def mining(self) -> AsyncIterator[asyncio.Task[told.Stopped]]:
        """The miner runs; at the end it is stopped and everything of it is gone."""
        task = asyncio.create_task(self.miner.run())
        try:
            yield task
        finally:
            self.miner.stop()
            # The farewell is by this clock, so let it pass.
            async with asyncio.timeout(20 * UNIT):
                while not task.done():
                    await asyncio.sleep(0)
                    self.timing.advance(1.0)
            assert not self.network.callers
            if not task.cancelled():
                task.exception()

    @property
    def host(self) -> MemoryHost:
        return self.network.hosts[SERVER]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.seen if isinstance(event, kind)]

    def has(self, kind: type[E], count: int) -> bool:
        return len(self.of(kind)) == count

    def asked(self, tag: Atom) -> list[Term]:
        return [request for _, request in self.network.requests if isinstance(request, tuple) and request[0] == tag]

    async def searching(self, count: int = 1) -> HandSearch:
        """The newest search, once `count` run."""
        await until(lambda: len(self.searches.running) == count)
        return self.searches.running[-1]

    async def done_waits(self) -> None:
        """The one search ends without a coin, and the host holds the answer to the done that follows."""
        search = await self.searching()
        self.host.hold = True
        search.finish([])
        await until(lambda: self.asked(DONE))

    async def lose_the_answers(self) -> None:
        """Those that the host holds never come: the connection is cut, and the miner says hello on the next."""
        self.host.hold = False
        self.network.cut("alice@a.b")
        await self.rejoined()

    async def rejoined(self, times: int = 1) -> None:
        """Said hello again, with whatever back-off that takes."""
        before = len(self.of(told.Joined))
        async with asyncio.timeout(20 * UNIT):
            while len(self.of(told.Joined)) < before + times:
                await asyncio.sleep(0)
                if self.timing.delays():
                    self.timing.advance(0.125)


def beyond(server: ServerRole, goal: int) -> bool:
    return server.ledger.frontier > goal


def coins(first: int, last: int, secret: bytes = SECRET) -> list[int]:
    return expected(Job(secret, first, last, 1))
