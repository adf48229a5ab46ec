"""Ticks for all connections, on one clock (OTP, kernel, `net_ticktime`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyerlcoin.beam.node.connection import Connection

__all__ = ["Ticker"]

# net_tickintensity: a look every quarter of the tick time, and the end after five quiet ones.
_INTENSITY = 4


class Ticker:
    """Every quarter of `tick_time`: tick what is idle, and close what has been silent for a quarter more than it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, tick_time: float, connections: Callable[[], Iterable[Connection]]
    ) -> None:
        self._loop = loop
        self._interval = tick_time / _INTENSITY
        self._connections = connections
        self._timer = loop.call_later(self._interval, self._look)

    def stop(self) -> None:
        """No more."""
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._loop.call_later(self._interval, self._look)
        for connection in list(self._connections()):
            connection.check(_INTENSITY + 1)
