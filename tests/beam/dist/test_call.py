from __future__ import annotations

import pytest
from hypothesis import given

from pyerlcoin.beam.dist import GEN_CALL, DemonitorP, MonitorP, RegSend, Send
from pyerlcoin.beam.dist.call import write_call, write_demonitor
from pyerlcoin.beam.errors import UnencodableTerm
from pyerlcoin.beam.etf import Atom, Pid, Reference, Term
from tests.support.golden import frame
from tests.support.terms import terms

_CALLER = Pid.make("ours@b", 1, 0, 7)
_PID = Pid.make("peer@b", 5, 0, 9)
_NAME = Atom("Elixir.ElixirCoin.Server")
_REF = Reference.make("ours@b", 7, [1, 2, 3])


@given(terms)
@pytest.mark.parametrize("to", [_NAME, _PID])
def test_a_call_is_written_as_its_declarations_say(to: Atom | Pid, request_: Term) -> None:
    message = (GEN_CALL, (_CALLER, _REF), request_)
    send = RegSend(_CALLER, to, message) if isinstance(to, Atom) else Send(to, message)
    monitor = frame(MonitorP(_CALLER, to, _REF).encode())
    out = bytearray(b"before")
    at = write_call(out, _CALLER, to, _REF, request_)
    assert at == len(b"before" + monitor)
    assert out == b"before" + monitor + bytes(4) + send.encode()


@pytest.mark.parametrize("to", [_NAME, _PID])
def test_a_demonitor_is_written_as_its_declaration_says(to: Atom | Pid) -> None:
    out = bytearray(b"before")
    write_demonitor(out, _CALLER, to, _REF)
    assert out == b"before" + frame(DemonitorP(_CALLER, to, _REF).encode())


def test_a_request_without_external_form() -> None:
    with pytest.raises(UnencodableTerm):
        write_call(bytearray(), _CALLER, _NAME, _REF, object())
