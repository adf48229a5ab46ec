from __future__ import annotations

import asyncio
import errno
import io
import os
import pty
import re
import sys

import pytest

from pyerlcoin.cli.lines import MOST, Lines, Output
from tests.support.clock import UNIT


def test_an_event_is_a_line_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(lambda event: f"got {event}" if event else None, lambda: None, lambda: None)
    lines.event(1)
    lines.event(None)
    lines.close()
    out = capsys.readouterr().out
    assert re.fullmatch(r"\d\d:\d\d:\d\d got 1\n", out)


def test_of_what_comes_in_thousands_only_some_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    lines = Lines(str, lambda: None, lambda: None, frequent=(int,), clock=lambda: now)

    def said() -> list[str]:
        return [line[9:] for line in capsys.readouterr().out.splitlines()]

    for n in range(MOST + 1000):
        lines.event(n)
    lines.event("something rare")
    assert said() == [*map(str, range(MOST)), "something rare"]
    now += 1
    lines.event(7)
    assert said() == ["… and 1,000 more like these in a second", "7"]
    for n in range(MOST):
        lines.event(n)
    now += 1
    lines.close()
    assert said() == [*map(str, range(MOST - 1)), "… and 1 more like these in a second"]
    lines.close()
    assert said() == []


def test_the_last_event_is_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(str, lambda: None, lambda: None, frequent=(int,), last=str)
    for n in range(MOST + 260):
        lines.event(n)
    lines.event("the sum")
    lines.close()
    said = [line[9:] for line in capsys.readouterr().out.splitlines()]
    assert said[-2:] == ["… and 260 more like these in a second", "the sum"]


def test_what_is_rare_is_said_among_what_comes_in_thousands(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    lines = Lines(str, lambda: None, lambda: None, frequent=(int, str, float), clock=lambda: now)
    for n in range(MOST + 10):
        lines.event(n)
    lines.event("Ann left")
    for n in range(MOST + 10):
        lines.event(float(n))
    lines.event("Ann is back")
    now += 1
    lines.event("Bob left")
    said = [line[9:] for line in capsys.readouterr().out.splitlines()]
    floods = [*map(str, range(MOST)), "Ann left", *(f"{n}.0" for n in range(MOST)), "Ann is back"]
    assert said == [*floods, "… and 20 more like these in a second", "Bob left"]


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


class Disk(io.RawIOBase):
    """One that may be full."""

    def __init__(self) -> None:
        self.full = False
        self.written = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.written += bytes(data)  # type: ignore[call-overload]  # a buffer, which typeshed cannot name here
        return len(data)  # type: ignore[arg-type]


def test_a_full_disk_costs_lines_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, closed = Disk(), list[int]()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(disk, 8192), encoding="utf-8"))
    output = Output(lambda: closed.append(1))
    output.write("before")
    disk.full = True
    for n in range(2_000):
        output.write(f"meanwhile {n}")
    disk.full = False
    output.write("after")
    lines = disk.written.decode().splitlines()
    assert (lines[0], lines[-1], closed) == ("before", "after", [])
    assert lines[1:-1] == [f"meanwhile {n}" for n in range(len(lines) - 2)], "as many as the buffer takes, and whole"
    assert len(lines) < 2_000


def test_a_terminal_that_hung_up_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    master, slave = pty.openpty()
    with open(slave, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        output = Output(lambda: closed.append(1))
        output.write("somebody is there")
        assert closed == []
        os.close(master)
        for _ in range(3):
            output.write("nobody is there")
    assert closed == []
