from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import (
    Alive2Request,
    Alive2Response,
    EpmdQuery,
    EpmdRequest,
    NamesRequest,
    NamesResponse,
    Port2Response,
    PortPlease2Request,
)
from pyerlcoin.beam.dist.epmd import decode_request
from pyerlcoin.beam.errors import LimitExceeded, MalformedMessage, RemoteFault
from tests.support import golden
from tests.support.machines import CHUNKINGS, feed

_GOLDEN_NODE = Alive2Request("golden", 40237)


def test_requests_are_those_of_the_real_epmd() -> None:
    assert _GOLDEN_NODE.encode() == golden.ALIVE2_REQUEST
    assert PortPlease2Request("golden").encode() == b"\0\7zgolden"
    assert NamesRequest().encode() == b"\0\1n"


@pytest.mark.parametrize(
    "request_",
    [_GOLDEN_NODE, Alive2Request("é", 1, 77, 0, 5, 5, b"extra"), PortPlease2Request("x"), NamesRequest()],
)
def test_requests_come_back(request_: EpmdRequest) -> None:
    assert decode_request(request_.encode()[2:]) == request_


@pytest.mark.parametrize(
    "request_",
    [b"", b"d", b"k", b"sgolden", b"\0", b"x", golden.ALIVE2_REQUEST[2:-1], golden.ALIVE2_REQUEST[2:-4], b"z\xff"],
)
def test_other_requests_are_faults(request_: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode_request(request_)


@CHUNKINGS
@pytest.mark.parametrize(
    ("request_", "reply", "expected"),
    [
        (_GOLDEN_NODE, golden.ALIVE2_OK, Alive2Response(0, golden.CREATION)),
        (_GOLDEN_NODE, golden.ALIVE2_DUPLICATE, Alive2Response(1, 99)),
        # The answer to a node that says 5: what an epmd before OTP 23 answers to all.
        (_GOLDEN_NODE, b"y\0\0\3", Alive2Response(0, 3)),
        (PortPlease2Request("golden"), golden.PORT2, Port2Response(40237, "golden")),
        (PortPlease2Request("nobody"), golden.PORT2_UNKNOWN, Port2Response(None)),
        # A name with extra data; OTP 25 registers itself as 77, 6 to 5.
        (
            PortPlease2Request("x"),
            b"w\0\0\1\x4d\0\0\6\0\5\0\1x\0\2ab",
            Port2Response(1, "x", 77, 0, 6, 5, b"ab"),
        ),
    ],
)
def test_a_reply_is_read_as_soon_as_it_is_complete(
    request_: EpmdRequest, reply: bytes, expected: object, chunk: int
) -> None:
    query = EpmdQuery(request_)
    assert query.data_to_send() == request_.encode()
    assert query.data_to_send() == b""
    feed(query, reply[:-1], chunk)
    assert query.events() == []
    query.receive_data(reply[-1:])
    assert query.events() == [expected]
    assert query.events() == []
    query.receive_data(b"what comes after")
    query.receive_eof()
    assert query.events() == []


@CHUNKINGS
def test_names_end_with_the_connection(chunk: int) -> None:
    query = EpmdQuery(NamesRequest())
    feed(query, golden.NAMES, chunk)
    assert query.events() == []
    query.receive_eof()
    assert query.events() == [NamesResponse(44371, {"otp25": 37655, "golden": 40237})]


def test_what_we_answer_comes_back() -> None:
    for response in (Port2Response(None), Port2Response(1, "x", 77, 0, 6, 5, b"ab")):
        assert Port2Response.maybe_decode(response.encode()) == response
    assert Port2Response(40237, "golden").encode() == golden.PORT2
    names = NamesResponse(4369, {"a": 1, "b": 65535})
    assert NamesResponse.decode(names.encode()) == names
    assert Alive2Response(0, golden.CREATION).encode() == golden.ALIVE2_OK
    # 16 bits are all that the old form has.
    assert Alive2Response(0, 0x12345).encode(5) == b"y\0\x23\x45"


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (_GOLDEN_NODE, b"w"),
        (PortPlease2Request("x"), b"v"),
        (PortPlease2Request("x"), b"w\0\0\1\x4d\0\0\6\0\5\0\1\xff\0\0"),
    ],
)
def test_another_answer_is_a_fault_for_good(request_: EpmdRequest, reply: bytes) -> None:
    query = EpmdQuery(request_)
    with pytest.raises(MalformedMessage):
        query.receive_data(reply)
    query.receive_data(golden.ALIVE2_OK)
    query.receive_eof()
    assert query.events() == []


@pytest.mark.parametrize(
    "reply", [b"", b"\0\0\0", b"\0\0\0\0name x\n", b"\0\0\0\0name x at port 999999\n", b"\0\0\0\0\xff"]
)
def test_bad_names_are_faults(reply: bytes) -> None:
    query = EpmdQuery(NamesRequest())
    query.receive_data(reply)
    with pytest.raises(MalformedMessage):
        query.receive_eof()


@pytest.mark.parametrize("request_", [_GOLDEN_NODE, PortPlease2Request("x")])
def test_an_epmd_that_just_closes_is_a_fault(request_: EpmdRequest) -> None:
    query = EpmdQuery(request_)
    query.receive_data(b"")
    with pytest.raises(MalformedMessage, match="without an answer"):
        query.receive_eof()


def test_an_endless_reply_is_cut_off() -> None:
    query = EpmdQuery(NamesRequest(), reply_limit=10)
    query.receive_data(b"x" * 10)
    with pytest.raises(LimitExceeded):
        query.receive_data(b"x")


@CHUNKINGS
def test_only_the_reply_is_held_against_the_limit(chunk: int) -> None:
    query = EpmdQuery(PortPlease2Request("golden"), reply_limit=len(golden.PORT2))
    feed(query, golden.PORT2 + b"more", chunk)
    assert query.events() == [Port2Response(0x9D2D, "golden")]
    query = EpmdQuery(PortPlease2Request("golden"), reply_limit=len(golden.PORT2) - 1)
    with pytest.raises(LimitExceeded):
        feed(query, golden.PORT2 + b"more", chunk)
    assert query.events() == []


@given(
    st.sampled_from([_GOLDEN_NODE, PortPlease2Request("x"), NamesRequest()]),
    st.sampled_from([b"", b"v", b"w\0", b"y"]),
    st.binary(max_size=60),
)
def test_whatever_epmd_says_only_remote_faults_come_out(request_: EpmdRequest, start: bytes, data: bytes) -> None:
    query = EpmdQuery(request_)
    with suppress(RemoteFault):
        query.receive_data(start + data)
        query.receive_eof()
    with suppress(RemoteFault):
        decode_request(start + data)
