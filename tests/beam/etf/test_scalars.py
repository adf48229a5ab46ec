"""The readers of terms that hold no other terms: what they refuse; and the table of known atoms."""

from __future__ import annotations

import pytest

from pyerlcoin.beam.errors import LimitExceeded, MalformedTerm
from pyerlcoin.beam.etf import Atom, decode, encode
from pyerlcoin.beam.etf.scalars import MAX_KNOWN_ATOMS, known_atoms


def _float(text: bytes) -> bytes:
    return b"\x63" + text.ljust(31, b"\0")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x46\x7f\xf0" + bytes(6), "not finite"),
        (b"\x46\xff\xf0" + bytes(6), "not finite"),
        (b"\x46\x7f\xf8" + bytes(6), "not finite"),
        (_float(b"1.0e999"), "not finite"),
        (_float(b"nan"), "no number"),
        (_float(b"inf"), "no number"),
        (_float(b"1_0.0"), "no number"),
        (_float(b"1.0\0x"), "no number"),
        (_float(b""), "no number"),
        (_float("١.0".encode()), "no number"),
        (b"\x77\2\xc3\x28", "no UTF-8"),
        (b"\x77\3\xed\xa0\x80", "no UTF-8"),
        (b"\x77\1\xe9", "no UTF-8"),
        (b"\x76\1\0" + b"a" * 256, "256 characters"),
        (b"\x64\1\0" + b"a" * 256, "256 characters"),
        (b"\x76\xff\xff" + b"a" * 65535, "65535 characters"),
        (b"\x4d\0\0\0\1\0a", "0 bits"),
        (b"\x4d\0\0\0\1\x09a", "9 bits"),
        (b"\x4d\0\0\0\0\0", "0 bytes"),
        (b"\x4d\0\0\0\0\1", "0 bytes"),
        (b"\x58\x6a" + bytes(12), "only an atom"),
        (b"\x67\x61" + bytes(12), "only an atom"),
        (b"\x78\x6a" + bytes(12), "only an atom"),
        (b"\x5a\0\1\x6a" + bytes(12), "only an atom"),
        (b"\x5a\0\0\x77\1a" + bytes(4), "0 words"),
        (b"\x5a\0\6\x77\1a" + bytes(28), "6 words"),
        (b"\x5a\1\1\x77\1a" + bytes(28), "257 words"),
        (b"\x72\0\0\x77\1a" + bytes(1), "0 words"),
        (b"\x72\0\6\x77\1a" + bytes(25), "6 words"),
    ],
)
def test_malformed(data: bytes, reason: str) -> None:
    # Twice: the name of a node is known the second time, and taken another way.
    for _ in range(2):
        with pytest.raises(MalformedTerm, match=reason):
            decode(data + bytes(4))


def test_an_integer_is_judged_by_its_announced_length() -> None:
    with pytest.raises(LimitExceeded, match="an integer's length in bytes is 4294967295, over the limit of 65536"):
        decode(b"\x6f\xff\xff\xff\xff\0")
    with pytest.raises(MalformedTerm, match="65534 bytes too early"):
        decode(b"\x6f\0\1\0\0\0\1\1")


def test_a_peer_cannot_fill_the_table_of_atoms() -> None:
    for number in range(2 * MAX_KNOWN_ATOMS + 10):
        name = f"made up {number}"
        assert decode(encode(Atom(name)))[0] == Atom(name)
        assert len(known_atoms) <= MAX_KNOWN_ATOMS


def test_an_atom_read_again_is_the_same_object() -> None:
    data = encode((Atom("seen before"), Atom("seen before")))
    pair, _ = decode(data)
    assert isinstance(pair, tuple)
    first, second = pair
    assert first is second
    assert decode(b"\x73\x0bseen before")[0] == first


def test_a_name_in_an_old_form_does_not_pass_for_a_known_one() -> None:
    # Known in the canonical form; the same node in another form must come out canonical, not as it stands.
    canonical = b"\x58\x77\3a@b" + bytes(12)
    assert decode(canonical)[0] == decode(canonical)[0]
    for node in (b"\x76\0\3a@b", b"\x73\3a@b", b"\x64\0\3a@b"):
        read, _ = decode(b"\x58" + node + bytes(12))
        assert encode(read) == canonical
