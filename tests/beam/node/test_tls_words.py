from __future__ import annotations

import ssl

import pytest

from pyerlcoin.beam.node.tls_words import tls_refused, vouches_for

CERTIFICATE = {
    "subject": ((("commonName", "cn.example.org"),),),
    "subjectAltName": (
        ("DNS", "a.example.org"),
        ("DNS", "*.b.example.org"),
        ("DNS", "short"),
        ("DNS", "10.0.0.9"),
        ("IP Address", "192.0.2.7"),
        ("IP Address", "2001:DB8:0:0:0:0:0:1"),
        ("email", "x.example.org"),
    ),
}


@pytest.mark.parametrize(
    "host", ["a.example.org", "A.Example.org", "x.b.example.org", "short", "192.0.2.7", "2001:db8::1"]
)
def test_the_hosts_of_a_certificate(host: str) -> None:
    assert vouches_for(CERTIFICATE, host)


@pytest.mark.parametrize(
    "host",
    [
        "cn.example.org",  # the common name counts no more (RFC 6125)
        "example.org",
        "x.a.example.org",
        "b.example.org",
        ".b.example.org",
        "x.y.b.example.org",
        "192.0.2.8",
        "10.0.0.9",  # an address among the names
        "2001:db8::2",
        "x.example.org",
        "",
    ],
)
def test_other_hosts(host: str) -> None:
    assert not vouches_for(CERTIFICATE, host)


def test_a_certificate_without_hosts() -> None:
    for certificate in None, {}, {"subjectAltName": ()}:
        assert not vouches_for(certificate, "short")


def test_an_error_that_nobody_foresaw_is_told_as_openssl_tells_it() -> None:
    error = ssl.SSLError(1, "[SSL: NO_SHARED_CIPHER] no shared cipher (_ssl.c:1)")
    error.reason = "NO_SHARED_CIPHER"
    assert str(tls_refused("n@h", error)) == "no TLS with n@h: the TLS handshake failed (no shared cipher)"
    assert "no reason given" in str(tls_refused("n@h", ssl.SSLError()))


def test_a_connection_that_breaks() -> None:
    assert "closed the connection before it said a word" in str(tls_refused("n@h", ConnectionResetError()))
