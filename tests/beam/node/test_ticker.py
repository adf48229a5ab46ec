from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from pyerlcoin.beam.node.connection import Connection
from pyerlcoin.beam.node.ticker import Ticker


class Hand:
    """In the place of the event loop: time passes when the test says so."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.cancelled = 0

    def call_later(self, delay: float, call: Callable[[], None]) -> Hand:
        self.due.append((delay, call))
        return self

    def cancel(self) -> None:
        self.cancelled += 1


class Looked:
    """In the place of a connection: which checks it was asked for."""

    def __init__(self) -> None:
        self.checks: list[int] = []

    def check(self, most_quiet: int) -> None:
        self.checks.append(most_quiet)


def test_it_looks_every_quarter_and_ends_after_five_that_were_quiet() -> None:
    """`net_tickintensity` is 4, so "between 45 and 75 seconds" of a tick time of 60 (kernel(6))."""
    hand, looked = Hand(), Looked()
    ticker = Ticker(cast(asyncio.AbstractEventLoop, hand), 60.0, lambda: [cast(Connection, looked)])
    for _ in range(3):
        delay, look = hand.due.pop()
        assert (delay, hand.due) == (15.0, [])
        look()
    assert looked.checks == [5, 5, 5]
    ticker.stop()
    assert hand.cancelled == 1
