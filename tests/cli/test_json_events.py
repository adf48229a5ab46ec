from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pyerlcoin.cli.json_events import JsonEventLines
from pyerlcoin.cli.lines import Output
from pyerlcoin.coin import facts
from pyerlcoin.coin.unit import Unit
from pyerlcoin.roles import events
from tests.support.clock import UNIT


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_an_event_is_one_object_with_its_own_fields(capsys: pytest.CaptureFixture[str]) -> None:
    show = JsonEventLines(dict, lambda: None, lambda: 7.5)
    show.event(events.Retrying(2, 0.25, "a\nb\u202e"))
    show.event(facts.Returned(9.0, Unit(10**40, 10**40 + 1), "Ada", "a@b", "down"))
    show.say("for people")
    show.close()
    assert lines(capsys) == [
        {"event": "retrying", "at": 7.5, "attempt": 2, "delay": 0.25, "reason": "a\nb\u202e"},
        {
            "event": "returned",
            "at": 9.0,
            "unit": {"first": 10**40, "last": 10**40 + 1},
            "name": "Ada",
            "node": "a@b",
            "reason": "down",
        },
    ]


def test_nothing_in_a_text_moves_a_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    JsonEventLines(dict, lambda: None, lambda: 1.0).event(events.ServerGone("\x1b[2J\u202e\x9b"))
    assert capsys.readouterr().out.rstrip("\n").isprintable()


async def test_the_status_comes_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    said = asyncio.Event()
    times: list[int] = []

    def status() -> dict[str, int]:
        times.append(1)
        if len(times) == 3:
            said.set()
        return {"hashes": len(times)}

    task = asyncio.create_task(JsonEventLines(status, lambda: None, lambda: 1.0, every=0.001).run())
    async with asyncio.timeout(20 * UNIT):
        await said.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert lines(capsys)[:2] == [{"event": "status", "at": 1.0, "hashes": n} for n in (1, 2)]


async def test_while_it_runs_the_lines_of_a_moment_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    written = asyncio.Event()
    writes: list[str] = []

    def write(_: Output, line: str) -> None:
        writes.append(line)
        written.set()

    monkeypatch.setattr(Output, "write", write)
    show = JsonEventLines(dict, lambda: None, lambda: 1.0)
    show.tell("before", {})
    task = asyncio.create_task(show.run())
    await asyncio.sleep(0)
    written.clear()
    for number in range(3):
        show.tell("event", {"number": number})
    assert len(writes) == 1, "each line is there at once only before it runs"
    async with asyncio.timeout(20 * UNIT):
        await written.wait()
    show.tell("last", {})
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    show.tell("after", {})
    assert [line.count('"event":') for line in writes] == [1, 3, 1, 1]
    assert [json.loads(line)["number"] for line in writes[1].splitlines()] == [0, 1, 2]
