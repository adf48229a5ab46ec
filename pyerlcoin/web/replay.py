"""A whole game from its facts: the board at its end, and the curves that led there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from pyerlcoin.coin.facts import CoinAccepted, Fact, Finished, HandedOut
from pyerlcoin.coin.past import Past
from pyerlcoin.coin.progress import MinerProgress, Progress
from pyerlcoin.web.board import Board, State

__all__ = ["replay"]


class _Sums:
    """What a finished game has in place of a speed: how much each miner searched, and in what time."""

    def __init__(self) -> None:
        self.finished: dict[str, int] = {}
        self.begun: dict[str, float] = {}
        self.ended: dict[str, float] = {}

    def fact(self, fact: Fact) -> None:
        match fact:
            case HandedOut():
                self.begun.setdefault(fact.name, fact.at)
            case Finished():
                self.finished[fact.name] = self.finished.get(fact.name, 0) + fact.unit.size
                self.ended[fact.name] = fact.at
            case _:
                pass

    def speed(self, name: str) -> float:
        seconds = self.ended.get(name, 0.0) - self.begun.get(name, 0.0)
        return float(self.finished.get(name, 0)) / seconds if seconds > 0 else 0.0

    def total(self) -> float:
        seconds = max(self.ended.values(), default=0.0) - min(self.begun.values(), default=0.0)
        return float(sum(self.finished.values())) / seconds if seconds > 0 else 0.0


def replay(past: Past, facts: Iterable[Fact], *, zeros: int, digest: Callable[[int], str]) -> tuple[State, State]:
    """`Board.state` and `Board.everyone` at the last of `facts`, which are all that happened and led to `past`.

    Speeds are averages: of each miner from its first unit to its last, of all from the first to the last of all.
    """
    facts = iter(facts)
    first = next(facts, None)
    begin = 0.0 if first is None else first.at
    board = Board(Past(past.first, past.first, past.workload), zeros=zeros, digest=digest, now=begin)
    sums = _Sums()
    end = begin
    for fact in () if first is None else chain((first,), facts):
        board.fact(fact)
        sums.fact(fact)
        # A unit still out at the end was handed out later than anybody did anything: the evening ends with the deeds.
        if isinstance(fact, CoinAccepted | Finished):
            end = max(end, fact.at)
    worth = sum(miner.coins for miner in past.miners)
    finished = sum(sums.finished.values())
    waiting = sum(unit.unit.size for unit in past.open)
    board.progress(
        Progress(
            first=past.first,
            frontier=past.frontier,
            finished=finished,
            open=0,
            returned=waiting,
            coins=worth,
            expected_coins=0.0,
            luck=None,
            hashes_per_second=sums.total(),
            workload=past.workload,
            miners=[
                MinerProgress(
                    name=miner.name,
                    node=miner.node,
                    coins=miner.coins,
                    share=miner.coins / worth if worth else 0.0,
                    hashes_per_second=sums.speed(miner.name),
                    open=0,
                    last_coin_at=miner.last_coin_at,
                    quiet_since=None,
                    present=False,
                    rejected=0,
                )
                for miner in past.miners
            ],
        )
    )
    return board.state(end), board.everyone(end)
