"""The roles' cluster on our own node, and the only place where its errors become the game's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Final

from pyerlcoin.beam import NO_REPLY, Atom, BeamError, GenServer, Node, Pid, Process, Reference, Request, Sender, Term
from pyerlcoin.beam import errors as beam
from pyerlcoin.errors import CannotReach, GameError, RefusedByPeer, WrongUsage
from pyerlcoin.roles.cluster import (
    Address,
    Answer,
    CallEnded,
    CallTimedOut,
    NodeLost,
    NoServer,
    Reply,
    ServerEnded,
    Service,
)

__all__ = ["NativeCaller", "NativeCluster", "NativeHost", "translate", "translated"]

log = logging.getLogger(__name__)

_NOPROC: Final = Atom("noproc")
_NOCONNECTION: Final = Atom("noconnection")

_MEANINGS: Final[tuple[tuple[type[BeamError], type[GameError]], ...]] = (
    # The first that fits counts. What a peer may not do is as good as no answer at all.
    (beam.InvalidNodeName, WrongUsage),
    (beam.InvalidCookie, WrongUsage),
    (beam.InvalidCertificate, WrongUsage),
    (beam.CannotListen, WrongUsage),
    (beam.LocalFault, CannotReach),
    (beam.Refused, RefusedByPeer),
    (beam.Unreachable, CannotReach),
    (beam.CallFailed, CannotReach),
    (beam.RemoteFault, CannotReach),
)


def translate(error: BeamError, to: Address | None = None) -> GameError:
    """The game's error for one of the node wing. `to` is whom a call was for."""
    if to is not None:
        match error:
            case beam.NoProcess():
                return NoServer(to)
            case beam.ProcessDown(reason=reason):
                return ServerEnded(to, reason)
            case beam.NodeDown():
                return NodeLost(to.node)
            case beam.CallTimeout(seconds=seconds):
                return CallTimedOut(to, seconds)
    for kind, meaning in _MEANINGS:
        if isinstance(error, kind):
            return meaning(str(error))
    raise AssertionError(f"every error of the node wing is one of these kinds, not {type(error).__name__}")


class translated:  # a context manager is named as the function it is used like
    """Whatever the node wing raises inside comes out as the game's error.

    A class, as a generator takes a microsecond, and a miner enters one for each call.
    """

    __slots__ = ("_to",)

    def __init__(self, to: Address | None = None) -> None:
        self._to = to

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, BeamError):
            raise translate(error, self._to) from error


class NativeCluster:
    """`cluster.Cluster` on a node, which was not started yet."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def node(self) -> str:
        return self._node.name

    async def start(self) -> None:
        with translated():
            await self._node.start()

    async def stop(self) -> None:
        await self._node.stop()

    async def host(self, name: str, service: Service) -> NativeHost:
        server = _Server(service)
        with translated():
            return NativeHost(self._node.spawn(server, name), server)

    async def caller(self) -> NativeCaller:
        watcher = _Watcher()
        with translated():
            return NativeCaller(self._node.spawn(watcher), watcher)

    async def ping(self, node: str) -> float:
        with translated():
            return await self._node.ping(node)


class _Server(GenServer):
    """A service behind its registered name."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.watched: dict[Pid, Reference] = {}

    def handle_call(self, request: Term, sender: Sender) -> object:
        self._service.handle_call(request, sender.pid, _reply_to(sender))
        return NO_REPLY

    def handle_cast(self, request: Term) -> None:
        self._service.handle_cast(request)

    def handle_info(self, message: Term) -> None:
        self._service.handle_info(message)

    def handle_down(self, target: Term, reference: Reference, reason: Term) -> None:
        # One that was taken back while it was on its way belongs to nobody.
        if isinstance(target, Pid) and self.watched.get(target) == reference:
            del self.watched[target]
            self._service.handle_down(target, reason)

    def state(self) -> Term:
        return self._service.state()


def _reply_to(sender: Sender) -> Reply:
    def reply(term: Term) -> None:
        try:
            sender.reply(term)
        except BeamError as error:
            log.error("! a reply to %s could not be sent: %s", sender.pid, error)

    return reply


class NativeHost:
    """`cluster.Host`."""

    def __init__(self, process: Process, server: _Server) -> None:
        self._process = process
        self._server = server

    def watch(self, pid: Pid) -> None:
        if pid not in self._server.watched and self._process.alive:
            self._server.watched[pid] = self._process.monitor(pid)

    def unwatch(self, pid: Pid) -> None:
        reference = self._server.watched.pop(pid, None)
        if reference is not None:
            self._process.demonitor(reference)

    async def close(self) -> None:
        self._process.exit()


class _Watcher(GenServer):
    """A process that calls; it hears of the end of what it watches, and ignores whatever else it is sent."""

    def __init__(self) -> None:
        self.watched: dict[Address, tuple[Reference, Callable[[CallEnded], None]]] = {}

    def handle_down(self, target: Term, reference: Reference, reason: Term) -> None:
        for to, (watched, gone) in self.watched.items():
            if watched == reference:
                del self.watched[to]
                gone(_ended(to, reason))
                return


def _ended(to: Address, reason: Term) -> CallEnded:
    if reason == _NOPROC:
        return NoServer(to)
    if reason == _NOCONNECTION:
        return NodeLost(to.node)
    return ServerEnded(to, reason)


class _Answer:
    """`cluster.Answer`."""

    __slots__ = ("_asked", "_to")

    def __init__(self, asked: Request, to: Address) -> None:
        self._asked = asked
        self._to = to

    def __await__(self) -> Generator[Any, None, Term]:
        with translated(self._to):
            return (yield from self._asked.__await__())

    def cancel(self) -> None:
        self._asked.cancel()


class NativeCaller:
    """`cluster.Caller`."""

    def __init__(self, process: Process, watcher: _Watcher) -> None:
        self._process = process
        self._watcher = watcher

    @property
    def pid(self) -> Pid:
        return self._process.pid

    async def call(self, to: Address, request: Term, *, timeout: float | None = None) -> Term:
        with translated(to):
            return await self._process.call((to.name, to.node), request, timeout)

    def request(self, to: Address, request: Term) -> Answer:
        with translated(to):
            return _Answer(self._process.send_request((to.name, to.node), request), to)

    async def cast(self, to: Address, request: Term) -> None:
        with translated(to):
            await self._process.cast((to.name, to.node), request)

    async def watch(self, to: Address, gone: Callable[[CallEnded], None]) -> None:
        with translated(to):
            old = self._watcher.watched.pop(to, None)
            if old is not None:
                self._process.demonitor(old[0])
            self._watcher.watched[to] = (self._process.monitor((to.name, to.node)), gone)

    async def close(self) -> None:
        self._process.exit()
