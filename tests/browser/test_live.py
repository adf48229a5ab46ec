"""The page follows the game by itself: through a restart, a pause, a freeze and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlcoin.web.schedule import Schedule
from tests.support.board import served
from tests.support.clock import UNIT
from tests.support.evening import START, Evening
from tests.support.visitor import Visitor, expect

if TYPE_CHECKING:
    from playwright.async_api import Page

PATIENCE = 20_000 * UNIT

ORDER = "[...document.querySelectorAll('#rank-rows .who')].map((name) => name.textContent)"


def leader(evening: Evening) -> str:
    (first, most), (_, next_most) = evening.ledger.leaderboard()[:2]
    return f"{first} leads by {most - next_most:,} coin" + ("" if most - next_most == 1 else "s")


async def says(page: Page, sentence: str) -> None:
    await expect(page.locator("#sentence")).to_have_text(sentence, timeout=PATIENCE)


async def test_the_board_moves_without_a_reload(visitor: Visitor) -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(60)
    async with served(evening) as site:
        page = await visitor.open(site.url)
        await page.evaluate("globalThis.sameDocument = true")
        await says(page, leader(evening))
        assert await page.evaluate(ORDER) == ["Alice", "Bob"]
        evening.join("Carol", 3000)
        evening.run(120)
        await says(page, leader(evening))
        assert await page.evaluate(ORDER) == ["Carol", "Alice", "Bob"]
        assert await page.title() == f"{leader(evening)} · ElixirCoin"
        assert await page.evaluate("globalThis.sameDocument") is True


async def test_the_board_survives_a_restart_of_the_server(visitor: Visitor) -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(60)
    async with served(evening) as site:
        port = int(site.url.rstrip("/").rsplit(":", 1)[1])
        page = await visitor.open(site.url)
        await page.evaluate("globalThis.sameDocument = true")
        await page.wait_for_selector("#lamp[data-is=live]", state="attached", timeout=PATIENCE)
    await page.wait_for_selector("#lamp[data-is=lost]", state="attached", timeout=PATIENCE)
    assert "trying again" in await page.inner_text("#link")
    await says(page, leader(evening))  # what was known is still there
    evening.run(60)
    async with served(evening, port=port):
        await page.wait_for_selector("#lamp[data-is=live]", state="attached", timeout=PATIENCE)
        await says(page, leader(evening))
        assert await page.evaluate("globalThis.sameDocument") is True


async def test_a_new_game_in_the_place_of_the_old_one_has_its_own_coins(visitor: Visitor) -> None:
    def finders(name: str) -> str:
        return f"[...document.querySelectorAll('#coins .who')].filter((who) => who.textContent !== '{name}').length"

    old, new = Evening({"Alice": 100}), Evening({"Bob": 100})
    for evening in (old, new):
        evening.run(60)
    async with served(old) as site:
        port = int(site.url.rstrip("/").rsplit(":", 1)[1])
        page = await visitor.open(site.url)
        await page.wait_for_selector("#coins li", timeout=PATIENCE)
        assert await page.evaluate(finders("Alice")) == 0
    async with served(new, port=port):
        await says(page, f"Bob leads with {new.ledger.worth()} coins")
        assert await page.evaluate(finders("Bob")) == 0


async def test_a_paused_page_stands_still_until_it_goes_on(visitor: Visitor) -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(60)
    async with served(evening) as site:
        page = await visitor.open(site.url)
        await says(page, before := leader(evening))
        await page.click("#pause")
        await page.evaluate(
            """() => {
              let seen = 0;
              new EventSource('api/events').addEventListener('state', () => {
                if (seen < 3) document.documentElement.dataset.seen = String(++seen);
              });
            }"""
        )
        evening.run(60)
        await expect(page.locator("html[data-seen='3']")).to_be_attached(timeout=PATIENCE)
        await says(page, before)
        # What draws it again shows nothing newer.
        worth = await page.inner_text("#fig-coins")
        await page.keyboard.press("t")
        await page.set_viewport_size({"width": 1000, "height": 700})
        drawn = "document.querySelector('#race-plot svg').width.baseVal.value"
        await page.wait_for_function(f"() => {drawn} === document.querySelector('#race-plot').clientWidth")
        await page.click("#race-details summary")
        await page.wait_for_selector("#race-table tbody tr", timeout=PATIENCE)
        await page.keyboard.press("k")
        await page.keyboard.press("k")
        assert await page.inner_text("#fig-coins") == worth
        await says(page, before)
        await page.click("#pause")
        await says(page, leader(evening))


async def test_the_freeze_holds_the_banner_says_so_and_the_end_is_revealed(visitor: Visitor) -> None:
    evening = Evening({"Alice": 300, "Bob": 290}, schedule=Schedule(START + 60, START + 200))
    evening.run(59)
    async with served(evening) as site:
        page = await visitor.open(f"{site.url}?reveal=hold")
        assert await page.is_hidden("#banner")
        evening.run(2)
        await page.wait_for_selector("#banner[data-phase=frozen]", timeout=PATIENCE)
        assert "FROZEN" in (await page.inner_text("#banner")).upper()
        frozen = await page.inner_text("#ranks")
        worth = await page.inner_text("#fig-coins")
        evening.join("Carol", 5000)
        evening.run(100)
        counted = await page.inner_text("#countdown-left")
        evening.run(20)
        await expect(page.locator("#countdown-left")).not_to_have_text(counted, timeout=PATIENCE)
        assert await page.inner_text("#ranks") == frozen
        assert await page.inner_text("#fig-coins") == worth
        evening.run(60)
        await page.wait_for_selector("#banner[data-phase=held]", timeout=PATIENCE)
        await says(page, "Time is over. Who wins?")
        assert await page.inner_text("#fig-coins") == worth
        for _ in range(3):
            await page.keyboard.press("r")
        await page.wait_for_selector("#banner[data-phase=final]", timeout=PATIENCE)
        assert (await page.evaluate(ORDER))[0] == "Carol"
        assert (await page.inner_text("#sentence")).replace("\n", " ").startswith("Carol wins by")


async def test_ranks_glide_unless_motion_is_unwelcome(visitor: Visitor) -> None:
    animated = {}
    for motion in ("no-preference", "reduce"):
        evening = Evening({"Alice": 300, "Bob": 200})
        evening.run(60)
        async with served(evening) as site:
            page = await visitor.open(site.url, reduced_motion=motion)
            await says(page, leader(evening))
            await page.evaluate(
                """() => {
                  globalThis.glided = 0;
                  const animate = Element.prototype.animate;
                  Element.prototype.animate = function (...all) { glided += 1; return animate.apply(this, all); };
                }"""
            )
            evening.join("Carol", 3000)
            evening.run(120)
            await says(page, leader(evening))
            animated[motion] = await page.evaluate("globalThis.glided")
            if motion == "reduce":
                assert await page.evaluate("document.getAnimations().length") == 0
    assert animated["no-preference"] > 0
    assert animated["reduce"] == 0


async def test_a_listener_is_told_who_leads_but_not_every_second(visitor: Visitor) -> None:
    evening = Evening({"Alice": 300, "Bob": 200})
    evening.run(60)
    async with served(evening) as site:
        page = await visitor.open(site.url)
        await expect(page.locator("#announce")).not_to_be_empty(timeout=PATIENCE)
        first = await page.text_content("#announce")
        assert first is not None
        assert first.startswith("Alice leads by")
        for _ in range(5):
            evening.run(30)
            await says(page, leader(evening))
        assert await page.text_content("#announce") == first
