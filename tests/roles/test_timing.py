from __future__ import annotations

import asyncio
import time

import pytest

from pyerlcoin.roles.timing import LoopTiming, pause
from tests.support.clock import UNIT
from tests.support.manual_timing import ManualTiming, until


async def test_the_loops_time_is_the_worlds_and_never_runs_back() -> None:
    timing = LoopTiming()
    before = timing.now()
    rung = asyncio.Event()
    timing.later(0.0, rung.set)
    async with asyncio.timeout(20 * UNIT):
        await rung.wait()
    assert timing.now() >= before
    assert abs(before - time.time()) < 60


async def test_what_is_cancelled_does_not_happen() -> None:
    timing, rung = LoopTiming(), list[int]()
    timing.later(0.0, lambda: rung.append(1)).cancel()
    last = asyncio.Event()
    timing.later(0.0, last.set)
    async with asyncio.timeout(20 * UNIT):
        await last.wait()
    assert rung == []


async def test_a_sleep_ends_when_its_time_has_come() -> None:
    timing = ManualTiming()
    task = asyncio.create_task(pause(timing, 5.0))
    await until(timing.delays)
    timing.advance(4.9)
    await asyncio.sleep(0)
    assert not task.done()
    timing.advance(0.2)
    await task


async def test_a_sleep_that_is_cancelled_leaves_nothing_due() -> None:
    timing = ManualTiming()
    task = asyncio.create_task(pause(timing, 5.0))
    await until(timing.delays)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert timing.delays() == []
