"""A process of this node: a pid, perhaps a name, a GenServer or just calls."""

from __future__ import annotations

from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from pyerlcoin.beam.errors import NodeNotRunning, ProcessDown, UnencodableTerm
from pyerlcoin.beam.etf.encode import encode
from pyerlcoin.beam.etf.terms import Atom, Pid, Reference, Term
from pyerlcoin.beam.node.calls import Calls, Request
from pyerlcoin.beam.node.events import MailboxFull, ProcessCrashed
from pyerlcoin.beam.node.gen_server import GenServer
from pyerlcoin.beam.node.mailbox import Down, Exited, Mailbox
from pyerlcoin.beam.node.targets import Destination, Target, locate, locate_any, show

if TYPE_CHECKING:
    from pyerlcoin.beam.node.node import Node
    from pyerlcoin.beam.node.route import Route

__all__ = ["NOCONNECTION", "NOPROC", "NORMAL", "Process"]

NORMAL: Final = Atom("normal")
NOPROC: Final = Atom("noproc")
NOCONNECTION: Final = Atom("noconnection")
_EXCEPTION: Final = Atom("exception")
_GEN_CAST: Final = Atom("$gen_cast")


class Process:
    """Made by `Node.spawn` and `Node.process`; lives until `exit`, or until the node stops.

    As a context manager it ends, with reason `normal`, at the end of the block.
    """

    def __init__(self, node: Node, pid: Pid, server: GenServer, name: Atom | None) -> None:
        self.node = node
        self.pid: Final = pid
        self.server = server
        self.name = name
        self.alive = True
        self.watched = 0  # monitors that others have on this process, all routes together
        self._calls = Calls(self)
        self._monitors: dict[Reference, tuple[str, Pid | Atom]] = {}
        self._links: dict[Pid, None] = {}
        self._mailbox = Mailbox(self, self._mailbox_full, self._crashed)
        self.deliver_call: Final = self._mailbox.deliver_call
        """A `{'$gen_call', {caller, [alias | Ref]}, request}` arrived; given the caller, Ref's wire and the request."""

    @property
    def label(self) -> str:
        """For a person: the name, else the pid."""
        return show(self.node.name, self.name or self.pid)

    # What the process does to others. Targets and destinations are as in `targets`.

    def call(self, target: Target, request: Term, timeout: float | None = 5.0) -> Coroutine[Any, Any, Term]:
        """The reply to a `GenServer.call`. Connects first when needed.

        timeout: in seconds, for the connecting too; None ends only with the reply or with the other process.

        Raises:
            CallFailed: NoProcess, ProcessDown, NodeDown or CallTimeout.
            Unreachable, Refused: no connection came about.
            UnencodableTerm, NodeNotRunning, InvalidNodeName: nothing was sent.
            TooMuchAtOnce: too many connections are being opened already.
        """
        return self._calls.call(target, request, timeout)

    def send_request(self, target: Target, request: Term) -> Request:
        """A `GenServer.call` that is sent now: await it for the reply, or `cancel()` it.

        For many at once, which need no task each: while several such calls to a node wait, their replies are read
        together, and may be some 0.25 ms late for it (`gather_time` of `Node`). While that node is not connected it
        is sent once it is, in the order in which this process sent to it, as one of the `NodeLimits.waiting` signals
        that may wait for that; more fail with TooMuchAtOnce. It never waits for a node that is behind with reading.
        Raises UnencodableTerm, if the node is connected, or NodeNotRunning; what `call` raises without a timeout
        comes out when it is awaited.
        """
        return self._calls.send_request(target, request)

    async def cast(self, target: Destination, request: Term) -> None:
        """A `GenServer.cast`. Connects first when needed, and waits while that node is behind with reading.

        Raises what `call` raises but CallFailed; whether the process is there is not known.
        """
        await self.send(target, (_GEN_CAST, request))

    async def send(self, target: Destination, message: Term) -> None:
        """A plain message, otherwise as `cast`."""
        node, to = locate_any(target, self.node.name)
        route = await self.node.route(node)
        await route.drained()
        self._require_alive()
        route.send(self.pid, to, message)

    def cast_nowait(self, target: Destination, request: Term) -> None:
        """As `send_nowait`, a `GenServer.cast`."""
        self.send_nowait(target, (_GEN_CAST, request))

    def send_nowait(self, target: Destination, message: Term) -> None:
        """Erlang's `!`, for handlers: connects in the background; to a node out of reach the message is dropped.

        Raises UnencodableTerm at once if the connection is up, NodeNotRunning on a process that ended.
        """
        self._require_alive()
        node, to = locate_any(target, self.node.name)
        pid = self.pid
        self.node.via(node, lambda route: route.send(pid, to, message))

    def monitor(self, target: Target) -> Reference:
        """Watch a process: one `handle_down` with this reference will come, also for one that is gone already.

        The reason is the exit reason, `noproc`, or `noconnection` when its node is lost or out of reach.
        """
        self._require_alive()
        node, to = locate(target, self.node.name)
        reference = self.node.identities.reference()
        self._monitors[reference] = (node, to)

        def watch(route: Route) -> None:
            if reference in self._monitors:
                route.monitor(self, to, reference)

        self.node.via(node, watch, lambda _: self.monitor_fired(reference, NOCONNECTION))
        return reference

    def demonitor(self, reference: Reference) -> None:
        """No `handle_down` with this reference comes any more. Harmless if it has come."""
        found = self._monitors.pop(reference, None)
        if found is not None:
            route = self.node.route_if_up(found[0])
            if route is not None:
                route.demonitor(self, found[1], reference)

    def link(self, pid: Pid) -> None:
        """Link to a process: if it ends, `handle_exit` is called here; if this one ends, it gets the exit signal."""
        self._require_alive()
        if pid in self._links or pid == self.pid:
            return
        self._links[pid] = None

        def tie(route: Route) -> None:
            if pid in self._links:
                route.link(self, pid)

        self.node.via(pid.node, tie, lambda _: self.link_fired(pid, NOCONNECTION))

    def unlink(self, pid: Pid) -> None:
        """Undo `link`, or a link that the other process made."""
        if pid in self._links:
            del self._links[pid]
            route = self.node.route_if_up(pid.node)
            if route is not None:
                route.unlink(self, pid)

    def exit(self, reason: Term = NORMAL) -> None:
        """End. Who monitors this process or is linked to it is told; calls it makes fail; its name is free.

        A handler that wants its caller to have a reply sends it first. Idempotent. Raises UnencodableTerm for a reason
        that cannot be told.
        """
        if not self.alive:
            return
        size = len(encode(reason))
        if size > self.node.limits.frame_bytes // 2:
            raise UnencodableTerm(f"an exit reason of {size} bytes fits in no message")
        self.alive = False
        self.node.forget(self, reason)
        for reference in list(self._monitors):
            self.demonitor(reference)
        links, self._links = self._links, {}
        for pid in links:
            if self.node.route_if_up(pid.node) is None:
                self._leave(pid, reason)
        self._calls.fail_all(ProcessDown(self.label, reason))
        task = self._mailbox.close()
        if task is not None:
            self.node.keep(task)
        try:
            self.server.terminate(reason)
        except Exception as error:  # noqa: BLE001  # it is ending anyway
            self.node.tell(ProcessCrashed(self.label, error))

    def _leave(self, pid: Pid, reason: Term) -> None:
        """Have a process know that waits for the connection on which `link` is to tell it of the link."""

        def tell(route: Route) -> None:
            self._links[pid] = None
            route.link(self, pid)  # which may undo it at once, if there is no such process
            route.process_ended(self, reason)
            self._links.clear()

        self.node.via(pid.node, tell)

    # What happens to the process. Called by routes.

    def deliver(self, message: Term, route: Route) -> None:
        """A message arrived."""
        if type(message) is tuple and len(message) == 2 and type(message[0]) is Reference:
            if self._calls.resolve(message[0], message[1]):
                return
            if self.node.identities.is_of_a_call(message[0]):
                return  # the reply to a call that was given up
        self._mailbox.deliver(message, route)

    def monitor_fired(self, reference: Reference, reason: Term) -> None:
        """A monitor of this process ended with that reason; for a call, its reply will not come."""
        if self._calls.down(reference, reason):
            return
        found = self._monitors.pop(reference, None)
        if found is not None:
            node, to = found
            target = to if isinstance(to, Pid) else (to, Atom(node))
            self._mailbox.deliver(Down(target, reference, reason), self.node.local)

    def link_made(self, pid: Pid) -> None:
        """Another process linked itself to this one."""
        self._links[pid] = None

    def link_undone(self, pid: Pid) -> None:
        """The other process undid the link."""
        self._links.pop(pid, None)

    def link_fired(self, pid: Pid, reason: Term) -> None:
        """The other end of a link ended with that reason. Ignored if there is no link (any more)."""
        if pid not in self._links:
            return
        del self._links[pid]
        if self.alive:
            self._mailbox.deliver(Exited(pid, reason), self.node.local)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Pending calls, monitors on others, links, waiting messages."""
        return len(self._calls), len(self._monitors), len(self._links), len(self._mailbox)

    @property
    def linked(self) -> list[Pid]:
        """The other ends of its links."""
        return list(self._links)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.exit()

    def __repr__(self) -> str:
        return f"<Process {self.label}{'' if self.alive else ' (ended)'}>"

    def _require_alive(self) -> None:
        if not self.alive:
            raise NodeNotRunning

    def _mailbox_full(self) -> None:
        self.node.tell(MailboxFull(self.label, len(self._mailbox)))

    def _crashed(self, error: BaseException) -> None:
        self.node.tell(ProcessCrashed(self.label, error))
        # The class alone: a message may hold what is nobody's business, and callers see this reason.
        self.exit((_EXCEPTION, type(error).__name__))
