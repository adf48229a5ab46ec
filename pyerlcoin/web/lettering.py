"""Names on a picture: in letters that the fonts of this machine have, and no wider than their place.

Needs the extra `pyerlcoin[png]`.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable
from typing import Final

from matplotlib import font_manager

__all__ = ["NOTHING", "Lettering", "legible", "shortened"]

NOTHING: Final = "(a name of nothing visible)"
"""What is shown for a name that has no shape at all."""

MISSING: Final = "\N{REPLACEMENT CHARACTER}"

_FIRST: Final = "DejaVu Sans"
# Comes with matplotlib, so there is always this one. Where the others are installed they have what it has not.
_OTHERS: Final = (
    "Noto Sans",
    "Arial Unicode MS",
    "Hiragino Sans",
    "PingFang",
    "Yu Gothic",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Segoe UI Symbol",
)
# Pictures, not outlines: nothing here can draw them.
_COLOURED: Final = ("Emoji", "Color")

_MARKS: Final = 2
"""Marks that a letter may carry: what languages need, and no tower that reaches into other rows."""

# Letters without ink: fillers of Hangul, a Braille pattern of no dots.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def legible(name: str, drawable: Callable[[str], bool]) -> str:
    """A name as it can be drawn: each run of what cannot be is one replacement character.

    What turns the direction, joins or hides letters is left out: it has no shape, or reaches beyond the name.
    """
    shown: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", name):
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if category == "Cf" or marks > _MARKS or (marks and not drawable(character)):
            continue
        if category.startswith("Z"):
            shown.append(" ")
        elif category.startswith("C") or not drawable(character):
            if not shown or shown[-1] != MISSING:
                shown.append(MISSING)
        else:
            shown.append(character)
    text = "".join(shown).strip()
    return text if any(_has_ink(character) for character in text) else NOTHING


def shortened(text: str, width: float, measure: Callable[[str], float]) -> str:
    """As much of the beginning of `text` as is no wider than `width`, with an ellipsis where something is missing."""
    if measure(text) <= width:
        return text
    fits, too_much = 0, len(text)
    while too_much - fits > 1:
        middle = (fits + too_much) // 2
        if measure(text[:middle].rstrip() + "…") <= width:
            fits = middle
        else:
            too_much = middle
    return text[:fits].rstrip() + "…"


class Lettering:
    """The font families for some texts, all of one weight, and what they can draw."""

    def __init__(self, texts: list[str], weight: str = "bold") -> None:
        wanted = {ord(character) for text in texts for character in unicodedata.normalize("NFC", text)}
        self.families = [_FIRST]
        self._codes = _codes(_FIRST, weight)
        missing = {code for code in wanted if chr(code).isprintable()} - self._codes
        for family in _installed() if missing else ():
            codes = _codes(family, weight)
            if codes & missing:
                self.families.append(family)
                self._codes |= codes
                missing -= codes
            if not missing:
                break

    def drawable(self, character: str) -> bool:
        """Whether one of the families has this character."""
        return ord(character) in self._codes

    def legible(self, name: str) -> str:
        """See `legible`."""
        return legible(name, self.drawable)


def _has_ink(character: str) -> bool:
    return unicodedata.category(character)[0] not in "ZCM" and character not in _BLANK


@functools.cache
def _installed() -> tuple[str, ...]:
    names = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(
        sorted(name for name in names if name.startswith(_OTHERS) and not any(word in name for word in _COLOURED))
    )


@functools.cache
def _codes(family: str, weight: str) -> frozenset[int]:
    """The code points that the very file has which is drawn with for this family and weight."""
    path = font_manager.findfont(font_manager.FontProperties(family=[family], weight=weight))
    return frozenset(font_manager.get_font(path).get_charmap())
