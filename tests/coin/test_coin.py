import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.coin.coin import MAX_ZEROS, decimal, digest_hex, is_coin


def test_the_contract_s_own_examples() -> None:
    assert digest_hex(b"Serun+u", 1) == "00000011f4de73238f12fb2c57d5dc56"
    assert is_coin(b"Serun+u", 1)
    assert digest_hex(b"foo", 123) == "ef238ea00a26528de40ff231e5a97f50"
    assert not is_coin(b"foo", 123)


def test_the_zeros_are_those_asked_for() -> None:
    assert is_coin(b"Serun+u", 1, 6)
    assert not is_coin(b"Serun+u", 1, 7)
    assert is_coin(b"foo", 123, 0)
    assert not is_coin(b"Serun+u", 1, MAX_ZEROS)


def test_zero_may_be_a_coin_and_a_negative_integer_is_none() -> None:
    assert is_coin(b"any", 0, 0)
    assert not is_coin(b"any", -1, 0)


@given(st.binary(max_size=200), st.integers(0, 10**60))
def test_digest_is_that_of_the_secret_and_the_decimal(secret: bytes, n: int) -> None:
    assert digest_hex(secret, n) == hashlib.md5(secret + str(n).encode()).hexdigest()


@pytest.mark.parametrize(("power", "more"), [(4000, -1), (4000, 0), (4000, 7), (8000, 0), (10_000, 10**1500 + 3)])
def test_decimal_of_more_digits_than_python_writes(power: int, more: int) -> None:
    n = 10**power + more
    text = decimal(n)
    value = 0
    for at in range(0, len(text), 1000):
        piece = text[at : at + 1000]
        value = value * 10 ** len(piece) + int(piece)
    assert value == n
    assert not text.startswith(b"0")
