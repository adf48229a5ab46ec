"""What searches cost that are soon done: of few integers in a process at work, and of more in one that starts."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from statistics import median
from time import perf_counter

from pyerlcoin.search.bench import SPEED
from pyerlcoin.search.choose import choose
from pyerlcoin.search.engine import Job
from pyerlcoin.search.pool import Pool

__all__ = ["hash_plainly", "small_lines"]

FEW = 300
REPEATS = 200


def hash_plainly(secret: bytes, first: int, count: int) -> None:
    """The loop that everybody writes first."""
    for n in range(first, first + count):
        hashlib.md5(secret + str(n).encode()).hexdigest().startswith("00000")


def small_lines(rounds: int) -> list[str]:
    """In Markdown, the ratio to a plain loop and the seconds of wall time; of `rounds` starts each."""
    ratios = sorted(few())
    middle, worst = ratios[len(ratios) // 2], ratios[len(ratios) // 20]
    what = f"{FEW} integers, warm, a plain hashlib loop's time to that from `submit` to the result"
    lines = [f"- {what}: **{middle:.2f}** (19 of 20 above {worst:.2f})"]
    for digits in (6, 8):
        seconds = sorted(cold(10**digits) for _ in range(rounds))
        spread = f"({seconds[0]:.2f} to {seconds[-1]:.2f} of wall time)"
        what = f"`pyerlcoin search` of 10^{digits} integers, with no kernel on the disk"
        lines.append(f"- {what}: **{median(seconds):.2f} s** {spread}")
    return lines


def few() -> list[float]:
    """How many times longer a plain loop takes for FEW integers than the pool of the engine that `auto` chooses."""
    found = []
    with Pool(choose().engine) as pool:
        # So many that a kernel is loaded for them.
        pool.submit(replace(SPEED, last=SPEED.first + 10**8)).future.result()
        for turn in range(REPEATS):
            first = SPEED.first + turn * (FEW + 1)
            started = perf_counter()
            pool.submit(Job(SPEED.secret, first, first + FEW - 1)).future.result()
            between = perf_counter()
            hash_plainly(SPEED.secret, first, FEW)
            found.append((perf_counter() - between) / (between - started))
    return found


def cold(integers: int) -> float:
    """Seconds of wall time of the whole command, as the first one on a machine."""
    command = [sys.executable, "-m", "pyerlcoin", "search", "1", str(integers), "--secret", SPEED.secret.decode()]
    with tempfile.TemporaryDirectory() as cache:
        started = perf_counter()
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "XDG_CACHE_HOME": cache})
        return perf_counter() - started
