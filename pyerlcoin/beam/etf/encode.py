"""Python values to Erlang's external term format."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf.atom import FALSE, NIL, TRUE, Atom
from pyerlcoin.beam.etf.identifiers import Pid, Reference
from pyerlcoin.beam.etf.tags import (
    BINARY_EXT,
    INTEGER_EXT,
    LARGE_BIG_EXT,
    LARGE_TUPLE_EXT,
    LIST_EXT,
    MAP_EXT,
    NEW_FLOAT_EXT,
    NIL_EXT,
    SMALL_BIG_EXT,
    SMALL_INTEGER_EXT,
    SMALL_TUPLE_EXT,
    VERSION,
)
from pyerlcoin.beam.etf.wire import Composite, Term, WireTerm

__all__ = ["MAX_ENCODED_DEPTH", "MAX_ENCODED_INTEGER_BYTES", "encode", "encode_into", "index", "term_to_binary"]

MAX_ENCODED_DEPTH: Final = 10_000
"""Open containers at once. Nothing sensible comes near; a list that contains itself ends here."""

MAX_ENCODED_INTEGER_BYTES: Final = 524_280
"""65,535 words of 64 bits. How large an integer a BEAM takes differs by release; all that were tried take this."""

_VERSION: Final = bytes((VERSION,))
_NIL: Final = bytes((NIL_EXT,))
_EMPTY_TAIL: Final[tuple[Term]] = ([],)
_SMALL_TUPLE: Final = [bytes((SMALL_TUPLE_EXT, arity)) for arity in range(256)]
_SMALL_INTEGER: Final = [bytes((SMALL_INTEGER_EXT, value)) for value in range(256)]
_tag_u32: Final = struct.Struct(">BI").pack
_tag_i32: Final = struct.Struct(">Bi").pack
_tag_f64: Final = struct.Struct(">Bd").pack


def term_to_binary(term: Term) -> bytes:
    """The external form with its version byte, as `erlang:term_to_binary/1`. Raises `UnencodableTerm`."""
    out = bytearray(_VERSION)
    encode_into(out, term)
    return bytes(out)


def encode(term: Term) -> bytes:
    """The external form without the version byte. Raises `UnencodableTerm`."""
    if type(term) is tuple and len(term) < 256:
        flat = _flat(term)
        if flat is not None:
            return flat
    out = bytearray()
    encode_into(out, term)
    return bytes(out)


def _flat(term: tuple[Term, ...]) -> bytes | None:
    """What `_write` writes for a small tuple of atoms and integers of 32 bits, as most replies are; else None."""
    parts = [_SMALL_TUPLE[len(term)]]
    item: Any
    for item in term:
        kind = type(item)
        if kind is Atom:
            parts.append(item.wire)
        elif kind is int:
            if 0 <= item < 256:
                parts.append(_SMALL_INTEGER[item])
            elif -0x80000000 <= item <= 0x7FFFFFFF:
                parts.append(_tag_i32(INTEGER_EXT, item))
            else:
                return None
        else:
            return None
    return b"".join(parts)


def encode_into(out: bytearray, term: Term) -> None:
    """Append the external form, without the version byte. Raises `UnencodableTerm`, and leaves `out` as it was."""
    start = len(out)
    try:
        _write(out, term)
    except UnencodableTerm:
        del out[start:]
        raise
    # struct.error: a binary, list or map of 2**32 items. RecursionError: keys within keys, see `index`.
    except (struct.error, RecursionError) as error:
        del out[start:]
        raise UnencodableTerm("it is too large, or nested too deep") from error


def index(pairs: Iterable[tuple[Term, Term]]) -> dict[bytes, tuple[Term, Term]]:
    """The pairs of a map by the external form of their keys, in the order of those forms.

    Raises `UnencodableTerm` for two equal keys: the BEAM drops a connection that brings such a map.
    """
    listed = [(key.wire if type(key) is Atom else encode(key), (key, value)) for key, value in pairs]
    if len(listed) > 1:
        listed.sort(key=_form)
    indexed = dict(listed)
    if len(indexed) != len(listed):
        raise UnencodableTerm("a map has two equal keys")
    return indexed


def _form(entry: tuple[bytes, object]) -> bytes:
    return entry[0]


def _write(out: bytearray, term: Term) -> None:
    # One loop with its own stack of open containers: no call per term, and no depth that Python could run
    # out of. The types come in the order of how often a GenServer's messages hold them.
    waiting: list[Iterator[Any]] = []
    terms: Iterator[Any] = iter((term,))
    while True:
        for item in terms:
            kind = type(item)
            if kind is Atom or kind is Reference or kind is Pid:
                out += item.wire
            elif kind is tuple:
                arity = len(item)
                out += _SMALL_TUPLE[arity] if arity < 256 else _tag_u32(LARGE_TUPLE_EXT, arity)
                inner = iter(item)
                break
            elif kind is int:
                if 0 <= item < 256:
                    out += _SMALL_INTEGER[item]
                elif -0x80000000 <= item <= 0x7FFFFFFF:
                    out += _tag_i32(INTEGER_EXT, item)
                else:
                    out += _big(item)
            elif kind is bytes:
                out += _tag_u32(BINARY_EXT, len(item))
                out += item
            else:
                found = _other(out, item)
                if found is not None:
                    inner = found
                    break
        else:
            if not waiting:
                return
            terms = waiting.pop()
            continue
        if len(waiting) >= MAX_ENCODED_DEPTH:
            raise UnencodableTerm(f"it is nested deeper than {MAX_ENCODED_DEPTH}, or contains itself")
        waiting.append(terms)
        terms = inner


def _other(out: bytearray, item: Term) -> Iterator[Term] | None:
    """Write what `_write` does not know: all of it, or its header; then the terms that follow are returned."""
    if isinstance(item, str):
        try:
            text = item.encode()
        except UnicodeEncodeError as error:
            raise UnencodableTerm("a string holds no lone surrogate") from error
        out += _tag_u32(BINARY_EXT, len(text))
        out += text
    elif isinstance(item, list):
        if item:
            out += _tag_u32(LIST_EXT, len(item))
            return chain(item, _EMPTY_TAIL)
        out += _NIL
    elif isinstance(item, WireTerm):
        out += item.wire
    elif isinstance(item, Composite):
        header, following = item.parts()
        out += header
        return iter(following)
    elif isinstance(item, bool):
        out += TRUE.wire if item else FALSE.wire
    elif item is None:
        out += NIL.wire
    elif isinstance(item, float):
        if not math.isfinite(item):
            raise UnencodableTerm(f"Erlang has no float {item}")
        out += _tag_f64(NEW_FLOAT_EXT, item)
    elif isinstance(item, Mapping):
        pairs = index(item.items())
        out += _tag_u32(MAP_EXT, len(pairs))
        return chain.from_iterable((WireTerm(form), value) for form, (_, value) in pairs.items())
    else:
        return _last(out, item)
    return None


def _last(out: bytearray, item: Term) -> Iterator[Term] | None:
    # Other buffers; and the subclasses (named tuples, IntEnum…) of what `_write` knows by exact type.
    if isinstance(item, bytes | bytearray | memoryview):
        plain: Term = bytes(item)
    elif isinstance(item, tuple):
        plain = tuple(item)
    elif isinstance(item, int):
        plain = int(item)
    else:
        raise UnencodableTerm(f"a {type(item).__qualname__} is no Erlang term")
    return iter((plain,))


def _big(value: int) -> bytes:
    size = (value.bit_length() + 7) // 8
    if size > MAX_ENCODED_INTEGER_BYTES:
        raise UnencodableTerm(f"an integer of {size} bytes is larger than the BEAM's")
    header = bytes((SMALL_BIG_EXT, size)) if size < 256 else _tag_u32(LARGE_BIG_EXT, size)
    return header + (b"\1" if value < 0 else b"\0") + abs(value).to_bytes(size, "little")
