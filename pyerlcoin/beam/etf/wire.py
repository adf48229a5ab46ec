"""What the encoder has to know of our own term classes: two ways to say one's external form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Final, TypeAlias

__all__ = ["Composite", "Term", "WireTerm"]

Term: TypeAlias = object
"""Any Erlang term. `object`, as what a decoder yields is a peer's choice: narrow it before you use it."""


class WireTerm:
    """A term that holds its external form, and is equal to whatever of its class has the same.

    So it is compared, hashed and sent without being taken apart: a GenServer's reply echoes the caller's
    reference byte by byte.
    """

    __slots__ = ("wire",)

    def __init__(self, wire: bytes) -> None:
        self.wire: Final = wire

    def __eq__(self, other: object) -> bool:
        if self.__class__ is other.__class__:
            return self.wire == other.wire
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.wire)


class Composite(ABC):
    """A term made of a header and of the terms that follow it on the wire."""

    __slots__ = ()

    @abstractmethod
    def parts(self) -> tuple[bytes, Iterable[Term]]:
        """The tag with its lengths, and the terms after it, in order."""
