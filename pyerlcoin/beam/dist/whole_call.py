"""The short way for a GenServer.call, in the very bytes in which a BEAM writes one.

A call brings `{20, From, Name, Ref}` for the one before, `{19, From, Name, Ref}` and `{6, From, '', Name}` with
`{'$gen_call', {From, [alias | Ref]}, Request}`, and mostly they come one right after the other. From one peer to one
name all bytes of the three are the same each time but the numbers of From and of the references, and the request: so
once a name has been called, one regular expression checks its calls to the last byte and takes them apart. What is
written in another way gets None, and is read frame by frame.

A short way that is never taken still gives right answers; so it counts, and the tests read the count.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from re import escape
from typing import Final, NamedTuple

from pyerlcoin.beam.dist.control import Control
from pyerlcoin.beam.dist.control_messages import DemonitorP, MonitorP, RegSend
from pyerlcoin.beam.dist.monitors import CallReceived
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.errors import RemoteFault
from pyerlcoin.beam.etf import Atom, Limits, Pid, decode
from pyerlcoin.beam.etf.identifiers import MAX_REFERENCE_WORDS

__all__ = ["GEN_CALL", "WHOLE_CALL", "WholeCallReader"]

GEN_CALL: Final = Atom("$gen_call")
"""What a GenServer.call begins with."""

WHOLE_CALL: Final = "whole call"
"""The count of those whose frames came one after the other."""

# Names that are called here, each with references of one size. A peer that calls more of them only loses the short way:
# compiling an expression takes some milliseconds, and nobody shall make us compile without end.
_MOST_SHAPES: Final = 64
# A peer that comes back finds its own; some kB each.
_MOST_PATTERNS: Final = 256

_HEAD_SIZE: Final = 6
# The numbers of a pid behind its node, and what a reference has behind its own besides its words.
_PID_NUMBERS: Final = 12
_CREATION: Final = 4
_WORD: Final = 4
# Where a reference says how many words it has.
_WORDS_AT: Final = 2
_LENGTH: Final = struct.Struct(">I").unpack_from


class _Shape(NamedTuple):
    """The calls of one name, with references of one size."""

    name: Atom
    match: Callable[[bytes, int], re.Match[bytes] | None]
    """Of a call up to its request. Groups: the key of the DEMONITOR_P, if there is one, that of the MONITOR_P, From,
    and the alias."""
    behind_length: int
    """Bytes between the length of the REG_SEND's frame and the request."""


class WholeCallReader:
    """The reader of one connection.

    Args:
        peer: its other end.
        limits: for decoding requests.
        frame_limit: a call that is longer, its frames together, is not taken; in bytes.
        hits: gets, and then counts, the calls that were taken, as WHOLE_CALL.

    Attributes:
        frames: how many the last `read` took.
    """

    __slots__ = ("_find", "_frame_limit", "_hits", "_limits", "_peer", "_shapes", "_usual", "frames")

    def __init__(self, peer: NodeName, limits: Limits, frame_limit: int, hits: dict[str, int]) -> None:
        hits[WHOLE_CALL] = 0
        self.frames = 0
        self._hits: Final = hits
        self._frame_limit: Final = frame_limit
        self._limits: Final = limits
        self._peer: Final = Atom(peer.full).wire
        self._find: Final = _called(self._peer).match
        self._shapes: Final[dict[tuple[bytes, int], _Shape]] = {}
        self._usual: _Shape | None = None

    def read(self, data: bytes, at: int, append: Callable[[CallReceived], None]) -> int:
        """Give `append` the calls whose frames begin at `at`, one after the other as long as there are any.

        Returns where the last of them ends; `at` if there is none. Raises nothing.
        """
        shape = self._usual
        limits, frame_limit, size = self._limits, self._frame_limit, len(data)
        calls = frames = 0
        while at < size:
            found = None if shape is None else shape.match(data, at)
            if found is None:
                shape = self._shape(data, at)
                found = None if shape is None else shape.match(data, at)
                if found is None:
                    break
                self._usual = shape
            assert shape is not None
            start = found.end()
            behind = start - shape.behind_length
            end = behind + _LENGTH(data, behind - 4)[0]
            if end > size or end - at > frame_limit:
                break
            try:
                request, request_end = decode(data, start, limits)
            except RemoteFault:
                break  # frame by frame it will be said again, behind what came before it
            if request_end != end:
                break
            ended, key, caller, alias = found.groups()
            append(CallReceived(ended, key, shape.name, Pid(caller), alias, request))
            calls += 1
            frames += 2 if ended is None else 3
            at = end
        self._hits[WHOLE_CALL] += calls
        self.frames = frames
        return at

    def _shape(self, data: bytes, at: int) -> _Shape | None:
        """That of the call at `at`; None where there is no call."""
        found = self._find(data, at)
        if found is None:
            return None
        wire, ref = found.groups()
        words = ref[_WORDS_AT]
        shape = self._shapes.get((wire, words))
        if shape is None and len(wire) == 2 + wire[1] and len(self._shapes) < _MOST_SHAPES:
            with suppress(RemoteFault):
                shape = self._shapes[(wire, words)] = _shape(self._peer, wire, words)
        return shape


@lru_cache(_MOST_PATTERNS)
def _called(peer: bytes) -> re.Pattern[bytes]:
    """A MONITOR_P of a name, perhaps behind a DEMONITOR_P of one. Groups: the name, and the reference.

    Lengths are not looked at. Every repetition is bounded, and names end where the first reference begins.
    """
    pid, name = _pid(peer), b"w.{1,256}?"
    ref = b"|".join(_ref(peer, words) for words in range(1, MAX_REFERENCE_WORDS + 1))
    demonitor = b".{4}" + _head(DemonitorP) + pid + name + b"(?:" + ref + b")"
    monitor = b".{4}" + _head(MonitorP) + pid + b"(" + name + b")(" + ref + b")"
    return re.compile(b"(?:" + demonitor + b")?" + monitor, re.DOTALL)


@lru_cache(_MOST_PATTERNS)
def _shape(peer: bytes, name: bytes, words: int) -> _Shape:
    """The calls of `name`, its wire, with references of `words` words. Raises MalformedTerm for what is no name."""
    atom, _ = decode(name, 0)
    assert isinstance(atom, Atom)  # its first byte says so
    pid, ref = _pid(peer), _ref(peer, words)
    pid_size = 1 + len(peer) + _PID_NUMBERS
    ref_size = 3 + len(peer) + _CREATION + _WORD * words
    # In front of a monitor's frame, which holds nothing but its key behind its head.
    length = escape((_HEAD_SIZE + pid_size + len(name) + ref_size).to_bytes(4))
    # The caller is the sender, and its tag an alias of the peer's; then the request is all there is to decode.
    to = b"w\0" + name + b"\x83h\3" + GEN_CALL.wire + b"h\2"
    tag = b"l\0\0\0\1" + Atom("alias").wire
    pattern = (
        b"(?:" + length + _head(DemonitorP) + b"(" + pid + escape(name) + ref + b"))?"
        + length + _head(MonitorP) + b"((" + pid + b")" + escape(name) + b"(" + ref + b"))"
        + b".{4}" + _head(RegSend) + rb"\3" + escape(to) + rb"\3" + escape(tag) + rb"\4"
    )  # fmt: skip
    behind_length = _HEAD_SIZE + len(to) + len(tag) + 2 * pid_size + ref_size
    return _Shape(atom, re.compile(pattern, re.DOTALL).match, behind_length)


def _head(message: type[Control]) -> bytes:
    """How a frame of four elements begins."""
    return escape(b"p\x83h\x04a" + bytes((message.op,)))


def _pid(peer: bytes) -> bytes:
    return b"X" + escape(peer) + b".{%d}" % _PID_NUMBERS


def _ref(peer: bytes, words: int) -> bytes:
    return escape(bytes((90, 0, words)) + peer) + b".{%d}" % (_CREATION + _WORD * words)
