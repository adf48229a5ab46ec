"""Hypothesis strategies for Erlang terms, as pyerlcoin.beam.etf decodes them."""

from __future__ import annotations

from hypothesis import strategies as st

from pyerlcoin.beam.etf import (
    Atom,
    BitString,
    Export,
    Fun,
    ImproperList,
    Map,
    Pid,
    Port,
    Record,
    Reference,
    Term,
    encode,
)

__all__ = ["atoms", "comparable_terms", "identifiers", "integers", "maps_of", "pairs_of", "scalars", "terms"]

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_u32 = st.integers(0, 2**32 - 1)

_longest = st.sampled_from("aé😀").map(lambda character: character * 255)

atoms = st.one_of(st.sampled_from(["ok", "true", "nil", "", "Elixir.ElixirCoin.Server"]), _longest, _text).map(Atom)


def _near(sign: int, bits: int, difference: int) -> int:
    return sign * (1 << bits) + difference


integers = st.one_of(
    st.integers(-300, 300),
    st.integers(-(2**33), 2**33),
    st.integers(-(2**70), 2**70),
    st.builds(_near, st.sampled_from([1, -1]), st.sampled_from([8, 31, 32, 64, 2040]), st.integers(-1, 1)),
)

_nodes = st.one_of(st.sampled_from(["a@b", "server@192.168.0.13"]), _longest, _text)
identifiers = st.one_of(
    st.builds(Pid.make, _nodes, _u32, _u32, _u32),
    st.builds(Port.make, _nodes, st.integers(0, 2**64 - 1), _u32),
    st.builds(Reference.make, _nodes, _u32, st.lists(_u32, min_size=1, max_size=5)),
)

# Without -0.0: as a key beside 0.0 it is another key from OTP 27 on, and the same key before.
_floats = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0)
_any_scalar: st.SearchStrategy[Term] = st.one_of(
    atoms,
    integers,
    _floats,
    st.binary(max_size=40),
    identifiers,
    st.builds(BitString, st.binary(min_size=1, max_size=5), st.integers(1, 7)),
    st.builds(Export, atoms, atoms, st.integers(0, 255)),
)


@st.composite
def _scalar(draw: st.DrawFn) -> Term:
    return draw(_any_scalar)


@st.composite
def _pid(draw: st.DrawFn) -> Pid:
    return draw(st.builds(Pid.make, _nodes, _u32, _u32, _u32))


# Hypothesis warns of strategies whose repr is long; that of a function is short.
scalars = _scalar()
_pids = _pid()


def pairs_of(children: st.SearchStrategy[Term]) -> st.SearchStrategy[list[tuple[Term, Term]]]:
    """Pairs of a map, whose keys may be any term, no two of them equal."""
    # No `unique_by`, and no `filter` below: Hypothesis would warn of their repr, which nesting makes long.
    return st.lists(st.tuples(children, children), max_size=5).map(_distinct)


def _distinct(pairs: list[tuple[Term, Term]]) -> list[tuple[Term, Term]]:
    return list({encode(key): (key, value) for key, value in pairs}.values())


def maps_of(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    """Maps with keys and values of these terms."""
    return pairs_of(children).map(Map)


def _fun(pid: Pid, free: list[Term]) -> Fun:
    body = encode(Atom("m")) + encode(7) + encode(123456) + pid.wire + b"".join(map(encode, free))
    head = bytes([2]) + bytes(range(16)) + bytes([0, 0, 0, 9]) + len(free).to_bytes(4)
    return Fun(bytes([112]) + (4 + len(head) + len(body)).to_bytes(4) + head + body)


def _record(module: Atom, name: Atom, exported: bool, fields: dict[Atom, Term]) -> Record:
    body = b"".join(map(encode, (module, name, *fields, *fields.values())))
    return Record(bytes([67]) + len(fields).to_bytes(4) + bytes([exported]) + body)


def _no_list(term: Term) -> Term:
    return Map({1: term}) if isinstance(term, list | ImproperList) else term


def _containers(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    return st.one_of(
        st.lists(children, max_size=5),
        st.lists(children, max_size=5).map(tuple),
        st.builds(ImproperList, st.lists(children, min_size=1, max_size=4), children.map(_no_list)),
        maps_of(children),
    )


def _containers_and_opaque(children: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    return st.one_of(
        _containers(children),
        st.builds(_fun, _pids, st.lists(children, max_size=2)),
        st.builds(_record, atoms, atoms, st.booleans(), st.dictionaries(atoms, children, max_size=3)),
    )


terms: st.SearchStrategy[Term] = st.recursive(scalars, _containers_and_opaque, max_leaves=20)

comparable_terms: st.SearchStrategy[Term] = st.recursive(scalars, _containers, max_leaves=20)
"""Without funs and records: those keep their bytes here, and a BEAM may write what is inside in others."""
