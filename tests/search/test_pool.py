"""The pool: many jobs, many cores, one answer each."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, wait
from itertools import pairwise

import pytest

from pyerlcoin.errors import ExitCode, SearchFailed
from pyerlcoin.search.engine import Job
from pyerlcoin.search.pool import Pool, Search, WorkersDied
from pyerlcoin.search.python import PythonEngine
from tests.support.clock import UNIT
from tests.support.search import Mortal, Unable, expected


class Gated:
    """An engine in threads that tells what it is asked, and waits to be let go."""

    name = "gated"
    parallel = "threads"

    def __init__(self) -> None:
        self.pieces: list[Job] = []
        self.go = threading.Event()
        self.asked = threading.Semaphore(0)

    def unavailable(self) -> str | None:
        return None

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        self.pieces.append(job)
        self.asked.release()
        while not stop():
            if self.go.wait(0.001):
                progress(job.size)
                return [job.first]
        return []


class Failing(Gated):
    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        raise ZeroDivisionError("no such kernel")


class Threaded(PythonEngine):
    """The python engine, held to be one that releases the lock."""

    parallel = "threads"


@pytest.fixture(params=[PythonEngine, Threaded])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    with Pool(request.param(), workers=2) as pool:
        yield pool


LONG = Job(b"Serun+u", 10**9, 10**15)


def test_a_job_over_the_cores(pool: Pool) -> None:
    job = Job(b"Serun+u", 0, 400_000, 3)
    told: list[int] = []
    search = pool.submit(job, told.append)
    assert search.future.result(60 * UNIT) == expected(job)
    assert sorted(told) == expected(job)
    assert search.done_integers == job.size


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 1000, 20_000])
def test_jobs_of_any_size(pool: Pool, size: int) -> None:
    job = Job(b"Serun+u", 1, size, 1)
    search = pool.submit(job)
    assert search.future.result(60 * UNIT) == expected(job)
    assert search.done_integers == size


def test_several_jobs_at_once(pool: Pool) -> None:
    jobs = [Job(b"lane %d" % i, i * 1000, i * 1000 + 30_000, 2) for i in range(12)]
    searches = [pool.submit(job) for job in jobs]
    assert [search.future.result(60 * UNIT) for search in searches] == [expected(job) for job in jobs]


def test_progress_never_falls(pool: Pool) -> None:
    search = pool.submit(Job(b"Serun+u", 0, 600_000))
    seen = [0]
    while not search.future.done():
        seen.append(search.done_integers)
        wait([search.future], 0.005)
    assert seen == sorted(seen)
    assert search.done_integers == 600_001


def test_a_search_whose_coins_are_too_many_waits_until_there_is_room(pool: Pool) -> None:
    job = Job(b"Serun+u", 0, 400_000, 2)
    told: list[int] = []
    waits, room = threading.Event(), threading.Event()

    def full() -> bool:
        if room.is_set() or len(told) < 10:
            return False
        waits.set()
        return True

    search = pool.submit(job, told.append, full)
    assert waits.wait(60 * UNIT)
    assert len(told) < 10 + pool.workers, "each core may have been about to tell one"
    room.set()
    assert search.future.result(60 * UNIT) == expected(job)
    assert sorted(told) == expected(job)


def test_a_search_that_waits_for_room_is_cancelled_like_any_other(pool: Pool) -> None:
    told: list[int] = []
    waits = threading.Event()

    def full() -> bool:
        waits.set()
        return True

    search = pool.submit(LONG, told.append, full)
    assert waits.wait(60 * UNIT)
    behind = pool.submit(Job(b"Serun+u", 0, 20_000, 2))
    assert search.cancel()
    assert behind.future.result(60 * UNIT) == expected(behind.job)
    assert told == []


def test_what_is_searched_at_once_waits_for_no_room(pool: Pool) -> None:
    told: list[int] = []
    search = pool.submit(Job(b"Serun+u", 1, 100, 1), told.append, lambda: True)
    assert search.future.result(0) == told == expected(search.job)


def test_cancel_frees_the_cores(pool: Pool) -> None:
    search = pool.submit(LONG)
    behind = pool.submit(Job(b"Serun+u", 0, 20_000, 2))
    assert search.cancel()
    assert search.cancel()
    with pytest.raises(CancelledError):
        search.future.result(0)
    assert behind.future.result(60 * UNIT) == expected(behind.job)
    assert wait([search.future], 60 * UNIT).done == {search.future}


async def test_cancelling_an_await_cancels_the_search(pool: Pool) -> None:
    search = pool.submit(LONG)
    waiting = asyncio.ensure_future(asyncio.wrap_future(search.future))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.to_thread(wait, [search.future], 60 * UNIT)
    assert search.future.cancelled()


def test_one_who_waits_may_stop(pool: Pool) -> None:
    search = pool.submit(Job(b"s", 1, 10**15, 9))
    assert not search.wait(lambda: False, 0.01)
    looks = 0

    def stopped() -> bool:
        nonlocal looks
        looks += 1
        return looks == 3

    with pytest.raises(CancelledError):
        search.wait(stopped)
    assert (looks, search.future.cancelled()) == (3, True)


def test_one_who_waits_learns_that_it_is_done(pool: Pool) -> None:
    search = pool.submit(Job(b"s", 1, 300_000, 3))
    assert search.wait(lambda: False)
    assert search.future.result(0) == expected(search.job)


def test_ctrl_c_while_a_thread_starts_is_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def caught(thread: threading.Thread) -> None:
        raise KeyboardInterrupt

    pool = Pool(PythonEngine(), 1)
    monkeypatch.setattr(threading.Thread, "start", caught)
    with pytest.raises(KeyboardInterrupt):
        pool.submit(Job(b"s", 1, 10**15, 9))
    pool.close()


def test_close_cancels_and_leaves_nothing(pool: Pool) -> None:
    running = pool.submit(LONG)
    waiting = [pool.submit(LONG) for _ in range(5)]
    pool.close()
    pool.close()
    assert all(search.future.cancelled() for search in [running, *waiting])
    assert wait([search.future for search in waiting], 0).not_done == set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("search ")]
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(LONG)
    with pytest.raises(RuntimeError, match="closed"):
        pool.submit(Job(b"", 1, 1))


@pytest.mark.parametrize("job", [Job(b"", -1, 5), Job(b"", 1, 5, 33), Job(b"", 1, 5, -1)])
def test_jobs_that_cannot_be_meant(pool: Pool, job: Job) -> None:
    with pytest.raises(ValueError, match=r"start at 0|0 to 32"):
        pool.submit(job)


def test_nothing_starts_before_there_is_work() -> None:
    with Pool(Gated(), workers=2) as pool:
        assert pool.submit(Job(b"Serun+u", 0, 100)).future.result(0) == expected(Job(b"Serun+u", 0, 100))
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("search ")]


def test_no_core_is_idle_while_a_job_waits() -> None:
    """The last piece of one job and the first of the next run side by side."""
    engine = Gated()
    with Pool(engine, workers=2) as pool:
        first, second = pool.submit(Job(b"a", 1, 1000)), pool.submit(Job(b"b", 1, 1000))
        assert engine.asked.acquire(timeout=60 * UNIT)
        assert engine.asked.acquire(timeout=60 * UNIT)
        assert {piece.secret for piece in engine.pieces} == {b"a", b"b"}
        engine.go.set()
        wait([first.future, second.future], 60 * UNIT)


def test_the_pieces_are_the_job() -> None:
    engine = Gated()
    engine.go.set()
    job = Job(b"a", 12_345, 98_765_432_109)
    with Pool(engine, workers=3) as pool:
        pool.submit(job).future.result(60 * UNIT)
    pieces = sorted(engine.pieces, key=lambda piece: piece.first)
    assert pieces[0].first == job.first
    assert pieces[-1].last == job.last
    assert all(one.last + 1 == other.first for one, other in pairwise(pieces))


def test_what_is_no_coin_is_not_reported() -> None:
    engine = Gated()
    engine.go.set()
    with Pool(engine, workers=1) as pool:
        assert pool.submit(Job(b"a", 1000, 9000, 32)).future.result(60 * UNIT) == []


def test_a_failing_engine_fails_the_search_only() -> None:
    with Pool(Failing(), workers=2) as pool:
        search = pool.submit(LONG)
        with pytest.raises(SearchFailed, match="ZeroDivisionError: no such kernel"):
            search.future.result(60 * UNIT)
        assert pool.submit(Job(b"Serun+u", 1, 1)).future.result(60 * UNIT) == [1]


def test_an_exception_in_a_process_comes_back() -> None:
    with Pool(Unable(), workers=1) as pool, pytest.raises(SearchFailed, match="ValueError: two lines") as caught:
        pool.submit(LONG).future.result(60 * UNIT)
    assert caught.value.exit_code is ExitCode.SEARCH_FAILED


def test_a_process_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr("subprocess.Popen", no_memory)
    with Pool(PythonEngine(), workers=1) as pool, pytest.raises(SearchFailed, match="Cannot allocate memory"):
        pool.submit(LONG).future.result(60 * UNIT)


@pytest.mark.skipif(os.name == "nt", reason="signals end processes on POSIX")
def test_a_piece_that_ends_its_process_every_time_is_given_up() -> None:
    with Pool(Mortal(), workers=1) as pool, pytest.raises(WorkersDied, match="is memory short") as caught:
        pool.submit(LONG).future.result(60 * UNIT)
    assert caught.value.exit_code is ExitCode.SEARCH_FAILED


def test_a_pause_holds_every_search_where_it_is() -> None:
    engine = Gated()
    with Pool(engine, 1) as pool:
        search = pool.submit(Job(b"s", 1, 5_000_000, 5))
        assert engine.asked.acquire(timeout=20 * UNIT)
        pool.pause()
        engine.go.set()
        later = pool.submit(Job(b"s", 1, 5_000_000, 5))
        first = engine.pieces[0]
        while search.done_integers < first.size:
            wait([search.future], timeout=0.001)
        assert not engine.asked.acquire(timeout=0.02), "no piece is begun in a pause"
        assert search.done_integers == first.size
        pool.resume()
        for each in (search, later):
            assert each.future.result(20 * UNIT) == []
        assert engine.pieces[1].first == first.last + 1


def test_a_search_that_is_given_up_in_a_pause_ends_in_it() -> None:
    with Pool(Gated(), 1) as pool:
        pool.pause()
        search = pool.submit(Job(b"s", 1, 5_000_000, 5))
        search.cancel()
        with pytest.raises(CancelledError):
            search.future.result(20 * UNIT)
    assert search.done_integers == 0


@pytest.mark.parametrize(
    ("workers", "searches", "cuts"),
    [
        (1, 1, [39_999]),
        (2, 1, [9_999]),  # alone it is cut finer, so that both cores end together
        (2, 2, [39_999]),
        (4, 2, [19_999, 39_999]),
        (4, 3, [29_999, 39_999]),
    ],
)
def test_a_piece_is_one_core_s_share_of_the_searches(workers: int, searches: int, cuts: list[int]) -> None:
    pool = Pool(PythonEngine(), workers)
    waiting = [Search(Job(b"", 0, 39_999), None) for _ in range(searches)]
    pool._queue.extend(waiting)
    pool._unfinished.update(waiting)
    for cut in cuts:
        assert pool._cut(waiting[0]) == cut
        waiting[0]._next = cut + 1


def test_the_last_search_that_waits_is_shared() -> None:
    pool = Pool(PythonEngine(), 2)
    last = Search(Job(b"", 0, 39_999), None)
    pool._queue.append(last)
    pool._unfinished.update({last, Search(Job(b"", 0, 39_999), None)})
    assert pool._cut(last) == 19_999
    last._next = 20_000
    assert pool._cut(last) == 39_999


def test_a_rest_too_small_for_a_piece_goes_along() -> None:
    pool = Pool(PythonEngine(), 4)
    waiting = [Search(Job(b"", 0, 39_999), None) for _ in range(2)]
    pool._queue.extend(waiting)
    pool._unfinished.update(waiting)
    waiting[0]._next = 19_000
    assert pool._cut(waiting[0]) == 39_999
