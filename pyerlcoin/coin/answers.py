"""What the ledger answers to a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from pyerlcoin.coin.facts import Fact, Reason
from pyerlcoin.coin.sizing import Workload
from pyerlcoin.coin.unit import Unit

__all__ = ["ASK_AGAIN", "Answer", "Counted", "Outcome", "Refusal", "Welcome", "Work", "WorkloadSet"]

ASK_AGAIN: Final = "so nothing of this happened: ask again later"
"""How the message to a request ends that no rule refuses, but that could not be kept. By it a miner knows that what it
told is worth telling again."""


@dataclass(frozen=True, slots=True)
class Work:
    """`{:ok, unit}`: what to search next. `bare` says that it goes out as an integer, not as a range.

    That is so when the workload is 1 and the unit has one integer; a unit of more that waited for its miner while the
    workload was changed to 1 still is a range.
    """

    unit: Unit
    bare: bool


@dataclass(frozen=True, slots=True)
class Welcome:
    """`{:ok, secret, unit}`."""

    secret: bytes
    work: Work

    def __repr__(self) -> str:
        return f"Welcome(work={self.work!r})"


@dataclass(frozen=True, slots=True)
class Counted:
    """`{:ok, count}`: how many coins the miner had with this one."""

    count: int


@dataclass(frozen=True, slots=True)
class WorkloadSet:
    """The workload is as asked (a cast, so nothing goes back)."""

    workload: Workload


@dataclass(frozen=True, slots=True)
class Refusal:
    """`{:error, message}`."""

    reason: Reason
    message: str


Answer: TypeAlias = Work | Welcome | Counted | WorkloadSet | Refusal
A_co = TypeVar("A_co", bound=Answer, covariant=True)


@dataclass(slots=True)
class Outcome(Generic[A_co]):
    """An answer, and what its driver has to do with it.

    The reply may go out only when all `facts` up to here are on disk. `watch`: the process that asked must be
    monitored from now on, and `Ledger.down` told when it ends. `delay`: seconds by which to hold the reply back.
    """

    answer: A_co
    facts: tuple[Fact, ...] = ()
    watch: bool = False
    delay: float = 0.0
