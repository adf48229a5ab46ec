"""What happened, one record each, in the order in which it did.

The ledger returns facts, the store writes them, and log, terminal and page subscribe to them. Nothing else says what
happened. `at` is the `now` that the request came with: seconds since the epoch on a clock that never runs backwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from pyerlcoin.coin.sizing import Workload
from pyerlcoin.coin.unit import Unit

__all__ = [
    "CoinAccepted",
    "Fact",
    "Finished",
    "HandedOut",
    "Left",
    "Reason",
    "Registered",
    "Rejected",
    "Resumed",
    "Returned",
    "WorkloadChanged",
]


class Reason(StrEnum):
    """Why a request was refused."""

    NAME_TAKEN = "name taken"
    NAME_INVALID = "name invalid"
    TOO_MANY_NAMES = "too many names"
    UNKNOWN_MINER = "unknown miner"
    OTHER_NODE = "name of another node"
    TOO_MANY_UNITS = "too many units"
    INTEGER_INVALID = "integer invalid"
    VERIFICATION_FAILED = "verification failed"
    FOREIGN_RANGE = "range of another miner"
    COIN_TAKEN = "coin of another miner"
    WORKLOAD_INVALID = "workload invalid"


@dataclass(frozen=True, slots=True)
class Registered:
    """A new name, owned by `node` from now on."""

    at: float
    name: str
    node: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """A known name said hello again, from `node`, which owns it from now on."""

    at: float
    name: str
    node: str


@dataclass(frozen=True, slots=True)
class Left:
    """The process that said hello for the name is gone."""

    at: float
    name: str
    node: str


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A unit went to a process of `name` on `node`.

    `origin` says where it came from: `new` integers at the frontier; its `own` unit, whole, which had waited for it;
    or a piece of what others `returned`, which may span several units that wait side by side.
    """

    at: float
    unit: Unit
    name: str
    node: str
    origin: Literal["new", "own", "returned"]


@dataclass(frozen=True, slots=True)
class Finished:
    """A unit, exactly as it was handed out, was searched. `seconds` went by since it was handed out."""

    at: float
    unit: Unit
    name: str
    node: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Returned:
    """A unit, exactly as it was handed out, waits to be handed out again: holder `down`, or `lease` over."""

    at: float
    unit: Unit
    name: str
    node: str
    reason: Literal["down", "lease"]


@dataclass(frozen=True, slots=True)
class CoinAccepted:
    """A coin counts: it is the miner's `count`-th, and the `worth`-th in the wallet."""

    at: float
    n: int
    name: str
    count: int
    worth: int


@dataclass(frozen=True, slots=True)
class WorkloadChanged:
    """The size of units that are handed out from now on."""

    at: float
    workload: Workload


@dataclass(frozen=True, slots=True)
class Rejected:
    """A request was refused, and changed nothing else. `name` is None unless it is the name of a known miner."""

    at: float
    name: str | None
    node: str
    reason: Reason
    message: str


Fact: TypeAlias = (
    Registered | Resumed | Left | HandedOut | Finished | Returned | CoinAccepted | WorkloadChanged | Rejected
)
