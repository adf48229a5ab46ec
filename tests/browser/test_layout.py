"""Nothing on the page is clipped, and nothing lies on anything else, however long the names and the numbers are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from pyerlcoin.coin.past import Past, PastMiner
from pyerlcoin.web.board import Board
from pyerlcoin.web.schedule import Schedule
from tests.support.board import HOSTILE, served
from tests.support.clock import UNIT
from tests.support.evening import START, Evening
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from playwright.async_api import Page

PATIENCE = 20_000 * UNIT
SIZES = [(1024, 768), (1280, 720), (1920, 1080)]
UPRIGHT = [(1080, 1920), (390, 844)]
VIEWS = [*((size, "k") for size in (*SIZES, *UPRIGHT)), *((size, "") for size in (*SIZES, (390, 844)))]
"""Sizes of a screen, and the key that is pressed first: a wall, an upright one, a desk, a phone."""
LONG = (
    "The Extraordinary Gentlemen",
    "Functional Programming Society",
    "elixir_enjoyers",
    "Bartholomew & Bea",
    "Team Ωmega",
    "שלום עולם",
)

SCHEDULES = {
    "countdown": Schedule(ends_at=START + 20_000),
    "frozen": Schedule(START + 30, START + 20_000),
    "final": Schedule(START + 30, START + 50),
}
MINERS = {
    "nobody": {},
    "level": dict.fromkeys(LONG, 12),
    "millions": {name: 88_888_888 - place for place, name in enumerate(LONG)},
    "hostile": {name: 700 - place for place, name in enumerate(HOSTILE)},
}

# Every piece of text that is seen: its words and boxes, cut to what its surroundings let through, less the room that
# a font keeps above and below its letters.
PIECES = """() => {
  const pieces = [];
  let nodes = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    nodes += 1;
    const element = node.parentElement;
    if (!node.textContent.trim() || element.closest('.unseen, .skip, dialog, .tools, script, style')) continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      const spare = box.height / 4;
      const seen = { left: box.left, right: box.right, top: box.top + spare, bottom: box.bottom - spare };
      for (let around = element; around; around = around.parentElement) {
        if (!['hidden', 'clip'].includes(getComputedStyle(around).overflowX)) continue;
        const edge = around.getBoundingClientRect();
        seen.left = Math.max(seen.left, edge.left);
        seen.right = Math.min(seen.right, edge.right);
        seen.top = Math.max(seen.top, edge.top);
        seen.bottom = Math.min(seen.bottom, edge.bottom);
      }
      if (seen.right - seen.left < 1 || seen.bottom - seen.top < 1) continue;
      pieces.push({ node: nodes, words: node.textContent.trim(), number: element.className === 'number',
        cut: box.right - seen.right, ...seen });
    }
  }
  return pieces;
}"""

ENDS = """() => [...document.querySelectorAll('.plot text')].map((text) => {
    const [box, around] = [text.getBoundingClientRect(), text.closest('.plot').getBoundingClientRect()];
    return { words: text.textContent, left: box.left - around.left, right: around.right - box.right };
  })"""


def game(miners: dict[str, int], schedule: Schedule) -> Evening:
    """Only looked at: miners by name and coins, a minute after it began."""
    evening = Evening({}, schedule=schedule)
    past = [PastMiner(name, "a@b", coins, last) for last, (name, coins) in enumerate(miners.items(), 1)]
    evening.board = Board(
        Past(1, 1, 200, tuple(past)), zeros=5, digest=lambda n: f"{n:032x}", now=START, schedule=schedule
    )
    evening.now = START + 60
    return evening


async def covered(page: Page) -> list[tuple[str, str]]:
    """The pieces of text that lie on one another."""
    pieces = await page.evaluate(PIECES)
    assert pieces
    return [
        (one["words"], other["words"])
        for index, one in enumerate(pieces)
        for other in pieces[:index]
        # A text with an ellipsis has two boxes, and one of them is what is left out.
        if one["node"] != other["node"]
        and min(one["right"], other["right"]) - max(one["left"], other["left"]) > 1
        and min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) > 1
    ]


async def views(page: Page) -> AsyncIterator[str]:
    """The page in one view after the other, drawn; and which one it is."""
    for (width, height), key in VIEWS:
        await page.set_viewport_size({"width": width, "height": height})
        if key:
            await page.keyboard.press(key)
        drawn = "() => document.querySelector('#race-plot svg')?.width.baseVal.value === "
        drawn += "document.querySelector('#race-plot').clientWidth"
        await page.wait_for_function(drawn, timeout=PATIENCE)
        yield f"{width} x {height} {key}"
        if key:
            await page.keyboard.press(key)


async def test_millions_of_coins_are_shown_to_their_last_digit(visitor: Visitor) -> None:
    miners = {name: 88_888_888 - 1_111_111 * place for place, name in enumerate(LONG)}
    async with served(game(miners, Schedule(ends_at=START + 20_000))) as site:
        page = await visitor.open(site.url)
        async for view in views(page):
            numbers = [piece for piece in await page.evaluate(PIECES) if piece["number"]]
            assert [piece["words"] for piece in numbers] == [f"{coins:,}" for coins in miners.values()], view
            assert [piece for piece in numbers if piece["cut"] > 0.5] == [], view
            # A column: they end below one another, the leader's larger ones too.
            columns = len({round(piece["right"]) for piece in numbers})
            assert columns == int(await page.get_attribute("#ranks-box", "data-columns") or 1), view


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("miners", MINERS)
async def test_nothing_lies_on_anything_else(visitor: Visitor, miners: str, schedule: str) -> None:
    async with served(game(MINERS[miners], SCHEDULES[schedule])) as site:
        page = await visitor.open(site.url, rows=miners != "nobody")
        async for view in views(page):
            assert await covered(page) == [], view
            assert [end for end in await page.evaluate(ENDS) if min(end["left"], end["right"]) < 0] == [], view


@pytest.mark.parametrize("width", [320, 390, 640, 641, 700, 800, 991, 992, 1024, 1100, 1152, 1153, 1280, 1440])
async def test_a_tag_lies_beside_its_coins(visitor: Visitor, width: int) -> None:
    evening = Evening({"Alexandra": 400.0, "Bartholomew": 150.0})
    evening.run(1000)
    evening.leave("Alexandra")
    evening.run(1200)
    async with served(evening) as site:
        page = await visitor.open(site.url, width=width, height=768)
        await page.wait_for_selector(".tag:not([hidden])", timeout=PATIENCE)
        assert await covered(page) == []
        cut = "(tag) => tag.scrollWidth - tag.clientWidth"
        assert await page.locator(".tag:not([hidden])").evaluate(cut) <= 1


@pytest.mark.parametrize("width", [320, 390, 1024])
async def test_a_rank_of_three_digits_lies_on_no_name(visitor: Visitor, width: int) -> None:
    evening = Evening({f"miner-{n:03}": 20.0 + n for n in range(120)})
    evening.run(60)
    async with served(evening) as site:
        page = await visitor.open(site.url, width=width, height=640)
        assert await covered(page) == []


async def test_a_wall_that_lost_its_server_says_so_beside_the_leader(visitor: Visitor) -> None:
    async with served(game(dict.fromkeys(LONG, 12), Schedule(ends_at=START + 20_000))) as site:
        page = await visitor.open(f"{site.url}?kiosk")
    await page.wait_for_selector("#lamp[data-is=lost]", state="attached", timeout=PATIENCE)
    await page.keyboard.press("p")
    assert "trying again" in await page.inner_text("#link")
    assert await covered(page) == []


@pytest.mark.parametrize("query", ["", "?kiosk"])
async def test_a_board_without_miners_says_what_it_waits_for(visitor: Visitor, query: str) -> None:
    async with served(game({}, Schedule())) as site:
        page = await visitor.open(site.url + query, rows=False)
        await page.wait_for_selector("#race-plot svg", timeout=PATIENCE)
        words = [piece["words"] for piece in await page.evaluate(PIECES)]
        assert "Waiting for the first miner to say hello." in words
        assert "None yet." in words


async def test_names_are_whole_on_the_wall_where_the_type_stays_large(visitor: Visitor) -> None:
    evening = Evening({"elixir_enjoyers": 300.0} | {f"miner {n}": 100.0 for n in range(10)})
    evening.run(60)
    async with served(evening) as site:
        page = await visitor.open(f"{site.url}?kiosk")
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
        assert await page.get_attribute("#ranks-box", "data-columns") == "2"
        cut = "[...document.querySelectorAll('.row .who')].filter((name) => name.scrollWidth > name.clientWidth + 1)"
        assert await page.evaluate(f"{cut}.length") == 0


async def test_a_chart_takes_the_room_that_its_neighbour_leaves(visitor: Visitor) -> None:
    evening = Evening({f"m{k}": 100.0 for k in range(12)})
    evening.run(60)
    async with served(evening) as site:
        page = await visitor.open(site.url)
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
        heights = """() => ['race', 'speed'].map((name) => {
            const panel = document.querySelector(`.${name}.panel`).getBoundingClientRect();
            const below = document.querySelector(`#${name}-details`).getBoundingClientRect();
            const drawn = document.querySelector(`#${name}-plot svg`).getBoundingClientRect();
            const plot = document.querySelector(`#${name}-plot`).getBoundingClientRect();
            return { dead: panel.bottom - below.bottom, undrawn: plot.height - drawn.height };
          })"""
        for each in await page.evaluate(heights):
            assert each["dead"] <= 24
            assert abs(each["undrawn"]) <= 1
