from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.beam.dist import Alive2Request, read_extra, write_extra
from pyerlcoin.beam.dist.epmd_extra import MOST_ADDRESSES
from pyerlcoin.beam.dist.epmd_server import REQUEST_LIMIT

_OTP_LIMIT = 1020
"""Bytes that OTP's epmd takes (measured: 25, 27 and 29); one more is refused, and logged whole."""


def test_a_node_says_where_it_listens() -> None:
    extra = write_extra(("192.168.0.13", "127.0.0.1"))
    assert extra == b"pyerlcoin listens on 192.168.0.13 127.0.0.1"
    assert read_extra(extra) == ("192.168.0.13", "127.0.0.1")


@pytest.mark.parametrize("addresses", [(), ("a.host",), ("fe80::1%eth0",), ("",)])
def test_what_is_no_literal_address_is_not_said(addresses: tuple[str, ...]) -> None:
    assert write_extra(addresses) == b""


@pytest.mark.parametrize(
    "extra",
    [
        b"",
        b"ab",
        b"127.0.0.1",
        b"pyerlcoin listens on",
        b"pyerlcoin listens on ",
        b"pyerlcoin listens on somewhere 300.1.1.1 \xff\0 1.2.3",
    ],
)
def test_who_says_none_says_nothing(extra: bytes) -> None:
    assert read_extra(extra) is None


def test_what_is_no_address_is_left_out() -> None:
    extra = b"pyerlcoin listens on  127.0.0.2 \xe9 fe80::1%\0 ::FFFF:127.0.0.3 127.0.0.2 0:0::1 evil.example"
    assert read_extra(extra) == ("127.0.0.2", "127.0.0.3", "::1")


def test_no_more_than_fit_into_a_request() -> None:
    many = [f"{'1234:' * 7}{number:04x}" for number in range(0x2000, 0x2020)]
    extra = write_extra(many)
    assert read_extra(extra) == tuple(many[:MOST_ADDRESSES])
    assert len(extra) < _OTP_LIMIT
    assert len(Alive2Request("x" * 255, 1, extra=extra).encode()) - 2 <= REQUEST_LIMIT
    assert read_extra(b"pyerlcoin listens on " + " ".join(many).encode()) == tuple(many[:MOST_ADDRESSES])


@given(st.lists(st.ip_addresses().map(str), min_size=1, max_size=MOST_ADDRESSES, unique=True))
def test_it_is_read_as_it_was_said(addresses: list[str]) -> None:
    read = read_extra(write_extra(addresses))
    assert read is not None
    assert write_extra(read) == write_extra(addresses)


@given(st.binary(max_size=REQUEST_LIMIT).map(lambda data: b"pyerlcoin listens on " + data))
def test_whatever_is_said_nothing_comes_out_but_addresses(extra: bytes) -> None:
    read = read_extra(extra)
    assert read is None or write_extra(read) == write_extra(dict.fromkeys(read))
