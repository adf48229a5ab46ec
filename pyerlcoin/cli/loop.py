"""The event loop that a command runs on: uvloop where it is installed, else asyncio's own."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

__all__ = ["VARIABLE", "loop_factory", "run"]

VARIABLE: Final = "PYERLCOIN_LOOP"
"""Set to `asyncio`, it keeps uvloop out although it is installed."""

_GARBAGE: Final = (10_000, 20, 50)
"""Objects that are made and not freed until the youngest are looked at, and how many times until older ones are."""

T = TypeVar("T")


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, or None for asyncio's own."""
    if os.environ.get(VARIABLE) == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def run(main: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`, on the loop of `loop_factory`.

    What is there by now stays until the end, so the search for garbage leaves it alone; and it looks seldom, as nearly
    all that a request makes is gone without it: a twentieth of a server's time.
    """
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(main)
