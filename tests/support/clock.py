"""The one constant that every deadline in the tests is a multiple of."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable

__all__ = ["UNIT", "eventually", "lapse"]

UNIT = float(os.environ.get("PYERLCOIN_TEST_UNIT", "1.0"))
"""Seconds. A deadline is `20 * UNIT`, never a bare number; a slow machine sets PYERLCOIN_TEST_UNIT higher."""


async def lapse(seconds: float) -> None:
    """So much time passes. For a time that is itself the adversity: what a cable delays, how long nobody speaks.

    Never to wait until something has come about: that has an event.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 20 * UNIT) -> None:
    """Ask again and again, of another process, what nobody tells; TimeoutError if it is not so within `seconds`.

    By the clock alone: `asyncio.wait_for` of Python 3.11 loses a cancellation that comes with its result.
    """
    end = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > end:
            raise TimeoutError
        await asyncio.sleep(0)
