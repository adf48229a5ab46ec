"""Where a server's facts are kept before anybody is told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol, TypeAlias

from pyerlcoin.coin.facts import Fact
from pyerlcoin.store.store import Store

__all__ = ["FactSink", "InMemory", "Kept", "OnDisk"]

Kept: TypeAlias = Callable[[str | None], None]
"""Called once: with None when the facts are kept, else with the sentence that says why none of them is."""


class FactSink(Protocol):
    """Keeps facts, all of one `commit` or none."""

    def gather(self, go: Callable[[], None]) -> None:
        """Call `go`, which commits, at once or after what has come in by now: many requests share one transaction."""

    def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
        """Keep `facts`, in their order, then say so through `kept`: at once, or later from the same event loop.

        Must not block or raise. The next commit comes only after `kept` was called, so whatever arrives meanwhile
        goes into it: one transaction for many requests.
        """


class InMemory:
    """Keeps nothing beyond the ledger itself: a throw-away game."""

    def gather(self, go: Callable[[], None]) -> None:
        go()

    def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
        kept(None)


class OnDisk:
    """Keeps them in a store, through the event loop that runs when it is made. Close the store before that loop ends,
    and after the server.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()

    def gather(self, go: Callable[[], None]) -> None:
        # The loop's turn reads what every socket has; the next one begins with this.
        self._loop.call_soon(go)

    def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
        def ended(future: Future[None]) -> None:
            # In the writer's thread.
            self._loop.call_soon_threadsafe(kept, _why_not(future))

        future = self._store.commit(facts)
        if future.done():
            kept(_why_not(future))
        else:
            future.add_done_callback(ended)


def _why_not(future: Future[None]) -> str | None:
    error = future.exception()
    return None if error is None else str(error)
