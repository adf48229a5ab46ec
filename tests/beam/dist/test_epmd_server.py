from __future__ import annotations

from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import (
    Alive2Request,
    Alive2Response,
    EpmdQuery,
    EpmdSession,
    NamesRequest,
    NamesResponse,
    Port2Response,
    PortPlease2Request,
    Registry,
    creations_from,
)
from pyerlcoin.beam.dist.epmd import EpmdReply, EpmdRequest
from pyerlcoin.beam.errors import LimitExceeded, MalformedMessage, RemoteFault
from tests.support import golden
from tests.support.machines import CHUNKINGS, feed


def _ask(registry: Registry, request: EpmdRequest) -> tuple[EpmdSession, EpmdReply]:
    """Both ends of one connection."""
    query, session = EpmdQuery(request), EpmdSession(registry, loopback=True)
    session.receive_data(query.data_to_send())
    query.receive_data(session.data_to_send())
    if session.close_expected:
        query.receive_eof()
    (reply,) = query.events()
    return session, reply


def test_a_node_is_registered_as_long_as_its_connection_lives() -> None:
    registry = Registry(count(100), port=5000)
    node = Alive2Request("golden", 40237, extra=b"ab")
    session, reply = _ask(registry, node)
    assert reply == Alive2Response(0, 100)
    assert (session.name, session.close_expected, session.events(), session.events()) == ("golden", False, [node], [])
    assert "golden" in registry.names

    asked, found = _ask(registry, PortPlease2Request("golden"))
    assert found == Port2Response(40237, "golden", extra=b"ab")
    assert asked.close_expected
    assert _ask(registry, PortPlease2Request("other"))[1] == Port2Response(None)
    assert _ask(registry, NamesRequest())[1] == NamesResponse(5000, {"golden": 40237})

    session.receive_eof()
    session.receive_eof()
    assert registry.names == ()
    assert _ask(registry, node)[1] == Alive2Response(0, 101)


def test_a_living_node_keeps_its_name() -> None:
    registry = Registry(count(100))
    session, _ = _ask(registry, Alive2Request("golden", 1))
    other, reply = _ask(registry, Alive2Request("golden", 2))
    assert reply == Alive2Response(1, 99)
    assert other.close_expected
    other.receive_eof()
    assert registry.names == ("golden",)
    assert session.name == "golden"


@pytest.mark.parametrize("name", ["", "a@b", "a b", "a\nb", "é", "x" * 256])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    registry = Registry(count(100))
    assert _ask(registry, Alive2Request(name, 1))[1] == Alive2Response(1, 99)
    assert registry.names == ()


def test_too_many_names_are_refused() -> None:
    registry = Registry(count(100), most_names=2)
    assert [_ask(registry, Alive2Request(name, 1))[1] for name in "abc"] == [
        Alive2Response(0, 100),
        Alive2Response(0, 101),
        Alive2Response(1, 99),
    ]


def test_a_node_of_old_gets_the_old_answer() -> None:
    session = EpmdSession(Registry(count(0x12345)), loopback=True)
    session.receive_data(Alive2Request("old", 1, 77, 0, 5, 5).encode())
    assert session.data_to_send() == b"y\0\x23\x45"


@CHUNKINGS
def test_requests_come_in_any_pieces(chunk: int) -> None:
    session = EpmdSession(Registry(count(golden.CREATION)), loopback=True)
    feed(session, golden.ALIVE2_REQUEST, chunk)
    assert session.data_to_send() == golden.ALIVE2_OK
    assert session.data_to_send() == b""


def test_another_machine_may_ask_and_not_register() -> None:
    registry = Registry(count(100))
    session = EpmdSession(registry, loopback=False)
    with pytest.raises(MalformedMessage, match="another machine"):
        session.receive_data(golden.ALIVE2_REQUEST)
    assert (session.close_expected, session.data_to_send(), registry.names) == (True, b"", ())
    asking = EpmdSession(registry, loopback=False)
    asking.receive_data(NamesRequest().encode())
    assert asking.data_to_send() == b"\0\0\x11\x11"


@pytest.mark.parametrize("request_", [b"\0\1d", b"\0\1k", b"\0\7sgolden", b"\0\0", b"\0\1?"])
def test_nobody_dumps_kills_or_stops(request_: bytes) -> None:
    registry = Registry(count(100))
    _ask(registry, Alive2Request("golden", 1))
    session = EpmdSession(registry, loopback=True)
    with pytest.raises(MalformedMessage):
        session.receive_data(request_)
    assert (session.close_expected, session.data_to_send()) == (True, b"")
    assert registry.names == ("golden",)


def test_a_long_request_is_refused_by_its_length_alone() -> None:
    session = EpmdSession(Registry(count(100)), loopback=True)
    with pytest.raises(LimitExceeded):
        session.receive_data(b"\x04\x01")
    session.receive_data(NamesRequest().encode())
    assert session.data_to_send() == b""


def test_a_registered_node_has_nothing_more_to_say() -> None:
    registry = Registry(count(100))
    session, _ = _ask(registry, Alive2Request("golden", 1))
    with pytest.raises(MalformedMessage, match="golden sent more"):
        session.receive_data(b"\0")
    assert session.close_expected
    session.receive_eof()
    assert registry.names == ()


@CHUNKINGS
def test_what_follows_a_registration_is_not_lost(chunk: int) -> None:
    # In the same piece as well: a peer that goes on talking is not one that waits.
    registry = Registry(count(100))
    session = EpmdSession(registry, loopback=True)
    with pytest.raises(MalformedMessage, match="golden sent more"):
        feed(session, golden.ALIVE2_REQUEST + b"x", chunk)
    assert (session.close_expected, session.name) == (True, "golden")
    session.receive_eof()
    assert registry.names == ()


def test_creations_skip_those_of_old() -> None:
    assert list(islice(creations_from(0xFFFFFFFE), 4)) == [0xFFFFFFFE, 0xFFFFFFFF, 4, 5]
    assert next(creations_from(1 << 33)) == 4


@given(st.binary(max_size=80), st.booleans())
def test_whatever_is_asked_only_remote_faults_come_out(data: bytes, loopback: bool) -> None:
    session = EpmdSession(Registry(count(100)), loopback=loopback)
    try:
        session.receive_data(data)
        session.receive_data(len(data).to_bytes(2, "big") + data)
    except RemoteFault:
        assert session.close_expected
    session.receive_eof()
