"""The Erlang terms that Python has no type for, and the names of all the others.

=================  ==========================================  =====================================
Erlang             Python, as decoded                          also accepted by the encoder
=================  ==========================================  =====================================
integer            int
float              float (never NaN or infinite)
atom               Atom                                        True, False, None (as `nil`)
binary             bytes                                       str (as UTF-8), bytearray, memoryview
bitstring          BitString
tuple              tuple                                       named tuples
list               list
improper list      ImproperList
map                Map                                         dict, any Mapping
pid, port, ref     Pid, Port, Reference
fun                Fun (opaque), Export (`fun M:F/A`)
native record      Record (module, name, fields)
=================  ==========================================  =====================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final, Self

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf.atom import ERROR, FALSE, NIL, OK, TRUE, UNDEFINED, Atom
from pyerlcoin.beam.etf.encode import encode, index
from pyerlcoin.beam.etf.identifiers import Fun, Pid, Port, Reference
from pyerlcoin.beam.etf.record import Record
from pyerlcoin.beam.etf.tags import BIT_BINARY_EXT, EXPORT_EXT, LIST_EXT, MAP_EXT
from pyerlcoin.beam.etf.wire import Composite, Term, WireTerm

__all__ = [
    "ERROR",
    "FALSE",
    "NIL",
    "OK",
    "TRUE",
    "UNDEFINED",
    "Atom",
    "BitString",
    "Export",
    "Fun",
    "ImproperList",
    "Map",
    "Pid",
    "Port",
    "Record",
    "Reference",
    "Term",
    "WireTerm",
]


class ImproperList(Composite):
    """`[a, b | tail]`: at least one item, and a tail that is no list. GenServer's `[alias | Ref]` is one.

    Raises `UnencodableTerm` when it would be a proper list, or none. Hashable if its items are.
    """

    __slots__ = ("items", "tail")
    __match_args__ = ("items", "tail")

    def __init__(self, items: Iterable[Term], tail: Term) -> None:
        self.items: Final[tuple[Term, ...]] = tuple(items)
        self.tail: Final = tail
        if not self.items or isinstance(tail, _LISTS):
            raise UnencodableTerm("an improper list has items, and a tail that is no list")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ImproperList):
            return self.items == other.items and self.tail == other.tail
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.items, self.tail))

    def __repr__(self) -> str:
        return f"ImproperList({self.items!r}, {self.tail!r})"

    def parts(self) -> tuple[bytes, Iterable[Term]]:
        return bytes((LIST_EXT,)) + len(self.items).to_bytes(4), chain(self.items, (self.tail,))


_LISTS: Final = (list, ImproperList)


class BitString(Composite):
    """A bitstring that is no binary: of the last byte of `data` only the `bits` (1 to 7) highest count.

    The others are set to zero, as Erlang does not compare them. Raises `UnencodableTerm`.
    """

    __slots__ = ("bits", "data")
    __match_args__ = ("data", "bits")

    def __init__(self, data: bytes, bits: int) -> None:
        if not data or not 1 <= bits <= 7:
            raise UnencodableTerm("a bitstring has 1 to 7 bits in its last byte; with 8 it is a binary: bytes")
        self.data: Final = data[:-1] + bytes((data[-1] >> (8 - bits) << (8 - bits),))
        self.bits: Final = bits

    def __eq__(self, other: object) -> bool:
        if isinstance(other, BitString):
            return self.bits == other.bits and self.data == other.data
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.data, self.bits))

    def __repr__(self) -> str:
        return f"BitString({self.data!r}, {self.bits})"

    def parts(self) -> tuple[bytes, Iterable[Term]]:
        return bytes((BIT_BINARY_EXT,)) + len(self.data).to_bytes(4) + bytes((self.bits,)) + self.data, ()


class Export(Composite):
    """An external fun, `fun module:function/arity`. Raises `UnencodableTerm` for an arity over 255."""

    __slots__ = ("arity", "function", "module")
    __match_args__ = ("module", "function", "arity")

    def __init__(self, module: Atom, function: Atom, arity: int) -> None:
        if not 0 <= arity <= 255:
            raise UnencodableTerm("the arity of an external fun is 0 to 255")
        self.module: Final = module
        self.function: Final = function
        self.arity: Final = arity

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Export):
            return (self.module, self.function, self.arity) == (other.module, other.function, other.arity)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.module, self.function, self.arity))

    def __repr__(self) -> str:
        return f"Export({self.module!r}, {self.function!r}, {self.arity})"

    def parts(self) -> tuple[bytes, Iterable[Term]]:
        return bytes((EXPORT_EXT,)), (self.module, self.function, self.arity)


class Map(Mapping[Any, Any], Composite):
    """An Erlang map: immutable, hashable, and keyed by exact term equality (`=:=`).

    `1`, `1.0` and `Atom("true")` are three keys, and a list or a map may be one. A key is looked up by its
    external form, so `m["a"]` finds `b"a"`; that form is hashed with Python's per-process secret, so a peer
    cannot choose keys that collide. Iteration follows those forms, not the order of insertion. As in OTP 27
    and later `0.0` and `-0.0` differ.

    Raises `UnencodableTerm` for two equal keys, or a key without external form. Values are not copied: do not
    change a list that is inside a map.
    """

    __slots__ = ("_pairs",)

    def __init__(self, source: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None:
        self._pairs: Final = index(source.items() if isinstance(source, Mapping) else source)

    def __getitem__(self, key: Term) -> Any:
        try:
            return self._pairs[key.wire if type(key) is Atom else encode(key)][1]
        except UnencodableTerm:
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        try:
            return encode(key) in self._pairs
        except UnencodableTerm:
            return False

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self._pairs.values())

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        # By value as by key: %{a: 1} is not %{a: 1.0}. The pairs are in order, so the bytes decide.
        if isinstance(other, Map):
            return self is other or encode(self) == encode(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(encode(self))

    def __repr__(self) -> str:
        return f"Map({{{', '.join(f'{key!r}: {value!r}' for key, value in self._pairs.values())}}})"

    def __reduce__(self) -> tuple[type[Self], tuple[list[tuple[Term, Term]]]]:
        return type(self), (list(self._pairs.values()),)

    def form_bytes(self) -> int:
        """The bytes that the external forms of its keys take, which it holds beside them."""
        return sum(map(len, self._pairs))

    def parts(self) -> tuple[bytes, Iterable[Term]]:
        return bytes((MAP_EXT,)) + len(self._pairs).to_bytes(4), chain.from_iterable(self._pairs.values())
