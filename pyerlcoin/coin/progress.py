"""How the game stands, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MinerProgress", "Progress"]


@dataclass(frozen=True, slots=True)
class MinerProgress:
    """One miner. Times are seconds since the epoch."""

    name: str
    node: str
    coins: int
    share: float
    """Of the wallet, 0 to 1."""
    hashes_per_second: float
    """By the units it finished in the last minute."""
    open: int
    """Integers that its processes hold."""
    last_coin_at: float | None
    quiet_since: float | None
    """When it last asked for anything; None when it has not since the server started."""
    present: bool
    """Whether a process of it is known to live."""
    rejected: int
    """Requests under its name, from its own node, that were refused since the server started, but for coins of others
    in units that were handed to it as well."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The whole game; miners in the order of the leaderboard."""

    first: int
    frontier: int
    """The lowest integer that was never handed out."""
    finished: int
    open: int
    """Integers that are held."""
    returned: int
    """Integers that wait to be handed out again."""
    coins: int
    expected_coins: float
    """One in 16 ** zeros of what is finished."""
    luck: float | None
    """Coins against the number to expect; None while nothing is finished."""
    hashes_per_second: float
    workload: int | str
    miners: list[MinerProgress]
