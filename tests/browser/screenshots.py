"""Makes docs/images/{board,kiosk,frozen,phone,final,picture}.png from a simulated evening: `scripts/screenshots`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, Page, async_playwright

from pyerlcoin.coin.coin import digest_hex
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.past import replay as past
from pyerlcoin.coin.progress import Progress
from pyerlcoin.web.board import Board
from pyerlcoin.web.picture import picture
from pyerlcoin.web.replay import replay
from pyerlcoin.web.report import page as report
from pyerlcoin.web.schedule import Schedule
from tests.support.board import served
from tests.support.chromium import ARGUMENTS, executable, why_missing
from tests.support.evening import SECRET, START, Evening

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
TEAMS = {
    "Alice": 1_880.0,
    "Team Ωmega ★": 1_620.0,
    "Bob & Bea": 1_380.0,
    "elixir_enjoyers": 960.0,
    "שלום": 620.0,
    "Carol": 460.0,
    "the slow lane": 180.0,
}


def evening() -> tuple[Evening, Progress]:
    """Fifty minutes: one team joins late and is fast, one falls silent, one leaves. And how it stood at the freeze."""
    game = Evening(TEAMS, zeros=4, workload=8_000, schedule=Schedule(ends_at=START + 3600))
    game.run(1200)
    game.join("latecomers", 2_400.0)
    game.run(1200)
    game.stall("Carol")
    game.run(300)
    then = game.ledger.progress(game.now)
    game.leave("the slow lane")
    game.run(300)
    return game, then


def digest(n: int) -> str:
    """What the newest coins are shown with."""
    return digest_hex(SECRET, n)


def board(game: Evening, then: Progress, schedule: Schedule) -> Board:
    """The same evening on another board."""
    other = Board(
        Past(1, 1, game.workload),
        zeros=game.zeros,
        digest=digest,
        now=game.start,
        schedule=schedule,
    )
    other.progress(then)
    for fact in game.facts:
        other.fact(fact)
    return other


async def open_page(browser: Browser, url: str, width: int, height: int, **options: Any) -> Page:
    """A page whose charts are drawn."""
    context = await browser.new_context(viewport={"width": width, "height": height}, **options)
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_selector("#race-plot polyline", state="attached")
    return page


async def main() -> int:
    """0, or 1 where there is no Chromium."""
    missing = why_missing()
    if missing is not None:
        print(missing, file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    still: Any = {"reduced_motion": "reduce", "timezone_id": "Europe/Brussels"}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        game, then = evening()
        async with served(game) as site:
            for name, query, width, height, scheme in (
                ("board", "", 1280, 720, "light"),
                ("kiosk", "?kiosk", 1280, 720, "dark"),
                ("phone", "", 390, 844, "light"),
            ):
                page = await open_page(browser, site.url + query, width, height, color_scheme=scheme, **still)
                await page.screenshot(path=IMAGES / f"{name}.png")
        game.board = board(game, then, Schedule(START + 2700, START + 3600))
        async with served(game) as site:
            page = await open_page(browser, f"{site.url}?kiosk", 1280, 720, color_scheme="dark", **still)
            await page.screenshot(path=IMAGES / "frozen.png")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "final.html"
            end = replay(past(1, game.workload, game.facts), game.facts, zeros=game.zeros, digest=digest)
            (IMAGES / "picture.png").write_bytes(picture(*end, ZoneInfo("Europe/Brussels")))
            file.write_text(report(*end), encoding="utf-8")
            page = await open_page(browser, file.as_uri(), 1280, 720, color_scheme="light", **still)
            await page.focus("#slider")
            await page.screenshot(path=IMAGES / "final.png")
        await browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
