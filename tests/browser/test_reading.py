"""A room can read it: three miners or two hundred, on the projectors that rooms have."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.board import HOSTILE, served
from tests.support.clock import UNIT
from tests.support.evening import Evening
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from playwright.async_api import Page

    from pyerlcoin.web.site import Site

PATIENCE = 20_000 * UNIT
SIZES = [(1280, 720), (1920, 1080)]

# Every element that shows text of its own and is on the page: its words, type size and box.
TEXTS = """() => [...document.querySelectorAll('body *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    && !element.closest('.unseen, .skip, dialog, .tools, script, style')
    && element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
  ).map((element) => {
    const box = element.getBoundingClientRect();
    return { words: element.textContent.slice(0, 40), size: parseFloat(getComputedStyle(element).fontSize),
      left: box.left, top: box.top, right: box.right, bottom: box.bottom };
  })"""

ROWS = """() => [...document.querySelectorAll('#rank-rows tr')].filter((row) => !row.hidden).map((row) => {
    const box = row.getBoundingClientRect();
    const around = document.querySelector('#ranks-box').getBoundingClientRect();
    const number = row.querySelector('.c-coins');
    const who = row.querySelector('.who');
    return { name: who.textContent, size: parseFloat(getComputedStyle(who).fontSize), height: box.height,
      inside: box.top >= around.top - 1 && box.bottom <= around.bottom + 1 && box.right <= around.right + 1,
      whole: number.scrollWidth <= number.clientWidth + 1,
      letters: who.getBoundingClientRect().width / parseFloat(getComputedStyle(who).fontSize) };
  })"""


@cache
def game(miners: int) -> Evening:
    """Read only, so each is played once."""
    evening = Evening({f"miner-{k:03d}": 20.0 + k for k in range(miners)})
    evening.run(60)
    return evening


async def wall(visitor: Visitor, site: Site, width: int, height: int) -> tuple[Page, list[dict[str, Any]]]:
    """The wall view, which fits its screen, and its rows, each whole and in its place."""
    page = await visitor.open(f"{site.url}?kiosk", width=width, height=height)
    await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    rows = await page.evaluate(ROWS)
    assert all(row["inside"] and row["whole"] for row in rows)
    return page, rows


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("miners", [3, 200])
async def test_the_wall_fits_its_screen_in_large_type(visitor: Visitor, miners: int, width: int, height: int) -> None:
    async with served(game(miners)) as site:
        page, rows = await wall(visitor, site, width, height)
        # A letter of 1/30 of the screen's height is read from eight screen heights away.
        assert min(row["size"] for row in rows) >= height / 30
        if miners == 3:
            assert min(row["size"] for row in rows) >= height / 22
        texts = await page.evaluate(TEXTS)
        assert texts
        small = [text for text in texts if text["size"] < height * 0.023]
        assert small == []
        leader = next(text for text in texts if text["words"].startswith("miner-"))
        assert leader["size"] >= height / 15


@pytest.mark.parametrize(("width", "height"), [(1080, 1920), (768, 1024), (390, 844)])
@pytest.mark.parametrize("miners", [3, 12, 200])
async def test_an_upright_wall_shows_every_name(visitor: Visitor, miners: int, width: int, height: int) -> None:
    async with served(game(miners)) as site:
        _, rows = await wall(visitor, site, width, height)
        assert min(row["letters"] for row in rows) >= 4
        assert min(row["size"] for row in rows) >= max(16, width / 30)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_every_miner_comes_by_and_the_leaders_stay(visitor: Visitor, width: int, height: int) -> None:
    evening = game(200)
    ranked = [name for name, _ in evening.ledger.leaderboard()]
    async with served(evening) as site:
        page = await visitor.open(f"{site.url}?kiosk", width=width, height=height)
        await page.wait_for_selector("#pager:not([hidden])", timeout=PATIENCE)
        pages = int((await page.inner_text("#pager")).rsplit(" ", 1)[1])
        assert pages <= 16
        seen = set()
        for _ in range(pages):
            names = [row["name"] for row in await page.evaluate(ROWS)]
            assert names[:3] == ranked[:3]
            seen.update(names)
            await page.keyboard.press("ArrowRight")
        assert seen == set(ranked)


@pytest.mark.parametrize(("width", "height"), [*SIZES, (390, 844), (320, 640)])
@pytest.mark.parametrize("miners", [3, 200])
async def test_the_page_never_needs_a_second_direction(visitor: Visitor, miners: int, width: int, height: int) -> None:
    async with served(game(miners)) as site:
        page = await visitor.open(site.url, width=width, height=height)
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        rows = await page.evaluate(ROWS)
        assert len(rows) == miners
        assert all(row["inside"] and row["whole"] for row in rows)
        assert min(row["size"] for row in rows) >= 16
        texts = await page.evaluate(TEXTS)
        assert [text for text in texts if text["size"] < 14] == []
        assert [text for text in texts if text["right"] > width + 1] == []


@pytest.mark.parametrize("query", ["", "?kiosk"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
async def test_hostile_names_are_inert(visitor: Visitor, query: str, width: int, height: int) -> None:
    evening = Evening({name: 100.0 + k for k, name in enumerate(HOSTILE)})
    evening.run(60)
    async with served(evening) as site:
        page = await visitor.open(site.url + query, width=width, height=height)
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
        if not query:
            for details in await page.query_selector_all("summary"):
                await details.click()
        assert await page.evaluate("document.querySelectorAll('body img, body iframe, body script').length") == 0
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        rows = await page.evaluate(ROWS)
        assert all(row["inside"] and row["whole"] for row in rows)
        heights = sorted(row["height"] for row in rows)[:-1]  # the leader's row is larger
        assert heights[-1] - heights[0] <= 2
        shown = {row["name"] for row in rows}
        assert "<img src=x onerror=alert(1)>" in shown
        assert not any(set(name) & set("\u202e\u2066\n\r\x00\x1b") for name in shown)
        assert "(a name of nothing visible)" in shown


async def test_a_name_keeps_some_letters_beside_its_tag(visitor: Visitor) -> None:
    evening = Evening({"Alexandra": 300, "Bartholomew": 200})
    evening.run(60)
    evening.leave("Bartholomew")
    evening.run(30)
    async with served(evening) as site:
        for query, width, height in (("", 390, 844), ("", 1280, 720), ("?kiosk", 1280, 720)):
            page = await visitor.open(site.url + query, width=width, height=height)
            await page.wait_for_selector(".tag:not([hidden])", timeout=PATIENCE)
            assert min(row["letters"] for row in await page.evaluate(ROWS)) >= 3
