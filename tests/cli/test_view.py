from __future__ import annotations

import asyncio
import io

import pytest
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
    text = drawn(view.board(progress([f"m{n}" for n in range(30)]), "x"), 100)
    assert "and 10 more" in text
    assert "m19" in text
    assert "m20" not in text


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
    now = MinerView(True, 50_000_000, 7, 3, 1, 12, 0.0, lanes)
    text = drawn(view.miner(now, speed, "Ada", "server@10.0.0.1", 61.0), width)
    for words in ("Ada on server@10.0.0.1", "joined", "1:01 min", "5 MH/s / 5 MH/s / 5 MH/s", "3 accepted, 1 rejected"):
        assert words in text
    assert "1 to 1,000" in text
    assert "waits for a unit" in text


def test_a_board_in_lines() -> None:
    assert view.plain_board(progress(["Ada"])) == ["  1         9  Ada"]
    assert view.plain_board(progress([])) == ["no miners yet"]


async def test_a_screen_moves_and_leaves_its_last_picture() -> None:
    file = io.StringIO()
    pictures: list[int] = []
    moved = asyncio.Event()

    def picture() -> RenderableType:
        pictures.append(1)
        if len(pictures) >= 2:
            moved.set()
        return Text(f"picture {len(pictures)}")

    console = Console(file=file, force_terminal=True, width=80)
    screen = view.Screen(picture, lambda event: f"line {event}" if event else None, console=console)
    screen.event("one")
    screen.event(None)
    task = asyncio.create_task(screen.run())
    async with asyncio.timeout(20 * UNIT):
        await moved.wait()
    screen.event("two")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    screen.close()
    screen.close()
    last = file.getvalue()
    assert f"picture {len(pictures)}" in last
    assert "line one" in last
    assert "line two" in last


@pytest.mark.parametrize("plain", ["NO_COLOR", "dumb", "quiet", "pipe"])
def test_plain_lines_are_for_whoever_wants_them(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "dumb" if plain == "dumb" else "xterm")
    if plain == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "" if plain == "pipe" else "1")
    assert view.is_live(quiet=plain == "quiet") is False


def test_a_terminal_gets_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert view.is_live(quiet=False) is True
