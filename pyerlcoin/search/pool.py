"""Spreads searches over the cores: what the roles and the command line use.

One thread per worker. Where the engine releases the interpreter's lock the thread searches itself, else it has a
worker process do it. A worker takes a piece of the oldest search that has any left: so searches end in the order
in which they came, and while the last pieces of one are on their way the other cores are at the next.

No asyncio in here: `asyncio.wrap_future(search.future)` awaits a search, and cancelling that cancels it.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from dataclasses import replace
from time import perf_counter, sleep
from types import TracebackType
from typing import Protocol

from pyerlcoin.errors import GameError, SearchFailed
from pyerlcoin.search.child import Child, ChildDied, EngineFailed
from pyerlcoin.search.digits import is_hit, threshold
from pyerlcoin.search.engine import Engine, Job
from pyerlcoin.search.python import PythonEngine
from pyerlcoin.search.worker import in_a_line

__all__ = ["Full", "OnCoin", "Pool", "Search", "WorkersDied", "cores"]

OnCoin = Callable[[int], None]
"""Told of one coin. Called in a worker's thread (or in `submit` itself), so it must be quick and not raise."""

Full = Callable[[], bool]
"""Whether there is no room for one coin more. Called as `OnCoin` is, before each coin."""

# A job of at most this many integers, all of moderate length, is searched in `submit`: some 0.1 ms, which is less
# than to wake a thread. The bounds on lengths keep it below 1 ms.
_INLINE_SIZE = 256
_INLINE_BYTES = 1024

# A piece lasts this long: short enough to share the cores, long enough to hide what a piece costs (0.1 ms) and, in
# a cancelled process, the answer.
_PIECE_SECONDS = 0.1
# Toward its end a job is cut finer, so that all cores end together, but not below this.
_LEAST_SECONDS = 0.004
# Integers per second, until measured. Low, as the first piece may find a cold engine.
_FIRST_RATE = 1_000_000.0

# How often somebody who waits looks whether to go on.
_LOOK_SECONDS = 0.02

# A piece that takes its process along this often is not the machine's fault.
_MAX_DEATHS = 3


class WorkersDied(SearchFailed):
    """The same piece of a search ended several worker processes one after another."""


class _Searches(Protocol):
    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]: ...


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Search:
    """A job that was submitted."""

    def __init__(self, job: Job, on_coin: OnCoin | None, full: Full | None = None) -> None:
        self.job = job
        self.future: Future[list[int]] = Future()
        """All coins of the job, ascending. Cancelling it is `cancel()`."""
        self._on_coin = on_coin
        self._full = full
        self._lock = threading.Lock()
        self._done = 0
        self._coins: list[int] = []
        # Both are the pool's, under its lock: where the next piece starts, and how many pieces are out.
        self._next = job.first
        self._out = 0

    @property
    def done_integers(self) -> int:
        """How many integers are searched so far. Never falls; the job's size when it is done."""
        return self._done

    def cancel(self) -> bool:
        """Give it up. True unless it is done already; idempotent.

        The cores are free within 50 ms, or once the kernel is there that one of them is compiling.
        """
        return self.future.cancel()

    def wait(self, stopped: Callable[[], bool], seconds: float = math.inf) -> bool:
        """Whether it is done, after at most that many seconds. Once `stopped`, cancels it and raises CancelledError.

        What a main thread should wait in: `future.result()` sleeps through a signal that comes just before it sleeps.
        """
        end = perf_counter() + seconds
        while not self.future.done():
            if stopped():
                self.cancel()
                raise CancelledError
            left = end - perf_counter()
            if left <= 0:
                return False
            wait([self.future], min(left, _LOOK_SECONDS))
        return True

    def _advance(self, count: int) -> None:
        with self._lock:
            self._done += count

    def _found(self, coin: int) -> None:
        # The time goes into the measured rate: so pieces become smaller, and fewer coins wait in each.
        while self._full is not None and self._full() and not self.future.done():
            sleep(_LOOK_SECONDS)  # in a thread of the pool: nobody tells when there is room again
        self._coins.append(coin)
        if self._on_coin is not None and not self.future.done():
            self._on_coin(coin)

    def _finish(self, fault: Exception | None = None) -> None:
        # Exactly once in the life of a future; also for one that is cancelled, whose waiters learn it here.
        if not self.future.set_running_or_notify_cancel():
            return
        if fault is not None:
            self.future.set_exception(fault)
        else:
            self.future.set_result(sorted(self._coins))


class _Piece:
    """A part of a search that one worker does. Repeated, it tells nothing twice."""

    def __init__(self, search: Search, job: Job) -> None:
        self.search = search
        self.job = job
        self._told = 0
        self._coins: set[int] = set()

    def run(self, engine: _Searches) -> None:
        finished = 0

        def progress(count: int) -> None:
            nonlocal finished
            finished += count
            if finished > self._told:
                self.search._advance(finished - self._told)
                self._told = finished

        for coin in engine.search(self.job, self.search.future.done, progress):
            if self.search.future.done():
                return
            if coin not in self._coins and is_hit(self.job, coin):
                self._coins.add(coin)
                self.search._found(coin)


class Pool:
    """Searches jobs with one engine on several cores. Starts nothing before it has work; `close` it."""

    def __init__(self, engine: Engine, workers: int | None = None) -> None:
        """`workers`: as many as there are cores for us, unless given."""
        if workers is not None and workers < 1:
            raise ValueError(f"{workers} workers: at least 1 is needed")
        self.engine = engine
        self.workers = workers or cores()
        self._small = PythonEngine()
        self._rate = _FIRST_RATE
        self._queue: deque[Search] = deque()  # searches of which some piece is not given out
        self._unfinished: set[Search] = set()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._paused = False

    def submit(self, job: Job, on_coin: OnCoin | None = None, full: Full | None = None) -> Search:
        """Start a search. Raises ValueError for a job that cannot be meant, RuntimeError after `close`.

        Coins reach `on_coin` verified with hashlib, once each, not in order, all before the search is done. While it is
        `full`, a core that has the next coin waits with it and searches nothing. A search of very few integers is
        done when this returns, and waits for no room.
        """
        threshold(job.zeros)
        if job.first < 0:
            raise ValueError(f"{job.first}: the integers start at 0")
        tiny = _is_tiny(job)
        search = Search(job, on_coin, None if tiny else full)
        with self._changed:
            if self._closed:
                raise RuntimeError("this pool is closed")
            if not tiny:
                self._queue.append(search)
                self._unfinished.add(search)
                self._start()
                self._changed.notify_all()
        if tiny:
            _Piece(search, job).run(self._small)
            search._finish()
        return search

    def pause(self) -> None:
        """Begin no piece any more, until `resume`: the cores are free within some 0.1 s, and no search loses its place.

        A search of very few integers is done all the same. Idempotent, as `resume` is.
        """
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Go on where each search stood."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def close(self) -> None:
        """Cancel what runs, and end every thread and process. Returns when they have ended. Idempotent."""
        with self._changed:
            self._closed = True
            unfinished = list(self._unfinished)
            self._changed.notify_all()
        for search in unfinished:
            search.cancel()
        for thread in self._threads:
            # One that Ctrl-C caught at its start cannot be joined; should it come after all, it finds nothing to do.
            with suppress(RuntimeError):
                thread.join()
        for search in self._queue:  # those that no thread has a piece of; nobody else looks at them any more
            search._finish()
        self._queue.clear()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _start(self) -> None:
        while len(self._threads) < self.workers:
            name = f"search {len(self._threads) + 1}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        child = Child(self.engine) if self.engine.parallel == "processes" else None
        engine = child or self.engine
        try:
            while (piece := self._take()) is not None:
                fault: Exception | None = None
                started = perf_counter()
                try:
                    _repeatedly(piece, engine)
                except GameError as raised:
                    fault = raised
                except Exception as raised:  # noqa: BLE001 - whatever an engine raises is the search's end alone
                    fault = EngineFailed.because(in_a_line(raised))
                    fault.__cause__ = raised
                self._give_back(piece, perf_counter() - started, fault)
        finally:
            if child is not None:
                child.close()

    def _take(self) -> _Piece | None:
        """The next piece of the oldest search; waits for one. None once the pool is closed."""
        with self._changed:
            while True:
                if self._closed:
                    return None
                if self._queue and not self._paused:
                    search = self._queue[0]
                    job = search.job
                    first = search._next
                    last = self._cut(search)
                    search._next = last + 1
                    search._out += 1
                    if last == job.last or search.future.cancelled():
                        self._queue.popleft()
                    return _Piece(search, replace(job, first=first, last=last))
                self._changed.wait()

    def _cut(self, search: Search) -> int:
        """Where the piece of `search` that comes next ends."""
        first, last = search._next, search.job.last
        left = last - first + 1
        least = int(self._rate * _LEAST_SECONDS)
        # A core that ends early goes on with the next search, if there is one. So where there are enough of them each
        # is for one core, whose piece costs the least if it is the whole. But the last that waits is shared, as another
        # core may be free before more come; and one that is alone is cut finer than there are cores.
        busy = min(len(self._unfinished), self.workers)
        if len(self._queue) > 1:
            share = search.job.size * busy // self.workers
        elif busy == self.workers:
            share = search.job.size // min(2, self.workers)
        else:
            share = left // (2 * self.workers)
        size = max(least, min(int(self._rate * _PIECE_SECONDS), share))
        if size + least >= left:
            return last
        # Engines write down the upper digits once for all integers that share them: end at a round number.
        grain = 10 ** (len(str(size)) - 2) if size >= 100 else 1
        return (first + size) // grain * grain - 1

    def _give_back(self, piece: _Piece, seconds: float, fault: Exception | None) -> None:
        search = piece.search
        with self._changed:
            search._out -= 1
            if fault is None and not search.future.cancelled():
                rate = piece.job.size / max(seconds, 1e-6)
                # Up at once, down slowly: a piece may have had to wait for a core, or for a compiler.
                self._rate = rate if rate > self._rate else (3 * self._rate + rate) / 4
            if fault is not None or search.future.cancelled():
                search._next = search.job.last + 1
                if search in self._queue:
                    self._queue.remove(search)
            ended = search in self._unfinished and (
                fault is not None or (search._out == 0 and search._next > search.job.last)
            )
            if ended:
                self._unfinished.discard(search)
        if ended:
            search._finish(fault)


def _is_tiny(job: Job) -> bool:
    return job.size <= _INLINE_SIZE and len(job.secret) + job.last.bit_length() <= _INLINE_BYTES


def _repeatedly(piece: _Piece, engine: _Searches) -> None:
    for _ in range(_MAX_DEATHS):
        try:
            piece.run(engine)
        except ChildDied:
            continue
        return
    raise WorkersDied(f"a worker process ended {_MAX_DEATHS} times in the same piece of a search: is memory short?")
