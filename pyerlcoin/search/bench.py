"""How fast this machine searches: data for who prints it."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from time import perf_counter

from pyerlcoin.search.choose import engines
from pyerlcoin.search.engine import Engine, Job
from pyerlcoin.search.pool import Pool, cores

__all__ = ["CHECK", "CHECKSUM", "SPEED", "Machine", "Result", "bench_engines", "checksum", "machine", "measure"]

CHECK = Job(b"Serun+", 9_999_900_000, 10_000_100_000, 3)
"""What every engine is checked on: across a power of ten, with some 50 coins in it."""

CHECKSUM = "2f0e23ed3f7d5454"
"""`checksum` of the coins of CHECK, as hashlib finds them."""

SPEED = Job(b"Serun+", 10**9, 10**10 - 1)
"""What is timed: integers of ten digits behind a secret of six bytes."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts that a rate means nothing without."""

    processor: str
    cores: int
    """That this process may use."""
    megahertz: float | None
    """The highest clock among the cores at the moment, where the system tells."""
    system: str
    python: str
    llvmlite: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """One engine on so many workers."""

    engine: str
    workers: int
    integers: int
    seconds: float
    hashes_per_second: float
    checksum: str
    """Of what this engine found in CHECK, on these workers."""

    @property
    def correct(self) -> bool:
        """Whether it found in CHECK what hashlib finds."""
        return self.checksum == CHECKSUM


def machine() -> Machine:
    """This one."""
    return Machine(
        processor=_cpuinfo("model name") or platform.processor() or platform.machine(),
        cores=cores(),
        megahertz=_megahertz(),
        system=f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        llvmlite=_version("llvmlite"),
    )


def checksum(coins: list[int]) -> str:
    """Sixteen hex digits that two searches share only if they found the same coins."""
    return sha256(" ".join(map(str, coins)).encode()).hexdigest()[:16]


def bench_engines(
    seconds: float = 2.0,
    names: Sequence[str] | None = None,
    tell: Callable[[Result], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Result]:
    """Each engine that can run here, or those of `names`, on one core and on all; `tell` hears each result at once.

    Takes about `seconds` for each, and ends by itself. Raises CancelledError soon after it is `stopped`.
    """
    results = []
    for engine in engines():
        if (names is not None and engine.name not in names) or engine.unavailable() is not None:
            continue
        for workers in sorted({1, cores()}):
            results.append(measure(engine, workers, seconds, stopped=stopped))
            if tell is not None:
                tell(results[-1])
    return results


def measure(
    engine: Engine, workers: int, seconds: float, job: Job = SPEED, stopped: Callable[[], bool] = lambda: False
) -> Result:
    """Checks, then times one engine on `job`. What is compiled or started first is not timed.

    Raises CancelledError soon after it is `stopped`.
    """
    with Pool(engine, workers) as pool:
        check = pool.submit(CHECK)
        check.wait(stopped)
        found = checksum(check.future.result())
        search = pool.submit(job)
        # Until the first answer: other processes start, and the pool learns how much is a good piece.
        while search.done_integers == 0 and not search.wait(stopped, 0.01):
            pass
        if search.wait(stopped, min(0.2, seconds)):
            search.future.result()  # tells what went wrong; so soon no engine is done
        before, started = search.done_integers, perf_counter()
        search.wait(stopped, seconds)
        while search.done_integers == before and not search.wait(stopped, 0.01):  # a busy machine, or few seconds
            pass
        integers, took = search.done_integers - before, perf_counter() - started
        search.cancel()
    return Result(engine.name, workers, integers, took, integers / took, found)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpuinfo(field: str) -> str | None:
    values = _cpuinfo_all(field)
    return values[0] if values else None


def _cpuinfo_all(field: str) -> list[str]:
    path = Path("/proc/cpuinfo")
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    pairs = (line.partition(":") for line in lines)
    return [value.strip() for name, _, value in pairs if name.strip() == field]


def _megahertz() -> float | None:
    try:
        return max(map(float, _cpuinfo_all("cpu MHz")), default=None)
    except ValueError:
        return None
