from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.web.lettering import NOTHING, Lettering, legible, shortened
from tests.support.board import HOSTILE


def ascii_only(character: str) -> bool:
    return character.isascii() or character == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Alice", "Alice"),
        ("  a  b ", "a  b"),
        ("Team 漢字 one", "Team � one"),
        ("\u202egnitfihs\u2066 direction", "gnitfihs direction"),
        ("line\nbreak\r\n\x00\x1b[31m", "line�break�[31m"),
        ("a\u200b\u2060b", "ab"),
        ("\u200b\u2060\u00a0", NOTHING),
        ("", NOTHING),
        ("\u3164", "�"),
        ("$x_1$ \\frac{1}", "$x_1$ \\frac{1}"),
    ],
)
def test_what_is_shown_where_there_is_only_ascii(name: str, shown: str) -> None:
    assert legible(name, ascii_only) == shown


def test_a_filler_that_a_font_has_is_still_nothing_to_see() -> None:
    assert legible("\u3164\u2800", lambda _: True) == NOTHING


def test_a_letter_carries_no_tower_of_marks() -> None:
    assert legible("a" + "\u0351" * 40 + "b", lambda _: True) == "a\u0351\u0351b"


@given(st.text())
def test_any_name_becomes_letters_that_can_be_drawn(name: str) -> None:
    letters = Lettering([])  # what comes with matplotlib
    shown = letters.legible(name)
    assert shown
    for character in shown:
        assert character == " " or letters.drawable(character)
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def test_the_fonts_of_this_machine_help_out() -> None:
    assert Lettering([*HOSTILE, "Ωmega", "שלום"]).legible("Ωmega שלום") == "Ωmega שלום"


@given(st.text(min_size=1, max_size=50), st.integers(1, 60))
def test_shortened_is_the_longest_beginning_that_fits(text: str, width: int) -> None:
    got = shortened(text, width, len)
    assert len(got) <= width
    if got != text:
        assert got.endswith("…")
        kept = got[:-1]
        assert text.startswith(kept)
        rest = text[len(kept) :]
        # One more letter, with the blanks that would come with it, has no room.
        assert len(text) > width
        assert len(kept) + 1 == width or rest[0].isspace()
