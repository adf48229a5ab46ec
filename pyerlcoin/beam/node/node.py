"""The node: its name and cookie, its processes, its connections."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from types import TracebackType
from typing import Final, Self

from pyerlcoin.beam.dist import EPMD_PORT, OFFERED, PUBLISHED, Acceptor, Cookie, Initiator, NodeName
from pyerlcoin.beam.errors import BeamError, LocalFault, NodeNotRunning, NotAllowed
from pyerlcoin.beam.etf.terms import Atom, Term
from pyerlcoin.beam.node.builtin import NetKernel, Rex
from pyerlcoin.beam.node.carrier import Carrier, TcpCarrier, local_addresses, turns
from pyerlcoin.beam.node.connection import Connection
from pyerlcoin.beam.node.cookie_file import read_cookie
from pyerlcoin.beam.node.coroutines import Coroutines
from pyerlcoin.beam.node.deadlines import Deadlines
from pyerlcoin.beam.node.events import Event, EventHandler, log_event, logger
from pyerlcoin.beam.node.gen_server import GenServer
from pyerlcoin.beam.node.identities import Identities
from pyerlcoin.beam.node.limits import NodeLimits
from pyerlcoin.beam.node.listener import Listener
from pyerlcoin.beam.node.local import LocalRoute
from pyerlcoin.beam.node.peers import Peers
from pyerlcoin.beam.node.process import Process
from pyerlcoin.beam.node.registrar import Registrar, Unregistered
from pyerlcoin.beam.node.registry import ProcessRegistry
from pyerlcoin.beam.node.route import Route
from pyerlcoin.beam.node.targets import Destination, Target, to_atom
from pyerlcoin.beam.node.ticker import Ticker

__all__ = ["Node", "Tables"]

_SHUTDOWN: Final = Atom("shutdown")
_IS_AUTH: Final = Atom("is_auth")
_YES: Final = Atom("yes")
_RECEIVE_BYTES: Final = 65_536  # in one read: more than most sockets have, and still within a processor's cache
# Linux makes 75 us of it, in which a BEAM makes a dozen calls. Windows may make a thousand; others were not tried.
_GATHER_TIME: Final = 25e-6 if sys.platform == "linux" else 0.0
_STOP_PATIENCE = 1.0  # seconds that peers have to read our last words


class _Life(Enum):
    """NEW again after a start that failed; STOPPING also after a stop that was cut short."""

    NEW = auto()
    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()
    STOPPED = auto()


@dataclass(frozen=True, slots=True)
class Tables:
    """How much a node keeps, all in all. What a peer began and ended leaves nothing behind."""

    processes: int
    connections: int
    dials: int
    handshakes: int
    monitors_on_us: int
    monitors_by_us: int
    links: int
    calls: int
    messages: int


class Node:
    """An Erlang node.

        async with Node("python@127.0.0.1", "cookie") as node:
            print(await node.call(("Elixir.Greeter", "elixir@127.0.0.1"), Atom("hello")))

    Args:
        name: `name@host`. The host part is where others look for it, written exactly as they write it.
        cookie: as text; None reads `~/.erlang.cookie`, and makes it if need be, as erl does.
        hidden: as `erl -hidden`. A visible node is expected to take part in `global`, which this one does not.
        bind: the one address to listen on, instead of the host part's and loopback.
        port: the distribution port; 0 lets the system choose.
        epmd_port: the port mapper's, everywhere; None takes ERL_EPMD_PORT, else 4369.
        peer_port: the distribution port of every other node. No port mapper is asked or told anything then, as with
            `erl -start_epmd false -erl_epmd_port PORT`; to be found by such nodes, give the same number as `port`.
        embedded_epmd: be the port mapper of this machine when there is none: on the addresses of this node and of those
            that register, which is every one of the machine once a BEAM does.
        tick_time: `net_ticktime` in seconds: a peer that is silent for it and a quarter more is disconnected.
        setup_time: `net_setuptime` in seconds, for each connection from dialling to the end of its handshake.
        gather_time: seconds that a node whose processes call several at once is left alone before the next read, so
            that more calls come together and each costs less; replies to several calls of `Process.send_request` are
            left alone eight times as long. The event loop stands still for it, so it is short. 0: never, which is the
            default outside Linux, as timers elsewhere are coarser.
        limits: see `NodeLimits`.
        carrier: how streams are opened; plain TCP by default.
        on_event: is called with each event of `events`; the standard logger hears them as well.

    Everything runs in the event loop that `start` was called in, and nothing here is safe to call from another thread.
    """

    def __init__(
        self,
        name: str | NodeName,
        cookie: str | Cookie | None = None,
        *,
        hidden: bool = True,
        bind: str | None = None,
        port: int = 0,
        epmd_port: int | None = None,
        peer_port: int | None = None,
        embedded_epmd: bool = True,
        tick_time: float = 60.0,
        setup_time: float = 7.0,
        gather_time: float = _GATHER_TIME,
        limits: NodeLimits | None = None,
        carrier: Carrier | None = None,
        on_event: EventHandler | None = None,
    ) -> None:
        """Raises InvalidNodeName or InvalidCookie."""
        self.node_name: Final = name if isinstance(name, NodeName) else NodeName.parse(name)
        self.name: Final = self.node_name.full
        self.hidden: Final = hidden
        self.epmd_port: Final = _epmd_port() if epmd_port is None else epmd_port
        self.peer_port: Final = peer_port
        self.setup_time: Final = setup_time
        self.gather_time: Final = gather_time
        self.limits: Final = limits or NodeLimits()
        self.carrier: Final[Carrier] = carrier or TcpCarrier()
        self._cookie = read_cookie() if cookie is None else Cookie(cookie) if isinstance(cookie, str) else cookie
        self._bind = bind
        self._port = port
        self._embedded_epmd = embedded_epmd
        self._tick_time = tick_time
        self._on_event = on_event
        self._flags = OFFERED if hidden else OFFERED | PUBLISHED
        self._life = _Life.NEW
        self._tasks: set[asyncio.Task[object]] = set()
        self.receive_buffer: Final = memoryview(bytearray(_RECEIVE_BYTES))
        self.last_read: Connection | None = None  # the connection that was; each keeps it, to know whether it is alone
        self.registry = ProcessRegistry()
        self.local = LocalRoute(self)
        self._peers = Peers(self)
        self._listener = Listener(self.carrier, self._peers.accept)
        # Set by `start`.
        self.loop: asyncio.AbstractEventLoop
        self.identities: Identities
        self.deadlines: Deadlines
        self.coroutines: Coroutines
        self._registrar: Registrar | Unregistered
        self._ticker: Ticker
        self._own: Process

    # Life.

    async def start(self) -> None:
        """Listen, register, and be reachable.

        Raises:
            CannotListen, HostUnknown: for the distribution port.
            NameInUse, EpmdUnreachable: from the port mapper.
            NodeNotRunning: it runs, or was stopped; make a new one. After any of the others it can be started again.
        """
        if self._life is not _Life.NEW:
            raise NodeNotRunning
        self._life = _Life.STARTING
        try:
            await self._start()
        except BaseException:
            self._life = _Life.NEW
            raise

    async def _start(self) -> None:
        self.loop = asyncio.get_running_loop()
        addresses = await local_addresses(self.node_name.host, self._bind)
        await self._listener.start(addresses, self._port)
        self._registrar = self._make_registrar(addresses)
        try:
            creation = await self._registrar.start()
        except BaseException:
            self._listener.stop()
            await self._registrar.stop()
            await turns()
            raise
        self.identities = Identities(self.name, creation)
        self.deadlines = Deadlines(self.loop)
        self.coroutines = Coroutines(self.loop)
        self._life = _Life.RUNNING
        self.spawn(NetKernel(), "net_kernel")
        self.spawn(Rex(), "rex")
        self._own = self.process()
        self._ticker = Ticker(self.loop, self._tick_time, self._peers.connections.values)

    async def stop(self) -> None:
        """Stop listening, end every process, close every connection, unregister. Idempotent.

        If it is cancelled on the way, another one does what is left; two at once both end when all is done.
        """
        if self._life not in (_Life.RUNNING, _Life.STOPPING):
            return
        self._life = _Life.STOPPING
        self._ticker.stop()
        await turns()
        self._listener.stop()
        # The connections are still open: monitors and links at the peers fire with `shutdown`.
        for process in self.registry:
            process.exit(_SHUTDOWN)
        self.deadlines.close()
        await self._peers.stop(_STOP_PATIENCE)
        await self._registrar.stop()
        reserve = self.coroutines.close()
        if reserve is not None:
            self.keep(reserve)
        if self._tasks:
            await asyncio.wait(self._tasks)
        await turns()
        self._life = _Life.STOPPED

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def running(self) -> bool:
        """Between `start` and `stop`."""
        return self._life is _Life.RUNNING

    @property
    def port(self) -> int:
        """The distribution port; 0 before the start."""
        return self._listener.port

    @property
    def serves_epmd(self) -> bool:
        """Whether this node is the port mapper of its machine."""
        return self.running and self._registrar.serving

    # Processes.

    def spawn(self, server: GenServer, name: str | Atom | None = None) -> Process:
        """Run a GenServer, registered as `name` if there is one.

        Raises:
            NameRegistered: another process has the name.
            NodeNotRunning: the node does not run.
        """
        self._require_running()
        atom = to_atom(name) if isinstance(name, str) else name
        pid = self.identities.pid()
        while self.registry.by_pid(pid) is not None:
            pid = self.identities.pid()
        process = Process(self, pid, server, atom)
        server.process = process
        self.registry.add(process)
        return process

    def process(self) -> Process:
        """A process without handlers, to make calls from: peers see its pid, and see it end."""
        return self.spawn(GenServer())

    async def call(self, target: Target, request: Term, timeout: float | None = 5.0) -> Term:
        """As `Process.call`, from a process of the node's own."""
        self._require_running()
        return await self._own.call(target, request, timeout)

    async def cast(self, target: Destination, request: Term) -> None:
        """As `Process.cast`."""
        self._require_running()
        await self._own.cast(target, request)

    async def send(self, target: Destination, message: Term) -> None:
        """As `Process.send`."""
        self._require_running()
        await self._own.send(target, message)

    # Other nodes.

    async def connect(self, node: str) -> None:
        """Make sure that there is a connection.

        Raises:
            InvalidNodeName, NodeNotRunning: nothing was tried.
            Unreachable: HostUnknown, EpmdUnreachable, NodeNotFound, PortUnreachable, NoErlangNode, HungUp or
                SetupTimeout.
            Refused: CookieMismatch, NotAllowed, NameFormMismatch, WrongPeer, TlsRefused or AlreadyConnected.
            TooMuchAtOnce: too many connections are being opened already.
        """
        await self.route(node)

    def disconnect(self, node: str) -> bool:
        """Close the connection to a node; False if there was none."""
        connection = self._peers.connections.get(node)
        if connection is None:
            return False
        connection.close("it was closed here")
        return True

    async def ping(self, node: str, timeout: float | None = 7.0) -> float:
        """Seconds that a `net_adm:ping` took, connecting included. Raises what `connect` and `call` raise."""
        began = time.perf_counter()
        if await self.call(("net_kernel", node), (_IS_AUTH, Atom(self.name)), timeout) != _YES:
            raise NotAllowed(node)
        return time.perf_counter() - began

    def nodes(self) -> list[str]:
        """The connected nodes, hidden ones too, sorted."""
        return sorted(self._peers.connections) if self.running else []

    def tables(self) -> Tables:
        """What the node keeps at this moment. Its own three processes are counted, too."""
        connections, dials, handshakes = self._peers.counts
        per_connection = [connection.counts for connection in self._peers.connections.values()]
        per_process = [process.counts for process in self.registry]
        return Tables(
            processes=len(self.registry),
            connections=connections,
            dials=dials,
            handshakes=handshakes,
            monitors_on_us=sum(counts[0] for counts in per_connection) + len(self.local),
            monitors_by_us=sum(counts[1] for counts in per_process),
            links=sum(counts[2] for counts in per_process),
            calls=sum(counts[0] for counts in per_process),
            messages=sum(counts[3] for counts in per_process),
        )

    # For the other modules of this package.

    async def route(self, node: str) -> Route:
        """The way to a node, connected if need be. Raises as `connect`."""
        self._require_running()
        return self.local if node == self.name else await self._peers.connect(node)

    def route_if_up(self, node: str) -> Route | None:
        """The way to a node, if there is one now."""
        return self.local if node == self.name else self._peers.connections.get(node)

    def via(self, node: str, use: Callable[[Route], None], failed: Callable[[BeamError], None] | None = None) -> None:
        """Use the way to a node: now if there is one, else once it is; `failed` is called if it comes to nothing."""
        if node == self.name:
            use(self.local)
        else:
            self._peers.via(node, use, failed)

    def initiator(self, peer: NodeName) -> Initiator:
        """The machine of a handshake that we begin. Raises NameFormMismatch."""
        return Initiator(
            ours=self.node_name,
            peer=peer,
            cookie=self._cookie,
            challenge=secrets.randbits(32),
            creation=self.identities.creation,
            flags=self._flags,
            length_size=self.carrier.handshake_length_size,
        )

    def acceptor(self) -> Acceptor:
        """The machine of a handshake that a peer begins."""
        return Acceptor(
            ours=self.node_name,
            cookie=self._cookie,
            challenge=secrets.randbits(32),
            creation=self.identities.creation,
            flags=self._flags,
            length_size=self.carrier.handshake_length_size,
        )

    def disconnected(self, connection: Connection, reason: str, fault: BeamError | None) -> None:
        """A connection of `Peers` ended."""
        self._peers.disconnected(connection, reason, fault)

    def forget(self, process: Process, reason: Term) -> None:
        """A process ended: its name is free, and everybody who watches it is told."""
        self.registry.remove(process)
        self.local.process_ended(process, reason)
        for connection in self._peers.connections.values():
            connection.process_ended(process, reason)

    def keep(self, task: asyncio.Task[object]) -> None:
        """Hold on to a task that ends by itself, and wait for it in `stop`."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tell(self, event: Event) -> None:
        """Give an event to its subscribers."""
        log_event(event)
        if self._on_event is not None:
            try:
                self._on_event(event)
            except Exception:  # noqa: BLE001  # a subscriber must not stop the node
                logger.exception("! a subscriber raised on %s", type(event).__name__)

    def log_dropped(self, error: LocalFault) -> None:
        """A signal that waited for a connection could not be sent after all."""
        logger.warning("! dropped a message: %s", error)

    def _make_registrar(self, addresses: tuple[str, ...]) -> Registrar | Unregistered:
        if self.peer_port is not None:
            return Unregistered()
        return Registrar(
            self.node_name,
            self._listener.port,
            hidden=self.hidden,
            epmd_port=self.epmd_port,
            addresses=addresses,
            embedded=self._embedded_epmd,
            tell=self.tell,
        )

    def _require_running(self) -> None:
        if not self.running:
            raise NodeNotRunning


def _epmd_port() -> int:
    text = os.environ.get("ERL_EPMD_PORT", "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else EPMD_PORT
