"""Erlang's external term format to Python values, from bytes that nobody has to trust.

Whatever the bytes, only `MalformedTerm` and `LimitExceeded` come out. There is no recursion: the open
containers are on a stack of our own, so nesting is a number to compare and not a way to crash. Every length
is held against the bytes that are left, and every arity against the budget of terms, before anything is made.

Refused on purpose: compressed terms (80), which the BEAM refuses in a distribution frame as well, and which
would hide a large term in few bytes; atom cache references (82) and local terms (121), whose flags this node
does not offer. The old tags of pids, ports, references, atoms and floats are understood.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from pyerlcoin.beam.errors import LimitExceeded, MalformedTerm, UnencodableTerm
from pyerlcoin.beam.etf.atom import Atom
from pyerlcoin.beam.etf.identifiers import MAX_REFERENCE_WORDS, Fun, Pid, Reference
from pyerlcoin.beam.etf.record import RECORD_HEADER_BYTES, Record
from pyerlcoin.beam.etf.scalars import READERS, REFUSED, atom_at, known_atoms, take
from pyerlcoin.beam.etf.tags import (
    BINARY_EXT,
    EXPORT_EXT,
    INTEGER_EXT,
    LARGE_TUPLE_EXT,
    LIST_EXT,
    MAP_EXT,
    NEW_FUN_EXT,
    NEW_PID_EXT,
    NEWER_REFERENCE_EXT,
    NIL_EXT,
    RECORD_EXT,
    SMALL_ATOM_UTF8_EXT,
    SMALL_INTEGER_EXT,
    SMALL_TUPLE_EXT,
    STRING_EXT,
    VERSION,
)
from pyerlcoin.beam.etf.terms import Export, ImproperList, Map
from pyerlcoin.beam.etf.wire import Term

__all__ = ["DEFAULT", "Limits", "binary_to_term", "decode"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a term this node takes from a peer. The number of bytes is the frame's limit, not ours."""

    max_depth: int = 256
    """Open containers at once. Messages between processes have fewer than ten; Python's own repr and `==`
    of nested lists recurse, and this keeps what we hand out far below their limit."""

    max_terms: int = 1_000_000
    """Elements of containers, all together. One byte of the wire, `[]`, takes 65 in memory. Of the shapes of
    message tried at this limit the worst, small maps as keys of small maps, took 170 MB besides its own bytes;
    a leaderboard of 100,000 miners has 300,000 terms. The keys of maps count once more, a term for each 16 bytes,
    as a map keeps their external forms: else keys within keys within keys would multiply."""

    max_integer_bytes: int = 65_536
    """Reading an integer takes time linear in its length, so this bounds memory. It is 157,000 digits: what
    prints one must mind that Python refuses to print more than 4,300."""


DEFAULT: Final = Limits()

_u32: Final = struct.Struct(">I").unpack_from
_u16: Final = struct.Struct(">H").unpack_from
_i32: Final = struct.Struct(">i").unpack_from

_ROOT: Final = 0
"""The container of the one term that is asked for. The others go by their tags."""

_CONTAINERS: Final = frozenset(
    {SMALL_TUPLE_EXT, LARGE_TUPLE_EXT, LIST_EXT, MAP_EXT, EXPORT_EXT, NEW_FUN_EXT, RECORD_EXT}
)
_OPAQUE: Final = frozenset({NEW_FUN_EXT, RECORD_EXT})
_WORD_COUNTS: Final = frozenset(count.to_bytes(2) for count in range(1, MAX_REFERENCE_WORDS + 1))
_EMPTY_MAP: Final = Map()
_KEY_BYTES_PER_TERM: Final = 16


def binary_to_term(data: bytes | bytearray | memoryview, limits: Limits = DEFAULT) -> Term:
    """The term that `data` is: version byte first, nothing after it. Raises `MalformedTerm` and `LimitExceeded`."""
    if len(data) == 0 or data[0] != VERSION:
        raise MalformedTerm(f"it does not start with {VERSION}", 0)
    term, end = decode(data, 1, limits)
    if end != len(data):
        raise MalformedTerm(f"{len(data) - end} bytes after its end", end)
    return term


def decode(data: bytes | bytearray | memoryview, offset: int = 0, limits: Limits = DEFAULT) -> tuple[Term, int]:
    """The term at `offset`, which has no version byte, and the offset after it.

    Raises `MalformedTerm` and `LimitExceeded`. Nothing of the result refers to `data`.
    """
    if type(data) is not bytes:
        data = bytes(data)
    try:
        flat = _read_flat(data, offset, limits) if data[offset] == SMALL_TUPLE_EXT else None
        return flat or _read(data, offset, limits)
    except (IndexError, struct.error):
        raise MalformedTerm("it ends too early", len(data)) from None


def _read_flat(data: bytes, pos: int, limits: Limits) -> tuple[Term, int] | None:
    """What `_read` gives for a small tuple of atoms, binaries and integers, as most requests are, in half the time.

    None for any other, and for what is refused.
    """
    missing = data[pos + 1]
    if missing > limits.max_terms or limits.max_depth < 1:
        return None
    pos += 2
    items: list[Term] = []
    while missing:
        missing -= 1
        tag = data[pos]
        if tag == SMALL_ATOM_UTF8_EXT:
            end = pos + 2 + data[pos + 1]
            item: Term = known_atoms.get(data[pos:end])
            if item is None:
                return None
            pos = end
        elif tag == BINARY_EXT:
            start = pos + 5
            pos = start + _u32(data, pos + 1)[0]
            if pos > len(data):
                return None
            item = data[start:pos]
        elif tag == SMALL_INTEGER_EXT:
            item = data[pos + 1]
            pos += 2
        elif tag == INTEGER_EXT:
            item = _i32(data, pos + 1)[0]
            pos += 5
        else:
            return None
        items.append(item)
    return tuple(items), pos


def _read(data: bytes, pos: int, limits: Limits) -> tuple[Term, int]:
    size = len(data)
    budget = limits.max_terms
    max_depth = limits.max_depth
    # The innermost open container: its terms so far, how many are still to come, and its tag. The others wait.
    items: list[Term] = []
    missing = 1
    kind: int = _ROOT
    waiting: list[tuple[list[Term], int, int]] = []
    # Where the open funs and records start: they keep their bytes.
    opaque: list[int] = []
    item: Term
    while True:
        # In the order of how often a GenServer's messages hold them.
        tag = data[pos]
        if tag == SMALL_ATOM_UTF8_EXT:
            end = pos + 2 + data[pos + 1]
            item = known_atoms.get(data[pos:end])
            if item is None:
                item = atom_at(data, pos)[0]
            pos = end
        elif tag in _CONTAINERS:
            start = pos
            if tag == SMALL_TUPLE_EXT:
                arity = data[pos + 1]
                pos += 2
            elif tag == LIST_EXT:
                arity = _u32(data, pos + 1)[0] + 1
                pos += 5
                if kind == LIST_EXT and missing == 1:
                    # A list in the place of a tail goes on with the elements, [a | [b]] is [a, b], and is no
                    # deeper for it.
                    budget = _afford(arity, size - pos, budget, limits, start)
                    missing = arity
                    continue
                if arity == 1:
                    # To the BEAM a list without elements is its tail, whatever that is.
                    continue
            else:
                arity, pos = _opening(data, pos, tag)
                if tag == LARGE_TUPLE_EXT:
                    tag = SMALL_TUPLE_EXT
                elif tag in _OPAQUE:
                    opaque.append(start)
            if arity:
                if arity > size - pos or arity > budget:
                    _afford(arity, size - pos, budget, limits, start)
                budget -= arity
                if len(waiting) >= max_depth:
                    raise LimitExceeded("the depth of a term", max_depth + 1, max_depth)
                waiting.append((items, missing, kind))
                items = []
                missing = arity
                kind = tag
                continue
            item = () if tag == SMALL_TUPLE_EXT else _EMPTY_MAP
        elif tag == SMALL_INTEGER_EXT:
            item = data[pos + 1]
            pos += 2
        elif tag == BINARY_EXT:
            end = pos + 5 + _u32(data, pos + 1)[0]
            if end > size:
                raise MalformedTerm(f"a binary ends {end - size} bytes too early", size)
            item = data[pos + 5 : end]
            pos = end
        elif tag == NIL_EXT:
            item = []
            pos += 1
        elif tag == NEWER_REFERENCE_EXT:
            node_end = pos + 5 + data[pos + 4]
            end = node_end + 4 + 4 * data[pos + 2]
            # A node whose name is known in its canonical form: then the whole is canonical. Else the long way.
            if data[pos + 3 : node_end] in known_atoms and end <= size and data[pos + 1 : pos + 3] in _WORD_COUNTS:
                item = Reference(data[pos:end])
                pos = end
            else:
                item, pos = READERS[tag](data, pos, limits.max_integer_bytes)
        elif tag == NEW_PID_EXT:
            node_end = pos + 3 + data[pos + 2]
            end = node_end + 12
            if data[pos + 1 : node_end] in known_atoms and end <= size:
                item = Pid(data[pos:end])
                pos = end
            else:
                item, pos = READERS[tag](data, pos, limits.max_integer_bytes)
        elif tag == INTEGER_EXT:
            item = _i32(data, pos + 1)[0]
            pos += 5
        elif tag == STRING_EXT:
            text = take(data, pos + 3, _u16(data, pos + 1)[0])
            budget = _afford(len(text), len(text), budget, limits, pos)
            item = list(text)
            pos += 3 + len(text)
        else:
            reader = READERS.get(tag)
            if reader is None:
                raise MalformedTerm(REFUSED.get(tag, f"unknown tag {tag}"), pos)
            item, pos = reader(data, pos, limits.max_integer_bytes)

        items.append(item)
        missing -= 1
        while not missing:
            if kind == SMALL_TUPLE_EXT:
                item = tuple(items)
            elif kind == LIST_EXT:
                tail = items.pop()
                if type(tail) is list:
                    items += tail
                    item = items
                else:
                    item = ImproperList(items, tail)
            elif kind == _ROOT:
                return items[0], pos
            elif kind == MAP_EXT:
                item = _map(items, pos)
                budget = _afford(item.form_bytes() // _KEY_BYTES_PER_TERM, size, budget, limits, pos)
            elif kind == EXPORT_EXT:
                item = _export(items, pos)
            elif kind == NEW_FUN_EXT:
                item = _fun(data, opaque.pop(), items, pos)
            else:
                item = _record(data, opaque.pop(), items, pos)
            items, missing, kind = waiting.pop()
            items.append(item)
            missing -= 1


def _opening(data: bytes, pos: int, tag: int) -> tuple[int, int]:
    """How many terms the rarer containers hold, and where the first of them is."""
    if tag == MAP_EXT:
        return 2 * _u32(data, pos + 1)[0], pos + 5
    if tag == LARGE_TUPLE_EXT:
        return _u32(data, pos + 1)[0], pos + 5
    if tag == EXPORT_EXT:
        return 3, pos + 1
    if tag == RECORD_EXT:
        # Who gets it back would drop the connection for another byte here.
        if data[pos + 5] > 1:
            raise MalformedTerm(f"a record with flags {data[pos + 5]}", pos)
        return 2 + 2 * _u32(data, pos + 1)[0], pos + RECORD_HEADER_BYTES
    # A fun: size (4 bytes), arity (1), uniq (16), index (4), number of free variables (4); then module, old
    # index, old uniq, pid and the free variables.
    return 4 + _u32(data, pos + 26)[0], pos + 30


def _afford(terms: int, room: int, budget: int, limits: Limits, pos: int) -> int:
    """What is left of the budget after these many terms, for which `room` bytes are there."""
    if terms > room:
        raise MalformedTerm(f"{terms} terms announced where {room} bytes are left", pos)
    if terms > budget:
        raise LimitExceeded("the number of terms in a message", limits.max_terms - budget + terms, limits.max_terms)
    return budget - terms


def _map(items: list[Term], pos: int) -> Map:
    try:
        return Map(zip(items[::2], items[1::2], strict=True))
    except UnencodableTerm as error:
        raise MalformedTerm(error.reason, pos) from None


def _export(items: list[Term], pos: int) -> Export:
    match items:
        case [Atom() as module, Atom() as function, int(arity)] if 0 <= arity <= 255:
            return Export(module, function, arity)
    raise MalformedTerm("an external fun that is no atom, atom, arity", pos)


def _fun(data: bytes, start: int, items: list[Term], pos: int) -> Fun:
    # Checked although nobody here looks inside: who gets it back would drop the connection for a broken one.
    match items:
        case [Atom(), int(), int(), Pid(), *_] if pos == start + 1 + _u32(data, start + 1)[0]:
            return Fun(data[start:pos])
    raise MalformedTerm("a fun whose fields or size are wrong", start)


def _record(data: bytes, start: int, items: list[Term], pos: int) -> Record:
    # Checked as a fun is, and as a BEAM does.
    names = items[: 1 + len(items) // 2]
    if not all(type(name) is Atom for name in names):
        raise MalformedTerm("a record whose module, name or field is no atom", start)
    if len(set(names[2:])) < len(names) - 2:
        raise MalformedTerm("a record has two equal fields", start)
    return Record(data[start:pos])
