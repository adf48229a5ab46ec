"""Whatever befalls server and connection, in whatever order, in memory: what the miner's several lanes may never do."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from pyerlcoin.beam.etf import Atom
from pyerlcoin.coin.facts import CoinAccepted, Fact, Finished, HandedOut
from pyerlcoin.coin.past import replay
from pyerlcoin.coin.records import MemoryRecords
from pyerlcoin.roles import events as told
from pyerlcoin.roles.sink import Kept
from tests.support.hand_search import HandSearch
from tests.support.manual_timing import turns
from tests.support.room import SERVER, Room, coins

WORKLOAD = 20


class Disk:
    """A `FactSink` from which the next server goes on."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def gather(self, go: Callable[[], None]) -> None:
        go()

    def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
        self.facts += facts
        kept(None)

    async def serve(self, room: Room) -> None:
        records = MemoryRecords()
        for fact in self.facts:
            if isinstance(fact, CoinAccepted | HandedOut):
                records.note(fact)
        past = replay(1, WORKLOAD, self.facts)
        await room.serve(sink=self, records=records, past=past)


class Evening:
    """One miner, and what chance has in store for it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.room = Room(lanes=self.dice.choice((2, 3, 5)))
        self.disk = Disk()
        self.searched: set[int] = set()

    def finish(self, search: HandSearch) -> None:
        search.finish()
        self.searched.update(range(search.job.first, search.job.last + 1))

    async def something_happens(self) -> None:
        room, dice = self.room, self.dice
        search = dice.choice(room.searches.running) if room.searches.running else None
        what = dice.choices(("end", "coin", "hold", "release", "cut", "crash", "time"), (55, 10, 10, 7, 8, 7, 3))[0]
        match what:
            case "end" if search is not None:
                self.finish(search)
            case "coin" if search is not None and (found := coins(search.job.first, search.job.last)):
                search.find(dice.choice(found))
            case "hold":
                room.host.hold = True
            case "release":
                room.host.release()
            case "cut":
                room.host.hold = False
                room.network.cut("alice@a.b")
            case "crash":
                room.network.crash(SERVER, Atom("killed"))
                await turns(3)
                await self.disk.serve(room)
            case "time":
                room.timing.advance(dice.choice((0.1, 1.0, 11.0)))
        if what in ("cut", "crash") and dice.random() < 0.7:
            await room.rejoined()
        await turns(dice.choice((0, 1, 2, 5, 30)))

    def all_that_is_finished_was_searched_and_has_its_coins(self) -> int:
        facts = self.disk.facts
        units = [fact.unit for fact in facts if isinstance(fact, Finished)]
        finished = {n for unit in units for n in range(unit.first, unit.last + 1)}
        assert finished <= self.searched
        counted = {fact.n for fact in facts if isinstance(fact, CoinAccepted)}
        assert {n for unit in units for n in coins(unit.first, unit.last)} <= counted
        return len(finished)


@pytest.mark.parametrize("seed", range(12))
async def test_nothing_is_called_finished_unsearched_nor_searched_nor_counted_twice(seed: int) -> None:
    evening = Evening(seed)
    room = evening.room
    await evening.disk.serve(room)
    async with room.mining() as task:
        await turns(30)
        for _ in range(60):
            await evening.something_happens()
            evening.all_that_is_finished_was_searched_and_has_its_coins()
        before = evening.all_that_is_finished_was_searched_and_has_its_coins()
        room.host.release()
        for _ in range(20):
            await turns(50)
            room.timing.advance(1.0)
            for search in room.searches.running:
                evening.finish(search)
        await turns(100)
        assert not task.done()
        assert evening.all_that_is_finished_was_searched_and_has_its_coins() > before, "and it goes on"
        ended = [(event.first, event.last) for event in room.of(told.UnitFinished)]
        assert len(ended) == len(set(ended))
        accepted = [event.n for event in room.of(told.CoinAccepted)]
        assert len(accepted) == len(set(accepted)) == room.miner.view().coins
        assert room.of(told.CoinRejected) == []
