"""What a terminal shows: the board, and the miner at work."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pyerlcoin.cli.speed import WINDOWS, Speed
from pyerlcoin.cli.text import count, duration, rate, shown
from pyerlcoin.coin.progress import Progress
from pyerlcoin.roles.miner import MinerView

__all__ = ["Screen", "board", "is_live", "miner", "plain_board", "speeds"]

REFRESH: Final = 0.25
"""Seconds between two pictures: smooth for an eye, nothing for a processor."""

LINES: Final = 8
"""The newest log lines that stay under the picture."""


def is_live(quiet: bool) -> bool:
    """Whether a picture may move there: a terminal that can, and nobody who wants plain lines."""
    console = Console()
    return not quiet and console.is_terminal and not console.is_dumb_terminal and "NO_COLOR" not in os.environ


class Screen:
    """A `running.Show`: a picture, and the newest lines under it."""

    def __init__(
        self,
        picture: Callable[[], RenderableType],
        sentence: Callable[[object], str | None],
        *,
        console: Console | None = None,
    ) -> None:
        self._picture = picture
        self._sentence = sentence
        self._lines: deque[str] = deque(maxlen=LINES)
        self._live = Live(console=console, auto_refresh=False, redirect_stderr=True, redirect_stdout=True)

    def event(self, event: object) -> None:
        line = self._sentence(event)
        if line is not None:
            self._lines.append(f"{datetime.now():%H:%M:%S} {line}")

    def render(self) -> RenderableType:
        """The picture and its lines."""
        lines = [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._lines]
        return Group(self._picture(), Text(), *lines)

    async def run(self) -> None:
        self._live.start()
        while True:
            self._live.update(self.render(), refresh=True)
            await asyncio.sleep(REFRESH)

    def close(self) -> None:
        if self._live.is_started:
            self._live.update(self.render(), refresh=True)
            self._live.stop()


def board(progress: Progress, title: str, *, most: int = 20) -> RenderableType:
    """The leaderboard with what stands behind it; at most `most` miners."""
    table = Table(title=Text(title), title_justify="left", expand=False)
    table.add_column("", justify="right", style="dim")
    table.add_column("miner", style="bold")
    table.add_column("coins", justify="right", style="green")
    table.add_column("share", justify="right")
    table.add_column("speed", justify="right")
    table.add_column("")
    for place, one in enumerate(progress.miners[:most], 1):
        table.add_row(
            str(place),
            Text(shown(one.name)),
            count(one.coins),
            f"{one.share:.0%}",
            rate(one.hashes_per_second),
            "" if one.present else "gone",
        )
    more = len(progress.miners) - most
    luck = "-" if progress.luck is None else f"{progress.luck:.0%}"
    facts = (
        f"{count(progress.coins)} coins of {progress.expected_coins:.1f} to expect (luck {luck}), "
        f"{rate(progress.hashes_per_second)}"
    )
    work = (
        f"{count(progress.finished)} integers finished, {count(progress.open)} out, "
        f"{count(progress.returned)} returned, the next is {count(progress.frontier)}, workload {progress.workload}"
    )
    rest = [Text(f"and {more} more")] if more > 0 else []
    return Group(table, *rest, Text(facts), Text(work, style="dim"))


def miner(view: MinerView, speed: Speed, name: str, server: str, now: float) -> RenderableType:
    """A miner at work."""
    state = Text("joined", style="green") if view.joined else Text("not connected", style="red")
    head = Text.assemble((shown(name), "bold"), " on ", shown(server, 100), ", ", state)
    head.append(f", {duration(now - view.started)}")
    grid = Table.grid(padding=(0, 2))
    grid.add_row("speed 10 s / 60 s / 15 min", Text(speeds(speed), style="bold"))
    of_name = "" if view.count is None else f" ({count(view.count)} under this name)"
    grid.add_row(
        "coins", Text(f"{count(view.coins)} accepted, {count(view.rejected)} rejected{of_name}", style="green")
    )
    grid.add_row("searched", Text(f"{count(view.hashes)} integers, {count(view.units)} units"))
    for index, lane in enumerate(view.lanes, 1):
        if lane.unit is None:
            grid.add_row(f"lane {index}", Text("waits for a unit", style="dim"))
        else:
            bar = ProgressBar(total=1.0, completed=lane.done / lane.unit.size, width=30)
            grid.add_row(
                f"lane {index}", bar, Text(f"{count(lane.unit.first)} to {count(lane.unit.last)}", style="dim")
            )
    return Group(head, grid)


def speeds(speed: Speed) -> str:
    """The three rates."""
    return " / ".join(rate(speed.over(window)) for window in WINDOWS)


def plain_board(progress: Progress) -> Sequence[str]:
    """The leaderboard as lines."""
    rows = [f"{place:3}  {one.coins:8}  {shown(one.name)}" for place, one in enumerate(progress.miners, 1)]
    return rows or ["no miners yet"]
