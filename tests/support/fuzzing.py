"""The four parsers of peer bytes, each as one function that a fuzzer calls, and its first inputs.

The invariant: on peer bytes nothing but RemoteFault (and from the handshake the Refused that it documents) comes out,
and what was decoded, encoded again, decodes to the same.

Where a parser promises more, that is held too: how the bytes of an epmd message or of a link are cut into pieces makes
no difference; a link's short ways say what the long way says; a handshake that failed is over. The first byte of an
input says how the others are given to the parser.
"""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final, NamedTuple, cast, get_type_hints

from pyerlcoin.beam import dist
from pyerlcoin.beam.dist import (
    OFFERED,
    Acceptor,
    Alive2Request,
    Alive2Response,
    AliveReceived,
    AltactSigSend,
    Control,
    DemonitorReceived,
    DistributionLink,
    EpmdQuery,
    EpmdReply,
    EpmdRequest,
    EpmdSession,
    HandshakeState,
    Initiator,
    LinkEvent,
    MonitorReceived,
    NameReceived,
    NameRequested,
    NamesRequest,
    NamesResponse,
    NodeName,
    Port2Response,
    PortPlease2Request,
    Registry,
    Status,
    monitor_key,
    read_message,
)
from pyerlcoin.beam.dist import control_messages as declared
from pyerlcoin.beam.dist.control import Payload, Token
from pyerlcoin.beam.dist.epmd import decode_request
from pyerlcoin.beam.dist.handshake_messages import (
    Challenge,
    ChallengeAck,
    ChallengeReply,
    Complement,
    Named,
    OldSendName,
    SendHost,
    SendName,
)
from pyerlcoin.beam.errors import HungUp, LimitExceeded, Refused, RemoteFault
from pyerlcoin.beam.etf import Atom, Limits, Pid, Reference, Term, binary_to_term, decode, encode, term_to_binary
from tests.beam.etf.golden import READ, WRITTEN
from tests.support import golden
from tests.support.control import MESSAGE_TYPES
from tests.support.handshakes import ASKING, GIVEN, MESSAGES, acceptor, initiator
from tests.support.machines import chunks
from tests.support.whole_calls import unfold

__all__ = ["PARSERS", "Parser"]

# So tight that small inputs reach every limit; the other choice is the default.
_TIGHT: Final = Limits(max_depth=4, max_terms=24, max_integer_bytes=16)
_WHOLE: Final = 1 << 20
_PIECES: Final = (_WHOLE, 1, 3, 7)


class Parser(NamedTuple):
    """`check` raises for an input that breaks the invariant, and for nothing else."""

    check: Callable[[bytes], None]
    seeds: list[bytes]


def _piece_size(mode: int, body: bytes) -> int:
    """As the two highest bits of the mode say, but no more than 64 pieces: they are what takes time."""
    return max(_PIECES[mode >> 6], len(body) // 64)


# The codec. The first byte: bit 0, tight limits. Then a term without its version byte.


def check_codec(data: bytes) -> None:
    """`decode`, `binary_to_term`."""
    if not data:
        return
    limits = _TIGHT if data[0] & 1 else Limits()
    try:
        term, end = decode(data, 1, limits)
    except RemoteFault:
        return
    assert 1 < end <= len(data)
    external = term_to_binary(term)
    again = binary_to_term(external)
    assert again == term
    assert term_to_binary(again) == external
    try:
        whole = binary_to_term(b"\x83" + data[1:], limits)
    except RemoteFault:
        assert end < len(data)
    else:
        assert end == len(data)
        assert whole == term


# The handshake. The first byte: bit 0, which end; bit 1, whether it asks for a name; bit 2, lengths of 4 bytes; bits 3
# to 5, what it answers; bits 6 and 7, pieces. In pieces of the third kind each message comes with its length added:
# the input has one byte for it.

_ANSWERS: Final = (Status.OK, Status.OK_SIMULTANEOUS, Status.ALIVE, Status.NOK, Status.NOT_ALLOWED)
_FRAMED: Final = 2
_BY_TAG: Final[Mapping[bytes, tuple[Any, ...]]] = {
    b"N": (SendName, SendHost, Challenge),
    b"n": (OldSendName,),
    b"c": (Complement,),
    b"r": (ChallengeReply,),
    b"a": (ChallengeAck,),
    b"s": (Status, Named),
}


def check_handshake(data: bytes) -> None:
    """`Initiator`, `Acceptor`, and the messages."""
    if not data:
        return
    mode, body = data[0], data[1:]
    length_size = 4 if mode & 4 else 2
    machine: Initiator | Acceptor
    if mode & 1:
        machine = acceptor(length_size=length_size)
    else:
        machine = initiator(flags=ASKING if mode & 2 else OFFERED, length_size=length_size)
    if mode >> 6 == _FRAMED:
        frames = _frames_of(body)
        for frame in frames:
            _check_messages(frame)
        pieces = [golden.message(frame, length_size) for frame in frames]
    else:
        pieces = chunks(body, _PIECES[mode >> 6])
    answer = _ANSWERS[(mode >> 3 & 7) % len(_ANSWERS)]
    try:
        for piece in pieces:
            machine.receive_data(piece)
            for event in machine.events():
                if isinstance(event, dist.Established):
                    return
                if machine.state is not HandshakeState.FAILED:
                    _answer(machine, event, answer)
            machine.data_to_send()
        _end(machine)
    except (RemoteFault, Refused):
        assert machine.state is HandshakeState.FAILED
        machine.data_to_send()
        machine.receive_data(b"\0\3sok")
        machine.receive_eof()
        assert machine.data_to_send() == b""
    else:
        # Only what it had answered itself ends it in silence.
        assert machine.state is HandshakeState.FAILED


def _end(machine: Initiator | Acceptor) -> None:
    """The peer closes. That it does is no byte of its own, so one more thing may come out."""
    with contextlib.suppress(HungUp):
        machine.receive_eof()


def _answer(machine: Initiator | Acceptor, event: object, answer: Status) -> None:
    if isinstance(machine, Initiator):
        if isinstance(event, AliveReceived):
            machine.answer_alive(answer is not Status.NOK)
    elif isinstance(event, NameReceived):
        machine.answer(answer)
    elif isinstance(event, NameRequested):
        NodeName.dynamic(event.host, 2**64 - 1)
        if answer is Status.NOT_ALLOWED:
            machine.answer(answer)
        else:
            machine.answer_named(GIVEN, 9)


def _frames_of(body: bytes) -> list[bytes]:
    frames, at = [], 0
    while at < len(body):
        end = at + 1 + body[at]
        frames.append(body[at + 1 : end])
        at = end
    return frames


def _check_messages(frame: bytes) -> None:
    for kind in _BY_TAG.get(frame[:1], ()):
        try:
            message = kind.decode(frame)
        except RemoteFault:
            continue
        assert kind.decode(message.encode()) == message


# The link. The first byte: bit 0, whether the rest is one frame, its length added, or a stream; bit 1, tight limits;
# bits 6 and 7, pieces of the stream, compared with the whole.

_OURS: Final = NodeName.parse(golden.GOLDEN)
_PEER: Final = NodeName.parse(golden.OTP25)
_LENGTH: Final = struct.Struct(">I")


def check_link(data: bytes) -> None:
    """`DistributionLink.receive_data`."""
    if not data:
        return
    mode, body = data[0], data[1:]
    limits = _TIGHT if mode & 2 else Limits()
    if mode & 1:
        events, fault = _received([_LENGTH.pack(len(body)) + body], limits)
        _check_long_way(body, limits, events, fault)
    else:
        events, fault = _received([body], limits)
        size = _piece_size(mode, body)
        if size < len(body):
            in_pieces, later = _received(chunks(body, size), limits)
            assert list(map(_shown, in_pieces)) == list(map(_shown, events))
            assert (type(later), str(later)) == (type(fault), str(fault))
    for event in events:
        _check_event(event)


def _received(pieces: list[bytes], limits: Limits) -> tuple[list[LinkEvent], RemoteFault | None]:
    link = DistributionLink(_OURS, _PEER, OFFERED, frame_limit=4096, limits=limits)
    events: list[LinkEvent] = []
    try:
        for piece in pieces:
            link.receive_data(piece)
            events += unfold(link.events())
    except RemoteFault as fault:
        return [*events, *unfold(link.events())], fault
    return events, None


def _check_long_way(frame: bytes, limits: Limits, events: list[LinkEvent], fault: RemoteFault | None) -> None:
    assert len(events) == (fault is None and len(frame) > 0)
    try:
        message = read_message(frame, limits)
    except LimitExceeded:
        # The short way of a call counts only what it decodes: a request may be deeper by what is around it.
        return
    except RemoteFault:
        assert not events
        return
    for event in events:
        if isinstance(event, MonitorReceived | DemonitorReceived):
            assert isinstance(message, declared.MonitorP | declared.DemonitorP)
            assert event.key == monitor_key(message)
            assert (event.from_pid, event.target, event.ref) == (message.from_pid, message.target, message.ref)
        else:
            assert isinstance(event, Control)
            assert event.encode() == message.encode()


def _check_event(event: LinkEvent) -> None:
    if isinstance(event, Control):
        external = event.encode()
        assert read_message(external).encode() == external
    else:
        made = declared.MonitorP if isinstance(event, MonitorReceived) else declared.DemonitorP
        assert isinstance(event, MonitorReceived | DemonitorReceived)
        external = made(event.from_pid, event.target, event.ref).encode()
        (again,), _ = _received([_LENGTH.pack(len(external)) + external], Limits())
        assert again == event


def _shown(event: LinkEvent) -> bytes:
    if isinstance(event, Control):
        return event.encode()
    assert isinstance(event, MonitorReceived | DemonitorReceived)
    return type(event).__name__.encode() + event.key


# The port mapper, both ends. The first byte modulo 5: three queries, a session from here and one from elsewhere; bits 6
# and 7, pieces, compared with the whole.

_QUERIES: Final[tuple[EpmdRequest, ...]] = (Alive2Request("x", 1), PortPlease2Request("x"), NamesRequest())


def check_epmd(data: bytes) -> None:
    """`EpmdQuery`, `EpmdSession`, and the messages."""
    if not data:
        return
    kind, body = data[0] % 5, data[1:]
    size = _piece_size(data[0], body)
    run = _query if kind < len(_QUERIES) else _session
    result = run(kind, [body])
    if size < len(body):
        assert run(kind, chunks(body, size)) == result


def _query(kind: int, pieces: list[bytes]) -> object:
    query = EpmdQuery(_QUERIES[kind], reply_limit=512)
    query.data_to_send()
    try:
        for piece in pieces:
            query.receive_data(piece)
        query.receive_eof()
    except RemoteFault as fault:
        assert query.events() == []
        return type(fault)
    (reply,) = query.events()
    assert _decoded_again(reply) == reply
    return reply


def _decoded_again(reply: EpmdReply) -> EpmdReply | None:
    encoded = reply.encode()
    if isinstance(reply, Alive2Response):
        return Alive2Response.maybe_decode(encoded)
    if isinstance(reply, Port2Response):
        return Port2Response.maybe_decode(encoded)
    return NamesResponse.decode(encoded)


def _session(kind: int, pieces: list[bytes]) -> object:
    registry = Registry(count(4))
    registry.register(Alive2Request("there", 1))
    session = EpmdSession(registry, loopback=kind == 3)
    answer, fault = b"", None
    try:
        for piece in pieces:
            session.receive_data(piece)
            answer += session.data_to_send()
            if session.close_expected:
                break
    except RemoteFault as error:
        assert session.close_expected
        fault = type(error)
    answer += session.data_to_send()
    names = registry.names
    for request in session.events():
        assert decode_request(request.encode()[2:]) == request
        assert names == ("there", request.name)
        assert NamesResponse.decode(registry.list_names().encode()).nodes == {"there": 1, request.name: request.port}
    session.receive_eof()
    assert registry.names == ("there",)
    return answer, fault, names


# Where they start from: what real BEAMs wrote, and one of everything that can be said.


def _codec_seeds() -> list[bytes]:
    externals = [bytes.fromhex(term.external)[1:] for term in WRITTEN + READ]
    small = [external for external in externals if len(external) < 200]
    inside = [b"h\2" + external * 2 for external in small] + [b"t\0\0\0\1" + external * 2 for external in small]
    return [mode + external for external in externals + inside for mode in (b"\0", b"\1")]


def _handshake_seeds() -> list[bytes]:
    i = dist.HandshakeInput
    stories = {
        0: [[i.STATUS_OK, i.CHALLENGE, i.ACK], [i.STATUS_ALIVE, i.CHALLENGE, i.ACK], [i.STATUS_NOK]],
        1: [
            [i.NAME, i.REPLY],
            [i.NAME, i.ALIVE_TRUE, i.REPLY],
            [i.OLD_NAME, i.COMPLEMENT, i.REPLY],
            [i.OLD_NAME, i.ALIVE_TRUE, i.COMPLEMENT, i.REPLY],
            [i.NAME_REQUEST, i.REPLY],
        ],
        2: [[i.STATUS_NAMED, i.CHALLENGE, i.ACK], [i.STATUS_NOT_ALLOWED]],
    }
    seeds = [bytes((_FRAMED << 6 | 4, len(frame))) + frame for frame in MESSAGES.values()]
    for role, inputs in stories.items():
        for story in inputs:
            for answer in range(len(_ANSWERS)):
                frames = [MESSAGES[happened] for happened in story]
                framed = b"".join(bytes((len(frame),)) + frame for frame in frames)
                seeds.append(bytes((role | answer << 3 | _FRAMED << 6,)) + framed)
                seeds.append(bytes((role | answer << 3,)) + b"".join(map(golden.message, frames)))
    streams = [golden.NAME, golden.NAME_REQUEST, golden.CHALLENGE + golden.ACK, golden.NAMED + golden.NAMED_CHALLENGE]
    return seeds + [bytes((role,)) + stream for stream in streams for role in range(3)]


_PID: Final = Pid.make(golden.OTP25, 85, 0, golden.OTP25_CREATION)
_REF: Final = Reference.make(golden.OTP25, golden.OTP25_CREATION, (1, 2, 3))
_BY_HINT: Final[list[tuple[Any, Term]]] = [
    (Pid, _PID),
    (Atom, Atom("x")),
    (Reference, _REF),
    (Pid | Atom, Atom("x")),
    (Pid | Reference | Atom, _PID),
    (Term, Atom("t")),
    (Payload, [1]),
    (Token, None),
    (declared.Number, 0),
    (declared.UnlinkNumber, 1),
    (declared.MFA, (Atom("m"), Atom("f"), 1)),
    (declared.Options, []),
]


def _one_of(kind: type[Control]) -> Control:
    hints = get_type_hints(kind, include_extras=True)
    fields = [field.name for field in dataclasses.fields(cast(Any, kind)) if field.init]
    return kind(**{name: next(value for hint, value in _BY_HINT if hint == hints[name]) for name in fields})


def _link_seeds() -> list[bytes]:
    written = [
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
    ]
    made = [_one_of(kind).encode() for kind in MESSAGE_TYPES]
    made += [
        AltactSigSend(4, _PID, _REF, None, 1).encode(),
        AltactSigSend(8 | 2, _PID, Atom("x"), Atom("t"), 1).encode(),
        b"p\x83" + encode((1 << 20_000,)),
    ]
    call = b"".join(map(golden.frame, [golden.MONITOR, golden.CALL, b"", golden.DEMONITOR]))
    streams = [call, *map(golden.frame, made)]
    return [b"\1" + frame for frame in written + made] + [bytes((size << 6,)) + s for s in streams for size in range(4)]


def _epmd_seeds() -> list[bytes]:
    replies = {
        0: [golden.ALIVE2_OK, golden.ALIVE2_DUPLICATE, b"\x79\0\0\3"],
        1: [golden.PORT2, golden.PORT2_UNKNOWN],
        2: [golden.NAMES],
        3: [golden.ALIVE2_REQUEST, *(request.encode() for request in _QUERIES)],
        4: [golden.ALIVE2_REQUEST, b"\0\1d", b"\0\1k", b"\0\4sabc"],
    }
    replies[3].append(Alive2Request("y", 7, 77, 0, 5, 5, b"extra").encode())
    firsts = {kind: [first for first in range(256) if first % 5 == kind] for kind in replies}
    return [
        bytes((first,)) + reply for kind, given in replies.items() for reply in given for first in firsts[kind][::13]
    ]


#: By name.
PARSERS: Final[Mapping[str, Parser]] = {
    "codec": Parser(check_codec, _codec_seeds()),
    "handshake": Parser(check_handshake, _handshake_seeds()),
    "link": Parser(check_link, _link_seeds()),
    "epmd": Parser(check_epmd, _epmd_seeds()),
}
