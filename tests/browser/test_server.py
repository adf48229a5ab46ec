"""The whole way: a real server, a real miner, and the board moving in a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.clock import UNIT
from tests.support.ports import free_port, fresh_cookie, fresh_node
from tests.support.process import Child, pyerlcoin
from tests.support.visitor import Visitor, expect

if TYPE_CHECKING:
    from playwright.async_api import Page

PATIENCE = 60 * UNIT


def serve(node: str, env: dict[str, str], port: int) -> Child:
    game = ("--secret", "Serun+u", "--zeros", "3", "--workload", "2000")
    return pyerlcoin("serve", "--name", node, *game, "--web", f"127.0.0.1:{port}", "--quiet", env=env)


def mine(node: str, env: dict[str, str], name: str) -> Child:
    return pyerlcoin("mine", node, "--as", name, "--zeros", "3", "--workers", "1", "--quiet", env=env)


async def coins(page: Page) -> int:
    return int((await page.inner_text("#fig-coins")).replace(",", ""))


async def test_a_board_that_real_miners_move_through_a_restart(visitor: Visitor) -> None:
    node, port = fresh_node("server"), free_port()
    env = {"ERL_EPMD_PORT": str(free_port()), "PYERLCOIN_COOKIE": fresh_cookie()}
    async with serve(node, env, port) as first:
        await first.wait_line("the board is at", timeout=PATIENCE)
        async with mine(node, env, "Alice"), mine(node, env, "Bob"):
            page = await visitor.open(f"http://127.0.0.1:{port}/")
            await page.evaluate("globalThis.sameDocument = true")
            rows = page.locator("#rank-rows tr")
            await expect(rows).to_have_count(2, timeout=PATIENCE * 1000)
            leads = re.compile(r"^(Alice|Bob) leads")
            await expect(page.locator("#sentence")).to_have_text(leads, timeout=PATIENCE * 1000)
            before = await page.inner_text("#fig-coins")
            await expect(page.locator("#fig-coins")).not_to_have_text(before, timeout=PATIENCE * 1000)
            first.interrupt()
            assert await first.wait() == 130
            await expect(page.locator("#lamp[data-is=lost]")).to_be_attached(timeout=PATIENCE * 1000)
            async with serve(node, env, port) as second:
                await second.wait_line("the board is at", timeout=PATIENCE)
                await expect(page.locator("#lamp[data-is=live]")).to_be_attached(timeout=PATIENCE * 1000)
                await expect(rows).to_have_count(2, timeout=PATIENCE * 1000)
                assert await page.evaluate("globalThis.sameDocument") is True
