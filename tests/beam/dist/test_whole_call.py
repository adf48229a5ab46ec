from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import (
    CallReceived,
    Control,
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
from pyerlcoin.beam.dist.link import FRAME_LIMIT
from pyerlcoin.beam.dist.whole_call import GEN_CALL, WHOLE_CALL, WholeCallReader
from pyerlcoin.beam.etf import DEFAULT, Atom, ImproperList, Pid, Reference, Term
from tests.support import golden
from tests.support.terms import terms
from tests.support.whole_calls import unfold

_OURS, _PEER = NodeName.parse(golden.GOLDEN), NodeName.parse(golden.OTP25)
_OUR_PID = Pid.make(_OURS.full, 1, 0, 7)
_PID = Pid.make(_PEER.full, 85, 0, 9)
_OTHER_PID = Pid.make(_PEER.full, 86, 0, 9)
_THIRD = Pid.make("third@127.0.0.1", 85, 0, 9)
_SERVER = Atom("Elixir.ElixirCoin.Server")
_alias = Atom("alias")


def _ref(words: int) -> Reference:
    return Reference.make(_PEER.full, 9, range(1, words + 1))


class _Reader:
    """The reader of one connection, and what it counted."""

    def __init__(self, frame_limit: int = FRAME_LIMIT) -> None:
        self.hits: dict[str, int] = {}
        self.reader = WholeCallReader(_PEER, DEFAULT, frame_limit, self.hits)

    def read(self, *frames: bytes) -> CallReceived | None:
        """Between other bytes, as a socket gives them, with their lengths; None also if not all of them were taken."""
        data = b"ab" + b"".join(len(frame).to_bytes(4) + frame for frame in frames)
        found: list[CallReceived] = []
        end = self.reader.read(data + data, 2, found.append)
        return found[0] if len(found) == 1 and end == len(data) else None

    @property
    def taken(self) -> int:
        return self.hits[WHOLE_CALL]


def _call(tag: Term, caller: Pid = _PID, request: Term = b"Alice", server: Atom = _SERVER) -> RegSend:
    return RegSend(_PID, server, (GEN_CALL, (caller, tag), request))


_ALIAS_CALL = _call(ImproperList([_alias], _ref(3)))


@pytest.mark.parametrize("words", range(1, 6))
@pytest.mark.parametrize("server", [_SERVER, Atom("a"), Atom("Zé\x83Z" * 30)])
@pytest.mark.parametrize("first", [True, False])
def test_a_whole_call_is_its_three_messages(words: int, server: Atom, first: bool) -> None:
    ref, before = _ref(words), Reference.make(_PEER.full, 9, range(2, words + 2))
    monitor = MonitorP(_PID, server, ref)
    messages: list[Control] = [
        DemonitorP(_PID, server, before),
        monitor,
        RegSend(_PID, server, (GEN_CALL, (_PID, ImproperList([_alias], ref)), b"Alice")),
    ]
    if first:
        del messages[0]
    reader = _Reader()
    call = reader.read(*(message.encode() for message in messages))
    assert call is not None
    assert reader.taken == 1
    assert (call.ended is None) == first
    events = list(unfold([call]))
    assert events[-1] == messages[-1]
    assert events[-2] == MonitorReceived(monitor_key(monitor), server)
    if not first:
        assert events[0] == DemonitorReceived(monitor_key(DemonitorP(_PID, server, before)), server)


@pytest.mark.parametrize(
    "messages",
    [
        [MonitorP(_PID, _SERVER, _ref(3))],
        [MonitorP(_PID, _SERVER, _ref(3)), MonitorP(_PID, _SERVER, _ref(3))],
        [MonitorP(_PID, _SERVER, _ref(2)), _call(ImproperList([_alias], _ref(3)))],
        [MonitorP(_PID, Atom("other"), _ref(3)), _call(ImproperList([_alias], _ref(3)))],
        [MonitorP(_PID, _OUR_PID, _ref(3)), Send(_OUR_PID, (GEN_CALL, (_PID, ImproperList([_alias], _ref(3))), 1))],
        [MonitorP(_THIRD, _SERVER, _ref(3)), _call(ImproperList([_alias], _ref(3)))],
        [MonitorP(_PID, _SERVER, _ref(3)), _call(ImproperList([_alias], _ref(3)), caller=_THIRD)],
        [MonitorP(_PID, _SERVER, _ref(3)), _call(_ref(3))],
        [MonitorP(_PID, _SERVER, _ref(3)), _call(ImproperList([ImproperList([_alias], _ref(3))], _ref(3)))],
        [MonitorP(_PID, _SERVER, _ref(3)), RegSend(_PID, _SERVER, (GEN_CALL, (_PID, ImproperList([_alias], _ref(3)))))],
        [DemonitorP(_PID, Atom("other"), _ref(3)), MonitorP(_PID, _SERVER, _ref(3)), _ALIAS_CALL],
        [DemonitorP(_PID, _SERVER, _ref(2)), MonitorP(_PID, _SERVER, _ref(3)), _ALIAS_CALL],
        [DemonitorP(_PID, _OUR_PID, _ref(3)), MonitorP(_PID, _SERVER, _ref(3)), _ALIAS_CALL],
        [DemonitorP(_THIRD, _SERVER, _ref(3)), MonitorP(_PID, _SERVER, _ref(3)), _ALIAS_CALL],
    ],
)
def test_what_is_no_whole_call_is_read_frame_by_frame(messages: list[Control]) -> None:
    reader = _Reader()
    assert reader.read(*(message.encode() for message in messages)) is None
    assert reader.taken == 0


def test_calls_of_several_names_in_turn() -> None:
    reader = _Reader()
    names = [Atom(f"name{number}") for number in range(70)]
    for name in names * 2:
        ref = _ref(3)
        frames = [MonitorP(_PID, name, ref).encode(), _call(ImproperList([_alias], ref), server=name).encode()]
        call = reader.read(*frames)
        if name in names[:64]:
            assert call is not None
            assert (call.target, call.tag) == (name, ImproperList([_alias], ref))
        else:
            # As many as a connection learns; the others are read frame by frame.
            assert call is None
    assert reader.taken == 2 * 64


def test_the_call_before_may_be_of_another_process() -> None:
    reader = _Reader()
    before = DemonitorP(_OTHER_PID, _SERVER, _ref(3))
    call = reader.read(before.encode(), MonitorP(_PID, _SERVER, _ref(3)).encode(), _ALIAS_CALL.encode())
    assert call is not None
    assert call.ended == monitor_key(before)
    assert call.caller == _PID


def test_a_name_that_is_no_utf_8_is_left_to_the_long_way() -> None:
    frames = [golden.MONITOR, golden.CALL]
    assert _Reader().read(*frames) is not None
    assert _Reader().read(*(one.replace(b"Elixir", b"\xff\xff\xff\xff\xff\xff") for one in frames)) is None


@pytest.mark.parametrize("broken", [b"\xff", b"", b"l\xff\xff\xff\xff"], ids=["no tag", "nothing", "no list"])
def test_a_request_that_is_no_term_is_left_to_the_long_way(broken: bytes) -> None:
    reader = _Reader()
    call = _ALIAS_CALL.encode()
    request = b"m\0\0\0\5Alice"
    assert call.endswith(request)
    assert reader.read(MonitorP(_PID, _SERVER, _ref(3)).encode(), call.removesuffix(request) + broken) is None
    assert reader.taken == 0


def test_calls_that_follow_each_other_are_taken_at_once() -> None:
    first, later = [golden.MONITOR, golden.CALL], [golden.DEMONITOR, golden.MONITOR, golden.CALL]
    reader = _Reader()
    calls = b"".join(map(golden.frame, [*first, *later, *later]))
    for rest in (b"", golden.frame(golden.DEMONITOR), calls[:100], bytes(4)):
        found: list[CallReceived] = []
        assert reader.reader.read(calls + rest, 0, found.append) == len(calls)
        assert [call.ended is None for call in found] == [True, False, False]
        assert reader.reader.frames == 8
    assert reader.taken == 12


def test_a_call_over_the_limit_is_left_to_the_long_way() -> None:
    size = sum(len(golden.frame(one)) for one in (golden.MONITOR, golden.CALL))
    assert _Reader(size).read(golden.MONITOR, golden.CALL) is not None
    assert _Reader(size - 1).read(golden.MONITOR, golden.CALL) is None


@given(terms)
def test_any_request_of_a_whole_call_comes_out_as_on_the_long_way(request_: Term) -> None:
    reader = _Reader()
    message = _call(ImproperList([_alias], _ref(3)), request=request_).encode()
    call = reader.read(MonitorP(_PID, _SERVER, _ref(3)).encode(), message)
    assert call is not None
    assert list(unfold([call]))[-1] == read_message(message)


@given(st.booleans(), st.data())
def test_what_is_taken_as_a_whole_call_is_one(first: bool, data: st.DataObject) -> None:
    frames = [golden.DEMONITOR, golden.MONITOR, golden.CALL][first:]
    stream = b"".join(map(golden.frame, frames))
    at = data.draw(st.integers(0, len(stream) - 1))
    changed = stream[:at] + bytes((data.draw(st.integers(0, 255)),)) + stream[at + 1 :]
    found: list[CallReceived] = []
    end = _Reader().reader.read(changed, 0, found.append)
    assert end == (len(changed) if found else 0)
    if found:
        pieces = (changed[place + 4 : place + 4 + len(one)] for one, place in zip(frames, _places(frames), strict=True))
        messages = [read_message(piece) for piece in pieces]
        for event, message in zip(unfold(found), messages, strict=True):
            if isinstance(event, MonitorReceived | DemonitorReceived):
                assert isinstance(message, MonitorP | DemonitorP)
                assert (event.key, event.target) == (monitor_key(message), message.target)
            else:
                assert event == message
        assert b"".join(golden.frame(message.encode()) for message in messages) == changed


def _places(frames: list[bytes]) -> list[int]:
    return [sum(len(one) + 4 for one in frames[:count]) for count in range(len(frames))]


def _taken(stream: bytes) -> int:
    """How many calls it begins with; nothing is taken but them."""
    found: list[CallReceived] = []
    assert (_Reader().reader.read(stream, 0, found.append) == 0) == (not found)
    return len(found)


def test_lengths_that_do_not_fit_are_left_to_the_long_way() -> None:
    head = [golden.DEMONITOR, golden.MONITOR, golden.CALL]
    stream = b"".join(map(golden.frame, head))
    at_monitor = len(golden.frame(golden.DEMONITOR))
    at_call = at_monitor + len(golden.frame(golden.MONITOR))
    for place in (3, at_monitor + 3, at_call + 3):
        for change in (1, 255):
            changed = bytearray(stream + bytes(300))
            changed[place] = (changed[place] + change) % 256
            assert _taken(bytes(changed)) == 0
    broken = stream[: -len(golden.CALL) // 4] + b"\xff" * 200
    assert _taken(broken) == 0
