"""The final board as a picture: who won and by how much, the ranks, and how coins and speed went over time.

1920 × 1080 pixels, to be shown on a projector or sent round. Needs the extra `pyerlcoin[png]`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from io import BytesIO
from typing import Final

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from pyerlcoin.web.board import CURVES, State
from pyerlcoin.web.lettering import Lettering, shortened
from pyerlcoin.web.words import coins_of, grouped, rate

__all__ = ["HEIGHT", "HUES", "ROWS", "WIDTH", "draw", "picture"]

WIDTH: Final = 1920
HEIGHT: Final = 1080
"""Pixels."""

ROWS: Final = 16
"""The most ranks that are listed one by one; with more, their letters would be too small for a room."""

_INK, _SOFT, _ACCENT, _GOLD = "#1a1429", "#574e6c", "#5b2a9d", "#8a5300"
_PAGE, _PANEL, _LINE, _REST = "#f4f2f9", "#ffffff", "#ddd7ea", "#a59db8"

HUES: Final = ("#5b2a9d", "#b04a00", "#0f6f68", "#b4185f", "#1b4fc4", "#4b6d0c", "#8c2f1b", "#3d4a5c")
"""Of the leading miners, as on the page. Neighbours differ in lightness or line as well, and each line has its name."""

_DASHES: Final = ("-", (0, (5, 2.2)), (0, (1, 1.6)), (0, (6, 2, 1, 2)))

_LEFT, _RIGHT, _ENDS = 1040, 1590, 1602
"""Pixels where a chart begins and ends, and where what is beside it begins."""
_ABOVE, _BELOW = 66, 58
"""Pixels between a chart and its panel's edges."""
_HEADROOM: Final = 1.05

_DPI: Final = 100
_POINT: Final = 72 / _DPI
"""Of a pixel."""


def picture(state: State, history: State, zone: tzinfo | None = None) -> bytes:
    """The PNG of a final board. `state` is a `Board.state`, `history` its `Board.everyone`.

    `zone` is for the times of day; without it this machine's.
    """
    file = BytesIO()
    with _own_style():
        draw(state, history, zone).savefig(file, format="png", dpi=_DPI, metadata={"Software": "pyerlcoin"})
    return file.getvalue()


def draw(state: State, history: State, zone: tzinfo | None = None) -> Figure:
    """The figure of `picture`."""
    names = [miner["name"] for miner in state["miners"]]
    with _own_style():
        sheet = _Sheet(Lettering(names))
        sheet.header(state, history, zone)
        if names:
            sheet.ranks(state["miners"], state["game"])
            sheet.race(history, zone)
            sheet.speed(history, state["game"]["hashes_per_second"], zone)
    return sheet.figure


@contextmanager
def _own_style() -> Iterator[None]:
    """Nothing of a user's matplotlibrc: it may ask for LaTeX, which would run what is in a name."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    # It says where it keeps its list of fonts, which is nothing to do anything about.
    logger.setLevel(logging.ERROR)
    try:
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            yield
    finally:
        logger.setLevel(level)


class _Sheet:
    """The figure, and pixels counted from its upper left corner."""

    def __init__(self, lettering: Lettering) -> None:
        self.figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=_PAGE)
        # Nothing of a screen: letters are measured and drawn in memory.
        FigureCanvasAgg(self.figure)
        self._lettering = lettering
        self._page = self.figure.add_axes((0, 0, 1, 1))
        self._page.set_axis_off()
        self._page.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))

    # The parts.

    def header(self, state: State, history: State, zone: tzinfo | None) -> None:
        """Who won and by how much, large; when; and what all of them did."""
        start, end = (_moment(history[key], zone) for key in ("start_seconds", "end_seconds"))
        game = state["game"]
        left = self._write("ElixirCoin", 40, 56, 30, colour=_ACCENT, bold=True)
        if game["miners"]:
            day = "" if (end - start).days == 0 else f"{end.day} {end:%B}, "
            when = f"Final board, {start.day} {start:%B %Y}, {start:%H:%M} to {day}{end:%H:%M}"
            self._write(when, left + 24, 56, 26, colour=_SOFT)
        self._headline(state["miners"])
        luck = "" if game["luck"] is None else f"{game['luck']:.0%} of the coins to expect"
        miners = f"{grouped(game['miners'])} {'miner' if game['miners'] == 1 else 'miners'}"
        parts = [f"{coins_of(game['coins'])} in the wallet", miners, luck]
        self._write("   ·   ".join(part for part in parts if part), 40, 258, 28, colour=_SOFT)

    def ranks(self, miners: list[State], game: State) -> None:
        """Each with its coins and a bar; those who do not fit, together."""
        self._panel(40, 290, 880, 1050)
        top, bottom = 306, 1040
        shown = miners if len(miners) <= ROWS else miners[: ROWS - 1]
        rows = max(len(shown) + (len(shown) < game["miners"]), 4)
        height = (bottom - top) / rows
        size = min(72.0, height * 0.62)
        most = max((miner["coins"] for miner in shown), default=0)
        for index, miner in enumerate(shown):
            self._rank(miner, index, top + index * height, height, size, most)
        if len(shown) < game["miners"]:
            coins = game["coins"] - sum(miner["coins"] for miner in shown)
            rest = f"and {grouped(game['miners'] - len(shown))} more with {coins_of(coins)} together"
            self._write(rest, 136, top + (rows - 0.5) * height + size * 0.35, size, colour=_SOFT)

    def race(self, history: State, zone: tzinfo | None) -> None:
        """Coins over time: the leading ones in colour with their names, everybody else thin and grey."""
        axes = self._chart("Coins over time", 290, 715)
        if len(history["miners"]) > CURVES:
            self._write(f"the first {CURVES}; all others in grey", 1190, 332, 22, colour=_SOFT)
        ends = [_end(history, index) for index in range(len(history["coins"]))]
        for index, curve in reversed(list(enumerate(history["miners"]))):
            leading = index < CURVES
            axes.plot(
                [0.0, *ends],
                [0, *curve["coins"]],
                color=HUES[index] if leading else _REST,
                linestyle=_DASHES[index % len(_DASHES)] if leading else "-",
                linewidth=(5 if index == 0 else 3.2) * _POINT if leading else 1.2 * _POINT,
                alpha=1.0 if leading else 0.45,
                zorder=3 if leading else 2,
            )
        most = max((curve["coins"][-1] for curve in history["miners"]), default=1)
        _scale(axes, most, grouped, whole=True)
        _clock(axes, history, zone)
        self._ends(history["miners"][:CURVES], most * _HEADROOM)

    def speed(self, history: State, average: float, zone: tzinfo | None) -> None:
        """All miners' hashes per second over time."""
        axes = self._chart("Speed over time", 731, 1050)
        values = [math.nan if value is None else value for value in history["hashes_per_second"]]
        most = max((value for value in values if not math.isnan(value)), default=0.0)
        edges = [0.0, *(_end(history, index) for index in range(len(values)))]
        if values:
            floor = [0.0 if math.isnan(value) else value for value in values]
            axes.stairs(floor, edges, fill=True, color=HUES[0], alpha=0.16)
            axes.stairs(values, edges, baseline=None, color=HUES[0], linewidth=3 * _POINT)
        _scale(axes, most or 1.0, rate)
        _clock(axes, history, zone)
        for told, words, y in ((average, "on average", 830), (most, "at most", 930)):
            self._write(rate(told), _ENDS, y, 30, bold=True)
            self._write(words, _ENDS, y + 32, 22, colour=_SOFT)

    # Their pieces.

    def _headline(self, miners: list[State]) -> None:
        if not miners or not miners[0]["coins"]:
            self._write("Nobody found a coin", 40, 168, 84, bold=True)
            return
        first, second = miners[0], miners[1] if len(miners) > 1 else None
        if second is None:
            words = f" wins with {coins_of(first['coins'])}"
        elif first["coins"] == second["coins"]:
            words = " wins: level, but there first"
        else:
            words = f" wins by {coins_of(first['coins'] - second['coins'])}"
        room = WIDTH - 80 - self._width(words, 84, bold=True)
        right = self._name(first["name"], 40, 168, 84, room, colour=_ACCENT)
        self._write(words, right, 168, 84, bold=True)
        if second is not None:
            behind = f"{grouped(first['coins'])} to {grouped(second['coins'])} for "
            right = self._write(behind, 40, 215, 34, colour=_SOFT)
            self._name(second["name"], right, 215, 34, WIDTH - 40 - right, colour=_SOFT)

    def _rank(self, miner: State, index: int, top: float, height: float, size: float, most: int) -> None:
        base = top + height * 0.44 + size * 0.35
        hue = HUES[index] if index < CURVES and miner["coins"] else _REST
        self._write(str(miner["rank"]), 116, base, size, colour=_SOFT, right=True)
        coins = grouped(miner["coins"])
        colour = _GOLD if index == 0 and miner["coins"] else _INK
        self._write(coins, 860, base, size, colour=colour, bold=True, right=True)
        room = 860 - 136 - 30 - self._width(coins, size, bold=True)
        self._name(miner["name"], 136, base, size, room)
        bar = max(4.0, height * 0.12)
        length = 724 * miner["coins"] / most if most else 0.0
        self._page.add_patch(Rectangle((136, top + height * 0.84), 724, bar, facecolor=_PAGE))
        self._page.add_patch(Rectangle((136, top + height * 0.84), length, bar, facecolor=hue))

    def _chart(self, title: str, top: float, bottom: float) -> Axes:
        self._panel(896, top, 1880, bottom)
        self._write(title, 920, top + 42, 28, bold=True)
        lower, upper = bottom - _BELOW, top + _ABOVE
        box = _LEFT / WIDTH, 1 - lower / HEIGHT, (_RIGHT - _LEFT) / WIDTH, (lower - upper) / HEIGHT
        axes = self.figure.add_axes(box, facecolor=_PANEL)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(_LINE)
        axes.tick_params(length=0, labelsize=22 * _POINT, labelcolor=_SOFT, pad=8 * _POINT)
        axes.tick_params(axis="x", pad=16 * _POINT)
        axes.grid(visible=True, axis="y", color=_LINE, linewidth=1.5 * _POINT)
        axes.set_axisbelow(True)
        return axes

    def _ends(self, miners: list[State], most: float) -> None:
        """The names at the ends of the lines, a line apart, with their coins."""
        size, gap = 22.0, 31.0
        top, bottom = 290.0 + _ABOVE, 715.0 - _BELOW
        places = [[bottom - (bottom - top) * miner["coins"][-1] / most, index] for index, miner in enumerate(miners)]
        places.sort()
        edge = top - gap / 2
        for place in places:
            edge = place[0] = max(place[0], edge + gap)
        edge = bottom + gap / 2
        for place in reversed(places):
            edge = place[0] = min(place[0], edge - gap)
        for middle, index in places:
            miner = miners[int(index)]
            coins = grouped(miner["coins"][-1])
            room = 1866 - _ENDS - 12 - self._width(coins, size, bold=True)
            base, hue = middle + size * 0.35, HUES[int(index)]
            right = self._name(miner["name"], _ENDS, base, size, room, colour=hue)
            self._write(coins, right + 12, base, size, colour=hue, bold=True)

    # Letters.

    def _panel(self, left: float, top: float, right: float, bottom: float) -> None:
        box = FancyBboxPatch(
            (left, top), right - left, bottom - top, boxstyle="round,pad=0,rounding_size=14", ec=_LINE, fc=_PANEL, lw=1
        )
        self._page.add_patch(box)

    def _name(self, name: str, x: float, y: float, size: float, room: float, *, colour: str = _INK) -> float:
        """A miner's name in no more than its room; where it ends."""
        text = shortened(self._lettering.legible(name), room, lambda part: self._width(part, size, bold=True))
        # A letter may be as high as it likes; the neighbours' rows are theirs.
        box = Bbox.from_extents(x - 2, HEIGHT - y - size * 0.35, x + room + 2, HEIGHT - y + size)
        return self._write(text, x, y, size, colour=colour, bold=True, box=box)

    def _write(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        *,
        colour: str = _INK,
        bold: bool = False,
        right: bool = False,
        box: Bbox | None = None,
    ) -> float:
        """From `x` on, or up to it, on the base line `y`, in letters of `size` pixels. Where it ends."""
        written = self._text(text, x, y, size, bold=bold)
        written.set(color=colour, ha="right" if right else "left", va="baseline")
        self._page.add_artist(written)
        written.set_clip_box(box)
        written.set_clip_on(box is not None)
        return x if right else x + self._width(text, size, bold=bold)

    def _text(self, text: str, x: float, y: float, size: float, *, bold: bool) -> Text:
        return Text(
            x,
            y,
            text,
            fontsize=size * _POINT,
            fontfamily=self._lettering.families if bold else self._lettering.families[:1],
            fontweight="bold" if bold else "normal",
            parse_math=False,
        )

    def _width(self, text: str, size: float, *, bold: bool) -> float:
        """In pixels."""
        written = self._text(text, 0, 0, size, bold=bold)
        written.set_figure(self.figure)
        width: float = written.get_window_extent().width
        return width


def _moment(seconds: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone)


def _end(history: State, index: int) -> float:
    """When a step ends, in seconds from the start. The last one is as far as it has come, not as wide as it may be."""
    length = max(history["end_seconds"] - history["start_seconds"], history["step_seconds"])
    return float(min((index + 1) * history["step_seconds"], length))


def _step(most: float, wanted: float) -> float:
    """A round step so that `most` takes about `wanted` of them."""
    rough = most / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def _scale(axes: Axes, most: float, label: Callable[[float], str], *, whole: bool = False) -> None:
    step = _step(most, 5)
    if whole:
        step = max(1, round(step))
    ticks = [index * step for index in range(int(most * _HEADROOM / step) + 1)]
    axes.set_ylim(0, most * _HEADROOM)
    axes.set_yticks(ticks, labels=[label(tick) for tick in ticks])


_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def _clock(axes: Axes, history: State, zone: tzinfo | None) -> None:
    """The time of day below a chart."""
    start = history["start_seconds"]
    length = max(history["end_seconds"] - start, history["step_seconds"])
    # Seconds and dates make longer words.
    step = next(
        (each for each in _STEPS if length / each <= (6 if 60 <= each < 43200 else 4)),
        math.ceil(length / 4 / 86400) * 86400,
    )
    shift = (_moment(start, zone).utcoffset() or UTC.utcoffset(None)).total_seconds()
    first = math.ceil((start + shift) / step) * step - shift
    ticks = [first + index * step for index in range(int((start + length - first) / step) + 1)]
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 43200 else "%d %b %H:%M" if step < 86400 else "%d %b"
    axes.set_xlim(0, length)
    axes.set_xticks([tick - start for tick in ticks], labels=[f"{_moment(tick, zone):{form}}" for tick in ticks])
