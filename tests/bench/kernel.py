"""The simd engine's kernel by itself: the ceiling that a complete search is measured against.

One call after another over the same rows: nothing is written, nobody is asked whether to stop, no hit is looked at.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from struct import Struct
from time import perf_counter

from pyerlcoin.coin.coin import decimal
from pyerlcoin.search.engine import Job
from pyerlcoin.search.simd.compiler import Compiler, host
from pyerlcoin.search.simd.driver import Masks, kernel_type
from pyerlcoin.search.simd.engine import shape_for
from pyerlcoin.search.simd.generator import kernel
from pyerlcoin.search.simd.layout import Layout
from pyerlcoin.search.simd.steps import INITIAL

__all__ = ["bare_kernel"]

_HITS = 4096


def bare_kernel(job: Job, workers: int) -> Callable[[float], float]:
    """What gives, for so many seconds, the hashes per second of the kernel that searches the first of `job`'s integers.

    One thread for each worker, each with rows of its own. Raises ValueError for a secret of a block or more.
    """
    target, features = host()
    layout = Layout(len(job.secret), len(decimal(job.first)))
    if layout.absorbed or layout.rows_absorb:
        raise ValueError("a kernel by itself absorbs no block before its rows")
    compiler = Compiler(target)
    run = kernel_type(compiler.address("kernel", kernel(shape_for(features), layout.word, layout.kernel_blocks)))
    rest = job.secret + decimal(job.first // layout.low_size)
    table, state = layout.table(rest), Struct("<4I").pack(*INITIAL)
    masks = Masks(job.zeros)

    def work(seconds: float) -> tuple[int, float]:
        rows = layout.write(rest, 0, layout.rows)
        at = ctypes.addressof(ctypes.c_char.from_buffer(rows))
        hits = (ctypes.c_uint64 * _HITS)()
        done, started = 0, perf_counter()
        while (took := perf_counter() - started) < seconds:
            before = (at, layout.rows, layout.row_length, state, 0, table)
            run(*before, 0, layout.entries, masks.low_mask, masks.mask, ctypes.addressof(hits), _HITS)
            done += layout.rows * layout.entries
        return done, took

    # The compiler is handed along because its code lives no longer than it does.
    def rate(seconds: float, _compiler: Compiler = compiler) -> float:
        with ThreadPoolExecutor(workers) as threads:
            return sum(done / took for done, took in threads.map(work, [seconds] * workers))

    return rate
