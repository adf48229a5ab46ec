"""Where a server's facts are kept before anybody is told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from pyerlcoin.coin.facts import Fact

__all__ = ["FactSink", "InMemory", "Kept"]

Kept: TypeAlias = Callable[[str | None], None]
"""Called once: with None when the facts are kept, else with the sentence that says why none of them is."""


class FactSink(Protocol):
    """Keeps facts, all of one `commit` or none."""

    def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
        """Keep `facts`, in their order, then say so through `kept`: at once, or later from the same event loop.

        Must not block or raise. The next commit comes only after `kept` was called, so whatever arrives meanwhile
        goes into it: one transaction for many requests.
        """


class InMemory:
    """Keeps nothing beyond the ledger itself: a throw-away game."""

    def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
        kept(None)
