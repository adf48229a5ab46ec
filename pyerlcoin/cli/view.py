"""What a terminal shows: the board, and the miner at work."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pyerlcoin.cli.output import dots, silence
from pyerlcoin.cli.speed import WINDOWS, Speed
from pyerlcoin.cli.text import count, counted, duration, rate, shown
from pyerlcoin.coin.progress import Progress
from pyerlcoin.roles.miner import MinerView

__all__ = ["KEYS", "Form", "Screen", "board", "form", "is_live", "miner", "plain_board", "speeds"]

REFRESH: Final = 0.25
"""Seconds between two pictures: smooth for an eye, nothing for a processor."""

LINES: Final = 8
"""The newest log lines that stay under the picture, at most; at most a third of the terminal's rows."""

ROWS: Final = 2
"""Of a terminal for one line of the log, at most."""

BAR: Final = 24
"""Columns of a unit's bar: with its range beside it there is room in eighty for integers of eleven digits."""

WORDS: Final = {10.0: "10 s", 60.0: "60 s", 900.0: "15 min"}
"""The windows of a speed."""


def is_live(quiet: bool) -> bool:
    """Whether a picture may move there: a terminal that can, and nobody who wants plain lines."""
    console = Console()
    return not quiet and console.is_terminal and not console.is_dumb_terminal and not os.environ.get("NO_COLOR")


class Form(Enum):
    """How a command shows what goes on."""

    PICTURE = auto()
    LINES = auto()
    JSON = auto()


def form(quiet: bool, json_events: bool) -> Form:
    """What the two options and the terminal make of it."""
    if json_events:
        return Form.JSON
    return Form.PICTURE if is_live(quiet) else Form.LINES


class Screen:
    """A `running.Show`: a picture, and the newest lines under it.

    `picture` is told how many rows there are for it. `status` gives the line that `status()` shows. When the terminal
    hangs up, nothing is drawn any more: whoever closed it, and has SIGHUP ignored, wants the rest to go on.
    """

    def __init__(
        self,
        picture: Callable[[int], RenderableType],
        sentence: Callable[[object], str | None],
        status: Callable[[], str | None] = lambda: None,
        *,
        console: Console | None = None,
    ) -> None:
        self._picture = picture
        self._sentence = sentence
        self._status = status
        self._lines: deque[str] = deque(maxlen=LINES)
        self._said: list[str] = []
        self._handlers: list[logging.Handler] | None = None
        self._console = console
        self._live = self._new_live()
        self._suspended = False
        self._hung_up = False
        self._closing = False

    def event(self, event: object) -> None:
        line = self._sentence(event)
        if line is not None:
            self._lines.append(_timed(line))

    def say(self, *lines: str) -> None:
        """These stay until others are said: in the log, coins would push them out before they are read."""
        self._said = [_timed(line) for line in lines]

    def status(self) -> None:
        line = self._status()
        if line is not None:
            self.say(line)

    def render(self) -> RenderableType:
        """The picture and its lines, in no more rows than the terminal has."""
        height = self._live.console.height
        most = min(LINES, height // 3)
        said = [row for line in self._said for row in self._rows(line)]
        lines: list[RenderableType] = []
        for line in reversed(self._lines):
            # The last line of all is the sum: it stays, so it is whole.
            rows = self._rows(line, "dim", height if self._closing and not lines else ROWS)
            if lines and len(lines) + len(rows) > most:
                break
            lines[:0] = rows
        # One row is between picture and log, and the last one of a terminal is the cursor's.
        return Group(self._picture(max(1, height - max(most, len(lines)) - len(said) - 2)), *said, Text(), *lines)

    def _rows(self, line: str, style: str = "", most: int = ROWS) -> list[RenderableType]:
        """A line in as many rows as it needs, but `most`: what to do stands at the end of a sentence."""
        time, text = line[:_TIME], line[_TIME:]
        room = self._live.console.width - _TIME
        if room < BAR or cell_len(text) <= room:
            return [_line(line, style)]
        parts = [part.plain.rstrip() for part in Text(text).wrap(self._live.console, room)]
        parts[most - 1 :] = [" ".join(parts[most - 1 :])] if len(parts) > most else parts[most - 1 :]
        return [_line((" " * _TIME if row else time) + part, style) for row, part in enumerate(parts)]

    def suspend(self) -> None:
        self._suspended = True
        self._live.stop()

    def resume(self) -> None:
        if not self._suspended:
            return
        # Others have written below the last picture: this one is drawn under that, not over it.
        self._live = self._new_live()
        self._suspended = False
        self._live.start()
        self._draw()

    async def run(self) -> None:
        self._live.start()
        # What the log's own handlers write would land in the middle of the picture.
        root = logging.getLogger()
        self._handlers, root.handlers = root.handlers, [_LogLines(self._lines)]
        while True:
            if not self._suspended:
                self._draw()
            await asyncio.sleep(REFRESH)

    def close(self) -> None:
        if self._live.is_started:
            self._closing = True
            self._draw()
            self._live.stop()
        if self._handlers is not None:
            logging.getLogger().handlers, self._handlers = self._handlers, None

    def _draw(self) -> None:
        console = self._live.console
        try:
            self._live.update(self.render(), refresh=True)
            # Rich draws nothing on what is no terminal any more, and fails only when it stops.
            there = console.is_terminal
        except OSError:
            there = False
        if not there and not self._hung_up:
            self._hung_up = True
            silence(console.file)

    def _new_live(self) -> Live:
        return Live(console=self._console, auto_refresh=False, redirect_stderr=True, redirect_stdout=True)


class _LogLines(logging.Handler):
    """The log, among the newest lines."""

    def __init__(self, lines: deque[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(_timed(shown(record.getMessage(), 300)))


def _timed(line: str) -> str:
    return f"{datetime.now():%H:%M:%S} {line}"


_TIME: Final = len("12:34:56 ")


class _Row:
    """One row, whatever the width: what does not fit ends in dots, of which Rich knows one kind alone."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self._text.copy()
        text.no_wrap = True
        if text.cell_len > options.max_width:
            end = dots(options.encoding)
            text.truncate(max(0, options.max_width - len(end)), overflow="crop")
            text.append(end[: options.max_width])
        yield text

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._text)


def _line(text: str | Text, style: str = "") -> _Row:
    return _Row(text if isinstance(text, Text) else Text(text, style))


def board(progress: Progress, title: str, rows: int = 26) -> RenderableType:
    """The leaderboard with what stands behind it, in at most `rows` rows, but for three miners at least."""
    most = max(3, rows - _BOARD_FRAME)
    table = Table(expand=False)
    table.add_column("", justify="right", style="dim", no_wrap=True)
    # Rich takes the room that is missing from columns that may wrap: from this one alone, whose texts do not.
    table.add_column("miner", style="bold", min_width=12)
    table.add_column("coins", justify="right", style="green", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("speed", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for place, one in enumerate(progress.miners[:most], 1):
        table.add_row(
            str(place),
            _line(shown(one.name)),
            count(one.coins),
            f"{one.share:.0%}",
            rate(one.hashes_per_second),
            "" if one.present else "gone",
        )
    more = len(progress.miners) - most
    luck = "-" if progress.luck is None else f"{progress.luck:.0%}"
    facts = (
        f"{counted(progress.coins, 'coin')} of {progress.expected_coins:,.1f} to expect (luck {luck}), "
        f"{rate(progress.hashes_per_second)}"
    )
    work = f"{count(progress.finished)} integers finished, {count(progress.open)} out, "
    work += f"{count(progress.returned)} returned"
    goes_on = f"the next is {count(progress.frontier)}, workload {progress.workload}"
    rest = [Text(f"and {more} more")] if more > 0 else []
    return Group(_line(title, "italic"), table, *rest, _line(facts), _line(work, "dim"), _line(goes_on, "dim"))


_BOARD_FRAME: Final = 9
"""Rows of a board that are not a miner's: title, four of the table's frame, the miners left out, three of facts."""

KEYS: Final = "h help   p pause   r resume   s status   f finish   q quit"
_MINER_FRAME: Final = 9
"""Rows of a miner that are not a lane's."""


def miner(
    view: MinerView,
    speed: Speed,
    name: str,
    server: str,
    now: float,
    *,
    rows: int = 26,
    waits_for: str | None = None,
    keys: bool = False,
) -> RenderableType:
    """A miner at work, in at most `rows` rows, but for one lane at least; one that stopped has none.

    `waits_for`: in words, what reconnecting waits for. `keys`: whether to say which keys there are.
    """
    head = Text.assemble((shown(name), "bold"), "  ", _state(view), f"  {duration(now - view.started)}")
    per_window = [f"{WORDS[window]} {rate(speed.over(window))}" for window in WINDOWS]
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True, style="dim")
    facts.add_column()
    facts.add_row("server", _line(_server(view, server, waits_for)))
    facts.add_row("speed", _line("   ".join(per_window), "bold"))
    facts.add_row(
        "in all", _line(f"{rate(speed.overall())}, {counted(view.hashes, 'integer')}, {counted(view.units, 'unit')}")
    )
    of_name = "" if view.count is None else f", {count(view.count)} under this name"
    rejected = (f"{count(view.rejected)} rejected", "red" if view.rejected else "")
    facts.add_row("coins", _line(Text.assemble((f"{count(view.coins)} accepted", "green"), ", ", rejected, of_name)))
    if view.stopped:
        # The last picture, which stays: no lane waits for anything now, and no key does anything.
        return Group(_line(head), facts)

    lanes = Table.grid(padding=(0, 2))
    lanes.add_column(no_wrap=True, style="dim")
    lanes.add_column(no_wrap=True, width=BAR)
    lanes.add_column(no_wrap=True, justify="right", width=4)
    lanes.add_column(style="dim")
    most = max(1, rows - _MINER_FRAME)
    for index, lane in enumerate(view.lanes[:most], 1):
        if lane.unit is None:
            lanes.add_row(f"lane {index}", Text("waits for a unit", style="dim"))
        else:
            part = lane.done / lane.unit.size
            bar = ProgressBar(total=1.0, completed=part, width=BAR)
            of = f"{count(lane.unit.first)} to {count(lane.unit.last)}"
            lanes.add_row(f"lane {index}", bar, f"{int(part * 100)}%", _line(of))
    more = len(view.lanes) - most
    rest = [Text(f"and {more} more lanes")] if more > 0 else []
    hint: list[RenderableType] = [Text(), _line(KEYS, "dim")] if keys else []
    return Group(_line(head), facts, lanes, *rest, *hint)


def _state(view: MinerView) -> tuple[str, str]:
    if view.stopped:
        return "stopped", "yellow"
    if view.paused:
        return "paused", "yellow"
    if view.finishing:
        return "finishing what is in hand", "yellow"
    return ("mining", "green") if view.joined else ("not connected", "red")


def _server(view: MinerView, server: str, waits_for: str | None) -> Text:
    where = shown(server, 100)
    if waits_for is not None:
        return Text.assemble(where, "  ", (waits_for, "red"))
    if view.round_trip is None:
        return Text(where)
    return Text(f"{where}, a call takes {view.round_trip * 1000:,.1f} ms")


def speeds(speed: Speed) -> str:
    """The rates over the three windows, and in all."""
    return " / ".join(rate(each) for each in (*map(speed.over, WINDOWS), speed.overall()))


def plain_board(progress: Progress) -> Sequence[str]:
    """The leaderboard as lines."""
    rows = [f"{place:3}  {one.coins:8}  {shown(one.name)}" for place, one in enumerate(progress.miners, 1)]
    return rows or ["no miners yet"]
