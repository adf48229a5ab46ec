from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import (
    GEN_CALL,
    DemonitorP,
    DemonitorReceived,
    MonitorP,
    MonitorReceived,
    NodeName,
    RegSend,
    Send,
    monitor_key,
    read_message,
)
from pyerlcoin.beam.dist.control_messages import MonitorPExit
from pyerlcoin.beam.dist.fast_path import FastReader
from pyerlcoin.beam.errors import MalformedMessage, MalformedTerm, RemoteFault
from pyerlcoin.beam.etf import DEFAULT, Atom, ImproperList, Pid, Reference, Term, encode
from tests.support import golden
from tests.support.terms import terms

_OURS, _PEER = NodeName.parse(golden.GOLDEN), NodeName.parse(golden.OTP25)
_OUR_PID = Pid.make(_OURS.full, 1, 0, 7)
_PID = Pid.make(_PEER.full, 85, 0, 9)
_THIRD = Pid.make("third@127.0.0.1", 85, 0, 9)
_SERVER = Atom("Elixir.ElixirCoin.Server")
_alias = Atom("alias")


def _ref(words: int, node: str = _PEER.full) -> Reference:
    return Reference.make(node, 9, range(1, words + 1))


class _Readers:
    """The reader of one connection, and what it counted."""

    def __init__(self) -> None:
        self.hits: dict[str, int] = {}
        self.reader = FastReader(_OURS, _PEER, DEFAULT, self.hits)

    def read(self, frame: bytes) -> MonitorReceived | DemonitorReceived | RegSend | Send | None:
        """Between other bytes, as in what a socket gives."""
        return self.reader.read_frame(b"ab" + frame + golden.MONITOR, 2, 2 + len(frame))

    def hit(self) -> set[str]:
        return {name for name, count in self.hits.items() if count}


def _call(tag: Term, caller: Pid = _PID, request: Term = b"Alice") -> RegSend:
    return RegSend(_PID, _SERVER, (GEN_CALL, (caller, tag), request))


_REPLY = Send(_OUR_PID, (Reference.make(_OURS.full, 7, (1, 2, 3)), b"Alice"))


def test_a_call_of_otp_25_takes_the_short_way_as_a_whole() -> None:
    readers = _Readers()
    monitor, call, demonitor = (readers.read(f) for f in (golden.MONITOR, golden.CALL, golden.DEMONITOR))
    assert readers.hits == {"MONITOR_P": 1, "DEMONITOR_P": 1, "REG_SEND": 1, "SEND": 0, "$gen_call": 1}
    assert isinstance(monitor, MonitorReceived)
    assert isinstance(demonitor, DemonitorReceived)
    assert monitor.key == demonitor.key
    assert monitor.target == demonitor.target == _SERVER
    assert call == read_message(golden.CALL)
    expected = read_message(golden.MONITOR)
    assert isinstance(expected, MonitorP)
    assert (monitor.from_pid, monitor.ref) == (expected.from_pid, expected.ref)


def test_monitors_of_a_pid_take_the_short_way() -> None:
    readers = _Readers()
    for _ in range(2):
        for frame in (golden.MONITOR_PID, golden.DEMONITOR_PID):
            event = readers.read(frame)
            assert isinstance(event, MonitorReceived | DemonitorReceived)
            assert isinstance(event.target, Pid)
            assert event.target.node == _OURS.full
    assert readers.hits["MONITOR_P"] == readers.hits["DEMONITOR_P"] == 2


@pytest.mark.parametrize("words", range(1, 6))
@pytest.mark.parametrize("target", [_SERVER, _OUR_PID, Atom("")])
def test_references_of_every_size(words: int, target: Atom | Pid) -> None:
    readers = _Readers()
    message = MonitorP(_PID, target, _ref(words))
    assert readers.read(message.encode()) == MonitorReceived(monitor_key(message), target)
    call = _call(ImproperList([_alias], _ref(words)))
    assert readers.read(call.encode()) == call
    assert readers.hit() == {"MONITOR_P", "REG_SEND", "$gen_call"}


@pytest.mark.parametrize(
    "message",
    [
        RegSend(_PID, Atom("srv"), Atom("plain")),
        RegSend(_PID, Atom("srv"), (Atom("$gen_cast"), Atom("hi"))),
        _call(_ref(3)),
        _call(ImproperList([ImproperList([_alias], _ref(5))], _ref(3))),
        _call((_ref(3), Atom(_OURS.full))),
        _call(ImproperList([_alias], _ref(3)), caller=_THIRD),
        _call(ImproperList([_alias], _ref(3)), caller=Pid.make(_PEER.full, 86, 0, 9)),
        _call(ImproperList([_alias], _ref(3, "third@127.0.0.1"))),
        RegSend(_PID, _SERVER, (GEN_CALL, (_PID, ImproperList([_alias], _ref(3))))),
    ],
)
def test_other_messages_to_a_name_are_decoded_whole(message: RegSend) -> None:
    readers = _Readers()
    # The last has no request: the decoder says so.
    assert readers.read(message.encode()) == message
    assert readers.hit() == {"REG_SEND"}


@pytest.mark.parametrize(
    "message",
    [
        MonitorP(_THIRD, _SERVER, _ref(3)),
        MonitorP(_PID, _THIRD, _ref(3)),
        MonitorP(_PID, Atom("é" * 200), _ref(3)),
        MonitorP(_PID, _SERVER, _ref(3, "third@127.0.0.1")),
        DemonitorP(_PID, _THIRD, _ref(3)),
        RegSend(_THIRD, _SERVER, 1),
        RegSend(_PID, Atom("é" * 200), 1),
        MonitorPExit(_PID, _OUR_PID, _ref(3), 1),
    ],
)
def test_what_is_written_otherwise_is_left_to_the_long_way(message: MonitorP | DemonitorP | RegSend) -> None:
    readers = _Readers()
    assert readers.read(message.encode()) is None
    assert readers.hit() == set()


def test_a_cookie_that_is_not_empty_is_left_to_the_long_way() -> None:
    frame = b"p\x83" + encode((6, _PID, Atom("monster"), _SERVER)) + b"\x83" + encode(1)
    assert _Readers().read(frame) is None
    assert _Readers().read(golden.CALL.replace(b"w\0w\x18Elixir.ElixirCoin.Server\x83", b"w\0w\0w", 1)) is None


@pytest.mark.parametrize("frame", [golden.MONITOR, golden.DEMONITOR_PID, golden.CALL])
def test_no_frame_may_be_cut_short_or_go_on(frame: bytes) -> None:
    readers = _Readers()
    for size in range(len(frame)):
        with suppress(RemoteFault):
            assert readers.read(frame[:size]) is None
    with suppress(MalformedMessage):
        assert readers.read(frame + b"\0") is None
    assert not {"MONITOR_P", "DEMONITOR_P", "REG_SEND"} & readers.hit()


def test_a_name_that_is_no_utf_8_is_left_to_the_long_way() -> None:
    broken = golden.MONITOR.replace(b"Elixir", b"\xff\xff\xff\xff\xff\xff")
    assert _Readers().read(broken) is None
    with pytest.raises(MalformedTerm):
        read_message(broken)


def test_more_names_than_are_kept() -> None:
    readers = _Readers()
    for number in range(300):
        message = RegSend(_PID, Atom(f"name{number}"), number)
        assert readers.read(message.encode()) == message
    assert readers.hits["REG_SEND"] == 300


@given(terms)
def test_any_request_comes_out_as_on_the_long_way(request_: Term) -> None:
    readers = _Readers()
    frame = _call(ImproperList([_alias], _ref(3)), request=request_).encode()
    assert readers.read(frame) == read_message(frame)
    assert readers.hits["$gen_call"] == 1


@given(st.sampled_from([golden.CALL, golden.MONITOR, golden.DEMONITOR_PID, _REPLY.encode()]), st.data())
def test_what_the_short_way_takes_the_long_way_takes_too(frame: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(frame) - 1))
    changed = frame[:at] + bytes((data.draw(st.integers(0, 255)),)) + frame[at + 1 :]
    readers = _Readers()
    try:
        event = readers.read(changed)
    except RemoteFault:
        return
    if isinstance(event, RegSend | Send):
        assert event == read_message(changed)
    elif event is not None:
        message = read_message(changed)
        assert isinstance(message, MonitorP | DemonitorP)
        assert (event.key, event.target, event.from_pid, event.ref) == (
            monitor_key(message),
            message.target,
            message.from_pid,
            message.ref,
        )


def test_lengths_that_do_not_fit_are_left_to_the_long_way() -> None:
    for frame in (golden.MONITOR, golden.CALL):
        at = frame.index(b"w\x18Elixir")
        assert _Readers().read(frame[: at + 1] + b"\x17" + frame[at + 2 :]) is None
    assert _Readers().read(golden.CALL + b"\0") is None
    call = golden.CALL
    assert _Readers().reader.read_frame(call + b"x", 0, len(call) + 1) is None


@given(terms)
def test_a_reply_to_a_call_of_ours_comes_out_as_on_the_long_way(value: Term) -> None:
    readers = _Readers()
    reply = Send(_OUR_PID, (Reference.make(_OURS.full, 7, (1, 2, 3)), value))
    assert readers.read(reply.encode()) == reply == read_message(reply.encode())
    assert readers.hit() == {"SEND"}


@pytest.mark.parametrize(
    "message",
    [
        Send(_OUR_PID, Atom("plain")),
        Send(_THIRD, (Reference.make(_OURS.full, 7, (1, 2, 3)), 1)),
        Send(_OUR_PID, (_ref(3), 1)),
        Send(_OUR_PID, (Reference.make(_OURS.full, 7, (1, 2)), 1)),
        Send(_OUR_PID, (Reference.make(_OURS.full, 7, (1, 2, 3)), 1, 2)),
    ],
)
def test_other_messages_to_a_pid_are_left_to_the_long_way(message: Send) -> None:
    readers = _Readers()
    assert readers.read(message.encode()) is None
    assert readers.hit() == set()


def test_no_reply_may_be_cut_short_or_go_on() -> None:
    readers = _Readers()
    frame = _REPLY.encode()
    for size in range(len(frame)):
        with suppress(RemoteFault):
            assert readers.read(frame[:size]) is None
    assert readers.read(frame + b"\0") is None
    assert readers.hit() == set()
