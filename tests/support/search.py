"""Random searches, and what hashlib finds in them."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Callable

from pyerlcoin.search.engine import Engine, Job
from pyerlcoin.search.python import PythonEngine

__all__ = ["Blind", "Mortal", "Unable", "expected", "hunt", "random_job"]


class Blind(PythonEngine):
    """An engine that is fast, and sees no coin."""

    name = "blind"
    parallel = "threads"

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        progress(job.size)
        return []


class Mortal(PythonEngine):
    """Takes its process along at the end of every search."""

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError


class Unable(PythonEngine):
    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        raise ValueError("two\nlines")


def expected(job: Job) -> list[int]:
    """The coins of the job, by the words of the rule and nothing of ours."""
    start = "0" * job.zeros
    numbers = range(job.first, job.last + 1)
    return [n for n in numbers if hashlib.md5(job.secret + str(n).encode()).hexdigest().startswith(start)]


def hunt(engine: Engine, job: Job) -> list[int]:
    """The engine's answer, with its promise about progress checked."""
    told: list[int] = []
    found = engine.search(job, lambda: False, told.append)
    assert sum(told) == max(job.size, 0)
    assert all(count >= 0 for count in told)
    return found


def random_job(dice: random.Random, *, largest: int = 3000, zeros: tuple[int, ...] = (1, 1, 2, 2, 3, 4, 5)) -> Job:
    """A job that likes borders: of powers of ten, of thousands and ten millions, of MD5's 64-byte blocks."""
    digits = dice.randint(1, 70) if dice.random() < 0.5 else dice.randint(1, 14)
    size = dice.randint(1, largest) if dice.random() < 0.8 else dice.randint(1, 10)
    near = dice.random()
    if near < 0.3:
        middle = 10 ** dice.randint(0, 70) if near < 0.1 else 10**digits
    elif near < 0.6:
        step = 10 ** dice.randint(2, 8)
        middle = dice.randrange(10**digits) // step * step
    else:
        middle = dice.randrange(10 ** (digits - 1), 10**digits)
    first = max(0, middle - dice.randint(0, size))
    length = dice.choice((dice.randint(0, 12), dice.randint(35, 70), dice.randint(0, 200)))
    return Job(dice.randbytes(length), first, first + size - 1, dice.choice(zeros))
