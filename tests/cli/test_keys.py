from __future__ import annotations

import pytest

from pyerlcoin.cli.keys import single_keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (b"h", "h"),
        (b"Q", "q"),
        (b"\x1b[qQ", "q"),  # a sequence and a key in one read
        (b"x\x1b[A\x1bOPp", "xp"),
        (b"\x1b[1;5Cs", "s"),
        (b"\x1b", ""),
        (b"\xff\xc3\xa9", ""),
    ],
)
def test_keys_of_several_characters_are_none_of_ours(text: bytes, keys: str) -> None:
    assert single_keys(text) == keys
