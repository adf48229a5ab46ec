"""Searches without cores: by hashlib at once, or held until a test lets them go."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from pyerlcoin.search.engine import Job
from tests.support.search import expected

__all__ = ["HandSearch", "HandSearches"]


class HandSearch:
    """One search."""

    def __init__(self, job: Job, on_coin: Callable[[int], None] | None, full: Callable[[], bool] | None = None) -> None:
        self.job = job
        self.full = full
        self.future: Future[list[int]] = Future()
        self.done_integers = 0
        self._on_coin = on_coin

    def find(self, n: int) -> None:
        """A coin is told before the search ends."""
        assert self._on_coin is not None
        self._on_coin(n)

    def finish(self, coins: list[int] | None = None) -> None:
        """The search ends with `coins`, or with what hashlib finds."""
        found = expected(self.job) if coins is None else coins
        self.done_integers = self.job.size
        for n in found:
            self.find(n)
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(found)


class HandSearches:
    """Stands for `search.pool.Pool`. `held`: whether a search waits for the test's `finish`."""

    def __init__(self, *, held: bool = False) -> None:
        self.held = held
        self.all: list[HandSearch] = []
        self.paused = False

    def submit(
        self, job: Job, on_coin: Callable[[int], None] | None = None, full: Callable[[], bool] | None = None
    ) -> HandSearch:
        search = HandSearch(job, on_coin, full)
        self.all.append(search)
        if not self.held:
            search.finish()
        return search

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    @property
    def running(self) -> list[HandSearch]:
        """Those that have neither ended nor been cancelled."""
        return [search for search in self.all if not search.future.done()]

    def units(self) -> list[tuple[int, int]]:
        """What was submitted, in order."""
        return [(search.job.first, search.job.last) for search in self.all]
