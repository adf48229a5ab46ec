from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import (
    GEN_CALL,
    OFFERED,
    AliasSend,
    AltactSigSend,
    CallReceived,
    Control,
    DemonitorP,
    DemonitorReceived,
    DistributionFlags,
    DistributionLink,
    Exit,
    Exit2,
    Exit2TT,
    ExitTT,
    GroupLeader,
    Link,
    MonitorP,
    MonitorPExit,
    MonitorReceived,
    NodeName,
    PayloadExit,
    PayloadExit2,
    PayloadExit2TT,
    PayloadExitTT,
    RegSend,
    Send,
    SendSender,
    UnlinkId,
    UnlinkIdAck,
    alias_tag,
    monitor_key,
    read_message,
)
from pyerlcoin.beam.errors import LimitExceeded, MalformedMessage, RemoteFault, UnencodableTerm
from pyerlcoin.beam.etf import Atom, ImproperList, Limits, Pid, Reference, Term
from tests.support import golden
from tests.support.golden import frame
from tests.support.machines import CHUNKINGS, feed
from tests.support.whole_calls import unfold

_OURS, _PEER = NodeName.parse(golden.GOLDEN), NodeName.parse(golden.OTP25)
_OUR_PID = Pid.make(_OURS.full, 1, 0, golden.CREATION)
_PID = Pid.make(_PEER.full, 85, 0, golden.OTP25_CREATION)
_REF = Reference.make(_PEER.full, golden.OTP25_CREATION, [1, 2, 3])
_TO_OTP25 = DistributionFlags(golden.OTP25_FLAGS) & OFFERED

_EVERYTHING = [
    golden.MONITOR,
    golden.CALL,
    golden.DEMONITOR,
    golden.SEND,
    golden.LINK,
    golden.UNLINK_ID,
    golden.EXIT2,
    golden.MONITOR_PID,
    golden.EXIT,
    golden.DEMONITOR_PID,
]


def _link(frame_limit: int = 10_000, limits: Limits | None = None) -> DistributionLink:
    return DistributionLink(_OURS, _PEER, _TO_OTP25, frame_limit=frame_limit, limits=limits or Limits())


@CHUNKINGS
def test_what_otp_25_sent(chunk: int) -> None:
    link = _link()
    feed(link, b"".join(map(frame, _EVERYTHING)), chunk)
    events = list(unfold(link.events()))
    assert [type(event) for event in events] == [
        MonitorReceived,
        RegSend,
        DemonitorReceived,
        Send,
        Link,
        UnlinkId,
        type(read_message(golden.EXIT2)),
        MonitorReceived,
        Exit,
        DemonitorReceived,
    ]
    for event, data in zip(events, _EVERYTHING, strict=True):
        message = read_message(data)
        if isinstance(message, MonitorP | DemonitorP):
            assert isinstance(event, MonitorReceived | DemonitorReceived)
            assert (event.key, event.target) == (monitor_key(message), message.target)
        else:
            assert event == message
    whole = int(chunk >= len(golden.MONITOR) + len(golden.CALL))
    alone = 1 - whole
    assert link.fast_hits == {
        "MONITOR_P": 1 + alone,
        "DEMONITOR_P": 2,
        "REG_SEND": alone,
        "SEND": 0,
        "$gen_call": alone,
        "whole call": whole,
    }
    assert (link.frames_received, link.ticks_received, link.events()) == (10, 0, [])


def test_the_reply_that_otp_25_took() -> None:
    link = _link()
    link.receive_data(frame(golden.CALL))
    (call,) = link.events()
    assert isinstance(call, RegSend)
    match call.message:
        case (Atom("$gen_call"), (Pid() as caller, tag), (Atom("done"), b"Alice")):
            link.send_reply(_OUR_PID, caller, tag, (Atom("ok"), 1))
    assert link.data_to_send() == frame(golden.ALIAS_REPLY)
    assert link.data_to_send() == b""


def test_a_call_that_comes_at_once_is_one_event() -> None:
    link = _link()
    one_call = b"".join(map(frame, (golden.DEMONITOR, golden.MONITOR, golden.CALL)))
    link.receive_data(bytes(4) + one_call + frame(golden.SEND) + one_call + one_call[:-1])
    events = link.events()
    # Of the last call, the end is still to come.
    assert [type(event) for event in events] == [
        CallReceived, Send, CallReceived, DemonitorReceived, MonitorReceived
    ]  # fmt: skip
    assert (link.frames_received, link.ticks_received, link.whole_calls) == (10, 1, 2)
    call = read_message(golden.CALL)
    assert isinstance(call, RegSend)
    assert list(unfold(events[:1])) == [*events[3:], call]
    match events[0]:
        case CallReceived(caller=caller, tag=tag, request=request):
            assert call.message == (GEN_CALL, (caller, tag), request)
            link.send_reply(_OUR_PID, caller, tag, (Atom("ok"), 1))
    assert link.data_to_send() == frame(golden.ALIAS_REPLY)
    link.receive_data(one_call[-1:])
    assert link.events() == [call]


def test_a_call_with_a_frame_over_the_limit_is_none() -> None:
    size = len(golden.CALL)
    _link(size).receive_data(frame(golden.MONITOR) + frame(golden.CALL))
    with pytest.raises(LimitExceeded):
        _link(size - 1).receive_data(frame(golden.MONITOR) + frame(golden.CALL))


@CHUNKINGS
def test_ticks_are_counted_among_frames(chunk: int) -> None:
    link = _link()
    feed(link, bytes(4) + frame(golden.SEND) + bytes(8), chunk)
    assert (link.frames_received, link.ticks_received, len(link.events())) == (4, 3, 1)
    link.send_tick()
    assert link.queued == 4
    assert link.data_to_send() == bytes(4)
    assert link.queued == 0


def test_two_links_talk_in_batches() -> None:
    one, other = _link(), DistributionLink(_PEER, _OURS, _TO_OTP25)
    messages = [Send(_PID, number) for number in range(100)]
    for message in messages:
        one.send(message)
    one.send_tick()
    other.receive_data(one.data_to_send())
    assert other.events() == messages
    assert other.ticks_received == 1
    big = Send(_PID, bytes(9_000))
    one.send(big)
    feed(other, one.data_to_send(), 100)
    assert other.events() == [big]


def test_another_spelling_of_a_monitor_has_the_same_key() -> None:
    # As ATOM_EXT, in Latin-1: erl of old wrote it so, and still may.
    old_peer = b"d\0\x0f" + golden.OTP25.encode()
    new_peer = b"w\x0f" + golden.OTP25.encode()
    link = _link()
    link.receive_data(frame(golden.MONITOR) + frame(golden.DEMONITOR.replace(new_peer, old_peer)))
    monitor, demonitor = link.events()
    assert isinstance(monitor, MonitorReceived)
    assert isinstance(demonitor, DemonitorReceived)
    assert monitor.key == demonitor.key
    link.receive_data(frame(golden.MONITOR.replace(new_peer, old_peer)))
    assert link.events() == [monitor]
    assert (link.fast_hits["MONITOR_P"], link.fast_hits["DEMONITOR_P"]) == (1, 0)


_THIRD = Pid.make("third@127.0.0.1", 1, 0, 1)
_T = Atom("t")


@pytest.mark.parametrize(
    "message",
    [
        Link(_THIRD, _OUR_PID),
        UnlinkId(1, _THIRD, _OUR_PID),
        UnlinkIdAck(1, _THIRD, _OUR_PID),
        MonitorP(_THIRD, Atom("x"), _REF),
        DemonitorP(_THIRD, Atom("x"), _REF),
        Exit(_THIRD, _OUR_PID, _T),
        ExitTT(_THIRD, _OUR_PID, _T, _T),
        Exit2(_THIRD, _OUR_PID, _T),
        Exit2TT(_THIRD, _OUR_PID, _T, _T),
        PayloadExit(_THIRD, _OUR_PID, _T),
        PayloadExitTT(_THIRD, _OUR_PID, _T, _T),
        PayloadExit2(_THIRD, _OUR_PID, _T),
        PayloadExit2TT(_THIRD, _OUR_PID, _T, _T),
    ],
    ids=lambda message: message.name,
)
def test_nobody_links_watches_or_ends_in_the_name_of_another_node(message: Control) -> None:
    link = _link()
    with pytest.raises(MalformedMessage, match=f"{message.name} from a process of third@127"):
        link.receive_data(frame(message.encode()))


@pytest.mark.parametrize(
    "message",
    [
        RegSend(_THIRD, Atom("x"), 1),
        SendSender(_THIRD, _OUR_PID, 1),
        GroupLeader(_THIRD, _OUR_PID),
        MonitorPExit(_THIRD, _OUR_PID, _REF, _T),
    ],
    ids=lambda message: message.name,
)
def test_messages_may_name_a_sender_of_another_node(message: Control) -> None:
    link = _link()
    link.receive_data(frame(message.encode()))
    assert link.events() == [message]


def test_a_frame_over_the_limit_is_refused_by_its_length_alone() -> None:
    link = _link(frame_limit=100)
    with pytest.raises(LimitExceeded) as caught:
        link.receive_data(frame(golden.SEND) + b"\xff\xff\xff\xff")
    assert (caught.value.size, caught.value.limit) == (0xFFFFFFFF, 100)
    # What came before the fault is not lost; what comes after it is.
    assert link.events() == [read_message(golden.SEND)]
    link.receive_data(frame(golden.SEND))
    assert (link.events(), link.frames_received) == ([], 1)


def test_terms_keep_to_the_limits() -> None:
    link = _link(limits=Limits(max_terms=10))
    with pytest.raises(LimitExceeded):
        link.receive_data(frame(RegSend(_PID, Atom("x"), [1] * 20).encode()))


@pytest.mark.parametrize(
    "data",
    [
        golden.SEND + b"\0",
        golden.CALL + b"\0",
        golden.MONITOR + b"\0",
        golden.MONITOR[:-1],
        golden.MONITOR[:40],
        golden.MONITOR[:36],
        golden.CALL[:38],
        golden.CALL[:80],
        b"p",
        b"\x83D\0h\0",
    ],
)
def test_a_broken_frame_closes_the_link(data: bytes) -> None:
    link = _link()
    with pytest.raises(RemoteFault):
        link.receive_data(frame(data))
    link.receive_data(frame(golden.SEND))
    assert link.events() == []


@CHUNKINGS
def test_a_fault_is_told_by_its_place_in_the_frame_however_the_frame_came(chunk: int) -> None:
    link = _link()
    frames = frame(golden.MONITOR) + frame(golden.CALL.replace(b"\x83h\3", b"\x83\3h")) + frame(golden.DEMONITOR)
    with pytest.raises(RemoteFault, match=r"at byte 65: unknown tag 3$"):
        feed(link, frames, chunk)


def test_after_the_end_nothing_comes() -> None:
    link = _link()
    link.receive_data(frame(golden.SEND)[:-1])
    link.receive_eof()
    link.receive_data(frame(golden.SEND)[-1:])
    assert link.events() == []


@pytest.mark.parametrize("value", [object(), bytes(100)])
@pytest.mark.parametrize("tag", [_REF, ImproperList([Atom("alias")], _REF)])
def test_what_cannot_be_sent_leaves_nothing_behind(value: Term, tag: Term) -> None:
    link = _link(frame_limit=150)
    link.send_tick()
    with pytest.raises(UnencodableTerm):
        link.send(Send(_PID, [value, value]))
    with pytest.raises(UnencodableTerm):
        link.send_reply(_OUR_PID, _PID, tag, [value, value])
    assert link.data_to_send() == bytes(4)


def _link_with(flags: DistributionFlags, frame_limit: int = 200) -> DistributionLink:
    return DistributionLink(_OURS, _PEER, flags, frame_limit=frame_limit)


_NO_ALIAS = _TO_OTP25 & ~DistributionFlags.DFLAG_ALIAS
_FLAGS_OF_REPLIES = [_TO_OTP25, _TO_OTP25 | DistributionFlags.DFLAG_ALTACT_SIG, _NO_ALIAS]


@pytest.mark.parametrize("flags", _FLAGS_OF_REPLIES, ids=["ALIAS_SEND", "ALTACT_SIG_SEND", "SEND"])
@pytest.mark.parametrize("value", [7, (Atom("ok"), 1), [b"Alice", 2.5]])
def test_a_quick_reply_is_the_bytes_of_a_reply(flags: DistributionFlags, value: Term) -> None:
    quick, plain = _link_with(flags), _link_with(flags)
    for link in (quick, plain):
        link.send_tick()
    quick.send_to_alias(_OUR_PID, _PID, _REF.wire, value)
    plain.send_reply(_OUR_PID, _PID, alias_tag(_REF.wire), value)
    data = quick.data_to_send()
    assert data == plain.data_to_send()
    link = DistributionLink(_PEER, _OURS, flags)
    link.receive_data(data)
    (reply,) = link.events()
    assert isinstance(reply, Send | AliasSend | AltactSigSend)
    assert reply.message == (alias_tag(_REF.wire), value)


@pytest.mark.parametrize("flags", _FLAGS_OF_REPLIES, ids=["ALIAS_SEND", "ALTACT_SIG_SEND", "SEND"])
@pytest.mark.parametrize("value", [object(), bytes(200)])
def test_a_quick_reply_that_cannot_be_sent_leaves_nothing_behind(flags: DistributionFlags, value: Term) -> None:
    link = _link_with(flags)
    link.send_tick()
    with pytest.raises(UnencodableTerm):
        link.send_to_alias(_OUR_PID, _PID, _REF.wire, value)
    assert link.data_to_send() == bytes(4)


@pytest.mark.parametrize("to", [_PID, Atom("Elixir.ElixirCoin.Server")], ids=["a pid", "a name"])
def test_a_call_is_the_bytes_of_its_messages(to: Pid | Atom) -> None:
    quick, plain = _link_with(_TO_OTP25, 300), _link_with(_TO_OTP25, 300)
    request = (Atom("done"), b"Alice")
    message = (GEN_CALL, (_OUR_PID, _REF), request)
    quick.send_call(_OUR_PID, to, _REF, request)
    quick.send_demonitor(_OUR_PID, to, _REF)
    plain.send(MonitorP(_OUR_PID, to, _REF))
    plain.send(RegSend(_OUR_PID, to, message) if isinstance(to, Atom) else Send(to, message))
    plain.send(DemonitorP(_OUR_PID, to, _REF))
    assert quick.data_to_send() == plain.data_to_send()
    quick.send_monitor(_OUR_PID, to, _REF)
    plain.send(MonitorP(_OUR_PID, to, _REF))
    assert quick.data_to_send() == plain.data_to_send()


@pytest.mark.parametrize("request_", [object(), bytes(300)], ids=["no term", "too long"])
def test_a_call_that_cannot_be_sent_watches_nobody(request_: Term) -> None:
    link = _link_with(_TO_OTP25)
    link.send_tick()
    with pytest.raises(UnencodableTerm):
        link.send_call(_OUR_PID, Atom("server"), _REF, request_)
    assert link.data_to_send() == bytes(4)


@given(st.lists(st.one_of(st.binary(max_size=50), st.sampled_from(_EVERYTHING)), max_size=5), st.binary(max_size=9))
def test_whatever_comes_only_remote_faults_come_out(frames: list[bytes], rest: bytes) -> None:
    link = _link()
    with suppress(RemoteFault):
        link.receive_data(b"".join(map(frame, frames)) + rest)
    for event in link.events():
        assert repr(event)


@pytest.mark.parametrize("to", [_PID, Atom("server")])
@pytest.mark.parametrize("lacking", ["DFLAG_DIST_MONITOR", "DFLAG_DIST_MONITOR_NAME"])
def test_a_peer_without_monitors_gets_none(to: Pid | Atom, lacking: str) -> None:
    """As C nodes mostly are, which end the connection at the sight of one."""
    link = DistributionLink(_OURS, _PEER, _TO_OTP25 & ~DistributionFlags[lacking])
    link.send_monitor(_OUR_PID, to, _REF)
    link.send_call(_OUR_PID, to, _REF, 7)
    link.send_demonitor(_OUR_PID, to, _REF)
    message = (GEN_CALL, (_OUR_PID, _REF), 7)
    sent = Send(to, message) if isinstance(to, Pid) else RegSend(_OUR_PID, to, message)
    data = link.data_to_send()
    assert int.from_bytes(data[:4]) == len(data) - 4
    assert read_message(data[4:]) == sent
