"""A page that is left open through the evening stays as small as it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.board import served
from tests.support.clock import UNIT
from tests.support.evening import Evening
from tests.support.visitor import Visitor

STEP = 5  # seconds between two states; a page that is served gets them closer, but never more of one kind
PATIENCE = 20_000 * UNIT

# States as the page would get them: other coins, other ranks, other miners now and then, and curves with every fifth.
LIVE_THROUGH = """async ([states, step, base]) => {
  const { page } = globalThis.pyerlcoin;
  const state = structuredClone(base);
  for (let count = 0; count < states; count += 1) {
    globalThis.lived = (globalThis.lived ?? 0) + 1;
    state.at_seconds += step;
    state.as_of_seconds += step;
    const lucky = state.miners[globalThis.lived % state.miners.length];
    lucky.coins += 1;
    if (globalThis.lived % 60 === 0) lucky.name = `m${globalThis.lived}`;
    state.miners.sort((a, b) => b.coins - a.coins);
    state.miners.forEach((miner, index) => { miner.rank = index + 1; });
    const n = String(globalThis.lived * 1000);
    state.newest = [{ n, miner: lucky.name, at_seconds: state.at_seconds, digest: '00' + n.padStart(30, 'a') },
      ...state.newest.slice(0, 11)];
    page.state(JSON.parse(JSON.stringify(state)));
    if (count % 5 === 0) page.history(JSON.parse(JSON.stringify(state.history)));
    if (count % 200 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
}"""


@pytest.mark.parametrize("hours", [1, pytest.param(8, marks=pytest.mark.long)])
async def test_hours_leave_no_trace_in_memory(visitor: Visitor, hours: int) -> None:
    evening = Evening({f"m{k}": 100.0 + k for k in range(12)})
    evening.run(60)
    async with served(evening) as site:
        page = await visitor.open(site.url, reduced_motion="reduce")
        await page.wait_for_selector("#race-plot polyline", timeout=PATIENCE)
        base = await page.evaluate("fetch('api/state').then((answer) => answer.json())")
    # The server is gone, so that nothing but these states comes in.
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Performance.enable")

    async def figures() -> dict[str, Any]:
        await devtools.send("HeapProfiler.collectGarbage")
        answer = await devtools.send("Performance.getMetrics")
        return {metric["name"]: metric["value"] for metric in answer["metrics"]}

    await page.evaluate(LIVE_THROUGH, [600, STEP, base])
    before = await figures()
    await page.evaluate(LIVE_THROUGH, [hours * 3600 // STEP, STEP, base])
    after = await figures()
    assert after["Nodes"] <= before["Nodes"] * 1.1 + 50
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 5
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] * 1.15 + 300_000
