"""How a process is named in an API call, and in what is said about it."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from pyerlcoin.beam.etf.terms import Atom, Pid, Reference

__all__ = ["Destination", "Target", "locate", "locate_any", "show", "to_atom"]

Target: TypeAlias = Pid | Atom | str | tuple[Atom | str, Atom | str]
"""A pid; the name of a process of this node; or `(name, node)`."""

Destination: TypeAlias = Target | Reference
"""Where a message can go: also to an alias, as a process of a BEAM hands it out (`erlang:alias/1`)."""


@lru_cache(maxsize=1024)
def to_atom(name: str) -> Atom:
    """The atom of that name, made once: a caller says the same few names all the time."""
    return Atom(name)


def locate(target: Target, own: str) -> tuple[str, Pid | Atom]:
    """The node of a target, and what it is called there. `own` is the node of a bare name.

    Raises TypeError for what is no target.
    """
    if isinstance(target, Pid):
        return target.node, target
    if isinstance(target, tuple):
        name, node = target
        return (node if isinstance(node, str) else node.name), (to_atom(name) if isinstance(name, str) else name)
    if isinstance(target, str):
        return own, to_atom(target)
    if isinstance(target, Atom):
        return own, target
    raise TypeError(f"a process is named by a Pid, a name or (name, node), not by {target!r:.60}")


def locate_any(destination: Destination, own: str) -> tuple[str, Pid | Atom | Reference]:
    """As `locate`, of a destination."""
    return (destination.node, destination) if isinstance(destination, Reference) else locate(destination, own)


def show(node: str, to: Pid | Atom) -> str:
    """For a person: `Server on a@h`, or `<91.0> on a@h`."""
    if isinstance(to, Pid):
        return f"<{to.id}.{to.serial}> on {node}"
    return f"{to.name.removeprefix('Elixir.')} on {node}"
