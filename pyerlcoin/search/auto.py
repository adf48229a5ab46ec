"""The vector engine where its kernels are there, the standard library for what is done before they would be."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

from pyerlcoin.search.digits import same_length
from pyerlcoin.search.engine import Engine, Job
from pyerlcoin.search.python import PythonEngine
from pyerlcoin.search.simd.engine import Need, SimdEngine
from pyerlcoin.search.worker import in_a_line

__all__ = ["AutoEngine"]

_log = logging.getLogger(__name__)

# What the standard library takes for an integer, about; and what it takes to have a kernel, compiled or from disk.
_PYTHON_SECONDS = 0.4e-6
_COMPILE_SECONDS = 0.2  # for each block of the kernel
_LOAD_SECONDS = 0.03
# Nobody knows how much more is to come. Once this part of a kernel's cost went into doing without it, it is had.
_PATIENCE = 0.25
# While another thread has a kernel made, this many at a time are done without it: a unit of some ms for the kernel is
# one of seconds for the standard library, which keeps the interpreter's lock from everybody meanwhile.
_WITHOUT = 25_000


class AutoEngine:
    """Chooses for each range. Thread-safe; while one thread compiles, the others go on without the kernel."""

    parallel = "threads"

    def __init__(self, fast: SimdEngine, slow: PythonEngine) -> None:
        self._fast = fast
        self._slow = slow
        self._lock = threading.Lock()
        self._costs: dict[Need, float] = {}
        self._spent: dict[Need, float] = {}
        self._loading: set[Need] = set()
        self._broken = False

    @property
    def name(self) -> str:
        """The engine that does the work where there is much of it."""
        return self._slow.name if self._broken else self._fast.name

    @property
    def sentence(self) -> str:
        """Which engine searches, as it stands now."""
        if self._broken:
            return f"engine {self._slow.name}, as {self._fast.name} failed here"
        return f"engine {self._fast.name}, with {self._slow.name} where that is sooner done"

    def unavailable(self) -> str | None:
        """As the fast engine says."""
        return self._fast.unavailable()

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        """Every coin of the job, ascending; see `Engine.search`."""
        found: list[int] = []
        stopped = False

        def asked() -> bool:
            nonlocal stopped
            stopped = stopped or stop()
            return stopped

        # Each length of integers by itself, as each may need a kernel of its own.
        for _, first, last in same_length(job.first, job.last):
            while first <= last and not stopped:
                part = replace(job, first=first, last=last)
                if self._is_fast(part):
                    engine: Engine = self._fast
                else:
                    engine = self._slow
                    part = replace(part, last=min(last, first + self._without - 1))
                found += engine.search(part, asked, progress)
                first = part.last + 1
            if stopped:
                break
        return found

    @property
    def _without(self) -> int:
        """How many integers to do without a kernel before asking for it again."""
        return sys.maxsize if self._broken else _WITHOUT

    def _is_fast(self, part: Job) -> bool:
        """Whether the fast engine is the one for this part, which then has what it needs."""
        if self._broken:
            return False
        needs = self._fast.needs(part)
        if not needs:
            return True
        loading = False
        try:
            loading = self._worth_it(part, needs)
            if loading:
                self._fast.load(needs)
        except (OSError, RuntimeError) as fault:
            # LLVM does not know this processor, or is itself broken: slower is better than not at all.
            _log.warning(
                "the engine %s failed, going on with %s: %s", self._fast.name, self._slow.name, in_a_line(fault)
            )
            self._broken = True
        finally:
            if loading:
                with self._lock:
                    self._loading.difference_update(needs)
        return loading and not self._broken

    def _worth_it(self, part: Job, needs: list[Need]) -> bool:
        """Whether this thread is to load the kernels now; if so, no other one is told the same."""
        costs = [self._cost(need) for need in needs]
        with self._lock:
            if self._loading.intersection(needs):
                return False
            spent = sum(self._spent.get(need, 0.0) for need in needs)
            if spent + part.size * _PYTHON_SECONDS < _PATIENCE * sum(costs):
                seconds = min(part.size, _WITHOUT) * _PYTHON_SECONDS
                for need in needs:
                    self._spent[need] = self._spent.get(need, 0.0) + seconds / len(needs)
                return False
            self._loading.update(needs)
            return True

    def _cost(self, need: Need) -> float:
        cost = self._costs.get(need)
        if cost is None:
            cost = _LOAD_SECONDS if self._fast.is_cached(need) else _COMPILE_SECONDS * need.blocks
            self._costs[need] = cost
        return cost
