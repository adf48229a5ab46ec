"""The `simd` engine: every lane of the processor's vector unit tries its own integer."""

from __future__ import annotations

import importlib
import re
import sys
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pyerlcoin.search.digits import is_hit, same_length, threshold
from pyerlcoin.search.engine import Job
from pyerlcoin.search.python import PythonEngine
from pyerlcoin.search.simd.driver import Absorb, Kernel, Masks, Pace, absorb_type, hunt, kernel_type
from pyerlcoin.search.simd.generator import Shape, absorb, kernel
from pyerlcoin.search.simd.layout import Layout
from pyerlcoin.search.simd.steps import Forms

if TYPE_CHECKING:
    from pyerlcoin.search.simd.compiler import Compiler

__all__ = ["Need", "SimdEngine", "shape_for"]

# Before it there were typed pointers, which our modules have none of.
_LEAST_LLVMLITE = (0, 45)

# Below this many integers of one length the standard library is done before the first rows are written; and below
# this many more for each row that integers side by side are spread over.
_SMALLEST = 128
_SMALLEST_BY_ROW = 0.7


class Need(NamedTuple):
    """What tells one kernel from another on the same processor."""

    word: int
    """The varying word."""
    blocks: int


def shape_for(features: dict[str, bool]) -> Shape:
    """The widest vectors of a processor with these features, and as many streams as its registers hold.

    Three streams of AVX2, not four: sixteen registers hold the state of three and have some left to work with.
    """
    if features.get("avx512f"):
        return Shape(16, 4, Forms(ternary=True))
    if features.get("avx2"):
        return Shape(8, 3, Forms(ternary=False))
    if features.get("neon"):
        return Shape(4, 4, Forms(ternary=True))
    return Shape(4, 3, Forms(ternary=False))


class SimdEngine:
    """Searches with vector kernels that are compiled at first need. Thread-safe: threads share the kernels."""

    name = "simd"
    parallel = "threads"

    def __init__(self, shape: Shape | None = None, cache: Path | None = None, everything: bool = False) -> None:
        """`shape`: this processor's own, unless given. `cache`: where compiled kernels are kept, see `Compiler`.

        `everything`: also those small ranges go through the kernels that the standard library does sooner.
        """
        self._shape = shape
        self._cache = cache
        self._everything = everything
        self._python = PythonEngine()
        self._lock = threading.Lock()
        self._compiler: Compiler | None = None
        self._kernels: dict[Need, Kernel] = {}
        self._absorb: Absorb | None = None
        self._paces = {blocks: Pace() for blocks in (1, 2)}  # by the blocks that a digest takes

    def unavailable(self) -> str | None:
        """None where llvmlite is installed and works."""
        if sys.byteorder != "little":
            return "it is written for little-endian processors"
        try:
            importlib.import_module("llvmlite.binding")
            version: str = importlib.import_module("llvmlite").__version__
        except (ImportError, OSError):
            return "install llvmlite for it: pip install 'pyerlcoin[simd]'"
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < _LEAST_LLVMLITE:
            return f"llvmlite {version} is too old for it: pip install 'pyerlcoin[simd]'"
        return None

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        """Every coin of the job, ascending; see `Engine.search`. Asks `stop` about every 12 ms.

        Compiles what it needs first, 0.2 to 0.5 s for a kernel, unless the disk or an earlier search has it.
        """
        threshold(job.zeros)
        found: list[int] = []
        stopped = False

        def asked() -> bool:
            nonlocal stopped
            stopped = stopped or stop()
            return stopped

        for part, layout in self._parts(job):
            if layout is None:
                found += self._python.search(part, asked, progress)
            else:
                run, absorb_blocks = self._load(Need(layout.word, layout.kernel_blocks))
                masks = Masks(min(part.zeros, 8))
                pace = self._paces[layout.kernel_blocks]
                hits = hunt(
                    run, absorb_blocks, part.secret, layout, part.first, part.last, masks, pace, asked, progress
                )
                # The kernel sees word A alone, 8 hex digits.
                found += sorted(hits if job.zeros <= 8 else (n for n in hits if is_hit(job, n)))
            if stopped:
                break
        return found

    def needs(self, job: Job) -> list[Need]:
        """The kernels that the job needs and that are not loaded."""
        layouts = [layout for _, layout in self._parts(job) if layout is not None]
        return sorted({Need(layout.word, layout.kernel_blocks) for layout in layouts} - self._kernels.keys())

    @property
    def loaded(self) -> frozenset[Need]:
        """The kernels there are by now."""
        return frozenset(self._kernels)

    def is_cached(self, need: Need) -> bool:
        """Whether the disk has that kernel, so that to load it takes some ms only."""
        with self._lock:
            compiler, shape = self._start()
        return compiler.is_cached("kernel", kernel(shape, *need))

    def load(self, needs: list[Need]) -> None:
        """Have these kernels. Raises OSError or RuntimeError when LLVM cannot be loaded or cannot compile."""
        for need in needs:
            self._load(need)

    def _parts(self, job: Job) -> Iterator[tuple[Job, Layout | None]]:
        """The job by length of its integers, each with its layout, or None where the standard library is sooner."""
        for digits, first, last in same_length(job.first, job.last):
            layout = _layout(len(job.secret), digits) if digits >= 4 else None
            if layout is not None and not self._everything:
                smallest = _SMALLEST + _SMALLEST_BY_ROW * layout.side_by_side
                layout = layout if last - first + 1 >= smallest else None
            yield Job(job.secret, first, last, job.zeros), layout

    def _load(self, need: Need) -> tuple[Kernel, Absorb]:
        run = self._kernels.get(need)
        if run is not None and self._absorb is not None:
            return run, self._absorb
        with self._lock:
            compiler, shape = self._start()
            if self._absorb is None:
                self._absorb = absorb_type(compiler.address("absorb", absorb()))
            if need not in self._kernels:
                self._kernels[need] = kernel_type(compiler.address("kernel", kernel(shape, *need)))
            return self._kernels[need], self._absorb

    def _start(self) -> tuple[Compiler, Shape]:
        if self._compiler is None or self._shape is None:
            # Here and not above: most of the import's time is loading LLVM, and without llvmlite it fails.
            from pyerlcoin.search.simd.compiler import Compiler, host

            target, features = host()
            self._compiler = Compiler(target, self._cache)
            self._shape = self._shape or shape_for(features)
        return self._compiler, self._shape


@lru_cache(maxsize=64)
def _layout(secret_length: int, digits: int) -> Layout:
    return Layout(secret_length, digits)
