from __future__ import annotations

import functools
import itertools
import struct
from datetime import UTC

import matplotlib
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from pyerlcoin.coin.past import Past
from pyerlcoin.web.board import CURVES
from pyerlcoin.web.picture import HEIGHT, HUES, ROWS, WIDTH, draw, picture
from pyerlcoin.web.replay import replay
from tests.support.board import HOSTILE
from tests.support.evening import Evening

TEAMS = ("Alice", "Team Ωmega 🚀", "Bob & Bea", "שלום", "$x_1$", "漢字", "مرحبا", "Zoë", "W" * 64, "j", "k", "l")


@functools.cache
def played(names: tuple[str, ...], seconds: float = 300) -> Evening:
    evening = Evening({name: 60.0 - index / 10 for index, name in enumerate(names)})
    evening.run(seconds)
    return evening


def drawn(evening: Evening) -> Figure:
    return draw(evening.board.state(evening.now), evening.board.everyone(evening.now), UTC)


def texts(figure: Figure) -> list[tuple[str, Bbox, float]]:
    """What is written, where in pixels, and how large."""
    figure.canvas.draw()
    found = []
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            clip = text.get_clip_box()
            if clip is not None and text.get_clip_on():
                cut = Bbox.intersection(box, clip)
                assert cut is not None
                box = cut
            found.append((text.get_text(), box, float(text.get_fontsize()) / 0.72))
    return found


def words(figure: Figure) -> list[str]:
    return [text for text, _, _ in texts(figure)]


@pytest.mark.parametrize("names", [("Alone",), TEAMS[:3], TEAMS, tuple(f"miner {n}" for n in range(200)), HOSTILE])
def test_legible_at_its_size_and_nothing_on_top_of_another(names: tuple[str, ...]) -> None:
    written = texts(drawn(played(names, 60)))
    page = Bbox.from_extents(0, 0, WIDTH, HEIGHT)
    for text, box, size in written:
        assert size >= 21.9, f"{text!r} is of {size:.0f} pixels"
        assert page.contains(box.x0, box.y0), text
        assert page.contains(box.x1, box.y1), text
    for (text, box, _), (other, its, _) in itertools.combinations(written, 2):
        both = Bbox.intersection(box, its)
        # Boxes are of whole lines; a pixel or two of them may meet where the ink does not.
        assert both is None or both.width < 3 or both.height < 5, f"{text!r} and {other!r}"


def test_it_says_who_won_by_how_much_and_when() -> None:
    evening = played(("Alice", "Bob", "Cleo"))
    (first, most), (second, fewer), *_ = evening.ledger.leaderboard()
    written = words(drawn(evening))
    assert {first, second, f" wins by {most - fewer} coins", f"{most} to {fewer} for "} <= set(written)
    assert f"{evening.ledger.worth():,} coins in the wallet   ·   3 miners" in " ".join(written)
    assert "Final board, 14 November 2023, 22:13 to 22:18" in written
    assert {"Coins over time", "Speed over time", "22:14", "22:17", "on average", "at most"} <= set(written)


@pytest.mark.parametrize(
    ("coins", "headline"),
    [
        ({}, "Nobody found a coin"),
        ({"Ann": 1}, " wins with 1 coin"),
        ({"Ann": 2, "Bob": 2}, " wins: level, but there first"),
    ],
)
def test_other_ends(coins: dict[str, int], headline: str) -> None:
    state, history = replay(Past(1, 1, 100), [], zeros=5, digest=str)
    rows = [{"rank": rank, "name": name, "coins": most} for rank, (name, most) in enumerate(coins.items(), 1)]
    state["miners"] = rows
    state["game"] |= {"miners": len(rows), "coins": sum(coins.values())}
    history["miners"] = [{"name": name, "coins": [0, most]} for name, most in coins.items()]
    history["coins"] = [0, sum(coins.values())]
    history["hashes_per_second"] = [None, 3.0]
    assert headline in words(draw(state, history, UTC))


def test_ranks_coins_and_bars_are_the_boards() -> None:
    evening = played(tuple(f"miner {n}" for n in range(30)), 60)
    figure = drawn(evening)
    page = figure.axes[0]
    written = [text.get_text() for text in page.texts]
    board = evening.ledger.leaderboard()
    at = written.index("1") + 1
    for name, coins in board[: ROWS - 1]:
        assert written[at : at + 2] == [f"{coins:,}", name]
        at += 3
    rest = sum(coins for _, coins in board[ROWS - 1 :])
    assert f"and {31 - ROWS} more with {rest} coins together" in written
    bars = [bar.get_width() for bar in page.patches if isinstance(bar, Rectangle)][1::2]
    assert bars == [pytest.approx(724 * coins / board[0][1]) for _, coins in board[: ROWS - 1]]


def test_the_curves_are_the_histories() -> None:
    evening = played(TEAMS)
    history = evening.board.everyone(evening.now)
    race = drawn(evening).axes[1]
    lines = {tuple(line.get_ydata()): line for line in race.lines}  # type: ignore[arg-type]  # numbers, as plotted
    for index, miner in enumerate(history["miners"]):
        line = lines[(0, *miner["coins"])]
        assert list(line.get_xdata())[-1] == pytest.approx(history["end_seconds"] - history["start_seconds"])  # type: ignore[arg-type]
        assert (line.get_color() in HUES) == (index < CURVES)
    assert race.get_xlim() == drawn(evening).axes[2].get_xlim()


def test_leading_lines_differ_without_their_colour() -> None:
    race = drawn(played(TEAMS)).axes[1]
    leading = [line for line in race.lines if line.get_color() in HUES]
    assert len({line.get_color() for line in leading}) == CURVES
    for one, other in itertools.pairwise(sorted(leading, key=lambda line: HUES.index(str(line.get_color())))):
        assert pattern(one) != pattern(other)
    for hue in HUES:
        red, green, blue = (
            (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4) for each in to_rgb(hue)
        )
        # WCAG 2.1, 1.4.3: the names beside the lines are in these colours, on white.
        assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5


def pattern(line: Line2D) -> object:
    return line._unscaled_dash_pattern  # type: ignore[attr-defined]  # get_linestyle says '--' of every own pattern


def test_a_png_of_full_hd() -> None:
    evening = played(HOSTILE, 30)
    image = picture(evening.board.state(evening.now), evening.board.everyone(evening.now))
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", image[16:24]) == (WIDTH, HEIGHT)


def test_what_a_user_set_for_other_pictures_changes_nothing() -> None:
    evening = played(("$\\input{/etc/passwd}$", "Bob"), 30)
    state, history = evening.board.state(evening.now), evening.board.everyone(evening.now)
    plain = picture(state, history, UTC)
    with matplotlib.rc_context({"text.usetex": True, "font.size": 40, "axes.facecolor": "red"}):
        assert picture(state, history, UTC) == plain
        assert matplotlib.rcParams["font.size"] == 40


def test_rates_of_any_size() -> None:
    evening = played(("Ann",), 30)
    state, history = evening.board.state(evening.now), evening.board.everyone(evening.now)
    for most in (0.0, 1e-3, 1e15, 1e30):
        history["hashes_per_second"] = [None, most, None, most]
        assert picture(state, history, UTC)


@pytest.mark.parametrize("seconds", [0.0, 3.0, 59.0, 3600.0, 86400.0 * 3, 86400.0 * 400])
def test_times_of_any_length(seconds: float) -> None:
    evening = played(("Ann", "Bob"), 30)
    state, history = evening.board.state(evening.now), evening.board.everyone(evening.now)
    history["end_seconds"] = history["start_seconds"] + seconds
    history["step_seconds"] = max(seconds / len(history["coins"]), 1.0)
    figure = draw(state, history, UTC)
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[1].get_xticklabels()]
    assert len(boxes) >= 2
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
