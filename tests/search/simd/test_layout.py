"""The layout, without a kernel: rows and tables together are the messages of MD5."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.search.simd.layout import GROUP_MAX, Layout


def message(layout: Layout, secret: bytes, n: int, row: int, entry: int) -> bytes:
    """The padded last blocks that the kernel would hash for that row and entry."""
    digits = b"%d" % n
    low = len(str(layout.low_size)) - 1
    rest = (secret + digits[:-low])[layout.absorbed :]
    block = layout.write(rest, row, row + 1)
    assert len(block) == layout.row_length
    at = layout.rows_absorb + 4 * layout.word
    block[at : at + 4] = layout.table(rest)[4 * entry : 4 * entry + 4]
    return bytes(block)


def padded(secret: bytes, n: int) -> bytes:
    """The message as RFC 1321, 3.1 and 3.2 pads it."""
    text = secret + b"%d" % n
    padding = b"\x80" + bytes((55 - len(text)) % 64)
    return text + padding + (8 * len(text)).to_bytes(8, "little")


@pytest.mark.parametrize("length", range(70))
@pytest.mark.parametrize("digits", [4, 5, 6, 7, 8, 10, 12, 20])
def test_row_and_entry_are_the_message(length: int, digits: int) -> None:
    secret = bytes(range(100, 100 + length))
    layout = Layout(length, digits)
    prefix = 10 ** (digits - 1) // layout.low_size
    rows = {0, 1, layout.rows // 2, layout.rows - 1}
    for row, entry in product(rows, {0, 7, layout.entries - 1}):
        low = layout.low(row, entry)
        n = prefix * layout.low_size + low
        if len(str(n)) == digits:
            whole = padded(secret, n)
            assert whole[: layout.absorbed] == (secret + b"%d" % n)[: layout.absorbed]
            assert message(layout, secret, n, row, entry) == whole[layout.absorbed :]


def test_every_row_and_entry_is_another_integer() -> None:
    for length, digits in product(range(4), (4, 5, 6)):
        layout = Layout(length, digits)
        every = {layout.low(row, entry) for row in range(layout.rows) for entry in range(layout.entries)}
        assert every == set(range(layout.low_size))


@given(st.integers(0, 130), st.integers(4, 12), st.data())
def test_calls_cover_the_range(length: int, digits: int, data: st.DataObject) -> None:
    layout = Layout(length, digits)
    first = data.draw(st.integers(0, layout.low_size - 1))
    last = data.draw(st.integers(first, min(layout.low_size - 1, first + 30_000)))
    counts = 0
    covered: set[int] = set()
    for count, call in layout.calls(first, last):
        counts += count
        rows, entries = range(call.row, call.row_until), range(call.entry, call.entry_until)
        assert rows.stop <= layout.rows
        assert entries.stop <= layout.entries
        one = {layout.low(row, entry) for row, entry in product(rows, entries)}
        assert len(one & set(range(first, last + 1))) == count
        covered |= one
    assert counts == last - first + 1
    assert set(range(first, last + 1)) <= covered


def test_the_shape_of_all_layouts() -> None:
    """Sixteen kernels do for every secret and every integer, and nothing is larger than promised."""
    kernels = set()
    for length, digits in product(range(200), range(4, 80)):
        layout = Layout(length, digits)
        kernels.add((layout.kernel_blocks, layout.word))
        assert layout.rows <= 1000
        assert layout.entries <= 10_000
        assert layout.absorbed % 64 == 0
    assert kernels == {(1, word) for word in range(13)} | {(2, 13), (2, 14), (2, 15)}


def test_a_table_has_room_behind_it() -> None:
    layout = Layout(6, 10)
    assert len(layout.table(b"Serun+100")) == 4 * (layout.entries + GROUP_MAX)


def test_a_new_secret_gets_its_own_table() -> None:
    layout = Layout(2, 5)
    one, other = layout.table(b"ab"), layout.table(b"cd")
    assert one != other
    assert layout.table(b"ab") == one


def test_short_integers_have_no_layout() -> None:
    with pytest.raises(ValueError, match="3 digits"):
        Layout(0, 3)


def test_the_length_field_of_long_secrets() -> None:
    """MD5 counts bits modulo 2^64, in 8 bytes, little-endian."""
    layout = Layout(10**6, 10)
    rest = bytes(10**6 % 64) + b"123"
    assert layout.write(rest, 0, 1)[-8:] == (8 * (10**6 + 10)).to_bytes(8, "little")
