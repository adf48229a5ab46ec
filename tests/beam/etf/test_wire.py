"""Terms that are their external form."""

from __future__ import annotations

from pyerlcoin.beam.etf.wire import WireTerm


class _Other(WireTerm):
    __slots__ = ()


def test_equal_by_class_and_bytes() -> None:
    assert WireTerm(b"\x6a") == WireTerm(b"\x6a")
    assert hash(WireTerm(b"\x6a")) == hash(WireTerm(b"\x6a"))
    assert WireTerm(b"\x6a") != WireTerm(b"\x6b")
    assert WireTerm(b"\x6a") != _Other(b"\x6a")
    assert WireTerm(b"\x6a") != b"\x6a"
