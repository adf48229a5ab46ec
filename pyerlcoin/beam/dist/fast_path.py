"""The short way for a GenServer.call, in the very bytes in which a BEAM writes one.

A call brings `{20, From, Target, Ref}` for the one before, `{19, From, Target, Ref}` and `{6, From, '', Name}` with
`{'$gen_call', {From, [alias | Ref]}, Request}`, and mostly they come one right after the other. All of From and Ref
are of the peer's making, so all bytes but their numbers, the name and the request are the same each time: one regular
expression takes the three apart at once, another a frame that comes alone, and what they take has been checked to the
last byte. They answer None to whatever is written in another way, and `control.read_message` does the rest.

A short way that is never taken still gives right answers; so each counts, and the tests read the counts.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from re import escape
from typing import Final

from pyerlcoin.beam.dist.control_messages import DemonitorP, MonitorP, RegSend
from pyerlcoin.beam.dist.monitors import CallReceived, DemonitorReceived, MonitorReceived
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.errors import RemoteFault
from pyerlcoin.beam.etf import Atom, ImproperList, Limits, Pid, Reference, decode

__all__ = ["GEN_CALL", "WHOLE_CALL", "FastReader"]

GEN_CALL: Final = Atom("$gen_call")
"""What a GenServer.call begins with."""

WHOLE_CALL: Final = "whole call"
"""The count of those whose frames came one after the other."""

_ALIAS_ITEMS: Final = (Atom("alias"),)
# Names that are called here, by their bytes. A peer that calls more of them only loses the short cut.
_MOST_NAMES: Final = 256
# Compiling a peer's takes a millisecond or two, so one that comes back finds its own; some kB each.
_MOST_PATTERNS: Final = 128

_PID_TAG: Final = 88
_MONITOR: Final = bytes((MonitorP.op,))
# The bytes of a frame of a monitor before its key, and with the length.
_KEY_AT: Final = 6
_BEFORE_KEY: Final = 4 + _KEY_AT
# Where a reference says how many words it has after its creation.
_WORDS_AT: Final = 2
_LENGTH: Final = struct.Struct(">I").unpack_from


class FastReader:
    """The reader of one connection.

    Args:
        ours, peer: the two nodes.
        limits: for decoding what is sent.
        hits: gets, and then counts, the frames taken alone by the name of their control message, those with a
            `$gen_call` once more under that name, and whole calls as WHOLE_CALL.
    """

    __slots__ = ("_call", "_frame", "_hits", "_limits", "_names")

    def __init__(self, ours: NodeName, peer: NodeName, limits: Limits, hits: dict[str, int]) -> None:
        hits |= dict.fromkeys((MonitorP.name, DemonitorP.name, RegSend.name, GEN_CALL.name, WHOLE_CALL), 0)
        frame, call = _patterns(Atom(ours.full).wire, Atom(peer.full).wire)
        self._frame: Final = frame.match
        self._call: Final = call.match
        self._hits: Final = hits
        self._limits: Final = limits
        self._names: Final[dict[bytes, Atom]] = {}

    def read_call(self, data: bytes, at: int) -> tuple[CallReceived, int] | None:
        """The frames at `at`, if they are those of a call from its first to its last byte; and where they end."""
        found = self._call(data, at)
        if found is None:
            return None
        ended, key, from_wire, name_wire, ref = found.groups()
        name = self._names.get(name_wire) or self._name(name_wire)
        at_send = found.start(2) + len(key)
        if name is None or _LENGTH(data, at_send - len(key) - _BEFORE_KEY)[0] != _KEY_AT + len(key):
            return None
        if ended is not None:
            # It was a call of the same process to the same name: then all but the numbers of its reference is the same.
            same = len(key) - 4 - 4 * ref[_WORDS_AT]
            if _LENGTH(data, at)[0] != _KEY_AT + len(key) or len(ended) != len(key) or ended[:same] != key[:same]:
                return None
        end = at_send + 4 + _LENGTH(data, at_send)[0]
        if end > len(data):
            return None
        try:
            request, request_end = decode(data, found.end(), self._limits)
        except RemoteFault:
            return None  # frame by frame it will be said again, behind what came before it
        if request_end != end:
            return None
        self._hits[WHOLE_CALL] += 1
        return CallReceived(ended, key, name, Pid(from_wire), ImproperList(_ALIAS_ITEMS, Reference(ref)), request), end

    def read_frame(self, data: bytes, start: int, end: int) -> MonitorReceived | DemonitorReceived | RegSend | None:
        """`data[start:end]`, which is one frame without its length. Raises RemoteFault as `read_message` does."""
        found = self._frame(data, start, end)
        if found is None:
            return None
        operation, key, target, from_wire, name_wire, alias = found.groups()
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
            message = (GEN_CALL, (from_pid, ImproperList(_ALIAS_ITEMS, Reference(alias))), message)
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
def _patterns(ours: bytes, peer: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """What a frame, and a call, of those nodes looks like, given the wires of their names.

    Every repetition is bounded. The length before a frame, and the one in a name, are left for the caller to check.

    Groups of the first: operation, key and target of a MONITOR_P or DEMONITOR_P; or From, name and alias of a
    REG_SEND. Of the second: the key of the DEMONITOR_P, if there is one, that of the MONITOR_P, From, name and alias.
    """
    head = rb"p\x83h\x04a"
    operation = {message: rb"\x%02x" % message.op for message in (MonitorP, DemonitorP, RegSend)}
    pid = b"X" + escape(peer) + b".{12}"
    our_pid = b"X" + escape(ours) + b".{12}"
    words = b"|".join(rb"\x%02x" % count + escape(peer) + b".{%d}" % (4 + 4 * count) for count in (3, 5, 1, 2, 4))
    ref = rb"Z\x00(?:" + words + b")"
    name = b"w.{1,256}?"
    # The caller is the sender, and its tag an alias of the peer's; then the request is all there is to decode.
    request = rb"h\x03" + escape(GEN_CALL.wire) + rb"h\x02%sl\x00{3}\x01" + escape(_ALIAS_ITEMS[0].wire)
    either = b"([" + operation[MonitorP] + operation[DemonitorP] + b"])"
    frame = (
        head + b"(?:" + either + b"(" + pid + b"(" + name + b"|" + our_pid + b")" + ref + b")|"
        + operation[RegSend] + b"(" + pid + rb")w\x00(" + name + rb")\x83(?:" + request % rb"\4" + b"(" + ref + b"))?)"
    )  # fmt: skip
    call = (
        b"(?:.{4}" + head + operation[DemonitorP] + b"(" + pid + name + ref + b"))?"
        + b".{4}" + head + operation[MonitorP] + b"((" + pid + b")(" + name + b")(" + ref + b"))"
        + b".{4}" + head + operation[RegSend] + rb"\3w\x00\4\x83" + request % rb"\3" + rb"\5"
    )  # fmt: skip
    return re.compile(frame, re.DOTALL), re.compile(call, re.DOTALL)
