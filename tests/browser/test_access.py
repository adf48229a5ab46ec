"""Everybody can use it: WCAG 2.1 A and AA as far as axe can tell, and no need of a mouse."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyerlcoin.web.report import page as report
from pyerlcoin.web.schedule import Schedule
from tests.support.board import served
from tests.support.clock import UNIT
from tests.support.evening import START, Evening
from tests.support.visitor import Visitor, expect

if TYPE_CHECKING:
    from playwright.async_api import Page

PATIENCE = 20_000 * UNIT
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def game(schedule: Schedule | None = None) -> Evening:
    evening = Evening(
        {"Alice": 300, "Bob": 200, "Carol": 150, "Dan": 90, "Eve": 80, "שלום": 60},
        schedule=schedule or Schedule(),
    )
    evening.run(200)
    evening.stall("Dan")
    evening.leave("Eve")
    evening.run(150)
    return evening


async def violations(page: Page) -> list[str]:
    # Evaluated from outside the page, so its policy stays as it is.
    await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found: Any = await page.evaluate("(rules) => axe.run(document, { runOnly: { type: 'tag', values: rules } })", RULES)
    assert found["passes"]
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("query", "width"), [("", 1280), ("?kiosk", 1280), ("", 390)])
async def test_axe_finds_nothing(visitor: Visitor, scheme: str, query: str, width: int) -> None:
    async with served(game()) as site:
        page = await visitor.open(site.url + query, scheme=scheme, width=width)
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
        if not query:
            for details in await page.query_selector_all("summary"):
                await details.click()
        assert await violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ends", [START + 1000, START + 300])
async def test_axe_finds_nothing_in_the_last_minutes_either(visitor: Visitor, scheme: str, ends: float) -> None:
    async with served(game(Schedule(START + 100, ends))) as site:
        page = await visitor.open(site.url, scheme=scheme)
        await page.wait_for_selector("#banner", timeout=PATIENCE)
        assert await violations(page) == []


async def test_axe_finds_nothing_in_the_list_of_keys_or_the_final_file(visitor: Visitor, tmp_path: Path) -> None:
    evening = game()
    async with served(evening) as site:
        page = await visitor.open(site.url)
        await page.keyboard.press("?")
        await page.wait_for_selector("#keys[open]", timeout=PATIENCE)
        assert await violations(page) == []
    file = tmp_path / "final.html"
    file.write_text(report(evening.board.state(evening.now), evening.board.everyone(evening.now)))
    page = await visitor.open(file.as_uri())
    assert await violations(page) == []


async def test_the_keyboard_reaches_every_control_and_its_focus_is_seen(visitor: Visitor) -> None:
    async with served(game()) as site:
        page = await visitor.open(site.url)
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
        reached = []
        for _ in range(14):
            await page.keyboard.press("Tab")
            here = await page.evaluate(
                """() => { const one = document.activeElement; const style = getComputedStyle(one);
                const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
                return [one.id || one.className || one.tagName, seen]; }"""
            )
            reached.append(here[0])
            assert here[1] or here[0] == "BODY", here
        assert reached[0] == "skip"
        assert {"pause", "theme", "wall", "full", "help", "SUMMARY"} <= set(reached)


async def test_the_skip_link_leads_to_the_ranks(visitor: Visitor) -> None:
    async with served(game()) as site:
        page = await visitor.open(site.url)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "ranks"


async def test_each_key_does_what_the_list_says(visitor: Visitor) -> None:
    async with served(game()) as site:
        page = await visitor.open(site.url)
        root = "document.documentElement"
        await page.keyboard.press("t")
        assert await page.evaluate(f"{root}.dataset.theme") == "light"
        await page.keyboard.press("k")
        assert await page.evaluate(f"{root}.classList.contains('kiosk')")
        assert "kiosk" in page.url
        await page.keyboard.press("k")
        assert not await page.evaluate(f"{root}.classList.contains('kiosk')")
        await page.keyboard.press("p")
        assert await page.get_attribute("#pause", "aria-pressed") == "true"
        await page.keyboard.press("p")
        await page.keyboard.press("?")
        assert await page.is_visible("#keys")
        await page.keyboard.press("Escape")
        assert await page.is_hidden("#keys")


async def test_single_keys_can_be_turned_off_for_good(visitor: Visitor) -> None:
    async with served(game()) as site:
        page = await visitor.open(site.url)
        await page.keyboard.press("?")
        await page.uncheck("#keys-on")
        await page.keyboard.press("Escape")
        await page.keyboard.press("k")
        assert not await page.evaluate("document.documentElement.classList.contains('kiosk')")
        await page.reload()
        await page.wait_for_selector("#rank-rows tr", timeout=PATIENCE)
        await page.keyboard.press("k")
        assert not await page.evaluate("document.documentElement.classList.contains('kiosk')")


async def test_the_tools_of_the_wall_are_there_for_who_tabs_to_them(visitor: Visitor) -> None:
    async with served(game()) as site:
        page = await visitor.open(f"{site.url}?kiosk")
        opacity = "getComputedStyle(document.querySelector('#tools')).opacity"
        assert await page.evaluate(opacity) == "0"
        await page.focus("#wall")
        assert await page.evaluate(opacity) == "1"
        await page.keyboard.press("Enter")
        assert not await page.evaluate("document.documentElement.classList.contains('kiosk')")


async def test_a_tap_brings_the_tools_of_the_wall_back_and_does_no_more(visitor: Visitor) -> None:
    async with served(game()) as site:
        page = await visitor.open(f"{site.url}?kiosk", width=390, height=844, has_touch=True)
        box = await page.locator("#wall").bounding_box()
        assert box is not None
        where = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        await expect(page.locator("#tools")).to_have_css("opacity", "0", timeout=PATIENCE)
        await page.touchscreen.tap(*where)
        await expect(page.locator("#tools")).to_have_css("opacity", "1", timeout=PATIENCE)
        assert await page.evaluate("document.documentElement.classList.contains('kiosk')")
        await page.touchscreen.tap(*where)
        await page.wait_for_selector("html:not(.kiosk)", timeout=PATIENCE)


async def test_tables_say_what_the_charts_show(visitor: Visitor) -> None:
    evening = game()
    async with served(evening) as site:
        page = await visitor.open(site.url)
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
        for name in ("race", "speed", "strip"):
            await page.click(f"#{name}-details summary")
            # A table is filled when it is opened, which the page hears of a little later.
            await page.wait_for_selector(f"#{name}-table tbody tr", timeout=PATIENCE)
        last = await page.inner_text("#race-table tbody tr:last-child")
        assert last.split("\t")[1] == f"{evening.ledger.worth():,}"
        assert "Alice" in await page.inner_text("#race-table thead")
        assert "in hand" in await page.inner_text("#strip-table tbody")
        assert "H/s" in await page.inner_text("#speed-table tbody")


async def test_a_whole_evening_without_a_mouse(visitor: Visitor, tmp_path: Path) -> None:
    """Every control that can be reached does its work on Enter, Space or an arrow."""
    evening = game()
    async with served(evening) as site:
        page = await visitor.open(site.url)
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)

        async def tab_to(words: str) -> None:
            for _ in range(30):
                await page.keyboard.press("Tab")
                if await page.evaluate("(words) => document.activeElement.matches(words)", words):
                    return
            raise AssertionError(f"no Tab leads to {words}")

        for table in ("race", "speed", "strip"):
            await tab_to(f"#{table}-details summary")
            await page.keyboard.press("Enter")
            await page.wait_for_selector(f"#{table}-table", state="visible", timeout=PATIENCE)
        for key in ("Enter", "Space"):
            before = await page.get_attribute("#pause", "aria-pressed")
            await tab_to("#pause")
            await page.keyboard.press(key)
            assert await page.get_attribute("#pause", "aria-pressed") != before
        await tab_to("#theme")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.documentElement.dataset.theme") == "light"
        await tab_to("#help")
        await page.keyboard.press("Enter")
        assert await page.is_visible("#keys")
        await page.keyboard.press("Escape")
        # Whoever opened it goes on where they were.
        assert await page.evaluate("document.activeElement.id") == "help"
        await tab_to("#wall")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.documentElement.classList.contains('kiosk')")
    file = tmp_path / "final.html"
    file.write_text(report(evening.board.state(evening.now), evening.board.everyone(evening.now)))
    page = await visitor.open(file.as_uri())
    end = await page.inner_text("#rank-rows")
    await tab_to("#slider")
    await page.keyboard.press("Home")
    assert await page.inner_text("#rank-rows") != end
    await page.keyboard.press("End")
    assert await page.inner_text("#rank-rows") == end
