from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import (
    OFFERED,
    AliasSend,
    AltactSigSend,
    DistributionFlags,
    Send,
    address_alias,
    address_reply,
    alias_of,
)
from pyerlcoin.beam.dist.reply import alias_tag, alias_writer
from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf import Atom, ImproperList, Pid, Reference, Term
from tests.support import golden
from tests.support.terms import terms

_OURS = Pid.make("ours@b", 1, 0, 7)
_CALLER = Pid.make("peer@b", 5, 0, 9)
_REF = Reference.make("peer@b", 9, [1, 2, 3])
_ALIAS = Reference.make("peer@b", 9, [1, 2, 3, 4, 5])
_alias = Atom("alias")

_CALL = ImproperList([_alias], _ALIAS)
_MULTI_CALL = ImproperList([ImproperList([_alias], _ALIAS)], _REF)

_NO_ALTACT = OFFERED & ~DistributionFlags.DFLAG_ALTACT_SIG
_NEITHER = _NO_ALTACT & ~DistributionFlags.DFLAG_ALIAS
_FLAGS = [OFFERED, _NO_ALTACT, _NEITHER]

_TAGS: list[tuple[Term, Reference | None]] = [
    (_CALL, _ALIAS),
    (_MULTI_CALL, _ALIAS),
    ((_REF, Atom("ours@b")), None),
    (_REF, None),
    ([_alias, _ALIAS], None),
    (ImproperList([_alias, _alias], _ALIAS), None),
    (ImproperList([_alias], Atom("x")), None),
    (ImproperList([Atom("other")], _ALIAS), None),
    (ImproperList([_CALL], Atom("x")), None),
    (Atom("alias"), None),
]


@pytest.mark.parametrize(("tag", "alias"), _TAGS)
def test_the_alias_of_a_tag(tag: Term, alias: Reference | None) -> None:
    assert alias_of(tag) == alias


@pytest.mark.parametrize("tag", [_CALL, _MULTI_CALL])
def test_a_reply_goes_to_the_alias_in_the_form_that_the_peer_knows(tag: Term) -> None:
    assert address_reply(OFFERED, _OURS, _CALLER, tag, 1) == AltactSigSend(4, _OURS, _ALIAS, None, 1)
    assert address_reply(_NO_ALTACT, _OURS, _CALLER, tag, 1) == AliasSend(_OURS, _ALIAS, 1)
    assert address_reply(_NEITHER, _OURS, _CALLER, tag, 1) == Send(_CALLER, 1)


@pytest.mark.parametrize("flags", _FLAGS)
@pytest.mark.parametrize("tag", [tag for tag, alias in _TAGS if alias is None])
def test_a_reply_without_alias_goes_to_the_pid(tag: Term, flags: DistributionFlags) -> None:
    assert address_reply(flags, _OURS, _CALLER, tag, 1) == Send(_CALLER, 1)


@given(st.sampled_from([OFFERED, _NO_ALTACT]), terms)
def test_the_quick_writer_writes_the_same_bytes(flags: DistributionFlags, value: Term) -> None:
    write = alias_writer(flags)
    assert write is not None
    assert alias_tag(_ALIAS.wire) == _CALL
    message = address_reply(flags, _OURS, _CALLER, _CALL, (_CALL, value))
    assert write(_OURS, _ALIAS.wire, value) == golden.frame(message.encode())


def test_a_peer_without_aliases_has_no_quick_writer() -> None:
    assert alias_writer(_NEITHER) is None


def test_a_value_without_external_form() -> None:
    write = alias_writer(OFFERED)
    assert write is not None
    with pytest.raises(UnencodableTerm):
        write(_OURS, _ALIAS.wire, object())


def test_a_message_to_an_alias_goes_in_the_form_that_the_peer_knows() -> None:
    assert address_alias(OFFERED, _OURS, _ALIAS, 1) == AltactSigSend(4, _OURS, _ALIAS, None, 1)
    assert address_alias(_NO_ALTACT, _OURS, _ALIAS, 1) == AliasSend(_OURS, _ALIAS, 1)
    assert address_alias(_NEITHER, _OURS, _ALIAS, 1) is None
