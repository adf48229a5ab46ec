"""The decoder's rarer half: each term that holds no other terms, one reader for each tag.

A reader gets all the bytes, the offset of the tag, and the most bytes an integer may take; it returns the
term and the offset after it. `struct.error` and `IndexError` from it mean that the bytes end too early.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Final, TypeAlias

from pyerlcoin.beam.errors import LimitExceeded, MalformedTerm
from pyerlcoin.beam.etf import tags
from pyerlcoin.beam.etf.atom import MAX_ATOM_CHARACTERS, Atom
from pyerlcoin.beam.etf.identifiers import MAX_REFERENCE_WORDS, Pid, Port, Reference
from pyerlcoin.beam.etf.terms import BitString
from pyerlcoin.beam.etf.wire import Term

__all__ = ["READERS", "REFUSED", "atom_at", "known_atoms", "take"]

Reader: TypeAlias = Callable[[bytes, int, int], tuple[Term, int]]

known_atoms: Final[dict[bytes, Atom]] = {}
"""Atoms by their canonical form, so that one lookup replaces a decoding. Never over `MAX_KNOWN_ATOMS`."""

MAX_KNOWN_ATOMS: Final = 4096
"""A peer that sends ever new atoms empties the table now and then, and fills at most some 10 MB: it cannot
exhaust us as it could a BEAM. A system's messages use some hundreds."""

_u16: Final = struct.Struct(">H").unpack_from
_u32: Final = struct.Struct(">I").unpack_from
_f64: Final = struct.Struct(">d").unpack_from

# What sprintf("%.20e") writes, which is how the format defines this tag.
_FLOAT_TEXT: Final = re.compile(rb"\s*([-+]?\d+\.\d+(?:[eE][-+]?\d+)?)\0*", re.ASCII)

_ATOM_LAYOUTS: Final = {
    tags.SMALL_ATOM_UTF8_EXT: (1, "utf-8"),
    tags.ATOM_UTF8_EXT: (2, "utf-8"),
    tags.SMALL_ATOM_EXT: (1, "latin-1"),
    tags.ATOM_EXT: (2, "latin-1"),
}
"""By tag: the bytes of the length, and the encoding of the text."""


def take(data: bytes, start: int, size: int) -> bytes:
    """Just these bytes, or `MalformedTerm`: a slice alone would be silent about missing ones."""
    end = start + size
    if end > len(data):
        raise MalformedTerm(f"it ends {end - len(data)} bytes too early", len(data))
    return data[start:end]


def atom_at(data: bytes, pos: int) -> tuple[Atom, int]:
    """The atom at `pos`, whichever of the four tags it has, and the offset after it."""
    layout = _ATOM_LAYOUTS.get(data[pos])
    if layout is None:
        raise MalformedTerm(f"tag {data[pos]} where only an atom can be", pos)
    width, encoding = layout
    start = pos + 1 + width
    text = take(data, start, int.from_bytes(take(data, pos + 1, width)))
    try:
        name = text.decode(encoding)
    except UnicodeDecodeError as error:
        raise MalformedTerm("an atom that is no UTF-8", start + error.start) from None
    if len(name) > MAX_ATOM_CHARACTERS:
        raise MalformedTerm(f"an atom of {len(name)} characters", pos)
    atom = Atom(name)
    if len(known_atoms) >= MAX_KNOWN_ATOMS:
        known_atoms.clear()
    known_atoms[atom.wire] = atom
    return atom, start + len(text)


def _atom(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    return atom_at(data, pos)


def _small_big(data: bytes, pos: int, limit: int) -> tuple[Term, int]:
    return _big(data, pos + 2, data[pos + 1], limit)


def _large_big(data: bytes, pos: int, limit: int) -> tuple[Term, int]:
    return _big(data, pos + 5, _u32(data, pos + 1)[0], limit)


def _big(data: bytes, pos: int, size: int, limit: int) -> tuple[Term, int]:
    if size > limit:
        raise LimitExceeded("an integer's length in bytes", size, limit)
    value = int.from_bytes(take(data, pos + 1, size), "little")
    # Any sign but 0 is minus, as in the BEAM.
    return (-value if data[pos] else value), pos + 1 + size


def _new_float(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    return _finite(_f64(data, pos + 1)[0], pos), pos + 9


def _float(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    text = _FLOAT_TEXT.fullmatch(take(data, pos + 1, 31))
    if text is None:
        raise MalformedTerm("a float that is no number", pos)
    return _finite(float(text[1]), pos), pos + 32


def _finite(value: float, pos: int) -> float:
    if not math.isfinite(value):
        raise MalformedTerm("a float that is not finite", pos)
    return value


def _bit_binary(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    size, bits = _u32(data, pos + 1)[0], data[pos + 5]
    content = take(data, pos + 6, size)
    # OTP 25 takes an empty one; the releases after it refuse that, and none writes it.
    if size == 0 or not 1 <= bits <= 8:
        raise MalformedTerm(f"a bitstring of {size} bytes with {bits} bits in the last one", pos)
    return (BitString(content, bits) if bits < 8 else content), pos + 6 + size


def _identifier(data: bytes, node_at: int, size: int) -> tuple[bytes, bytes, int]:
    """The canonical form of the node's name at `node_at`, the `size` bytes that follow it, and where they end."""
    node, rest = atom_at(data, node_at)
    return node.wire, take(data, rest, size), rest + size


def _new_pid(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    node, numbers, end = _identifier(data, pos + 1, 12)
    return Pid(bytes((tags.NEW_PID_EXT,)) + node + numbers), end


def _pid(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    node, numbers, end = _identifier(data, pos + 1, 9)
    return Pid(bytes((tags.NEW_PID_EXT,)) + node + numbers[:8] + _wide(numbers[8:])), end


def _v4_port(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    node, numbers, end = _identifier(data, pos + 1, 12)
    return Port(bytes((tags.V4_PORT_EXT,)) + node + numbers), end


def _new_port(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    node, numbers, end = _identifier(data, pos + 1, 8)
    return Port(bytes((tags.V4_PORT_EXT,)) + node + bytes(4) + numbers), end


def _port(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    node, numbers, end = _identifier(data, pos + 1, 5)
    return Port(bytes((tags.V4_PORT_EXT,)) + node + bytes(4) + numbers[:4] + _wide(numbers[4:])), end


def _newer_reference(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    count = _word_count(data, pos)
    node, numbers, end = _identifier(data, pos + 3, 4 + 4 * count)
    return Reference(bytes((tags.NEWER_REFERENCE_EXT, 0, count)) + node + numbers), end


def _new_reference(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    count = _word_count(data, pos)
    node, numbers, end = _identifier(data, pos + 3, 1 + 4 * count)
    return Reference(bytes((tags.NEWER_REFERENCE_EXT, 0, count)) + node + _wide(numbers[:1]) + numbers[1:]), end


def _reference(data: bytes, pos: int, _: int) -> tuple[Term, int]:
    node, numbers, end = _identifier(data, pos + 1, 5)
    return Reference(bytes((tags.NEWER_REFERENCE_EXT, 0, 1)) + node + _wide(numbers[4:]) + numbers[:4]), end


def _wide(creation: bytes) -> bytes:
    """A creation of the old tags, one byte, as the four of the new ones."""
    return bytes(3) + creation


def _word_count(data: bytes, pos: int) -> int:
    count: int = _u16(data, pos + 1)[0]
    if not 1 <= count <= MAX_REFERENCE_WORDS:
        raise MalformedTerm(f"a reference of {count} words", pos)
    return count


READERS: Final[dict[int, Reader]] = {
    tags.SMALL_BIG_EXT: _small_big,
    tags.LARGE_BIG_EXT: _large_big,
    tags.NEW_FLOAT_EXT: _new_float,
    tags.FLOAT_EXT: _float,
    tags.ATOM_UTF8_EXT: _atom,
    tags.SMALL_ATOM_EXT: _atom,
    tags.ATOM_EXT: _atom,
    tags.BIT_BINARY_EXT: _bit_binary,
    tags.NEW_PID_EXT: _new_pid,
    tags.PID_EXT: _pid,
    tags.V4_PORT_EXT: _v4_port,
    tags.NEW_PORT_EXT: _new_port,
    tags.PORT_EXT: _port,
    tags.NEWER_REFERENCE_EXT: _newer_reference,
    tags.NEW_REFERENCE_EXT: _new_reference,
    tags.REFERENCE_EXT: _reference,
}

REFUSED: Final = {
    tags.COMPRESSED: "a compressed term",
    tags.ATOM_CACHE_REF: "an atom cache reference, and there is no atom cache",
    tags.LOCAL_EXT: "a term in another node's local form",
}
"""Tags that exist and have no place here, and what to say of them."""
