"""What an engine is, and what it is asked.

An engine searches one range on one core. `search/pool.py` spreads a job over the cores and is what the roles use.
Every engine passes the same contract test against hashlib.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Engine", "Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """The integers from `first` to `last`, both included, to be searched for coins of `secret`.

    `first` is at least 0 (the original server starts there); `zeros` is the number of leading zeros asked of the
    lower-case hex digest, 0 to 32.
    """

    secret: bytes
    first: int
    last: int
    zeros: int = 5

    @property
    def size(self) -> int:
        """How many integers the job has; any size, so not `len()`."""
        return self.last - self.first + 1


class Engine(Protocol):
    """Searches on the calling core, in the calling thread or process."""

    @property
    def name(self) -> str:
        """How `--engine` calls it."""

    @property
    def parallel(self) -> str:
        """`threads` when its search releases the interpreter's lock, else `processes`."""

    def unavailable(self) -> str | None:
        """None when it can run here, else the one sentence that says why not and what to install."""

    def search(self, job: Job, stop: Callable[[], bool], progress: Callable[[int], None]) -> list[int]:
        """Every coin of the job, ascending, exactly those that hashlib finds.

        Asks `stop` at least every 50 ms and, once it says True, returns what was found so far. Tells `progress`
        how many more integers are finished: the sum over a whole search is the size of the job.
        """
