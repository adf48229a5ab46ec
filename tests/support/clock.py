"""The one constant that every deadline in the tests is a multiple of."""

from __future__ import annotations

import asyncio
import contextlib
import os

__all__ = ["UNIT", "lapse"]

UNIT = float(os.environ.get("PYERLCOIN_TEST_UNIT", "1.0"))
"""Seconds. A deadline is `20 * UNIT`, never a bare number; a slow machine sets PYERLCOIN_TEST_UNIT higher."""


async def lapse(seconds: float) -> None:
    """So much time passes. For a time that is itself the adversity: what a cable delays, how long nobody speaks.

    Never to wait until something has come about: that has an event.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
