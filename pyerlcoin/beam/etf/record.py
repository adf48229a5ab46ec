"""Native records of OTP 29: kept as they came, and taken apart when somebody asks.

On the wire a record says its module, its name and the names of its fields before their values, so nobody needs its
definition. Not the records of Erlang's header files, which are tuples.
"""

from __future__ import annotations

from pyerlcoin.beam.etf.atom import Atom
from pyerlcoin.beam.etf.tags import LARGE_TUPLE_EXT
from pyerlcoin.beam.etf.wire import Term, WireTerm

__all__ = ["RECORD_HEADER_BYTES", "Record"]

RECORD_HEADER_BYTES = 6
"""The tag, the number of fields (4), and whether other modules may look inside (1). Then the module, the name, the
names of the fields, and their values."""


class Record(WireTerm):
    """A native record of a peer (RECORD_EXT). It can be kept, compared, sent back, and looked into.

    `Record(wire)` trusts its bytes: the decoder has checked them. Each look decodes them anew, so keep what you need
    twice, and to change it changes no record. Equal if the bytes are: `{a = 1, b = 2}` is not `{b = 2, a = 1}`, in
    Erlang neither, nor is an exported record one that is not.
    """

    __slots__ = ()

    @property
    def module(self) -> Atom:
        """The module that defines it."""
        return self._atom(RECORD_HEADER_BYTES)[0]

    @property
    def name(self) -> Atom:
        """Its name in that module."""
        return self._atom(self._atom(RECORD_HEADER_BYTES)[1])[0]

    @property
    def fields(self) -> dict[Atom, Term]:
        """The values by the names of their fields, in the order of the definition."""
        # Here and below, not above: the decoder has to know this class.
        from pyerlcoin.beam.etf.decode import Limits, decode

        count = int.from_bytes(self.wire[1:5])
        body = bytes((LARGE_TUPLE_EXT,)) + (2 + 2 * count).to_bytes(4) + self.wire[RECORD_HEADER_BYTES:]
        # It was within the limits of whoever read it, which may be wider than the default.
        size = len(body)
        items, _ = decode(body, 0, Limits(max_depth=size, max_terms=size * size, max_integer_bytes=size))
        assert isinstance(items, tuple)
        return dict(zip(items[2 : 2 + count], items[2 + count :], strict=True))

    def _atom(self, at: int) -> tuple[Atom, int]:
        from pyerlcoin.beam.etf.decode import decode

        atom, end = decode(self.wire, at)
        assert isinstance(atom, Atom)
        return atom, end

    def __repr__(self) -> str:
        return f"Record({self.module!r}, {self.name!r}, <{len(self.wire)} bytes>)"

    def __reduce__(self) -> tuple[type[Record], tuple[bytes]]:
        return Record, (self.wire,)
