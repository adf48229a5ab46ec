"""A cluster of nodes in one event loop: stands for the two runtimes in tests of the roles.

It stands for what the roles may rely on, and for nothing else: terms go through the codec, signals between two
processes keep their order, a call ends with its reply or with its monitor, and a cut connection is told to both sides.
It has no sockets, handshakes or delays; what a real node does is tested in tests/beam/node and tests/runtimes.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from pyerlcoin.beam.etf import Atom, Pid, Term, binary_to_term, term_to_binary
from pyerlcoin.errors import CannotReach, GameError
from pyerlcoin.roles.cluster import Address, Answer, CallEnded, NodeLost, NoServer, ServerEnded, Service
from pyerlcoin.roles.identity import IDENTITY_NAME

__all__ = ["MemoryCaller", "MemoryCluster", "MemoryHost", "MemoryNetwork"]

_NORMAL = Atom("normal")
_NOCONNECTION = Atom("noconnection")


def _carried(term: Term) -> Term:
    """The term as it arrives."""
    return binary_to_term(term_to_binary(term))


@dataclass
class MemoryNetwork:
    """What the nodes share. `barred`: nodes that cannot be reached, each with the error that dialling it raises."""

    hosts: dict[Address, MemoryHost] = field(default_factory=dict)
    callers: dict[Pid, MemoryCaller] = field(default_factory=dict)
    barred: dict[str, GameError] = field(default_factory=dict)
    requests: list[tuple[Pid, Term]] = field(default_factory=list)
    """Every call that reached a server, in order."""

    def cut(self, node: str) -> None:
        """The connections of `node` are lost; the next call may connect again."""
        for host in list(self.hosts.values()):
            if host.address.node == node:
                host.lose(lambda pid: True, NodeLost(node))
            else:
                host.lose(lambda pid: pid.node == node, NodeLost(host.address.node))

    def crash(self, address: Address, reason: Term) -> None:
        """The server process ends with `reason`."""
        host = self.hosts.pop(address)
        host.end(ServerEnded(address, reason))


class MemoryHost:
    """A service under its name. `hold` keeps its replies back until `release`."""

    def __init__(self, network: MemoryNetwork, address: Address, service: Service) -> None:
        self.network = network
        self.address = address
        self.service = service
        self.watched: set[Pid] = set()
        self.watchers: dict[Pid, Callable[[CallEnded], None]] = {}
        self.pending: dict[asyncio.Future[Term], Pid] = {}
        self.hold = False
        self._held: list[Callable[[], None]] = []

    def watch(self, pid: Pid) -> None:
        if pid in self.network.callers:
            self.watched.add(pid)
        else:
            asyncio.get_running_loop().call_soon(self.service.handle_down, pid, Atom("noproc"))

    def unwatch(self, pid: Pid) -> None:
        self.watched.discard(pid)

    async def close(self) -> None:
        if self.network.hosts.get(self.address) is self:
            self.network.crash(self.address, _NORMAL)

    def release(self) -> None:
        """Held replies go out, and new ones at once."""
        self.hold = False
        held, self._held = self._held, []
        for send in held:
            send()

    def take(self, pid: Pid, request: Term, future: asyncio.Future[Term]) -> None:
        """A call arrives."""
        if self.network.hosts.get(self.address) is not self or future.done():
            return
        self.network.requests.append((pid, request))
        self.service.handle_call(request, pid, partial(self._reply, future))

    def _reply(self, future: asyncio.Future[Term], term: Term) -> None:
        if self.hold:
            self._held.append(partial(self._reply, future, term))
            return
        self.pending.pop(future, None)
        if not future.done():
            future.set_result(_carried(term))

    def end(self, error: CallEnded) -> None:
        """The process is gone."""
        for future in self.pending:
            if not future.done():
                future.set_exception(error)
        self.pending.clear()
        self._tell(lambda pid: True, error)

    def lose(self, lost: Callable[[Pid], bool], error: CallEnded) -> None:
        """The connections to the processes that are `lost` end."""
        for future, pid in list(self.pending.items()):
            if lost(pid):
                del self.pending[future]
                if not future.done():
                    future.set_exception(error)
        self._tell(lost, error)
        for pid in [pid for pid in self.watched if lost(pid)]:
            self.gone(pid, _NOCONNECTION)

    def gone(self, pid: Pid, reason: Term) -> None:
        """A calling process ended, or is out of sight."""
        if pid in self.watched:
            self.watched.remove(pid)
            self.service.handle_down(pid, reason)

    def _tell(self, lost: Callable[[Pid], bool], error: CallEnded) -> None:
        for pid in [pid for pid in self.watchers if lost(pid)]:
            self.watchers.pop(pid)(error)


class MemoryCaller:
    """A process that calls."""

    def __init__(self, network: MemoryNetwork, pid: Pid) -> None:
        self.network = network
        self.pid = pid
        self.closed = False

    def _host(self, to: Address) -> MemoryHost:
        assert not self.closed, "a call from a process that was closed"
        if to.node in self.network.barred:
            raise self.network.barred[to.node]
        host = self.network.hosts.get(to)
        if host is None:
            raise NoServer(to)
        return host

    async def call(self, to: Address, request: Term, *, timeout: float | None = None) -> Term:
        assert timeout is None or to.name == IDENTITY_NAME, "no miner sets a clock on a call"
        host = self._host(to)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Term] = loop.create_future()
        host.pending[future] = self.pid
        loop.call_soon(host.take, self.pid, _carried(request), future)
        try:
            return await future
        finally:
            host.pending.pop(future, None)

    def request(self, to: Address, request: Term) -> Answer:
        task = asyncio.ensure_future(self.call(to, request))
        task.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
        return task

    async def cast(self, to: Address, request: Term) -> None:
        asyncio.get_running_loop().call_soon(self._host(to).service.handle_cast, _carried(request))

    async def watch(self, to: Address, gone: Callable[[CallEnded], None]) -> None:
        try:
            self._host(to).watchers[self.pid] = gone
        except CallEnded as ended:
            asyncio.get_running_loop().call_soon(gone, ended)
        except GameError:
            asyncio.get_running_loop().call_soon(gone, NodeLost(to.node))

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            del self.network.callers[self.pid]
            for host in self.network.hosts.values():
                host.watchers.pop(self.pid, None)
                host.gone(self.pid, _NORMAL)


class MemoryCluster:
    """One node of the network."""

    _ids = itertools.count(1)

    def __init__(self, network: MemoryNetwork, node: str) -> None:
        self.network = network
        self.node = node

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        for caller in [caller for pid, caller in self.network.callers.items() if pid.node == self.node]:
            await caller.close()

    async def host(self, name: str, service: Service) -> MemoryHost:
        address = Address(name, self.node)
        host = self.network.hosts[address] = MemoryHost(self.network, address, service)
        return host

    async def caller(self) -> MemoryCaller:
        pid = Pid.make(self.node, next(self._ids), 0, 77)
        caller = self.network.callers[pid] = MemoryCaller(self.network, pid)
        return caller

    async def ping(self, node: str) -> float:
        if node in self.network.barred:
            raise self.network.barred[node]
        if not any(address.node == node for address in self.network.hosts):
            raise CannotReach(f"no {node}")
        return 0.0
