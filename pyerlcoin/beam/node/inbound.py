"""What each control message of a peer's does to the processes here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from pyerlcoin.beam import dist
from pyerlcoin.beam.dist import (
    AltactFlags,
    CallReceived,
    DemonitorReceived,
    DistributionLink,
    LinkEvent,
    MonitorReceived,
)
from pyerlcoin.beam.errors import LimitExceeded
from pyerlcoin.beam.etf.terms import Atom, Pid, Term
from pyerlcoin.beam.node.process import NOCONNECTION, NOPROC

if TYPE_CHECKING:
    from pyerlcoin.beam.node.connection import Connection
    from pyerlcoin.beam.node.node import Node
    from pyerlcoin.beam.node.process import Process

__all__ = ["Inbound"]

_NOTSUP: Final = Atom("notsup")


class Inbound:
    """The receiving half of a connection: `monitors` on our processes, and `links` in both directions.

    A monitor is kept by the bytes of its MONITOR_P, which are those of its DEMONITOR_P: most come and go undecoded.

    Once the peer is behind with taking what is sent to it, what is left of a batch is held until it has caught up. The
    BEAM suspends the process that sends instead; but our handlers cannot be suspended, and one that could would keep
    all others waiting for this peer.
    """

    def __init__(self, node: Node, connection: Connection, link: DistributionLink) -> None:
        self.monitors: dict[bytes, tuple[Process, Pid | Atom]] = {}
        self.links: dict[tuple[bytes, bytes], Process] = {}
        self._unlinking: dict[tuple[bytes, bytes], int] = {}  # by the same keys, the ids that wait for their ack
        self._next_unlink = 1
        self._watched: dict[Process, list[bytes]] | None = None  # the keys of `monitors`, made when they are needed
        self._node = node
        self._connection = connection
        self._link = link
        self._held: Sequence[LinkEvent] = ()

    @property
    def holds(self) -> bool:
        """Whether something is held."""
        return bool(self._held)

    def handle(self, events: Sequence[LinkEvent]) -> None:
        """Handle what is held, and then these, in order, until the peer is behind; the rest is held.

        Raises RemoteFault for what cannot be allowed; the rest is not handled then.
        """
        if self._held:
            events, self._held = (*self._held, *events), ()
        connection, link = self._connection, self._link
        for at, event in enumerate(events, 1):
            _HANDLERS[type(event)](self, event)
            if link.queued >= connection.most_queued:
                connection.relieve()
            if not connection.takes:
                self._held = events[at:] if connection.up else ()
                return

    def process_ended(self, process: Process, reason: Term) -> None:
        """Fire the monitors and links that the peer has on a process."""
        if process.watched:
            for key in self._monitors_on(process):
                _, target = self.monitors.pop(key)
                process.watched -= 1
                self._fire(MonitorReceived(key, target), reason)
        for pid in process.linked:
            if self.links.pop((process.pid.wire, pid.wire), None) is not None:
                self._connection.control(dist.Exit(process.pid, pid, reason))

    def make_link(self, process: Process, to: Pid) -> None:
        """A process of ours links itself: with that, an unlink that waits for its ack is none any more."""
        key = (process.pid.wire, to.wire)
        self._unlinking.pop(key, None)
        self.links[key] = process

    def undo_link(self, process: Process, to: Pid) -> int | None:
        """A process of ours undoes a link: the id of its UNLINK_ID, or None if there is no link."""
        key = (process.pid.wire, to.wire)
        if self.links.pop(key, None) is None:
            return None
        self._unlinking[key] = number = self._next_unlink
        self._next_unlink += 1
        return number

    def _monitors_on(self, process: Process) -> list[bytes]:
        # Many may end at once, each watched by many, and nothing be watched anew in between.
        if self._watched is None:
            self._watched = {}
            for key, (watched, _) in self.monitors.items():
                self._watched.setdefault(watched, []).append(key)
        return self._watched.pop(process, [])

    def close(self) -> None:
        """The connection ended: nobody watches any more, and links fire."""
        self._held = ()
        for process, _ in self.monitors.values():
            process.watched -= 1
        self.monitors.clear()
        self._watched = None
        self._unlinking.clear()
        links, self.links = self.links, {}
        for (_, pid), process in links.items():
            process.link_fired(Pid(pid), NOCONNECTION)

    # One method per kind of message.

    def _send_to_name(self, message: dist.RegSend) -> None:
        # To an unknown name: dropped, as the BEAM does. A call's monitor has said noproc.
        process = self._node.registry.named(message.to_name)
        if process is not None:
            process.deliver(message.message, self._connection)

    def _send_to_pid(self, message: dist.Send) -> None:
        # Also a pid of an earlier life of this node: it is none of ours, so it is dropped.
        process = self._node.registry.by_pid(message.to_pid)
        if process is not None:
            process.deliver(message.message, self._connection)

    def _altact(self, message: dist.AltactSigSend) -> None:
        # To an alias (we hand out none), or an exit signal: as ALIAS_SEND and EXIT2.
        if message.flags & (AltactFlags.ALIAS | AltactFlags.EXIT):
            return
        process = self._find(message.to)
        if process is not None:
            process.deliver(message.message, self._connection)

    def _call(self, call: CallReceived) -> None:
        if call.ended is not None:
            self._unwatch(call.ended)
        process = self._node.registry.named(call.target)
        if process is None:
            self._fire(MonitorReceived(call.key, call.target), NOPROC)
            return
        self._watch(call.key, process, call.target)
        process.deliver_call(call.caller, call.alias, call.request, self._connection)

    def _monitor(self, monitor: MonitorReceived) -> None:
        process = self._find(monitor.target)
        if process is None:
            self._fire(monitor, NOPROC)
        else:
            self._watch(monitor.key, process, monitor.target)

    def _watch(self, key: bytes, process: Process, target: Pid | Atom) -> None:
        monitors = self.monitors
        if key in monitors:
            return
        if len(monitors) >= self._node.limits.monitors:
            raise LimitExceeded("the number of monitors of one node", len(monitors) + 1, self._node.limits.monitors)
        monitors[key] = (process, target)
        self._watched = None
        process.watched += 1

    def _demonitor(self, demonitor: DemonitorReceived) -> None:
        self._unwatch(demonitor.key)

    def _unwatch(self, key: bytes) -> None:
        found = self.monitors.pop(key, None)
        if found is not None:
            self._watched = None
            found[0].watched -= 1

    def _fire(self, monitor: MonitorReceived, reason: Term) -> None:
        self._connection.control(dist.MonitorPExit(monitor.target, monitor.from_pid, monitor.ref, reason))

    def _monitor_exit(self, message: dist.MonitorPExit) -> None:
        self._connection.fired(message.ref, message.reason)

    def _make_link(self, message: dist.Link) -> None:
        process = self._node.registry.by_pid(message.to_pid)
        if process is None:
            self._connection.control(dist.Exit(message.to_pid, message.from_pid, NOPROC))
            return
        if len(self.links) >= self._node.limits.monitors:
            raise LimitExceeded("the number of links of one node", len(self.links) + 1, self._node.limits.monitors)
        key = (process.pid.wire, message.from_pid.wire)
        if key in self._unlinking:
            # It crossed our UNLINK_ID, with which the peer undid it ("Link Protocol", "Link Operation").
            return
        self.links[key] = process
        process.link_made(message.from_pid)

    def _unlink(self, message: dist.UnlinkId) -> None:
        # "The receiver must send the ack, also for a link that it does not know", before anything else to that pid.
        self._connection.control(dist.UnlinkIdAck(message.id, message.to_pid, message.from_pid))
        process = self.links.pop((message.to_pid.wire, message.from_pid.wire), None)
        if process is not None:
            process.link_undone(message.from_pid)

    def _unlinked(self, message: dist.UnlinkIdAck) -> None:
        # "If the ids do not match, the signal is ignored": it is of an unlink before.
        key = (message.to_pid.wire, message.from_pid.wire)
        if self._unlinking.get(key) == message.id:
            del self._unlinking[key]

    def _exit(self, message: dist.Exit | dist.PayloadExit) -> None:
        process = self.links.pop((message.to_pid.wire, message.from_pid.wire), None)
        if process is not None:
            process.link_fired(message.from_pid, message.reason)

    def _refuse_spawn(self, message: dist.SpawnRequest) -> None:
        # Code of a peer's choice is never run. So answered, the caller sees {erpc, notsup} at once.
        self._connection.control(dist.SpawnReply(message.request_id, message.from_pid, 0, _NOTSUP))

    def _ignore(self, message: LinkEvent) -> None:
        # Exit2: only this node ends its processes. Aliases: we make none. Group leaders: nothing to do.
        pass

    def _find(self, target: object) -> Process | None:
        registry = self._node.registry
        if type(target) is Pid:
            return registry.by_pid(target)
        return registry.named(target) if type(target) is Atom else None


# One table for all connections: of its own, each would pay for it more than for all else that it keeps.
_HANDLERS: Final[dict[type[LinkEvent], Callable[[Inbound, Any], None]]] = {
    CallReceived: Inbound._call,
    MonitorReceived: Inbound._monitor,
    DemonitorReceived: Inbound._demonitor,
    dist.RegSend: Inbound._send_to_name,
    dist.RegSendTT: Inbound._send_to_name,
    dist.Send: Inbound._send_to_pid,
    dist.SendTT: Inbound._send_to_pid,
    dist.SendSender: Inbound._send_to_pid,
    dist.SendSenderTT: Inbound._send_to_pid,
    dist.AltactSigSend: Inbound._altact,
    dist.AliasSend: Inbound._ignore,
    dist.AliasSendTT: Inbound._ignore,
    dist.MonitorPExit: Inbound._monitor_exit,
    dist.PayloadMonitorPExit: Inbound._monitor_exit,
    dist.Link: Inbound._make_link,
    dist.UnlinkId: Inbound._unlink,
    dist.UnlinkIdAck: Inbound._unlinked,
    dist.Exit: Inbound._exit,
    dist.ExitTT: Inbound._exit,
    dist.PayloadExit: Inbound._exit,
    dist.PayloadExitTT: Inbound._exit,
    dist.Exit2: Inbound._ignore,
    dist.Exit2TT: Inbound._ignore,
    dist.PayloadExit2: Inbound._ignore,
    dist.PayloadExit2TT: Inbound._ignore,
    dist.GroupLeader: Inbound._ignore,
    dist.SpawnRequest: Inbound._refuse_spawn,
    dist.SpawnRequestTT: Inbound._refuse_spawn,
    dist.SpawnReply: Inbound._ignore,
    dist.SpawnReplyTT: Inbound._ignore,
}
