"""Both ends of a handshake, joined in memory, and a representative of everything that can happen to one."""

from __future__ import annotations

from collections.abc import Mapping

from pyerlcoin.beam.dist import (
    OFFERED,
    Acceptor,
    AliveReceived,
    Cookie,
    DistributionFlags,
    Established,
    HandshakeInput,
    Initiator,
    NameGiven,
    NameReceived,
    NameRequested,
    NodeName,
    Status,
)
from pyerlcoin.beam.dist.cookie import digest
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
from tests.support import golden

__all__ = ["ASKING", "COOKIE", "GIVEN", "MESSAGES", "A", "B", "acceptor", "initiator", "join", "sent"]

A = NodeName.parse("a@127.0.0.1")
B = NodeName.parse("b@127.0.0.1")
#: The flags of an A that has no name, and the one that B gives it.
ASKING = OFFERED | DistributionFlags.DFLAG_NAME_ME
GIVEN = NodeName.dynamic("127.0.0.1", golden.GIVEN_NUMBER)
COOKIE = Cookie(golden.COOKIE)
_A_CHALLENGE = 0x12345678
_B_CHALLENGE = 0xDEADBEEF

_I = HandshakeInput

#: One message for each input that is one; all from or to A as the initiator and B as the acceptor, and all valid.
MESSAGES: Mapping[HandshakeInput, bytes] = {
    _I.STATUS_OK: b"sok",
    _I.STATUS_OK_SIMULTANEOUS: b"sok_simultaneous",
    _I.STATUS_NOK: b"snok",
    _I.STATUS_NOT_ALLOWED: b"snot_allowed",
    _I.STATUS_ALIVE: b"salive",
    _I.STATUS_NAMED: Named(GIVEN, golden.GIVEN_CREATION).encode(),
    _I.CHALLENGE: Challenge(OFFERED, _B_CHALLENGE, 9, B).encode(),
    _I.ACK: ChallengeAck(digest(COOKIE, _A_CHALLENGE)).encode(),
    _I.NAME: SendName(OFFERED, 8, A).encode(),
    _I.OLD_NAME: OldSendName(OFFERED, A).encode(),
    _I.NAME_REQUEST: SendHost(ASKING, 0, A.host).encode(),
    _I.ALIVE_TRUE: b"strue",
    _I.ALIVE_FALSE: b"sfalse",
    _I.COMPLEMENT: Complement(OFFERED >> 32, 8).encode(),
    _I.REPLY: ChallengeReply(_A_CHALLENGE, digest(COOKIE, _B_CHALLENGE)).encode(),
}


def initiator(
    *,
    ours: NodeName = A,
    peer: NodeName = B,
    cookie: Cookie = COOKIE,
    flags: DistributionFlags = OFFERED,
    length_size: int = 2,
) -> Initiator:
    """A dials B."""
    return Initiator(
        ours=ours,
        peer=peer,
        cookie=cookie,
        challenge=_A_CHALLENGE,
        creation=8,
        flags=flags,
        length_size=length_size,
    )


def acceptor(
    *, ours: NodeName = B, cookie: Cookie = COOKIE, flags: DistributionFlags = OFFERED, length_size: int = 2
) -> Acceptor:
    """B is dialled."""
    return Acceptor(ours=ours, cookie=cookie, challenge=_B_CHALLENGE, creation=9, flags=flags, length_size=length_size)


def sent(machine: Initiator | Acceptor, length_size: int = 2) -> list[bytes]:
    """The messages that it has to send, without their lengths."""
    data, messages = machine.data_to_send(), []
    while data:
        end = length_size + int.from_bytes(data[:length_size], "big")
        messages.append(data[length_size:end])
        data = data[end:]
    return messages


def join(one: Initiator, other: Acceptor, status: Status, go_on: bool = True) -> list[Established]:
    """Let them talk until neither has anything to say; the acceptor answers `status`. What they established."""
    established = []
    while True:
        to_acceptor = one.data_to_send()
        other.receive_data(to_acceptor) if to_acceptor else None
        for event in other.events():
            if isinstance(event, NameReceived):
                other.answer(status)
            elif isinstance(event, NameRequested):
                other.answer_named(GIVEN, golden.GIVEN_CREATION)
            else:
                established.append(event)
        to_initiator = other.data_to_send()
        one.receive_data(to_initiator) if to_initiator else None
        for happened in one.events():
            if isinstance(happened, AliveReceived):
                one.answer_alive(go_on)
            elif isinstance(happened, NameGiven):
                assert happened == NameGiven(GIVEN, golden.GIVEN_CREATION)
            else:
                established.append(happened)
        if not to_acceptor and not to_initiator:
            return established
