"""The event loop that a command runs on: uvloop where it is installed, else asyncio's own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

__all__ = ["VARIABLE", "loop_factory", "run"]

VARIABLE: Final = "PYERLCOIN_LOOP"
"""Set to `asyncio`, it keeps uvloop out although it is installed."""

T = TypeVar("T")


def loop_factory(*, tls: bool = False) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, or None for asyncio's own: that alone carries `tls`.

    With uvloop 0.23 the TLS handshakes of two of these commands with each other ran into their time limit.
    """
    if tls or os.environ.get(VARIABLE) == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def run(main: Coroutine[Any, Any, T], *, tls: bool = False) -> T:
    """As `asyncio.run`, on the loop of `loop_factory`."""
    with asyncio.Runner(loop_factory=loop_factory(tls=tls)) as runner:
        return runner.run(main)
