"""The short way for the frames of GenServer.calls that come alone, in the very bytes in which a BEAM writes them.

They are `{19, From, Target, Ref}`, `{20, From, Target, Ref}`, `{6, From, '', Name}` with any message (a call mostly
brings all three at once: see `whole_call`), and the answer to a call of ours, `{2, '', Pid}` with `{Ref, Reply}`.
All bytes but the numbers of pids and references, the name and the message are the same each time, so one regular
expression takes each apart, and what it takes has been checked to the last byte. Whatever is written in another way
gets None, and `control.read_message` reads it.

A short way that is never taken still gives right answers; so each counts, and the tests read the counts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from re import escape
from typing import Final

from pyerlcoin.beam.dist.control_messages import DemonitorP, MonitorP, RegSend, Send
from pyerlcoin.beam.dist.monitors import DemonitorReceived, MonitorReceived
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.dist.reply import alias_tag
from pyerlcoin.beam.dist.whole_call import GEN_CALL
from pyerlcoin.beam.errors import RemoteFault
from pyerlcoin.beam.etf import Atom, Limits, Pid, Reference, decode

__all__ = ["FastReader"]

# Names that are called here, by their bytes. A peer that calls more of them only loses the short cut.
_MOST_NAMES: Final = 256
# Compiling a peer's takes a millisecond or two, so one that comes back finds its own; some kB each.
_MOST_PATTERNS: Final = 128

_PID_TAG: Final = 88
_MONITOR: Final = bytes((MonitorP.op,))
# What the references of this node have.
_OUR_WORDS: Final = 3


class FastReader:
    """The reader of one connection.

    Args:
        ours, peer: the two nodes.
        limits: for decoding what is sent.
        hits: gets, and then counts, the frames taken by the name of their control message, those with a `$gen_call`
            once more under that name.
    """

    __slots__ = ("_frame", "_hits", "_limits", "_names")

    def __init__(self, ours: NodeName, peer: NodeName, limits: Limits, hits: dict[str, int]) -> None:
        hits |= dict.fromkeys((MonitorP.name, DemonitorP.name, RegSend.name, Send.name, GEN_CALL.name), 0)
        self._frame: Final = _pattern(Atom(ours.full).wire, Atom(peer.full).wire).match
        self._hits: Final = hits
        self._limits: Final = limits
        self._names: Final[dict[bytes, Atom]] = {}

    def read_frame(
        self, data: bytes, start: int, end: int
    ) -> MonitorReceived | DemonitorReceived | RegSend | Send | None:
        """`data[start:end]`, which is one frame without its length. None: `read_message` is to read or refuse it."""
        found = self._frame(data, start, end)
        if found is None:
            return None
        try:
            return self._read(data, found, end)
        except RemoteFault:
            return None  # where in the frame, and whether what follows it had a part in that, the long way says

    def _read(
        self, data: bytes, found: re.Match[bytes], end: int
    ) -> MonitorReceived | DemonitorReceived | RegSend | Send | None:
        operation, key, target, from_wire, name_wire, alias, to_wire, ref = found.groups()
        if ref is not None:
            value, value_end = decode(data, found.end(), self._limits)
            if value_end != end:
                return None
            self._hits[Send.name] += 1
            return Send(Pid(to_wire), (Reference(ref), value))
        if key is not None:
            if found.end() != end:
                return None
            named = self._names.get(target) or (Pid(target) if target[0] == _PID_TAG else self._name(target))
            if named is None:
                return None
            if operation == _MONITOR:
                self._hits[MonitorP.name] += 1
                return MonitorReceived(key, named)
            self._hits[DemonitorP.name] += 1
            return DemonitorReceived(key, named)
        name = self._names.get(name_wire) or self._name(name_wire)
        if name is None:
            return None
        # `data` goes on behind the frame, and a term that is cut short may seem to as well: then `end` tells.
        message, message_end = decode(data, found.end(), self._limits)
        if message_end != end:
            return None
        from_pid = Pid(from_wire)
        self._hits[RegSend.name] += 1
        if alias is not None:
            message = (GEN_CALL, (from_pid, alias_tag(alias)), message)
            self._hits[GEN_CALL.name] += 1
        return RegSend(from_pid, name, message)

    def _name(self, wire: bytes) -> Atom | None:
        """The atom, or None where the length that `wire` gives is not its own."""
        if len(wire) != 2 + wire[1]:
            return None
        name, _ = decode(wire, 0, self._limits)
        assert isinstance(name, Atom)  # its first byte says so
        if len(self._names) < _MOST_NAMES:
            self._names[wire] = name
        return name


@lru_cache(_MOST_PATTERNS)
def _pattern(ours: bytes, peer: bytes) -> re.Pattern[bytes]:
    """What a frame between those nodes looks like, given the wires of their names.

    Every repetition is bounded. The length before a frame, and the one in a name, are left for the caller to check.

    Groups: operation, key and target of a MONITOR_P or DEMONITOR_P; or From, name and alias of a REG_SEND; or the pid
    and the reference of a SEND.
    """
    operation = {message: rb"\x%02x" % message.op for message in (MonitorP, DemonitorP, RegSend, Send)}
    pid = b"X" + escape(peer) + b".{12}"
    our_pid = b"X" + escape(ours) + b".{12}"
    words = b"|".join(rb"\x%02x" % count + escape(peer) + b".{%d}" % (4 + 4 * count) for count in (3, 5, 1, 2, 4))
    ref = rb"Z\x00(?:" + words + b")"
    our_ref = rb"Z\x00\x%02x" % _OUR_WORDS + escape(ours) + b".{%d}" % (4 + 4 * _OUR_WORDS)
    name = b"w.{1,256}?"
    # The caller is the sender, and its tag an alias of the peer's; then the request is all there is to decode.
    request = rb"h\x03" + escape(GEN_CALL.wire) + rb"h\x02\4l\x00{3}\x01" + escape(Atom("alias").wire)
    either = b"([" + operation[MonitorP] + operation[DemonitorP] + b"])"
    pattern = (
        rb"p\x83h(?:\x04a(?:"
        + either + b"(" + pid + b"(" + name + b"|" + our_pid + b")" + ref + b")|"
        + operation[RegSend] + b"(" + pid + rb")w\x00(" + name + rb")\x83(?:" + request + b"(" + ref + b"))?)|"
        + rb"\x03a" + operation[Send] + rb"w\x00(" + our_pid + rb")\x83h\x02(" + our_ref + b"))"
    )  # fmt: skip
    return re.compile(pattern, re.DOTALL)
