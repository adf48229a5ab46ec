"""The evening as one file: it opens from a disk, and its slider goes through the evening."""

from __future__ import annotations

from pathlib import Path

from pyerlcoin.web.report import page as report
from tests.support.board import HOSTILE
from tests.support.clock import UNIT
from tests.support.evening import Evening
from tests.support.visitor import Visitor

PATIENCE = 20_000 * UNIT


def write(evening: Evening, path: Path) -> str:
    path.write_text(report(evening.board.state(evening.now), evening.board.everyone(evening.now)), encoding="utf-8")
    return path.as_uri()


async def test_the_file_shows_the_end_and_the_slider_shows_how_it_came(visitor: Visitor, tmp_path: Path) -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(200)
    early = dict(evening.ledger.leaderboard())
    evening.join("Carol", 3000)
    evening.run(200)
    page = await visitor.open(write(evening, tmp_path / "final.html"), timezone_id="UTC")
    assert await page.inner_text("#link") == "Final board, 14 November 2023, 22:13 to 22:20"
    assert (await page.inner_text("#sentence")).replace("\n", " ").startswith("Carol wins by")
    assert await page.inner_text("#fig-coins") == f"{evening.ledger.worth():,}"
    await page.focus("#slider")
    await page.keyboard.press("Home")
    assert await page.inner_text("#fig-coins") != f"{evening.ledger.worth():,}"
    middle = 200 // 5 - 1  # the step that ends after 200 s
    for _ in range(middle):
        await page.keyboard.press("ArrowRight")
    assert (await page.inner_text("#sentence")).startswith("Alice")
    number = await page.inner_text("#rank-rows tr:first-child .number")
    assert number == str(early["Alice"])
    await page.keyboard.press("End")
    assert (await page.inner_text("#sentence")).startswith("Carol")


async def test_the_keys_do_in_a_file_what_makes_sense_there(visitor: Visitor, tmp_path: Path) -> None:
    evening = Evening({f"m{k}": 100.0 + k for k in range(4)})
    evening.run(200)
    page = await visitor.open(write(evening, tmp_path / "final.html"))
    await page.focus("#slider")
    await page.keyboard.press("Home")
    worth = await page.inner_text("#fig-coins")
    await page.keyboard.press("t")
    assert await page.evaluate("document.documentElement.dataset.theme") == "light"
    await page.keyboard.press("p")
    assert "paused" not in str(await page.get_attribute("html", "class"))
    # The wall has the slider too, and its arrows stay its own.
    await page.keyboard.press("k")
    await page.wait_for_selector("html.kiosk #slider", timeout=PATIENCE)
    assert await page.inner_text("#fig-coins") == worth
    await page.keyboard.press("End")
    assert await page.inner_text("#fig-coins") == f"{evening.ledger.worth():,}"
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    await page.keyboard.press("?")
    assert "pause" not in await page.inner_text("#keys")


async def test_hostile_names_stay_text_in_the_file(visitor: Visitor, tmp_path: Path) -> None:
    evening = Evening(dict.fromkeys(HOSTILE, 100.0))
    evening.run(60)
    page = await visitor.open(write(evening, tmp_path / "final.html"))
    assert await page.evaluate("document.querySelectorAll('body img, body iframe').length") == 0
    assert await page.evaluate("document.querySelectorAll('script').length") == 2
    assert await page.evaluate("document.querySelectorAll('#rank-rows tr').length") == len(HOSTILE)
