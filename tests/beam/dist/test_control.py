from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyerlcoin.beam.dist import Control, Exit2, MonitorP, RegSend, Send, UnlinkId, read_message
from pyerlcoin.beam.errors import LimitExceeded, MalformedMessage, MalformedTerm, RemoteFault, UnencodableTerm
from pyerlcoin.beam.etf import Atom, Limits, Pid, Reference, Term, encode
from tests.support import golden
from tests.support.control import MESSAGE_TYPES, messages

_PID = Pid.make("a@b", 1, 0, 7)
_REF = Reference.make("a@b", 7, [1, 2, 3])


def _frame(control: Term, payload: Term = None, rest: bytes = b"") -> bytes:
    behind = b"" if payload is None else b"\x83" + encode(payload)
    return b"p\x83" + encode(control) + behind + rest


@pytest.mark.parametrize(
    "frame",
    [
        golden.MONITOR,
        golden.CALL,
        golden.ALIAS_REPLY,
        golden.DEMONITOR,
        golden.SEND,
        golden.LINK,
        golden.UNLINK_ID,
        golden.EXIT2,
        golden.MONITOR_PID,
        golden.EXIT,
        golden.DEMONITOR_PID,
    ],
)
def test_what_otp_25_wrote_is_written_again(frame: bytes) -> None:
    assert read_message(frame).encode() == frame


@pytest.mark.parametrize("kind", MESSAGE_TYPES, ids=lambda kind: kind.name)
@settings(max_examples=30)  # of each of the 29
@given(st.data())
def test_every_message_comes_back(kind: type[Control], data: st.DataObject) -> None:
    message = data.draw(messages(kind))
    frame = message.encode()
    assert read_message(frame) == message
    with pytest.raises(MalformedMessage, match=r"bytes behind|without its message"):
        read_message(frame + b"j")


def test_an_element_that_was_the_cookie_may_hold_anything() -> None:
    assert read_message(_frame((2, Atom("monster"), _PID), 1)) == Send(_PID, 1)
    assert RegSend(_PID, Atom("x"), 1).encode() == _frame((6, _PID, Atom(""), Atom("x")), 1)


@pytest.mark.parametrize(
    "frame",
    [
        b"p",
        b"p\x82h\1a\1",
        b"\x83D\0" + encode((1, _PID, _PID)),
        _frame(7),
        _frame(()),
        _frame((Atom("x"), _PID)),
        _frame([1, _PID, _PID]),
        _frame((99, _PID)),
        # UNLINK, which OTP refuses since the flag UNLINK_ID is mandatory; and NODE_LINK.
        _frame((4, _PID, _PID)),
        _frame((5,)),
        _frame((-1, _PID)),
        _frame((1 << 70, _PID)),
        _frame((1 << 20_000, _PID)),  # more digits than Python writes
        _frame((1, _PID)),
        _frame((1, _PID, _PID, _PID)),
        _frame((2, Atom(""), _PID)),
        _frame((2, Atom(""), _PID), rest=b"\x83"),
        _frame((1, _PID, _PID), 1),
        _frame((1, _PID, Atom("x"))),
        _frame((19, _PID, _REF, _REF)),
        _frame((19, _PID, Atom("x"), Atom("x"))),
        _frame((31, _REF, _PID, -1, _PID)),
        _frame((35, 0, _PID, _PID)),
        _frame((35, 1 << 64, _PID, _PID)),
        _frame((35, Atom("x"), _PID, _PID)),
        _frame((29, _REF, _PID, _PID, (Atom("m"), Atom("f")), []), []),
        _frame((29, _REF, _PID, _PID, Atom("m"), []), []),
        _frame((29, _REF, _PID, _PID, (Atom("m"), Atom("f"), 1), Atom("x")), []),
    ],
)
def test_what_is_no_control_message(frame: bytes) -> None:
    with pytest.raises((MalformedMessage, MalformedTerm)):
        read_message(frame)


def test_terms_keep_to_their_limits_on_both_sides() -> None:
    limits = Limits(max_terms=4)
    assert read_message(_frame((1, _PID, _PID)), limits).name == "LINK"
    with pytest.raises(LimitExceeded):
        read_message(_frame((19, _PID, _PID, _REF, 5)), limits)
    with pytest.raises(LimitExceeded):
        read_message(_frame((2, Atom(""), _PID), [1] * 9), limits)


def test_what_cannot_be_encoded_leaves_nothing_behind() -> None:
    out = bytearray(b"before")
    for message in (Send(_PID, object()), Exit2(_PID, _PID, object()), UnlinkId(1, _PID, object())):  # type: ignore[arg-type]  # what no type checker lets through
        with pytest.raises(UnencodableTerm):
            message.encode_into(out)
        assert out == b"before"


def test_messages_are_compared_and_shown() -> None:
    message = MonitorP(_PID, Atom("x"), _REF)
    assert message == MonitorP(_PID, Atom("x"), _REF)
    assert message != MonitorP(_PID, Atom("y"), _REF)
    assert "cookie" not in repr(Send(_PID, 1))
    with pytest.raises(AttributeError):
        message.other = 1  # type: ignore[attr-defined]  # slots: a slip of the pen is an error


@given(st.sampled_from([b"", b"p\x83", b"p\x83h\4a\x13", b"p\x83h\3a\2"]), st.binary(max_size=60))
def test_whatever_comes_only_remote_faults_come_out(start: bytes, data: bytes) -> None:
    with suppress(RemoteFault):
        read_message(start + data)


@given(st.sampled_from([golden.CALL, golden.MONITOR, golden.UNLINK_ID]), st.data())
def test_whatever_byte_is_changed_only_remote_faults_come_out(frame: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(frame) - 1))
    with suppress(RemoteFault):
        read_message(frame[:at] + bytes((data.draw(st.integers(0, 255)),)) + frame[at + 1 :])
