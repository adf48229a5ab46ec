"""The choice by range: who is asked, and when a kernel is had."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from pyerlcoin.search.auto import AutoEngine
from pyerlcoin.search.engine import Job
from pyerlcoin.search.python import PythonEngine
from pyerlcoin.search.simd.engine import Need, SimdEngine
from tests.support.clock import UNIT
from tests.support.search import expected, hunt


class Fast(SimdEngine):
    """Needs a kernel that is compiled in no time, and counts."""

    def __init__(self, cached: bool = False, fault: Exception | None = None) -> None:
        super().__init__()
        self.had: list[Need] = []
        self.searched: list[Job] = []
        self._cached = cached
        self._fault = fault

    def needs(self, job: Job) -> list[Need]:
        return [] if self.had or job.size < 100 else [Need(3, 1)]

    def is_cached(self, need: Need) -> bool:
        return self._cached

    def load(self, needs: list[Need]) -> None:
        if self._fault is not None:
            raise self._fault
        self.had += needs

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        self.searched.append(job)
        return PythonEngine().search(job, stop, progress)


def test_a_small_range_waits_for_no_compiler() -> None:
    fast = Fast()
    job = Job(b"auto", 10**6, 10**6 + 20_000, 3)
    assert hunt(AutoEngine(fast, PythonEngine()), job) == expected(job)
    assert fast.searched == []
    assert fast.had == []


def test_what_needs_no_kernel_goes_to_the_fast_engine() -> None:
    fast = Fast()
    job = Job(b"auto", 10**6, 10**6 + 20, 1)
    assert hunt(AutoEngine(fast, PythonEngine()), job) == expected(job)
    assert fast.searched == [job]


def test_many_small_ranges_are_worth_a_kernel_in_the_end() -> None:
    fast = Fast()
    auto = AutoEngine(fast, PythonEngine())
    step = 10_000
    for first in range(10**6, 10**6 + 40 * step, step):
        hunt(auto, Job(b"auto", first, first + step - 1))
    assert fast.had == [Need(3, 1)]
    assert 0 < len(fast.searched) < 40


def test_a_kernel_on_disk_is_had_sooner() -> None:
    searched = []
    for cached in (False, True):
        fast = Fast(cached=cached)
        hunt(AutoEngine(fast, PythonEngine()), Job(b"auto", 10**6, 10**6 + 49_999))
        searched.append(len(fast.searched))
    assert searched == [0, 1]


def test_while_another_thread_has_the_kernel_made_little_is_done_without_it() -> None:
    class Slow(Fast):
        def __init__(self) -> None:
            super().__init__(cached=True)
            self.loading, self.go = threading.Event(), threading.Event()

        def load(self, needs: list[Need]) -> None:
            self.loading.set()
            assert self.go.wait(60 * UNIT)
            super().load(needs)

    class Counting(PythonEngine):
        def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
            jobs.append(job)
            if len(jobs) == 3:
                fast.go.set()
                loader.join(60 * UNIT)
            return super().search(job, stop, progress)

    jobs: list[Job] = []
    fast = Slow()
    auto = AutoEngine(fast, Counting())
    first, second = Job(b"auto", 10**6, 10**6 + 99_999, 3), Job(b"auto", 2 * 10**6, 2 * 10**6 + 999_999, 3)
    loader = threading.Thread(target=hunt, args=(auto, first))
    loader.start()
    assert fast.loading.wait(60 * UNIT)
    assert hunt(auto, second) == expected(second)
    # It asks again after each 25,000, and the kernel does the rest.
    assert [job.size for job in jobs] == [25_000] * 3
    assert [job for job in fast.searched if job.first >= second.first] == [Job(b"auto", 2_075_000, second.last, 3)]


@pytest.mark.parametrize(
    "fault", [RuntimeError("no such processor"), OSError("libLLVM is gone"), RuntimeError("pages" + "\n%1 = ptr" * 500)]
)
def test_a_broken_compiler_is_told_once_and_done_without(fault: Exception, caplog: pytest.LogCaptureFixture) -> None:
    fast = Fast(cached=True, fault=fault)
    auto = AutoEngine(fast, PythonEngine())
    job = Job(b"auto", 10**6, 10**6 + 50_000, 3)
    assert (auto.name, auto.sentence) == ("simd", "engine simd, with python where that is sooner done")
    with caplog.at_level(logging.WARNING):
        assert hunt(auto, job) == expected(job)
        assert hunt(auto, job) == expected(job)
    assert [str(fault)[:5] in record.message for record in caplog.records] == [True]
    assert "\n" not in caplog.records[0].message
    assert len(caplog.records[0].message) < 400
    assert fast.searched == []
    assert (auto.name, auto.sentence) == ("python", "engine python, as simd failed here")


def test_across_lengths_and_stopped() -> None:
    auto = AutoEngine(Fast(), PythonEngine())
    job = Job(b"auto", 0, 12_345, 2)
    assert hunt(auto, job) == expected(job)
    told: list[int] = []
    auto.search(job, lambda: sum(told) >= 1000, told.append)
    assert 1000 <= sum(told) < job.size
