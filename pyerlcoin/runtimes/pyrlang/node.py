"""Pyrlang's node, and what it must be helped with: each workaround once, with its reason.

Written against Pyrlang 0.12-alpha (commit d8b1282). Where Pyrlang fails with no more than a line in its log, the node
wing's own errors are raised, so that both runtimes say the same sentences.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from types import TracebackType
from typing import Any, Final

from pyrlang.dist_proto import epmd_client
from pyrlang.dist_proto.client import DistClientProtocol
from pyrlang.errors import BadArgError, ProcessNotFoundError
from pyrlang.node import Node
from pyrlang.process import Process
from term import Atom, Pid, Reference

from pyerlcoin.beam import NodeName
from pyerlcoin.beam.errors import (
    AlreadyConnected,
    CookieMismatch,
    EpmdUnreachable,
    HostUnknown,
    NameFormMismatch,
    NameInUse,
    NodeNotFound,
    NodeNotRunning,
    NotAllowed,
    PortUnreachable,
    SetupTimeout,
    WrongPeer,
)

__all__ = ["HelpedNode", "HelpedProcess", "start_node", "stop_node"]

log = logging.getLogger(__name__)

_SETUP_TIME: Final = 7.0
"""`net_setuptime` (kernel), which Pyrlang does not keep."""

_STOP_PATIENCE: Final = 1.0
"""Seconds that peers have to read our last words."""


class _Dialled(DistClientProtocol):  # type: ignore[misc]  # Pyrlang has no types
    """A connection that we open: Pyrlang's dialler is told neither its success nor its end, and waits for ever."""

    def __init__(self, node_name: str, version: int, peer: str, ended: asyncio.Future[str]) -> None:
        super().__init__(node_name, version)
        self._peer = peer
        self._ended = ended

    def report_dist_connected(self) -> None:
        super().report_dist_connected()
        if not self._ended.done():
            self._ended.set_result(self.peer_name_)

    def connection_lost(self, error: Exception | None) -> None:
        state = self.state_
        super().connection_lost(error)
        if not self._ended.done():
            # Who was sent a wrong digest says nothing and closes; before that, a status refused us.
            wrong_digest = state == self.RECV_CHALLENGE_ACK
            self._ended.set_exception(CookieMismatch(self._peer) if wrong_digest else NotAllowed(self._peer))


class HelpedNode(Node):  # type: ignore[misc]  # Pyrlang has no types
    """Made by `start_node`."""

    def __init__(self, name: NodeName, cookie: str, hidden: bool) -> None:
        super().__init__(name.full, cookie, hidden)
        self._name = name
        self._dials: dict[str, asyncio.Lock] = {}
        self._lost = asyncio.Event()
        self._numbers = itertools.count(1)
        # Its rex runs any function of any module for whoever has the cookie. The game calls for nothing of that.
        del self.reg_names_[Atom("rex")]

    async def _async_loop(self) -> None:
        """Nothing: Pyrlang's own starts the distribution, forgets whether that worked, and polls to the end."""

    def fresh_reference(self) -> Reference:
        """One of its own: Pyrlang's are the clock and a number by chance, and two may be the same."""
        return Reference(self.node_name_, self.dist_.creation_, next(self._numbers).to_bytes(12))

    def post(self, node: str, message: tuple[Any, ...]) -> bool:
        """Hand a control message to the connection to `node`, in order; False when there is none.

        Pyrlang's `dist_command` does it later, in a task, after dialling whoever is gone.
        """
        connection = self.dist_nodes_.get(node)
        if connection is None or connection.transport_ is None:
            return False
        connection.inbox_.put_nowait(message)
        return True

    # Connections.

    async def connect(self, peer: str) -> None:
        """Make sure that there is a connection. Raises the node wing's `Unreachable` or `Refused`."""
        if self.is_exiting_:
            raise NodeNotRunning
        if peer in self.dist_nodes_:
            return
        if peer == self.node_name_:
            raise AlreadyConnected(peer)  # Pyrlang's processes would answer each other through a socket
        if NodeName.parse(peer).form is not self._name.form:
            raise NameFormMismatch(self.node_name_, peer)
        async with self._dials.setdefault(peer, asyncio.Lock()):
            if peer not in self.dist_nodes_:
                try:
                    async with asyncio.timeout(_SETUP_TIME):
                        await self._dial(peer)
                except TimeoutError:
                    raise SetupTimeout(peer, _SETUP_TIME) from None

    _establish_connection = connect

    async def _dial(self, peer: str) -> None:
        loop = asyncio.get_running_loop()
        host = NodeName.parse(peer).host
        try:
            await loop.getaddrinfo(host, None)
            found = await epmd_client.EPMDClient.query_node(peer)
        except UnicodeError:  # no name of a host at all
            raise HostUnknown(host) from None
        except OSError as error:
            if error.errno is None or error.errno < 0:  # the resolver's own numbers
                raise HostUnknown(host) from None
            raise EpmdUnreachable(host, epmd_client.EPMD_DEFAULT_PORT, _reason(error)) from None
        if found is None:
            raise NodeNotFound(peer)
        address, port, version = found
        ended: asyncio.Future[str] = loop.create_future()
        try:
            transport, _ = await loop.create_connection(
                lambda: _Dialled(self.node_name_, version, peer, ended), address, port
            )
        except OSError as error:
            raise PortUnreachable(peer, port, _reason(error)) from None
        try:
            answered = await ended
        except BaseException:
            transport.abort()
            raise
        if answered != peer:
            self.lose(answered)
            raise WrongPeer(peer, answered)

    def register_dist_node(self, addr: str, proto: Any) -> None:
        """A node connects: if an old connection to it was not seen to end, it ends before this one begins."""
        self.lose(addr)
        super().register_dist_node(addr, proto)

    def unregister_dist_node(self, addr: object) -> None:
        """A connection ended. Pyrlang gives the address of its socket, but its table is keyed by name: the dead
        connection would stay, and swallow what is sent."""
        for name, connection in list(self.dist_nodes_.items()):
            if connection.state_ == connection.DISCONNECTED:
                self.lose(name)

    def lose(self, name: str) -> None:
        """Close the connection to a node and tell the processes, which Pyrlang does not."""
        connection = self.dist_nodes_.pop(name, None)
        if connection is None:
            return
        connection.destroy()
        for process in list(self.processes_.values()):
            if isinstance(process, HelpedProcess):
                process.node_lost(name)
        self._lost.set()

    async def close_connections(self) -> None:
        """Let everything go out that was posted, then close. Pyrlang takes the node away first, and every connection
        that ends afterwards raises because it finds none."""
        open_ = list(self.dist_nodes_.values())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_PATIENCE):
                for connection in open_:
                    await connection.inbox_.join()
        transports = [connection.transport_ for connection in open_ if connection.transport_ is not None]
        for connection in open_:
            connection.destroy()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_PATIENCE):
                while self.dist_nodes_:
                    self._lost.clear()
                    await self._lost.wait()
        for transport in transports:
            transport.abort()
        await asyncio.sleep(0)

    # Monitors that peers set on us.

    def monitor_process(self, origin_pid: Pid, target: Any, ref: Reference | None = None) -> Any:
        """Of nobody, Pyrlang tells nobody: a GenServer.call to a name that is not there would wait for ever."""
        try:
            return super().monitor_process(origin_pid, target, ref)
        except (BadArgError, ProcessNotFoundError):
            self.post(origin_pid.node_name_, ("monitor_p_exit", target, origin_pid, ref, Atom("noproc")))
            return ref

    def demonitor_process(self, origin_pid: Pid, target: Any, ref: Reference) -> None:
        """Pyrlang's is a coroutine that its callers do not await: each call would leave its monitor for good."""
        process = self.where_is_process(target)
        if process is not None:
            process.remove_monitored_by(origin_pid, ref)


class HelpedProcess(Process):  # type: ignore[misc]  # Pyrlang has no types
    """A process that watches others by pid or by name, and hears of every end, that of a connection included.

    It is passive: a message is handled when it comes. An active one has two tasks that never end.

    What is watched has a key of the subclass's choice, and stays watched until it ends: Pyrlang cannot send
    DEMONITOR_P, so nothing is to set a monitor for each call.
    """

    def __init__(self) -> None:
        super().__init__(passive=True)
        self._watching: dict[Any, tuple[Reference, str]] = {}
        self._keys: dict[Reference, Any] = {}

    def gone(self, key: Any, reason: object) -> None:
        """What is watched as `key` ended, with a reason of Term's. For subclasses."""

    def received(self, message: object) -> None:
        """Any message but the end of what is watched. For subclasses."""

    def watch(self, key: Any, target: Pid | Atom, node: str) -> None:
        """Monitor a pid or a name of that node; nothing happens if it is watched already.

        Pyrlang's own `monitor_process` takes no name of another node.
        """
        if key in self._watching:
            return
        reference = self.get_node().fresh_reference()
        self._watching[key] = (reference, node)
        self._keys[reference] = key
        if not self.get_node().post(node, ("monitor_p", self.pid_, target, reference)):
            asyncio.get_running_loop().call_soon(self._ended, reference, Atom("noconnection"))

    def node_lost(self, name: str) -> None:
        """The connection to a node is gone, and with it what was watched there and who watched from there."""
        for reference, owner in list(self._monitored_by.items()):
            if owner.node_name_ == name:
                del self._monitored_by[reference]
        for pid in [pid for pid in self._links if pid.node_name_ == name]:
            del self._links[pid]
        for reference, node in list(self._watching.values()):
            if node == name:
                self._ended(reference, Atom("noconnection"))

    def handle_one_inbox_message(self, msg: object) -> None:
        match msg:
            case tuple((Atom("DOWN"), Reference() as reference, Atom("process"), _, reason)) if reference in self._keys:
                self._ended(reference, reason)
            case _:
                self.received(msg)

    def _ended(self, reference: Reference, reason: object) -> None:
        key = self._keys.pop(reference, None)
        if key is not None:
            del self._watching[key]
            self.gone(key, reason)

    def exit(self, reason: object = None) -> None:
        """Nothing: it is how Pyrlang delivers exit signals, and no peer ends a process of ours. See `end`."""

    def end(self, reason: str) -> None:
        """The process ends, and whoever monitors it is told."""
        node = self.get_node()
        if self.pid_ not in node.processes_:
            return
        self._on_exit_signal(Atom(reason))
        # Pyrlang leaves the names of the dead in its register.
        for name in [name for name, pid in node.reg_names_.items() if pid == self.pid_]:
            del node.reg_names_[name]

    def _trigger_monitors(self, reason: Atom) -> None:
        # Pyrlang's sends an ordinary message, so the peer keeps its monitor and is told again at the end of the node.
        for reference, owner in self._monitored_by.items():
            self.get_node().post(owner.node_name_, ("monitor_p_exit", self.pid_, owner, reference, reason))


async def start_node(name: NodeName, cookie: str, *, hidden: bool, epmd_port: int) -> HelpedNode:
    """Register and listen. Raises `EpmdUnreachable` or `NameInUse`."""
    # Pyrlang knows no ERL_EPMD_PORT, but reads this whenever it dials a port mapper. It would try for 25 seconds.
    epmd_client.EPMD_DEFAULT_PORT = epmd_port
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", epmd_port)
    except OSError as error:
        raise EpmdUnreachable("127.0.0.1", epmd_port, f"{_reason(error)}; Pyrlang brings no epmd along") from None
    writer.close()
    asyncio.get_running_loop().set_exception_handler(_one_line)
    node = HelpedNode(name, cookie, hidden)
    if not await node.dist_.start_distribution():
        await stop_node(node)
        raise NameInUse(name.full)
    return node


async def stop_node(node: HelpedNode) -> None:
    """End every process, close every connection, unregister. Nothing of Pyrlang's runs afterwards."""
    for process in list(node.processes_.values()):
        if isinstance(process, HelpedProcess):
            process.end("shutdown")
    await node.close_connections()
    epmd = node.dist_.epmd_.writer_
    # Its own two would look for their node when it is gone.
    node.processes_.clear()
    node.destroy()
    with contextlib.suppress(OSError):
        await epmd.wait_closed()
    # Pyrlang keeps no hold on its tasks, and several never end by themselves.
    tasks = [task for task in asyncio.all_tasks() if _is_of_pyrlang(task)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    asyncio.get_running_loop().set_exception_handler(None)


def _is_of_pyrlang(task: asyncio.Task[Any]) -> bool:
    frame = getattr(task.get_coro(), "cr_frame", None)
    return frame is not None and str(frame.f_globals.get("__name__")).startswith("pyrlang.")


def _one_line(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a peer sends makes Pyrlang raise in asyncio's callbacks and tasks, a traceback each: here, a line each."""
    error = context.get("exception")
    if not isinstance(error, Exception) or not _went_through_pyrlang(error.__traceback__):
        loop.default_exception_handler(context)
        return
    log.warning("! pyrlang: %s %s", type(error).__name__, repr(str(error))[:200])


def _went_through_pyrlang(at: TracebackType | None) -> bool:
    while at is not None:
        if str(at.tb_frame.f_globals.get("__name__")).startswith(("pyrlang.", "term.")):
            return True
        at = at.tb_next
    return False


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
