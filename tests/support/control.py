"""Hypothesis strategies for control messages, made from their declarations."""

from __future__ import annotations

import dataclasses
from typing import Any, cast, get_type_hints

from hypothesis import strategies as st

from pyerlcoin.beam.dist import AltactFlags, AltactSigSend, Control
from pyerlcoin.beam.dist import control_messages as declared
from pyerlcoin.beam.dist.control import Payload, Token
from pyerlcoin.beam.etf import Atom, Pid, Reference, Term
from tests.support.terms import terms

__all__ = ["MESSAGE_TYPES", "messages"]

#: Every class that `control_messages` declares.
MESSAGE_TYPES: list[type[Control]] = [
    kind
    for kind in vars(declared).values()
    if isinstance(kind, type) and issubclass(kind, Control) and kind is not Control
]

_u32 = st.integers(0, 2**32 - 1)
_nodes = st.sampled_from(["a@b", "otp25@127.0.0.1", "é" * 255])
_atoms = st.sampled_from(["", "srv", "Elixir.ElixirCoin.Server", "é" * 255]).map(Atom)
_pids = st.builds(Pid.make, _nodes, _u32, _u32, _u32)
_refs = st.builds(Reference.make, _nodes, _u32, st.lists(_u32, min_size=1, max_size=5))

_BY_HINT: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (Pid, _pids),
    (Atom, _atoms),
    (Reference, _refs),
    (Pid | Atom, st.one_of(_pids, _atoms)),
    (Term, terms),
    (Payload, terms),
    (Token, st.none()),
    (declared.Number, st.integers(0, 2**70)),
    (declared.UnlinkNumber, st.integers(1, 2**64 - 1)),
    (declared.MFA, st.tuples(_atoms, _atoms, st.integers(0, 255))),
    (declared.Options, st.lists(_atoms, max_size=3)),
]


def messages(kind: type[Control]) -> st.SearchStrategy[Control]:
    """Valid messages of this kind."""
    if kind is AltactSigSend:
        return _altact()
    hints = get_type_hints(kind, include_extras=True)
    fields = {
        field.name: next(strategy for hint, strategy in _BY_HINT if hint == hints[field.name])
        for field in dataclasses.fields(cast(Any, kind))
        if field.init
    }
    return st.builds(kind, **fields)


@st.composite
def _altact(draw: st.DrawFn) -> Control:
    targets: list[tuple[int, st.SearchStrategy[Any]]] = [
        (0, _pids),
        (AltactFlags.ALIAS, _refs),
        (AltactFlags.NAME, _atoms),
    ]
    target_flag, target = draw(st.sampled_from(targets))
    token_flag, token = draw(st.sampled_from([(0, st.none()), (AltactFlags.TOKEN, terms)]))
    others = draw(st.sampled_from([0, AltactFlags.PRIO, AltactFlags.EXIT, 32]))
    return AltactSigSend(target_flag | token_flag | others, draw(_pids), draw(target), draw(token), draw(terms))
