"""The short way for the three messages of a GenServer.call, in the very bytes in which a BEAM writes them.

A call brings `{20, From, Target, Ref}` for the one before, `{19, From, Target, Ref}` and `{6, From, '', Name}` with
`{'$gen_call', {From, [alias | Ref]}, Request}`. All of From and Ref are of the peer's making, so the bytes up to the
first id are the same in every frame: one lookup finds the reader, and what a reader takes it has checked to the last
byte. It answers None to whatever is written in another way, and `control.read_message` does the rest.

A short way that is never taken still gives right answers; so each counts, and the tests read the counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from pyerlcoin.beam.dist.control_messages import DemonitorP, MonitorP, RegSend
from pyerlcoin.beam.dist.monitors import DemonitorReceived, MonitorReceived
from pyerlcoin.beam.dist.names import NodeName
from pyerlcoin.beam.errors import MalformedMessage
from pyerlcoin.beam.etf import Atom, ImproperList, Limits, Pid, Reference, Term, decode

__all__ = ["GEN_CALL", "FastReader", "fast_readers"]

# `112, 131`, then a tuple of four that starts with a small integer: the operation.
_ARITY_4: Final = b"p\x83h\x04a"
_KEY_AT: Final = len(_ARITY_4) + 1
# The three 32-bit numbers of a pid.
_PID_NUMBERS: Final = 12
GEN_CALL: Final = Atom("$gen_call")
_CALL_HEAD: Final = b"h\3" + GEN_CALL.wire + b"h\2"
_CALL_HEAD_SIZE: Final = len(_CALL_HEAD)
_ALIAS_ITEMS: Final = (Atom("alias"),)
_ALIAS_LIST: Final = b"l\0\0\0\1" + Atom("alias").wire
# Names that are called here, by their bytes. A peer that calls more of them only loses the short cut.
_MOST_NAMES: Final = 256


_Monitor = TypeVar("_Monitor", MonitorReceived, DemonitorReceived)

FastReader: TypeAlias = Callable[[bytes], MonitorReceived | DemonitorReceived | RegSend | None]


def fast_readers(
    ours: NodeName, peer: NodeName, limits: Limits, hits: dict[str, int]
) -> tuple[int, dict[bytes, FastReader]]:
    """The readers of one connection by the first bytes of a frame, and how many bytes those are.

    `hits` gets, and then counts, the frames taken by the name of their control message, and those with a
    `$gen_call` once more under that name.

    A reader raises RemoteFault as `read_message` does, and IndexError for a frame that ends too early, which
    `read_message` will explain.
    """
    hits |= dict.fromkeys((MonitorP.name, DemonitorP.name, RegSend.name, GEN_CALL.name), 0)
    peer_atom = Atom(peer.full).wire
    peer_pid = b"X" + peer_atom
    our_pid = b"X" + Atom(ours.full).wire
    after_from = _KEY_AT + len(peer_pid) + _PID_NUMBERS
    # A reference of the peer's up to its creation, and how long the whole is.
    ref_sizes = {b"Z\0" + bytes((words,)) + peer_atom: 7 + len(peer_atom) + 4 * words for words in range(1, 6)}
    ref_head = 3 + len(peer_atom)
    names: dict[bytes, Atom] = {}

    def name_of(wire: bytes) -> Atom:
        name, _ = decode(wire, 0, limits)
        assert isinstance(name, Atom)  # its first byte says so
        if len(names) < _MOST_NAMES:
            names[wire] = name
        return name

    def monitor_reader(made: type[_Monitor], name: str) -> Callable[[bytes], _Monitor | None]:
        def read_monitor(frame: bytes) -> _Monitor | None:
            # The target is a name, or a pid of ours.
            named = frame[after_from] == 119
            if named:
                end = after_from + 2 + frame[after_from + 1]
            elif frame.startswith(our_pid, after_from):
                end = after_from + len(our_pid) + _PID_NUMBERS
            else:
                return None
            # Just a reference follows it.
            size = ref_sizes.get(frame[end : end + ref_head])
            if size is None or end + size != len(frame):
                return None
            wire = frame[after_from:end]
            hits[name] += 1
            return made(frame[_KEY_AT:], (names.get(wire) or name_of(wire)) if named else Pid(wire))

        return read_monitor

    def read_reg_send(frame: bytes) -> RegSend | None:
        # The empty atom that was the cookie, the name, and the version byte of the message.
        if not frame.startswith(b"w\0w", after_from):
            return None
        at = after_from + 4 + frame[after_from + 3]
        if frame[at] != 131:
            return None
        wire = frame[after_from + 2 : at]
        name = names.get(wire) or name_of(wire)
        at += 1
        from_wire = frame[_KEY_AT:after_from]
        from_pid = Pid(from_wire)
        message: Term
        # The caller is the sender, and its tag an alias of the peer's; then the request is all there is to decode.
        tag = at + _CALL_HEAD_SIZE + len(from_wire)
        ref = tag + len(_ALIAS_LIST)
        size = None
        if frame.startswith(_CALL_HEAD, at) and frame.startswith(from_wire, at + _CALL_HEAD_SIZE):
            size = ref_sizes.get(frame[ref : ref + ref_head]) if frame.startswith(_ALIAS_LIST, tag) else None
        if size is not None and ref + size < len(frame):
            alias = Reference(frame[ref : ref + size])
            request, end = decode(frame, ref + size, limits)
            message = (GEN_CALL, (from_pid, ImproperList(_ALIAS_ITEMS, alias)), request)
            hits[GEN_CALL.name] += 1
        else:
            message, end = decode(frame, at, limits)
        if end != len(frame):
            raise MalformedMessage(f"{len(frame) - end} bytes behind {RegSend.name}")
        hits[RegSend.name] += 1
        return RegSend(from_pid, name, message)

    readers: dict[int, FastReader] = {
        MonitorP.op: monitor_reader(MonitorReceived, MonitorP.name),
        DemonitorP.op: monitor_reader(DemonitorReceived, DemonitorP.name),
        RegSend.op: read_reg_send,
    }
    return _KEY_AT + len(peer_pid), {_ARITY_4 + bytes((op,)) + peer_pid: reader for op, reader in readers.items()}
