"""What a miner and a server tell while they work: one dataclass per event, and the fan-out that carries them.

The log, the terminal and the page are all subscribers. What happens to the *game* (registered, handed out,
finished, coin, …) are the facts of `pyerlcoin.coin`; a server publishes those as they are, beside the few events below.
Numbers are raw: integers, seconds, hashes. No event carries a secret or a cookie.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

__all__ = [
    "CoinAccepted",
    "CoinFound",
    "CoinLost",
    "CoinRejected",
    "CommitFailed",
    "Events",
    "Joined",
    "NameTaken",
    "Paused",
    "Resumed",
    "Retrying",
    "SearchStarted",
    "SecretChanged",
    "ServerGone",
    "StillWaiting",
    "Stopped",
    "UnitAbandoned",
    "UnitFinished",
    "UnitTaken",
    "Unreadable",
]

log = logging.getLogger(__name__)


# Told by a miner.


@dataclass(frozen=True, slots=True)
class SearchStarted:
    """Once, at the start: which engine searches, on how many workers, and why that one."""

    engine: str
    workers: int
    reason: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The server answered hello: the miner may report and ask. `again` after a lost connection."""

    name: str
    server: str
    again: bool


@dataclass(frozen=True, slots=True)
class NameTaken:
    """The server holds the name for somebody who lives, or believes it does. `message` is what it said."""

    name: str
    message: str
    has_work: bool


@dataclass(frozen=True, slots=True)
class SecretChanged:
    """The server plays with another secret now: what was found under the old one is worth nothing any more."""

    dropped_units: int


@dataclass(frozen=True, slots=True)
class UnitTaken:
    """A lane starts on the integers from `first` to `last`, both included."""

    lane: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class UnitFinished:
    """A lane searched its whole unit and every coin of it was answered. `seconds` is the search alone."""

    lane: int
    first: int
    last: int
    coins: int
    seconds: float


@dataclass(frozen=True, slots=True)
class UnitAbandoned:
    """A lane gives its unit up; `reason` is for a person. What it had found was reported, unless the secret changed."""

    lane: int
    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True)
class CoinFound:
    """A hit of the engine that hashlib confirms. `digest` is the lower-case hex MD5."""

    lane: int
    n: int
    digest: str


@dataclass(frozen=True, slots=True)
class CoinAccepted:
    """The server counted it; `count` is what this name has by now."""

    lane: int
    n: int
    count: int


@dataclass(frozen=True, slots=True)
class CoinRejected:
    """The server answered a coin with an error, in its own words."""

    lane: int
    n: int
    message: str


@dataclass(frozen=True, slots=True)
class CoinLost:
    """A hit of the engine that hashlib denies: the engine is broken here. It was not reported."""

    lane: int
    n: int


@dataclass(frozen=True, slots=True)
class StillWaiting:
    """A call has no reply after `seconds`. The miner goes on waiting: a late reply still hands out a unit."""

    lane: int
    request: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Paused:
    """Somebody asked the miner to pause: it searches nothing and asks for nothing, and keeps what it has in hand."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause is over."""


@dataclass(frozen=True, slots=True)
class ServerGone:
    """The connection was lost, or the server process ended. The search goes on meanwhile."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """Attempt number `attempt` to say hello failed; the next comes in `delay` seconds."""

    attempt: int
    delay: float
    reason: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The last event of a miner: what this run did. `hashes` counts integers searched, finished unit or not."""

    coins: int
    rejected: int
    hashes: int
    units: int
    seconds: float
    reason: str


# Told by a server, beside the facts of its ledger.


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A request that means nothing. A call was answered with `message`; a cast has nobody to answer to."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class CommitFailed:
    """The facts of a turn could not be kept: they were undone, and `callers` were told so. The server goes on."""

    reason: str
    callers: int


# The fan-out.


class Events:
    """Carries each event to every subscriber, in the order they subscribed, at once and in the publisher's task.

    A subscriber that raises is logged and keeps its place: watching can never break what is watched.
    """

    def __init__(self) -> None:
        self._subscribers: tuple[Callable[[object], None], ...] = ()

    def subscribe(self, subscriber: Callable[[object], None]) -> Callable[[], None]:
        """Adds a subscriber; the result takes it out again, once or twice."""
        self._subscribers += (subscriber,)

        def unsubscribe() -> None:
            self._subscribers = tuple(one for one in self._subscribers if one is not subscriber)

        return unsubscribe

    def publish(self, event: object) -> None:
        """Never raises."""
        for subscriber in self._subscribers:
            try:
                subscriber(event)
            except Exception:
                log.exception("a subscriber failed on %s", type(event).__name__)
