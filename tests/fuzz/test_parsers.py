"""On peer bytes only RemoteFault (from a handshake also Refused) comes out; what was decoded survives its encoding.

`tests/support/fuzzing.py` holds each parser to that sentence. Here Hypothesis looks for a breach, in seconds;
`scripts/fuzz` lets a fuzzer do so that sees which branches an input takes, for as long as one likes.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fuzzing import PARSERS

_names = pytest.mark.parametrize("name", list(PARSERS))


@_names
def test_what_it_starts_from(name: str) -> None:
    parser = PARSERS[name]
    assert len(set(parser.seeds)) >= 30
    for seed in parser.seeds:
        parser.check(seed)
        parser.check(seed + b"\0")
        for size in range(len(seed) if len(seed) < 300 else 0):
            parser.check(seed[:size])


@st.composite
def _mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """The beginning of one seed, the end of another, and up to four bytes changed, lost or new."""
    one, other = draw(st.sampled_from(seeds)), draw(st.sampled_from(seeds))
    data = bytearray(one[: draw(st.integers(0, len(one)))] + other[draw(st.integers(0, len(other))) :])
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 1))] = draw(st.binary(max_size=1))
    return bytes(data)


@_names
@given(data=st.data())
def test_whatever_comes(name: str, data: st.DataObject) -> None:
    parser = PARSERS[name]
    parser.check(data.draw(st.one_of(_mutated(parser.seeds), st.binary(max_size=60))))
