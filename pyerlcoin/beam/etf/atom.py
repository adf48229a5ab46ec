"""Atoms: a type of their own, so that `Atom("true")`, `b"true"` and `1` are three different things."""

from __future__ import annotations

from typing import Final

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf.tags import ATOM_UTF8_EXT, SMALL_ATOM_UTF8_EXT
from pyerlcoin.beam.etf.wire import WireTerm

__all__ = ["ERROR", "FALSE", "MAX_ATOM_CHARACTERS", "NIL", "OK", "TRUE", "UNDEFINED", "Atom"]

MAX_ATOM_CHARACTERS: Final = 255
"""Characters, not bytes: the UTF-8 of an atom may take 1020."""


class Atom(WireTerm):
    """An atom. Matches as `Atom("ok")` in a `case`; equal and hashed by name; `wire` is its external form.

    Raises `UnencodableTerm` for more than 255 characters, or a lone surrogate.
    """

    __slots__ = ("name",)
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        if len(name) > MAX_ATOM_CHARACTERS:
            raise UnencodableTerm(f"an atom has at most {MAX_ATOM_CHARACTERS} characters, not {len(name)}")
        try:
            text = name.encode()
        except UnicodeEncodeError as error:
            raise UnencodableTerm("an atom holds no lone surrogate") from error
        if len(text) < 256:
            super().__init__(bytes((SMALL_ATOM_UTF8_EXT, len(text))) + text)
        else:
            super().__init__(bytes((ATOM_UTF8_EXT,)) + len(text).to_bytes(2) + text)
        self.name: Final = name

    def __repr__(self) -> str:
        return f"Atom({self.name!r})"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[type[Atom], tuple[str]]:
        return Atom, (self.name,)


TRUE: Final = Atom("true")
FALSE: Final = Atom("false")
NIL: Final = Atom("nil")
UNDEFINED: Final = Atom("undefined")
OK: Final = Atom("ok")
ERROR: Final = Atom("error")
