"""The bytes that real BEAMs write and read."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import Phase, given, settings

from pyerlcoin.beam.etf import Term, binary_to_term, tags, term_to_binary
from tests.beam.etf.golden import READ, WRITTEN, Golden
from tests.support.beam import Release
from tests.support.erl import erl
from tests.support.terms import comparable_terms

_NAMES = {name for name in vars(tags) if name.endswith("_EXT")}


def _id(golden: Golden) -> str:
    return f"{golden.tag}:{golden.erlang}"[:50]


@pytest.mark.parametrize("golden", WRITTEN + READ, ids=_id)
def test_decodes(golden: Golden) -> None:
    external = bytes.fromhex(golden.external)
    assert external[1] == vars(tags)[golden.tag]
    # repr tells 1 from 1.0 and 0.0 from -0.0, which Python's == does not.
    assert repr(binary_to_term(external)) == repr(golden.term)
    assert binary_to_term(external) == golden.term


@pytest.mark.parametrize("golden", [golden for golden in WRITTEN if golden.ours], ids=_id)
def test_encodes(golden: Golden) -> None:
    assert term_to_binary(golden.term).hex() == golden.external


def test_every_tag_has_golden_bytes() -> None:
    assert {golden.tag for golden in WRITTEN + READ} == _NAMES - {"LOCAL_EXT"}


@pytest.mark.parametrize("golden", [golden for golden in WRITTEN if not golden.ours], ids=_id)
def test_what_is_written_otherwise_means_the_same(golden: Golden) -> None:
    assert repr(binary_to_term(term_to_binary(golden.term))) == repr(golden.term)


def _known_to(release: Release, goldens: list[Golden]) -> list[Golden]:
    return [golden for golden in goldens if golden.since <= release.otp]


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


@pytest.mark.beam
def test_a_beam_writes_them(beam_release: Release) -> None:
    known = _known_to(beam_release, WRITTEN)
    written = erl(
        beam_release,
        "Hex = fun(T) -> io:format('~s~n', [binary:encode_hex(term_to_binary(T, [{minor_version, 2}]))]) end,"
        f"lists:foreach(Hex, {_list(golden.erlang for golden in known)})",
    )
    assert [line.lower() for line in written] == [golden.external for golden in known]


@pytest.mark.beam
def test_a_beam_reads_them_and_what_we_write(beam_release: Release) -> None:
    # As `READ` has them, and as we encode what we decoded from them.
    read, written = _known_to(beam_release, READ), _known_to(beam_release, WRITTEN)
    cases = [(golden.erlang, golden.external) for golden in read]
    cases += [(golden.erlang, term_to_binary(golden.term).hex()) for golden in read + written]
    pairs = _list(f'{{{erlang}, "{external}"}}' for erlang, external in cases)
    same = erl(
        beam_release,
        "Read = fun(Hex) -> binary_to_term(binary:decode_hex(list_to_binary(Hex))) end,"
        "Same = fun({T, Hex}) -> io:format('~w~n', [catch T =:= Read(Hex)]) end,"
        f"lists:foreach(Same, {pairs})",
    )
    # 0.0 =:= -0.0 up to OTP 26, so that one pair says little there; test_encodes has its bytes.
    assert dict(zip(cases, same, strict=True)) == dict.fromkeys(cases, "true")


# One BEAM for many terms: it reads lines of hex, and writes each term anew. What Erlang makes of our bytes must be
# what we make of Erlang's.
_ECHO = (
    "Echo = fun Echo() -> case io:get_line('') of eof -> ok; Line ->"
    " Binary = binary:decode_hex(list_to_binary(string:trim(Line))),"
    " Term = binary_to_term(Binary),"
    " io:format('~s~n', [binary:encode_hex(term_to_binary(Term, [{minor_version, 2}]))]), Echo() end end, Echo()"
)


@pytest.mark.beam
def test_a_beam_agrees_on_any_term(beam_release: Release) -> None:
    many: list[Term] = []

    @settings(max_examples=300, deadline=None, phases=[Phase.generate])
    @given(comparable_terms)
    def collect(term: Term) -> None:
        many.append(term)

    collect()
    echoed = erl(beam_release, _ECHO, "".join(f"{term_to_binary(term).hex()}\n" for term in many))
    assert len(many) >= 300
    assert [repr(binary_to_term(bytes.fromhex(line))) for line in echoed] == [repr(term) for term in many]
