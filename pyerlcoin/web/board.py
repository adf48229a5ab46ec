"""What the page knows: a subscriber of the server's facts that can say at any time how the game stands.

Pure: the clock is passed in, and what goes out is a dict of plain values, ready for JSON. The shapes are described in
docs/board.md. Units are in the key names. Integers that a game can grow past 2 ** 53, where JavaScript loses count,
are strings of decimal digits: every integer that is or counts candidates. Numbers of coins are numbers.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from heapq import merge
from operator import attrgetter
from typing import Any, Final, TypeAlias

from pyerlcoin.coin.facts import CoinAccepted, Finished, HandedOut, Registered, Rejected, Returned, WorkloadChanged
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.progress import MinerProgress, Progress
from pyerlcoin.web.history import History
from pyerlcoin.web.schedule import Phase, Schedule
from pyerlcoin.web.strip import Strip, Window

__all__ = ["NEWEST", "Board", "Earned", "State"]

State: TypeAlias = dict[str, Any]
"""Plain values only: `json.dumps` takes it."""

SCHEMA: Final = 1
"""Raised whenever a key of the JSON changes its meaning or goes."""

NEWEST: Final = 12
"""How many of the newest coins are shown: one screen."""

MINERS: Final = 500
"""The most miners listed. A state goes to each open page every second, and nobody reads row 501 of a wall."""

CURVES: Final = 8
"""The most miners with a curve of their own: as many as can be told apart."""


@dataclass(frozen=True, slots=True)
class Earned:
    """Coins that a miner found before this board was there; `last_coin`: what the last one was to the wallet."""

    at: float
    name: str
    coins: int
    last_coin: int


@dataclass(slots=True)
class _Score:
    coins: int = 0
    last_coin: int = 0
    last_coin_at: float | None = None
    # Luck compares what was seen happening: a restart forgets both or neither.
    seen_coins: int = 0
    seen_finished: int = 0

    def kept(self) -> _Score:
        """Another that stays as this is. Ten times as fast as `copy.copy`, and made for each miner in each state."""
        return _Score(self.coins, self.last_coin, self.last_coin_at, self.seen_coins, self.seen_finished)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A moment, kept: what is shown of it is worked out when it is asked for."""

    ranked: list[tuple[str, _Score]]
    newest: list[State]
    rejected: dict[str, int]
    window: Window
    first: int
    frontier: int
    workload: int | str
    curves: State = field(default_factory=dict)
    progress: Progress | None = None


class Board:
    """The state of one game, for those who watch it.

    `digest` gives the lower-case hex digest of an integer, so that no secret has to be kept here. `past` is what the
    ledger started from, `earned` how its coins came, and `newest` the last of them, both oldest first, so that curves
    and the list of coins go on across a restart.
    While the schedule says frozen, everything told is as it was at that moment, down to the last coin.
    """

    def __init__(
        self,
        past: Past,
        *,
        zeros: int,
        digest: Callable[[int], str],
        now: float,
        schedule: Schedule | None = None,
        earned: Iterable[Earned] = (),
        newest: Iterable[CoinAccepted] = (),
    ) -> None:
        self._zeros = zeros
        self._digest = digest
        self._schedule = schedule or Schedule()
        self._workload: int | str = past.workload
        self._strip = Strip(past.first, past.frontier, (waiting.unit for waiting in past.open))
        self._scores: dict[str, _Score] = {}
        self._newest: deque[CoinAccepted] = deque(maxlen=NEWEST)
        self._rejected: Counter[str] = Counter()
        self._progress: Progress | None = None
        self._phase = Phase.OPEN
        self._kept: _Snapshot | None = None
        recalled = list(earned)
        begin = recalled[0].at if recalled else now
        self._history = History(min(begin, now), watched=now if recalled else -math.inf)
        self._next = self._next_boundary()
        sums: Counter[str] = Counter()
        for row in recalled:
            sums[row.name] += row.coins
        for miner in past.miners:
            before = max(0, miner.coins - sums[miner.name])
            self._scores[miner.name] = _Score(before, miner.last_coin, miner.last_coin_at)
            self._history.coins(-math.inf, miner.name, before)
        told: Iterable[Earned | CoinAccepted] = merge(recalled, newest, key=attrgetter("at"))
        for one in told:
            self._pass(one.at)
            if isinstance(one, Earned):
                self._earn(one.at, one.name, one.coins, one.last_coin)
            else:
                self._newest.appendleft(one)

    # What happens.

    def fact(self, event: object) -> None:
        """A subscriber for `Events`. Whatever is no fact of the ledger means nothing."""
        # Two of these come with every unit, so they are asked for first, and cheaply.
        if isinstance(event, Finished):
            if event.at >= self._next:
                self._pass(event.at)
            size = event.unit.size
            self._strip.finish(event.unit)
            self._score(event.name).seen_finished += size
            self._history.hashes(event.at, size, event.seconds)
        elif isinstance(event, HandedOut):
            if event.at >= self._next:
                self._pass(event.at)
            self._strip.hand_out(event.unit, event.name)
        elif isinstance(event, CoinAccepted):
            self._pass(event.at)
            self._earn(event.at, event.name, 1, event.worth)
            self._score(event.name).seen_coins += 1
            self._newest.appendleft(event)
        elif isinstance(event, Returned | Registered | Rejected | WorkloadChanged):
            self._pass(event.at)
            self._rarer(event)

    def _rarer(self, fact: Returned | Registered | Rejected | WorkloadChanged) -> None:
        match fact:
            case Returned():
                self._strip.give_back(fact.unit)
            case Registered():
                self._score(fact.name)
            case Rejected():
                self._rejected[fact.reason] += 1
            case WorkloadChanged():
                self._workload = fact.workload

    def progress(self, progress: Progress) -> None:
        """The newest figures of the ledger: speeds, and who is there. Scores come from the facts alone."""
        self._progress = progress

    # What is told.

    def state(self, now: float) -> State:
        """How it stands at `now`, without the curves."""
        self._pass(now)
        shown = _describe(self._kept or self._snapshot(), self._progress, self._zeros)
        boundary = self._schedule.boundary(self._phase)
        return {
            "schema": SCHEMA,
            "at_seconds": now,
            "as_of_seconds": now if boundary is None else boundary,
            "phase": self._phase.value,
            "freeze_at_seconds": self._schedule.freeze_at,
            "ends_at_seconds": self._schedule.ends_at,
            **shown,
        }

    def history(self, now: float) -> State:
        """The curves up to `now`."""
        self._pass(now)
        return self._kept.curves if self._kept is not None else self._curves(now)

    def everyone(self, now: float) -> State:
        """The curves up to `now` of every miner, however many: for a file, not for a page that is sent each second."""
        return self._curves(now, len(self._scores))

    # The schedule.

    def _next_boundary(self) -> float:
        """When the phase changes next."""
        later = (Phase.FROZEN, Phase.FINAL) if self._phase is Phase.OPEN else (Phase.FINAL,)
        if self._phase is Phase.FINAL:
            return math.inf
        moments = [moment for moment in map(self._schedule.boundary, later) if moment is not None]
        return min(moments, default=math.inf)

    def _pass(self, at: float) -> None:
        """Time is `at` now: keeps what is to be shown from a boundary on, before anything past it happens."""
        while at >= self._next:
            moment = self._next
            self._phase = self._schedule.phase(moment)
            self._kept = replace(self._snapshot(), curves=self._curves(moment), progress=self._progress)
            self._next = self._next_boundary()

    # Scores.

    def _score(self, name: str) -> _Score:
        score = self._scores.get(name)
        if score is None:
            score = self._scores[name] = _Score()
        return score

    def _earn(self, at: float, name: str, coins: int, last_coin: int) -> None:
        score = self._score(name)
        score.coins += coins
        score.last_coin = last_coin
        score.last_coin_at = at
        self._history.coins(at, name, coins)

    def _ranked(self) -> list[tuple[str, _Score]]:
        """The ledger's order: most coins first; of equals, who got there first; of those without, who came first."""
        return sorted(self._scores.items(), key=lambda item: (-item[1].coins, item[1].last_coin))

    def _snapshot(self) -> _Snapshot:
        return _Snapshot(
            ranked=[(name, score.kept()) for name, score in self._ranked()],
            newest=[
                {"n": str(coin.n), "miner": coin.name, "at_seconds": coin.at, "digest": self._digest(coin.n)}
                for coin in self._newest
            ],
            rejected=dict(self._rejected),
            window=self._strip.window(),
            first=self._strip.first,
            frontier=self._strip.frontier,
            workload=self._workload,
        )

    def _curves(self, now: float, curves: int = CURVES) -> State:
        names = [name for name, score in self._ranked()[:curves] if score.coins]
        total, each = self._history.totals(names, now)
        return {
            "start_seconds": self._history.start,
            "step_seconds": self._history.width,
            "end_seconds": now,
            "coins": total,
            "hashes_per_second": [None if rate is None else _finite(rate) for rate in self._history.rates(now)],
            "miners": [{"name": name, "coins": each[name]} for name in names],
        }


def _describe(snapshot: _Snapshot, newest: Progress | None, zeros: int) -> State:
    """`newest` stands in where a snapshot was taken before any progress came: at a restart in the frozen minutes."""
    progress = snapshot.progress or newest
    late = bool(snapshot.curves) and snapshot.progress is None
    worth = sum(score.coins for _, score in snapshot.ranked)
    known = {miner.name: miner for miner in progress.miners} if progress else {}
    finished = progress.finished if progress else 0
    expected = _expected(finished, zeros)
    workload = snapshot.workload
    return {
        "game": {
            "zeros": zeros,
            "workload": workload if isinstance(workload, str) else str(workload),
            "first": str(snapshot.first),
            "frontier": str(snapshot.frontier),
            "finished": str(finished),
            "open": str(progress.open if progress else 0),
            "returned": str(progress.returned if progress else 0),
            "coins": worth,
            "expected_coins": expected,
            # Coins up to then and integers up to now make no ratio.
            "luck": worth / expected if expected and not late else None,
            "hashes_per_second": _finite(progress.hashes_per_second) if progress else 0.0,
            "miners": len(snapshot.ranked),
        },
        "miners": [
            _miner(rank, name, score, worth, known.get(name), zeros)
            for rank, (name, score) in enumerate(snapshot.ranked[:MINERS], 1)
        ],
        "newest": snapshot.newest,
        "rejected": snapshot.rejected,
        "strip": _window(snapshot.window),
    }


def _miner(rank: int, name: str, score: _Score, worth: int, known: MinerProgress | None, zeros: int) -> State:
    expected = _expected(score.seen_finished, zeros)
    return {
        "rank": rank,
        "name": name,
        "coins": score.coins,
        "share": score.coins / worth if worth else 0.0,
        "hashes_per_second": _finite(known.hashes_per_second) if known else 0.0,
        "luck": score.seen_coins / expected if expected else None,
        "last_coin_at_seconds": score.last_coin_at,
        "asked_at_seconds": known.quiet_since if known else None,
        "present": known is not None and known.present,
        "open": str(known.open if known else 0),
        "rejected": known.rejected if known else 0,
    }


def _window(window: Window) -> State:
    return {
        "first": str(window.first),
        "last": str(window.last),
        "exact": window.exact,
        "segments": [
            {"first": str(part.first), "last": str(part.last), "state": part.state.value, "miner": part.name}
            for part in window.segments
        ],
    }


def _expected(finished: int, zeros: int) -> float | None:
    """Coins to expect in so many integers; None for none at all, or for more than a float holds."""
    if finished <= 0 or finished.bit_length() > 1000:
        return None
    return float(finished / 16**zeros)


def _finite(rate: float) -> float:
    """JSON knows no infinity."""
    return rate if math.isfinite(rate) else 0.0
