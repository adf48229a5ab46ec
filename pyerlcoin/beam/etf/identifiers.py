"""Pids, ports, references and funs: what a peer made up, and what goes back to it unchanged.

They hold their bytes in one canonical form (tags 88, 120 and 90, the node's name as a UTF-8 atom), so two of
them are equal exactly if Erlang says so, whichever of the older tags they came in. The fields are read out
of those bytes only when somebody asks.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import ClassVar, Self

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf.atom import Atom
from pyerlcoin.beam.etf.tags import NEW_PID_EXT, NEWER_REFERENCE_EXT, SMALL_ATOM_UTF8_EXT, V4_PORT_EXT
from pyerlcoin.beam.etf.wire import WireTerm

__all__ = ["Fun", "Pid", "Port", "Reference"]

MAX_REFERENCE_WORDS = 5


def _unsigned(value: int, bits: int, what: str) -> bytes:
    if not 0 <= value < 1 << bits:
        raise UnencodableTerm(f"{what} is an unsigned integer of {bits} bits, not {value:#x}")
    return value.to_bytes(bits // 8)


def _node(wire: bytes, at: int) -> tuple[str, int]:
    """The name in the canonical atom at `at`, and where it ends."""
    if wire[at] == SMALL_ATOM_UTF8_EXT:
        start = at + 2
        end = start + wire[at + 1]
    else:
        start = at + 3
        end = start + int.from_bytes(wire[at + 1 : start])
    return wire[start:end].decode(), end


class _Identifier(WireTerm):
    """`Pid(wire)` trusts its bytes: the decoder has checked them. Everybody else says `Pid.make`."""

    __slots__ = ()
    _node_at: ClassVar[int] = 1

    @property
    def node(self) -> str:
        """The name of the node that made it."""
        return _node(self.wire, self._node_at)[0]

    def __reduce__(self) -> tuple[type[Self], tuple[bytes]]:
        return type(self), (self.wire,)


class Pid(_Identifier):
    """A process identifier (NEW_PID_EXT)."""

    __slots__ = ()

    @classmethod
    def make(cls, node: str, id: int, serial: int, creation: int) -> Self:
        """From its parts, each of 32 bits. Raises `UnencodableTerm`."""
        return cls(
            bytes((NEW_PID_EXT,))
            + Atom(node).wire
            + _unsigned(id, 32, "a pid's id")
            + _unsigned(serial, 32, "a pid's serial")
            + _unsigned(creation, 32, "a creation")
        )

    @property
    def id(self) -> int:
        """The middle number of `<0.91.0>`."""
        return int.from_bytes(self.wire[-12:-8])

    @property
    def serial(self) -> int:
        """The last number of `<0.91.0>`."""
        return int.from_bytes(self.wire[-8:-4])

    @property
    def creation(self) -> int:
        """Which life of that node made it."""
        return int.from_bytes(self.wire[-4:])

    def __repr__(self) -> str:
        return f"Pid({self.node!r}, {self.id}, {self.serial}, creation={self.creation})"


class Port(_Identifier):
    """A port identifier (V4_PORT_EXT)."""

    __slots__ = ()

    @classmethod
    def make(cls, node: str, id: int, creation: int) -> Self:
        """From its parts, of 64 and 32 bits. Raises `UnencodableTerm`."""
        return cls(
            bytes((V4_PORT_EXT,))
            + Atom(node).wire
            + _unsigned(id, 64, "a port's id")
            + _unsigned(creation, 32, "a creation")
        )

    @property
    def id(self) -> int:
        """The port's number on its node."""
        return int.from_bytes(self.wire[-12:-4])

    @property
    def creation(self) -> int:
        """Which life of that node made it."""
        return int.from_bytes(self.wire[-4:])

    def __repr__(self) -> str:
        return f"Port({self.node!r}, {self.id}, creation={self.creation})"


class Reference(_Identifier):
    """A reference (NEWER_REFERENCE_EXT), of one to five words: an alias of OTP 28 has five."""

    __slots__ = ()
    _node_at = 3

    @classmethod
    def make(cls, node: str, creation: int, words: Sequence[int]) -> Self:
        """From its parts, all of 32 bits. Raises `UnencodableTerm`."""
        if not 1 <= len(words) <= MAX_REFERENCE_WORDS:
            raise UnencodableTerm(f"a reference has 1 to {MAX_REFERENCE_WORDS} words, not {len(words)}")
        return cls(
            bytes((NEWER_REFERENCE_EXT, 0, len(words)))
            + Atom(node).wire
            + _unsigned(creation, 32, "a creation")
            + b"".join(_unsigned(word, 32, "a reference's word") for word in words)
        )

    @property
    def creation(self) -> int:
        """Which life of that node made it."""
        start = -4 * self.wire[2] - 4
        return int.from_bytes(self.wire[start : start + 4])

    @property
    def words(self) -> tuple[int, ...]:
        """As on the wire: the least significant one first."""
        count = self.wire[2]
        return struct.unpack(f">{count}I", self.wire[-4 * count :])

    def __repr__(self) -> str:
        return f"Reference({self.node!r}, creation={self.creation}, words={self.words})"


class Fun(WireTerm):
    """A fun of a peer (NEW_FUN_EXT). Nobody here can call it; it can be kept, compared and sent back."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Fun(<{len(self.wire)} bytes>)"

    def __reduce__(self) -> tuple[type[Fun], tuple[bytes]]:
        return Fun, (self.wire,)
