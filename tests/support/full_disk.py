"""A disk that has no room for what a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyerlcoin.coin.facts import Fact
from pyerlcoin.roles.sink import Kept
from pyerlcoin.store import NotWritten

__all__ = ["FullDisk"]


class FullDisk:
    """A `FactSink` that keeps whatever comes, unless `full_for` it; what it then says is `reason`."""

    def __init__(self, reason: str = str(NotWritten("database or disk is full"))) -> None:
        self.reason = reason
        self.full_for: Callable[[Sequence[Fact]], bool] = lambda facts: False

    def fill(self) -> None:
        """There is room for nothing."""
        self.full_for = lambda facts: True

    def free(self) -> None:
        """There is room."""
        self.full_for = lambda facts: False

    def gather(self, go: Callable[[], None]) -> None:
        go()

    def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
        kept(self.reason if self.full_for(facts) else None)
