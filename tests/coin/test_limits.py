import pytest

from pyerlcoin.coin.limits import Limits, read_name

LIMITS = Limits(name_bytes=8)


@pytest.mark.parametrize("value", [b"Alice", "Alice", "älice", "né".encode(), "a" * 8, "😀😀", b"\0", "\u202ex"])
def test_text_of_the_right_length_is_a_name(value: str | bytes) -> None:
    assert read_name(value, LIMITS) == (value.decode() if isinstance(value, bytes) else value)


@pytest.mark.parametrize(
    "value",
    [b"", "", b"a" * 9, "a" * 9, "😀😀a", b"\xff", b"\xed\xa0\x80", "\ud800", None, 7, True, ["Alice"], {}, object()],
)
def test_anything_else_is_none(value: object) -> None:
    assert read_name(value, LIMITS) is None


def test_the_default_takes_64_characters_of_the_widest_kind() -> None:
    assert read_name("😀" * 64, Limits()) == "😀" * 64
    assert read_name("😀" * 64 + "a", Limits()) is None
