from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import Cookie, DistributionFlags, NodeName, Status, digest
from pyerlcoin.beam.dist.handshake_messages import (
    Challenge,
    ChallengeAck,
    ChallengeReply,
    Complement,
    Named,
    OldSendName,
    SendHost,
    SendName,
    decode_send_name,
)
from pyerlcoin.beam.errors import MalformedMessage, RemoteFault
from tests.support import golden

_OTP25 = NodeName.parse(golden.OTP25)
_FLAGS = DistributionFlags(golden.OTP25_FLAGS)
_COOKIE = Cookie(golden.COOKIE)

_Message = SendName | SendHost | Named | OldSendName | Challenge | Complement | ChallengeReply | ChallengeAck

_MESSAGES: list[_Message] = [
    SendName(_FLAGS, 7, _OTP25),
    SendHost(_FLAGS, 0, "127.0.0.1"),
    Named(_OTP25, 0x4A8E78F8),
    OldSendName(DistributionFlags(0x7DF7FBC), _OTP25),
    Challenge(_FLAGS, 0xFFFFFFFF, 7, _OTP25),
    Complement(0xD, 7),
    ChallengeReply(5, bytes(range(16))),
    ChallengeAck(bytes(range(16))),
]


def test_the_bytes_are_those_of_otp_25() -> None:
    name = SendName(_FLAGS, golden.OTP25_CREATION, _OTP25)
    assert golden.message(name.encode()) == golden.NAME
    challenge = Challenge(_FLAGS, 0x1EA89E7D, 0x6B0354C2, _OTP25)
    assert golden.message(Status.OK.encode()) + golden.message(challenge.encode()) == golden.CHALLENGE
    assert golden.message(ChallengeAck(digest(_COOKIE, 0x12345678)).encode()) == golden.ACK
    reply = ChallengeReply(0x8B2DD35A, digest(_COOKIE, 0xDEADBEEF))
    assert golden.message(reply.encode()) == golden.CHALLENGE_REPLY
    request = SendHost(_FLAGS | DistributionFlags.DFLAG_NAME_ME, 0, "127.0.0.1")
    assert golden.message(request.encode()) == golden.NAME_REQUEST
    named = Named(NodeName.parse("196S4SL2YD0S1@127.0.0.1"), 0x4A8E78F8)
    assert golden.message(named.encode()) == golden.NAMED
    assert golden.message(Status.ALIVE.encode()) == golden.ALIVE
    assert golden.message(Status.NOT_ALLOWED.encode()) == golden.NOT_ALLOWED


@pytest.mark.parametrize("message", _MESSAGES, ids=lambda message: type(message).__name__)
def test_messages_come_back_whatever_follows_them(message: _Message) -> None:
    assert type(message).decode(message.encode()) == message
    # The old name alone has no length: all that follows is the name.
    if not isinstance(message, OldSendName):
        assert type(message).decode(message.encode() + b"of OTP 40") == message


@pytest.mark.parametrize("message", _MESSAGES, ids=lambda message: type(message).__name__)
def test_no_message_may_be_cut_short(message: _Message) -> None:
    encoded = message.encode()
    # A shortened old name is a name still, until its host is gone.
    least = encoded.index(b"@") + 1 if isinstance(message, OldSendName) else len(encoded)
    for size in range(1, least):
        with pytest.raises(MalformedMessage):
            type(message).decode(encoded[:size])


@pytest.mark.parametrize("status", Status)
def test_statuses_come_back(status: Status) -> None:
    assert Status.decode(status.encode()) is status


@pytest.mark.parametrize("frame", [b"s", b"sOK", b"sokay", b"snamed:\0\1x", b"s\xff"])
def test_other_statuses_are_faults(frame: bytes) -> None:
    with pytest.raises(MalformedMessage, match="status"):
        Status.decode(frame)


def test_the_flag_says_whether_a_name_or_a_host_comes() -> None:
    name = SendName(_FLAGS, 7, _OTP25)
    host = SendHost(_FLAGS | DistributionFlags.DFLAG_NAME_ME, 7, "127.0.0.1")
    for message in (name, host):
        assert decode_send_name(message.encode()) == message


# The longest that still leaves room for the names that are made for it.
@pytest.mark.parametrize("host", [b"", b"x@y", b"@y", b"h h", b"h\xe9", b"h" * 239])
def test_a_host_that_is_none_is_a_fault(host: bytes) -> None:
    frame = b"N" + bytes(12) + len(host).to_bytes(2, "big") + host
    with pytest.raises(MalformedMessage):
        SendHost.decode(frame)
    assert SendHost.decode(b"N" + bytes(12) + b"\0\xee" + b"h" * 238).host == "h" * 238


def test_the_old_name_says_version_5() -> None:
    encoded = OldSendName(_FLAGS, _OTP25).encode()
    with pytest.raises(MalformedMessage, match="version 6"):
        OldSendName.decode(encoded[:2] + b"\6" + encoded[3:])


@pytest.mark.parametrize("name", [b"", b"x", b"@h", b"x@", b"x@y@z", b"x@\xe9", b"x\n@h"])
def test_a_name_that_is_none_is_a_fault(name: bytes) -> None:
    with pytest.raises(MalformedMessage):
        SendName.decode(b"N" + bytes(12) + len(name).to_bytes(2, "big") + name)


def test_no_digest_is_shown() -> None:
    secret = b"0123456789abcdef"
    for message in (ChallengeReply(1, secret), ChallengeAck(secret)):
        assert "0123" not in repr(message)


@given(st.sampled_from([type(message) for message in _MESSAGES]), st.binary())
def test_whatever_comes_only_remote_faults_come_out(kind: type[_Message], data: bytes) -> None:
    with suppress(RemoteFault):
        kind.decode(kind.tag + data)
