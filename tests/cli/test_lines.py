from __future__ import annotations

import asyncio
import re

import pytest

from pyerlcoin.cli.lines import Lines
from tests.support.clock import UNIT


def test_an_event_is_a_line_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(lambda event: f"got {event}" if event else None, lambda: None, lambda: None)
    lines.event(1)
    lines.event(None)
    lines.close()
    out = capsys.readouterr().out
    assert re.fullmatch(r"\d\d:\d\d:\d\d got 1\n", out)


async def test_the_status_comes_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    said = asyncio.Event()
    times: list[int] = []

    def status() -> str | None:
        times.append(1)
        if len(times) == 3:
            said.set()
        return None if len(times) == 1 else "all well"

    task = asyncio.create_task(Lines(str, status, lambda: None, every=0.001).run())
    async with asyncio.timeout(20 * UNIT):
        await said.wait()
        await asyncio.sleep(0)
    task.cancel()
    assert "all well" in capsys.readouterr().out
