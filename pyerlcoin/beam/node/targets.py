"""How a process is named in an API call, and in what is said about it."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from pyerlcoin.beam.etf.terms import Atom, Pid

__all__ = ["Target", "locate", "show", "to_atom"]

Target: TypeAlias = Pid | Atom | str | tuple[Atom | str, Atom | str]
"""A pid; the name of a process of this node; or `(name, node)`."""


@lru_cache(maxsize=1024)
def to_atom(name: str) -> Atom:
    """The atom of that name, made once: a caller says the same few names all the time."""
    return Atom(name)


def locate(target: Target, own: str) -> tuple[str, Pid | Atom]:
    """The node of a target, and what it is called there. `own` is the node of a bare name."""
    if isinstance(target, Pid):
        return target.node, target
    if isinstance(target, tuple):
        name, node = target
        return (node if isinstance(node, str) else node.name), (to_atom(name) if isinstance(name, str) else name)
    return own, (to_atom(target) if isinstance(target, str) else target)


def show(node: str, to: Pid | Atom) -> str:
    """For a person: `Server on a@h`, or `<91.0> on a@h`."""
    if isinstance(to, Pid):
        return f"<{to.id}.{to.serial}> on {node}"
    return f"{to.name.removeprefix('Elixir.')} on {node}"
