"""One established connection: frames in, control messages out, and the other way round.

Only the pass-through framing is spoken: 4 bytes of length, then `112, 131, Control [, 131, Message]`; a length of 0
is a tick (OTP, Distribution Protocol, "Protocol between Connected Nodes"). The driver owes a link::

    link.receive_data(established.trailing)     # first, and then whatever comes; may raise RemoteFault
    for event in link.events(): …               # also after it raised: they came before the fault
    transport.write(link.data_to_send())        # one write for the whole batch

There is no clock inside: the driver calls `send_tick` when it wrote nothing for a quarter of `net_ticktime`, and
compares `frames_received` to see that the peer lives.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias, cast

from pyerlcoin.beam.dist.call import write_call, write_demonitor
from pyerlcoin.beam.dist.control import Control, read_message
from pyerlcoin.beam.dist.control_messages import (
    DemonitorP,
    Exit,
    Exit2,
    Exit2TT,
    ExitTT,
    Link,
    MonitorP,
    PayloadExit,
    PayloadExit2,
    PayloadExit2TT,
    PayloadExitTT,
    RegSend,
    Send,
    UnlinkId,
    UnlinkIdAck,
)
from pyerlcoin.beam.dist.fast_path import FastReader
from pyerlcoin.beam.dist.flags import DistributionFlags
from pyerlcoin.beam.dist.monitors import CallReceived, DemonitorReceived, MonitorReceived, monitor_key
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.dist.reply import address_reply, alias_tag, alias_writer
from pyerlcoin.beam.dist.whole_call import GEN_CALL, WHOLE_CALL, WholeCallReader
from pyerlcoin.beam.errors import BeamError, LimitExceeded, MalformedMessage, UnencodableTerm
from pyerlcoin.beam.etf import DEFAULT, Atom, Limits, Pid, Reference, Term

__all__ = ["FRAME_LIMIT", "DistributionLink", "LinkEvent"]

#: A BEAM sends any message as one frame, however large. What a GenServer is told fits many times over.
FRAME_LIMIT: Final = 16 * 1024 * 1024

#: MONITOR_P and DEMONITOR_P come as MonitorReceived and DemonitorReceived, all others as they are; but those of a
#: GenServer.call that come one right after the other, as one CallReceived.
LinkEvent: TypeAlias = Control | MonitorReceived | DemonitorReceived | CallReceived

_LENGTH: Final = struct.Struct(">I")
_TICK: Final = bytes(4)
_OP_AT: Final = 5  # in a frame of pass-through: 112, 131, 104, arity, 97, operation
_MONITORS: Final = (MonitorP.op, DemonitorP.op)
_BOTH_MONITORS: Final = DistributionFlags.DFLAG_DIST_MONITOR | DistributionFlags.DFLAG_DIST_MONITOR_NAME

# What links, watches and ends processes comes from a process of the peer itself: OTP 25 to 29 close the connection
# when one of these names a process of a third node, or of their own. They let all other messages pass.
_FROM_THE_PEER: Final = (
    Link,
    UnlinkId,
    UnlinkIdAck,
    MonitorP,
    DemonitorP,
    Exit,
    ExitTT,
    Exit2,
    Exit2TT,
    PayloadExit,
    PayloadExitTT,
    PayloadExit2,
    PayloadExit2TT,
)


class DistributionLink:
    """The connection after the handshake.

    Args:
        ours, peer: the two nodes; a link, a monitor or an exit from a process of a third one breaks the protocol.
        flags: the negotiated ones.
        frame_limit: the longest frame taken, and sent, in bytes.
        limits: for decoding terms.

    Attributes:
        frames_received, ticks_received: complete frames, ticks included; and ticks alone.
        fast_hits: how many frames took a short way, by message; see `fast_path` and `whole_call`.
        monitors: whether the peer knows monitors. Those made with `ei` mostly do not, and end at the sight of one.
    """

    def __init__(
        self,
        ours: NodeName,
        peer: NodeName,
        flags: DistributionFlags,
        *,
        frame_limit: int = FRAME_LIMIT,
        limits: Limits = DEFAULT,
    ) -> None:
        self.ours = ours
        self.peer = peer
        self.flags = flags
        self.frames_received = 0
        self.ticks_received = 0
        self.fast_hits: dict[str, int] = {}
        self.monitors: Final = flags & _BOTH_MONITORS == _BOTH_MONITORS
        self._frame_limit = frame_limit
        self._limits = limits
        self._buffer = bytearray()
        self._needed = 0  # bytes that `_buffer` must have before another look at it is worth while
        self._closed = False
        self._events: list[LinkEvent] = []
        self._output = bytearray()
        self._fast: FastReader | None = None
        self._calls: WholeCallReader | None = None
        self._write_to_alias = alias_writer(flags)

    # Receiving.

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the peer's. Raises RemoteFault; the link is closed then, and swallows what still comes."""
        if self._closed:
            return
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        try:
            self._read_frames(data)
        except BeamError:
            self.receive_eof()
            raise

    def receive_eof(self) -> None:
        """The peer closed. A frame that is not complete by now never will be."""
        self._closed = True
        self._buffer.clear()

    def events(self) -> list[LinkEvent]:
        """What arrived since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    @property
    def whole_calls(self) -> int:
        """How many GenServer.calls came with their frames one after the other."""
        return self.fast_hits.get(WHOLE_CALL, 0)

    def _read_frames(self, data: bytes) -> None:
        at = 0
        size = len(data)
        append = self._events.append
        fast, calls = self._fast, self._calls
        while size - at >= 4:
            (length,) = _LENGTH.unpack_from(data, at)
            if length > self._frame_limit:
                raise LimitExceeded("a distribution frame", length, self._frame_limit)
            end = at + 4 + length
            if end > size:
                self._needed = 4 + length
                self._buffer += data[at:]
                return
            if length:
                if fast is None or calls is None:
                    fast, calls = self._begin()
                # A whole call begins with a monitor, its own or that of the one before.
                if length > _OP_AT and data[at + 4 + _OP_AT] in _MONITORS:
                    called = calls.read(data, at, append)
                    if called != at:
                        self.frames_received += calls.frames
                        at = called
                        continue
                append(fast.read_frame(data, at + 4, end) or self._read_any(data[at + 4 : end]))
            else:
                self.ticks_received += 1
            self.frames_received += 1
            at = end
        if at < size:
            self._needed = 4
            self._buffer += data[at:]

    def _begin(self) -> tuple[FastReader, WholeCallReader]:
        # Only with the first frame that is no tick: an idle connection costs no more than it must.
        self._fast = FastReader(self.ours, self.peer, self._limits, self.fast_hits)
        self._calls = WholeCallReader(self.peer, self._limits, self._frame_limit, self.fast_hits)
        return self._fast, self._calls

    def _read_any(self, frame: bytes) -> LinkEvent:
        message = read_message(frame, self._limits)
        if isinstance(message, _FROM_THE_PEER) and message.from_pid.node != self.peer.full:
            raise MalformedMessage(f"{message.name} from a process of {message.from_pid.node}")
        if isinstance(message, MonitorP):
            return MonitorReceived(monitor_key(message), message.target)
        if isinstance(message, DemonitorP):
            return DemonitorReceived(monitor_key(message), message.target)
        return message

    # Sending.

    def send(self, message: Control) -> None:
        """Queue a control message.

        Raises:
            UnencodableTerm: a term without external form, or a frame over the limit. Nothing was queued.
        """
        output = self._output
        start = len(output)
        output += _TICK
        try:
            message.encode_into(output)
            self._finish_frame(start)
        except BaseException:
            del output[start:]
            raise

    def send_reply(self, from_pid: Pid, caller: Pid, tag: Term, value: Term) -> None:
        """Queue `{Tag, Value}` to a caller: to its alias where it has one and the flags allow, else to its pid.

        Raises:
            UnencodableTerm: as `send`.
        """
        self.send(address_reply(self.flags, from_pid, caller, tag, (tag, value)))

    def send_to_alias(self, from_pid: Pid, caller: Pid, alias: bytes, value: Term) -> None:
        """As `send_reply` with the tag `[alias | Ref]`, whose Ref has the wire `alias`; quicker.

        Raises:
            UnencodableTerm: as `send`.
        """
        if self._write_to_alias is None:
            self.send_reply(from_pid, caller, alias_tag(alias), value)
            return
        frame = self._write_to_alias(from_pid, alias, value)
        size = len(frame) - 4
        if size > self._frame_limit:
            raise self._too_long(size)
        self._output += frame

    def send_call(self, caller: Pid, to: Pid | Atom, reference: Reference, request: Term) -> None:
        """Queue a MONITOR_P of `to`, and behind it `{'$gen_call', {caller, reference}, request}`.

        Only the latter, as a BEAM does, if the peer does not know monitors.

        Raises:
            UnencodableTerm: as `send`.
        """
        if not self.monitors:
            message = (GEN_CALL, (caller, reference), request)
            self.send(Send(to, message) if type(to) is Pid else RegSend(caller, cast(Atom, to), message))
            return
        output = self._output
        start = len(output)
        try:
            self._finish_frame(write_call(output, caller, to, reference, request))
        except BaseException:
            del output[start:]
            raise

    def send_demonitor(self, caller: Pid, to: Pid | Atom, reference: Reference) -> None:
        """Queue the DEMONITOR_P that ends a monitor. Nothing if the peer does not know them."""
        if self.monitors:
            write_demonitor(self._output, caller, to, reference)

    def send_monitor(self, watcher: Pid, to: Pid | Atom, reference: Reference) -> None:
        """Queue a MONITOR_P. Nothing if the peer does not know them."""
        if self.monitors:
            self.send(MonitorP(watcher, to, reference))

    def send_tick(self) -> None:
        """Queue a tick."""
        self._output += _TICK

    def _finish_frame(self, start: int) -> None:
        """Put the length of the frame in front of it."""
        length = len(self._output) - start - 4
        if length > self._frame_limit:
            raise self._too_long(length)
        _LENGTH.pack_into(self._output, start, length)

    def _too_long(self, size: int) -> UnencodableTerm:
        return UnencodableTerm(f"the message has {size} bytes, and {self._frame_limit} is the most")

    @property
    def queued(self) -> int:
        """How many bytes `data_to_send` would give."""
        return len(self._output)

    def data_to_send(self) -> bytes:
        """All that is queued, in one piece; empty if nothing is."""
        data = bytes(self._output)
        self._output.clear()
        return data
