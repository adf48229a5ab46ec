"""The clock that a role lives by: passed in, so that a test may own it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["Handle", "LoopTiming", "Timing", "pause"]


class Handle(Protocol):
    """Something due later."""

    def cancel(self) -> None:
        """It does not happen any more. Harmless afterwards."""


class Timing(Protocol):
    """A clock, and what happens by it."""

    def now(self) -> float:
        """Seconds since the epoch, on a clock that never runs backwards."""

    def later(self, delay: float, callback: Callable[[], None]) -> Handle:
        """Call `callback` from the event loop in `delay` seconds."""


class LoopTiming:
    """The machine's time, through the running event loop. Nobody who sets the clock can turn it back."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        return self._offset + time.monotonic()

    def later(self, delay: float, callback: Callable[[], None]) -> Handle:
        return self._loop.call_later(delay, callback)


async def pause(timing: Timing, seconds: float) -> None:
    """Until `seconds` have gone by."""
    passed = asyncio.Event()
    handle = timing.later(seconds, passed.set)
    try:
        await passed.wait()
    finally:
        handle.cancel()
