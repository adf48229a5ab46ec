from __future__ import annotations

import asyncio
import io
import logging
import os
import pty
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from pyerlcoin.cli import view
from pyerlcoin.cli.speed import Speed
from pyerlcoin.coin.progress import MinerProgress, Progress
from pyerlcoin.coin.unit import Unit
from pyerlcoin.roles.miner import LaneView, MinerView
from tests.support.clock import UNIT


def progress(names: list[str]) -> Progress:
    miners = [
        MinerProgress(name, "a@b", 9 - place % 9, 0.5, 1e6, 10, None, None, place == 0, 0)
        for place, name in enumerate(names)
    ]
    return Progress(1, 10**12, 900, 10, 5, 12, 9.5, 1.26, 3e6, "auto", miners)


def drawn(picture: RenderableType, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    with console.capture() as capture:
        console.print(picture)
    return capture.get()


@pytest.mark.parametrize("width", [80, 200])
def test_the_board_shows_who_leads_at_any_width(width: int) -> None:
    text = drawn(view.board(progress(["Ada", "Grace"]), "The board"), width)
    assert "Ada" in text
    assert "Grace" in text
    assert "gone" in text
    assert "3 MH/s" in text
    assert max(map(len, text.splitlines())) <= width


def test_too_many_miners_are_counted() -> None:
    text = drawn(view.board(progress([f"m{n}" for n in range(30)]), "x", 29), 100)
    assert "and 10 more" in text
    assert "m19" in text
    assert "m20" not in text
    assert len(text.splitlines()) <= 29


def test_a_name_is_text_and_nothing_else() -> None:
    text = drawn(view.board(progress(["[red]x[/red]", "\x1b[2Jy"]), "[bold]t"), 100)
    assert "[red]x[/red]" in text
    assert "\x1b" not in text
    assert "[bold]t" in text


@pytest.mark.parametrize("width", [80, 200])
def test_a_miner_shows_speed_coins_and_lanes(width: int) -> None:
    speed = Speed(0.0)
    speed.sample(10.0, 50_000_000)
    lanes = (LaneView(Unit(1, 1000), 500), LaneView(None, 0))
    now = MinerView(True, 50_000_000, 7, 3, 1, 12, 0.0, lanes, round_trip=0.0012)
    text = drawn(view.miner(now, speed, "Ada", "server@10.0.0.1", 61.0, keys=True), width)
    for words in (
        "Ada  mining  1:01 min",
        "server@10.0.0.1, a call takes 1.2 ms",
        "10 s 5 MH/s   60 s 5 MH/s   15 min 5 MH/s",
        "5 MH/s, 50,000,000 integers, 7 units",
        "3 accepted, 1 rejected, 12 under this name",
        "50%  1 to 1,000",
        "waits for a unit",
        view.KEYS,
    ):
        assert words in text
    assert view.KEYS not in drawn(view.miner(now, speed, "Ada", "x@y", 61.0), width)
    assert view.speeds(speed) == "5 MH/s / 5 MH/s / 5 MH/s / 5 MH/s"


@pytest.mark.parametrize("width", [80, 200])
def test_whatever_is_long_is_cut_and_what_is_short_stays(width: int) -> None:
    lanes = (LaneView(Unit(10**29, 10**29 + 10**28), 5 * 10**27),) * 30
    now = MinerView(False, 10**29, 10**28, 10**20, 10**19, 10**20, 0.0, lanes)
    text = drawn(
        view.miner(
            now, Speed(0.0), "\ufdfd" * 64, "s" * 200, 61.0, waits_for="attempt 3 in 4 s: " + "x" * 300, rows=14
        ),
        width,
    )
    rows = text.splitlines()
    assert len(rows) <= 14
    assert max(map(cell_len, rows)) <= width
    for word in ("server", "speed", "in all", "coins", "lane 1", "50%", "and 25 more lanes"):
        assert any(row.startswith(word) or word in row for row in rows), word


@pytest.mark.parametrize("width", [80, 200])
def test_a_name_that_is_long_takes_no_room_from_the_numbers(width: int) -> None:
    text = drawn(view.board(progress(["W" * 64, "\U0001f600" * 64]), "t" * 300), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.count("50%") == 2
    assert "3 MH/s" in text
    assert "gone" in text


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (MinerView(True, 0, 0, 0, 0, None, 0.0, (), paused=True), "paused"),
        (MinerView(True, 0, 0, 0, 0, None, 0.0, (), finishing=True), "finishing what is in hand"),
        (MinerView(False, 0, 0, 0, 0, None, 0.0, ()), "not connected"),
        (MinerView(True, 0, 0, 0, 0, None, 0.0, (), stopped=True), "stopped"),
    ],
)
def test_a_miner_says_what_it_is_at(now: MinerView, word: str) -> None:
    assert f"Ada  {word}" in drawn(view.miner(now, Speed(0.0), "Ada", "x@y", 1.0), 80)


def test_a_miner_that_stopped_waits_for_nothing() -> None:
    now = MinerView(True, 0, 0, 3, 0, None, 0.0, (LaneView(None, 0),))
    at_work, stopped = (
        drawn(view.miner(replace(now, stopped=over), Speed(0.0), "Ada", "x@y", 1.0, keys=True), 80)
        for over in (False, True)
    )
    assert "waits for a unit" in at_work
    assert "q quit" in at_work
    assert "3 accepted" in stopped
    assert "waits for a unit" not in stopped
    assert "q quit" not in stopped


def test_a_board_in_lines() -> None:
    assert view.plain_board(progress(["Ada"])) == ["  1         9  Ada"]
    assert view.plain_board(progress([])) == ["no miners yet"]


async def test_a_screen_moves_and_leaves_its_last_picture() -> None:
    file = io.StringIO()
    pictures: list[int] = []
    moved = asyncio.Event()

    def picture(rows: int) -> RenderableType:
        pictures.append(1)
        if len(pictures) >= 2:
            moved.set()
        return Text(f"picture {len(pictures)}")

    console = Console(file=file, force_terminal=True, width=80)
    screen = view.Screen(picture, lambda event: f"line {event}" if event else None, lambda: "all well", console=console)
    handlers = list(logging.getLogger().handlers)
    screen.event("one")
    screen.event(None)
    task = asyncio.create_task(screen.run())
    async with asyncio.timeout(20 * UNIT):
        await moved.wait()
    screen.event("two")
    screen.say("taken away")
    screen.status()
    for n in range(20):
        screen.event(f"more {n}")
    logging.getLogger("pyerlcoin.x").warning("epmd %s", "went\x1b[2J")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    screen.close()
    screen.close()
    last = file.getvalue()
    assert f"picture {len(pictures)}" in last
    assert "line one" in last
    assert "line more 19" in last
    assert "all well" in last[last.rindex("picture") :]
    assert "taken away" not in last
    assert "epmd went\N{REPLACEMENT CHARACTER}[2J" in last
    assert logging.getLogger().handlers == handlers


SHORT = "attempt 1 in 1.5 s: 'Alice' is already registered: choose another name with --as"
LONG = "'Alice' is already registered: choose another name with --as, or end the one that has it, " * 2


@pytest.mark.parametrize("width", [60, 100, 300])
def test_what_to_do_is_not_cut_off(width: int) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=24)
    screen = view.Screen(lambda rows: Text("picture"), str, console=console)
    for line in ("short", SHORT, LONG):
        screen.event(line)
    rows = drawn(screen.render(), width).splitlines()
    assert max(map(cell_len, rows)) <= width
    text = " ".join(" ".join(rows).split())
    assert SHORT in text
    assert text.endswith("…") is (width < 100), "two rows are enough for the one, not for the other"
    assert len(rows) == {60: 7, 100: 6, 300: 5}[width]


def test_the_log_takes_no_more_than_its_third_of_the_rows() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=60, height=12)
    given: list[int] = []

    def picture(rows: int) -> RenderableType:
        given.append(rows)
        return Text("\n".join(["picture"] * rows))

    screen = view.Screen(picture, str, console=console)
    for _ in range(9):
        screen.event(LONG)
    assert len(drawn(screen.render(), 60).splitlines()) == 11
    assert given == [6]


async def test_the_sum_at_the_end_is_whole() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=60, height=24)
    screen = view.Screen(lambda rows: Text("picture"), str, console=console)
    task = asyncio.create_task(screen.run())
    await asyncio.sleep(0)
    screen.event(LONG + "the end")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    screen.close()
    assert "the end" in file.getvalue()


class Narrow(io.StringIO):
    """A terminal that knows ASCII alone."""

    encoding = "ascii"


def test_where_there_is_no_ellipsis_dots_take_its_room() -> None:
    console = Console(width=40, file=Narrow(), force_terminal=False)
    with console.capture() as capture:
        console.print(view.board(progress(["W" * 64]), "t" * 300))
    text = capture.get()
    assert "…" not in text
    assert "ttt..." in text
    assert max(map(len, text.splitlines())) <= 40


@pytest.mark.parametrize("forced", [None, True])
async def test_a_terminal_that_hangs_up_ends_nothing(monkeypatch: pytest.MonkeyPatch, forced: bool | None) -> None:
    """Rich draws on one only if it is told to, and then it fails."""
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    moved = asyncio.Event()
    master, slave = pty.openpty()

    def picture(rows: int) -> RenderableType:
        moved.set()
        return Text("picture")

    async def another() -> None:
        moved.clear()
        async with asyncio.timeout(20 * UNIT):
            await moved.wait()

    with os.fdopen(slave, "w") as terminal:
        console = Console(file=terminal, force_terminal=forced, width=80)
        screen = view.Screen(picture, str, console=console)
        task = asyncio.create_task(screen.run())
        await another()
        os.close(master)
        for _ in range(3):
            await another()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        screen.close()


@pytest.mark.parametrize("plain", ["NO_COLOR", "dumb", "quiet", "pipe"])
def test_plain_lines_are_for_whoever_wants_them(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "dumb" if plain == "dumb" else "xterm")
    if plain == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "" if plain == "pipe" else "1")
    assert view.is_live(quiet=plain == "quiet") is False


@pytest.mark.parametrize("no_color", [None, ""])
def test_a_terminal_gets_the_picture(monkeypatch: pytest.MonkeyPatch, no_color: str | None) -> None:
    """Also where NO_COLOR is set and empty, which is not to count (no-color.org)."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert view.is_live(quiet=False) is True


def test_json_is_for_whoever_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert view.form(quiet=False, json_events=False) is view.Form.PICTURE
    assert view.form(quiet=True, json_events=False) is view.Form.LINES
    assert view.form(quiet=True, json_events=True) is view.Form.JSON
