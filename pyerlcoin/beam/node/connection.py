"""An established connection: control messages to processes, and back, in one write per batch."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Final

from pyerlcoin.beam import dist
from pyerlcoin.beam.dist import Control, DistributionFlags, DistributionLink, Established
from pyerlcoin.beam.errors import BeamError, LimitExceeded, RemoteFault
from pyerlcoin.beam.etf.terms import Atom, Pid, Reference, Term
from pyerlcoin.beam.node.carrier import why
from pyerlcoin.beam.node.gathering import FEW, REPLIES, Gathering
from pyerlcoin.beam.node.inbound import Inbound
from pyerlcoin.beam.node.process import NOCONNECTION, NOPROC

if TYPE_CHECKING:
    from pyerlcoin.beam.node.node import Node
    from pyerlcoin.beam.node.process import Process

__all__ = ["Connection"]

_SOON: Final = 0.05
"""Seconds that the end of a monitor may wait for something to be written with."""

_PIECE: Final = 4
"""Reads' worth of what was put off that are handled in one turn of the loop, in which one more may be read."""


class Connection(asyncio.BufferedProtocol):
    """A `Route` over a socket, and the protocol of that socket.

    Everything that is sent while a batch of received messages is handled goes out in one write after it; what is
    sent at other times goes out at the end of the event loop's turn. Only a DEMONITOR_P, for which nobody waits, stays
    a little: mostly the next call comes soon and takes it along.

    All connections of a node read into one buffer of the node's. For a protocol that is given bytes, asyncio makes
    room for 256 KiB anew for each read, and the system maps and unmaps that memory every time.

    While many processes of the peer call at once, reads wait a moment, and so they do for replies that are wanted
    together: see `gathering`. Where two connections are busy no calls are waited for, as the other's are time enough.

    A peer that is behind with taking what is sent to it is still read, but what comes from it is put off until it has
    caught up: so the replies to it keep to a bound, and nobody else waits for it.

    Attributes:
        gathered: how many reads have waited so.
        takes: whether the peer takes what is sent to it; False also once the connection is down.
        most_queued: bytes that may be queued here before they are given to the socket.
    """

    # Without them, a dictionary each: of so many attributes it takes more than all else that an idle one keeps.
    __slots__ = (
        "_at_last",
        "_buffer",
        "_can_wait",
        "_ended",
        "_flush_due",
        "_frames_at_check",
        "_gathering",
        "_inbound",
        "_lingering",
        "_link",
        "_owner",
        "_put_off",
        "_receiving",
        "_ticks_seen",
        "_transport",
        "_turn",
        "_unhurried",
        "_watching",
        "_writable",
        "_wrote_since_tick",
        "creation",
        "dialled",
        "gathered",
        "gone",
        "most_queued",
        "node",
        "peer",
        "pid_prefix",
        "quiet_checks",
        "takes",
        "up",
        "wrote",
    )

    def __init__(self, node: Node, transport: asyncio.Transport, established: Established, *, dialled: bool) -> None:
        self.peer: Final = established.peer
        self.node: Final = established.peer.full
        self.creation: Final = established.creation
        self.dialled: Final = dialled
        self.up = self.takes = True
        self.most_queued: Final = node.limits.unsent_bytes // 4
        self.pid_prefix = b"X" + Atom(self.node).wire
        # Since the last look of the ticker.
        self.wrote = True
        self.quiet_checks = 0
        self.gathered = 0
        # A read of TLS comes after the socket's: too late to wait.
        self._gathering = Gathering() if node.gather_time > 0 and not node.carrier.encrypted else None
        self._frames_at_check = 0
        self._ticks_seen = 0
        self._wrote_since_tick = True
        self._owner = node
        self._transport = transport
        self._link = DistributionLink(
            node.node_name,
            established.peer,
            established.flags,
            frame_limit=node.limits.frame_bytes,
            limits=node.limits.terms,
        )
        self._inbound = Inbound(node, self, self._link)
        # Windows' own loop reads ahead, into as many buffers as there are connections.
        self._buffer = node.receive_buffer if os.name != "nt" else memoryview(bytearray(len(node.receive_buffer)))
        self._watching: dict[bytes, Process] = {}  # by the wire of the monitor's reference
        self._unhurried: dict[bytes, None] = {}  # of calls whose replies can wait; a set takes thrice the memory
        self._receiving = False
        self._flush_due = False
        self._can_wait = 0  # bytes that are queued, and that nobody waits for
        self._at_last: asyncio.TimerHandle | None = None  # what writes them
        self._turn: asyncio.Lock | None = None  # of those who wait for that: made for the first of them
        self._writable: asyncio.Event | None = None  # only while the peer is behind with reading
        self._lingering: asyncio.TimerHandle | None = None
        # Done once the socket is gone, which may be a moment after `up` ended.
        self.gone: asyncio.Future[None] = node.loop.create_future()
        self._ended = False  # the peer sent its last, and reads no more
        self._put_off: bytearray | None = None  # of what was read, the part that waits for the peer to catch up

    def begin(self, trailing: bytes) -> None:
        """Take over the socket; `trailing` came behind the handshake."""
        self._transport.set_write_buffer_limits(high=self.most_queued)
        self._transport.set_protocol(self)
        if trailing:
            self._receive(trailing)

    # From the socket.

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next read goes; `buffer_updated` follows at once."""
        if self._gathering is not None:
            due = self._gathering.due and self._owner.last_read is self
            waits = REPLIES if len(self._unhurried) >= FEW else int(due)
            if waits:
                # Some 0.08 ms, or 0.25 for replies. No coroutine may be here, and the loop's timers are too coarse.
                time.sleep(waits * self._owner.gather_time)  # reason: read by the dozen, a call costs a quarter less
                self.gathered += 1
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Handle all that came, then write all that it led to."""
        calls = self._link.whole_calls
        self._owner.last_read = self
        if self.takes and self._put_off is None:
            self._receive(self._buffer[:nbytes].tobytes())
        elif self.up:
            self._read_later(self._buffer[:nbytes])
        if self._gathering is not None:
            self._gathering.after(self._link.whole_calls - calls)

    def _receive(self, data: bytes) -> None:
        link = self._link
        self._receiving = True
        try:
            try:
                link.receive_data(data)
            finally:
                self._inbound.handle(link.events())
        except RemoteFault as fault:
            self.close("it broke the protocol", fault)
        finally:
            self._receiving = False
        if link.ticks_received != self._ticks_seen:
            self._echo_tick()
        if link.queued > self._can_wait:
            self._flush()

    def _read_later(self, data: memoryview) -> None:
        if self._put_off is None:
            self._put_off = bytearray()
        self._put_off += data
        self._frames_at_check = -1  # it is there, whatever of this is a frame
        size, limit = len(self._put_off), self._owner.limits.unsent_bytes
        if size > limit:
            what = "what the node asks, without reading what it is sent,"
            self.close("it does not read", LimitExceeded(what, size, limit))

    def _caught_up(self) -> None:
        """A piece of what was put off, and the rest in the next turn: others use the event loop as well."""
        if not self.takes:
            return
        piece = b""  # at first what is left of the batch in which the peer fell behind
        if self._put_off and not self._inbound.holds:
            piece = bytes(self._put_off[: _PIECE * len(self._buffer)])
            del self._put_off[: len(piece)]
        elif not self._put_off:
            self._put_off = None
        self._receive(piece)
        if self._put_off is not None:
            self._owner.loop.call_soon(self._caught_up)
        elif self.takes:
            # Only now: those who wait to send would have it behind again before anything of the peer's was handled.
            self._let_send()

    def _echo_tick(self) -> None:
        # A peer with a shorter tick time than ours expects to hear from us in its rhythm. Only what was idle since
        # its last tick is answered: two nodes that echo each other fall silent after one echo.
        self._ticks_seen = self._link.ticks_received
        if not self._wrote_since_tick:
            self._link.send_tick()
        self._wrote_since_tick = False

    def eof_received(self) -> bool:
        """The peer closed."""
        if self._put_off is not None or self._inbound.holds:
            # It sent that before. What it leads to, nobody reads.
            rest, self._put_off = bytes(self._put_off or b""), None
            self._ended = self.takes = True
            self._receive(rest)
        self.close("the node closed it")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is gone."""
        self.close("the node closed it" if error is None else why(error))
        if self._lingering is not None:
            self._lingering.cancel()
        if not self.gone.done():
            self.gone.set_result(None)

    def pause_writing(self) -> None:
        """The peer reads slower than we write: `drained` waits now, and so do its requests."""
        self.takes = False
        self._writable = self._writable or asyncio.Event()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self.up:
            self.takes = True
            # What was put off meanwhile. Not in here, where the transport is in the midst of writing.
            self._owner.loop.call_soon(self._caught_up)
        else:
            self._let_send()

    def _let_send(self) -> None:
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    # Ending.

    def close(self, reason: str, fault: BeamError | None = None) -> None:
        """End it at once; monitors and links over it fire. Idempotent."""
        if not self.up:
            return
        self.up = self.takes = False
        self._link.receive_eof()
        unsent = self._link.data_to_send()
        if fault is None and unsent:
            self._transport.write(unsent)
        if self._at_last is not None:
            self._at_last.cancel()
        self.resume_writing()
        if fault is not None:
            self._transport.abort()
        else:
            # What is in the buffer, a last reply say, still goes out, if the peer takes it soon.
            self._transport.close()
            self._lingering = self._owner.loop.call_later(self._owner.setup_time, self._transport.abort)
        if self._owner.last_read is self:
            self._owner.last_read = None
        self._owner.disconnected(self, reason, fault)
        self._inbound.close()
        self._put_off = None
        self._unhurried.clear()
        watching, self._watching = self._watching, {}
        for wire, process in watching.items():
            process.monitor_fired(Reference(wire), NOCONNECTION)

    def abort(self) -> None:
        """Drop what the peer has not read yet, after `close`."""
        self._transport.abort()

    # Ticks.

    def check(self, most_quiet: int) -> None:
        """A quarter of the tick time has passed: tick if nothing was written, close if nothing came for too long."""
        frames = self._link.frames_received
        self.quiet_checks = self.quiet_checks + 1 if frames == self._frames_at_check else 0
        self._frames_at_check = frames
        if self.quiet_checks >= most_quiet:
            self.close("the node sent nothing for longer than the tick time")
            self._transport.abort()
            return
        if not self.wrote:
            self._link.send_tick()
            self._flush()
        self.wrote = False

    # As a Route: sending.

    def send(self, sender: Pid, to: Pid | Atom | Reference, message: Term) -> None:
        """As `Route.send`."""
        if type(to) is Pid:
            self.control(dist.Send(to, message))
        elif type(to) is Reference:
            to_alias = dist.address_alias(self.flags, sender, to, message)
            if to_alias is not None:
                self.control(to_alias)
        else:
            assert isinstance(to, Atom)
            self.control(dist.RegSend(sender, to, message))

    def reply(self, sender: Pid, to: Pid, tag: Term, value: Term) -> None:
        """As `Route.reply`."""
        if self.up:
            self._link.send_reply(sender, to, tag, value)
            if not self._receiving:
                self._flush_soon()

    def reply_to_alias(self, sender: Pid, to: Pid, alias: bytes, value: Term) -> None:
        """As `Route.reply_to_alias`."""
        if self.up:
            self._link.send_to_alias(sender, to, alias, value)
            if not self._receiving:
                self._flush_soon()

    def monitor(self, process: Process, to: Pid | Atom, reference: Reference) -> None:
        """As `Route.monitor`."""
        if not self.up:
            process.monitor_fired(reference, NOCONNECTION)
            return
        self._watching[reference.wire] = process
        self._link.send_monitor(process.pid, to, reference)
        if not self._receiving:
            self._flush_soon()

    def demonitor(self, process: Process, to: Pid | Atom, reference: Reference) -> None:
        """As `Route.demonitor`."""
        self._unhurried.pop(reference.wire, None)
        if self._watching.pop(reference.wire, None) is not None and self.up:
            queued = self._link.queued
            self._link.send_demonitor(process.pid, to, reference)
            self._can_wait += self._link.queued - queued
            if self._at_last is None:
                self._at_last = self._owner.loop.call_later(_SOON, self._flush_at_last)

    def call(self, process: Process, to: Pid | Atom, reference: Reference, request: Term) -> None:
        """As `Route.call`."""
        if not self.up:
            process.monitor_fired(reference, NOCONNECTION)
            return
        self._link.send_call(process.pid, to, reference, request)
        self._watching[reference.wire] = process
        if not self._receiving:
            self._flush_soon()

    def can_wait(self, reference: Reference) -> None:
        """As `Route.can_wait`."""
        if reference.wire in self._watching:
            self._unhurried[reference.wire] = None

    def link(self, process: Process, to: Pid) -> None:
        """As `Route.link`."""
        if not self.up:
            process.link_fired(to, NOCONNECTION)
            return
        if to.creation != self.creation:
            # Of an earlier life of that node. A BEAM would say so, but close the connection on an unlink behind it.
            process.link_fired(to, NOPROC)
            return
        self._inbound.make_link(process, to)
        self.control(dist.Link(process.pid, to))

    def unlink(self, process: Process, to: Pid) -> None:
        """As `Route.unlink`."""
        number = self._inbound.undo_link(process, to)
        if number is not None:
            self.control(dist.UnlinkId(number, process.pid, to))

    def process_ended(self, process: Process, reason: Term) -> None:
        """As `Route.process_ended`."""
        self._inbound.process_ended(process, reason)

    def behind(self) -> bool:
        """As `Route.behind`."""
        return self._writable is not None or self._link.queued >= self.most_queued

    def relieve(self) -> None:
        """Give the socket what is queued, if it is much; `takes` tells afterwards whether it was too much."""
        if self._link.queued >= self.most_queued:
            self._flush()

    async def drained(self) -> None:
        """As `Route.drained`."""
        self.relieve()
        if self._writable is None and (self._turn is None or not self._turn.locked()):
            return
        if self._turn is None:
            self._turn = asyncio.Lock()
        # One after the other: of those that were woken together, the first could always fill it up before the rest.
        async with self._turn:
            while self._writable is not None:
                await self._writable.wait()
                self.relieve()

    def control(self, message: Control) -> None:
        """Queue any control message. Raises UnencodableTerm, and has queued nothing then."""
        if self.up:
            self._link.send(message)
            if not self._receiving:
                self._flush_soon()

    def fired(self, reference: Reference, reason: Term) -> None:
        """The peer says that a monitor of ours ended."""
        self._unhurried.pop(reference.wire, None)
        process = self._watching.pop(reference.wire, None)
        if process is not None:
            process.monitor_fired(reference, reason)

    @property
    def flags(self) -> DistributionFlags:
        """What both sides offered."""
        return self._link.flags

    @property
    def fast_hits(self) -> dict[str, int]:
        """How often the short ways of reading were taken; see `dist.fast_path`."""
        return self._link.fast_hits

    @property
    def counts(self) -> tuple[int, int, int]:
        """Monitors of the peer's processes on ours, of ours on the peer's, links."""
        return len(self._inbound.monitors), len(self._watching), len(self._inbound.links)

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._owner.loop.call_soon(self._flush)

    def _flush_at_last(self) -> None:
        self._at_last = None
        if self._can_wait:
            self._flush()

    def _flush(self) -> None:
        self._flush_due = False
        self._can_wait = 0
        data = self._link.data_to_send()
        if data and self.up and not self._ended:
            self.wrote = self._wrote_since_tick = True
            self._transport.write(data)
            if self._writable is not None:
                self._check_unsent(len(data))

    def _check_unsent(self, newest: int) -> None:
        # Without the newest, as a single message may be longer.
        size, limit = self._transport.get_write_buffer_size() - newest, self._owner.limits.unsent_bytes
        if size > limit:
            self.close("it does not read", LimitExceeded("what the node has not read yet", size, limit))
