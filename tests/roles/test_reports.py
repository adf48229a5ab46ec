from __future__ import annotations

import pytest

from pyerlcoin.beam.etf import Atom
from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.roles import events as told
from pyerlcoin.roles import work as work_module
from pyerlcoin.roles.work import TOGETHER
from tests.support.full_disk import FullDisk
from tests.support.manual_timing import turns, until
from tests.support.room import COIN, DONE, SERVER, Room, coins


async def test_a_hit_that_hashlib_denies_is_not_reported() -> None:
    room = Room()
    await room.serve()
    wrong = next(n for n in range(1, 100) if n not in coins(1, 100))
    async with room.mining():
        search = await room.searching()
        search.finish([wrong])
        await until(lambda: room.of(told.UnitFinished))
        assert room.of(told.CoinLost) == [told.CoinLost(0, wrong)]
        assert room.asked(COIN) == []


async def test_done_goes_out_behind_the_last_coins_and_each_has_its_answer_before_the_unit_is_finished() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.finish()
        await until(lambda: room.asked(DONE))
        assert room.network.requests[1:] == [
            (room.network.requests[0][0], request)
            for request in [*((COIN, b"Alice", n) for n in coins(1, 100)), (DONE, b"Alice")]
        ]
        await turns()
        assert not room.of(told.UnitFinished)
        assert not room.searches.running
        room.host.release()
        await room.searching()
        assert room.searches.units() == [(1, 100), (101, 200)]
        assert len(room.asked(DONE)) == 1


async def test_done_that_went_out_behind_coins_is_not_repeated_from_the_same_process() -> None:
    """Else the server would call the unit finished that it handed out in the reply which was lost."""
    room = Room(lanes=2)
    server = await room.serve()
    async with room.mining():
        await room.searching(2)
        room.host.hold = True
        for search in list(room.searches.running):
            search.finish()
        await until(lambda: len(room.asked(DONE)) == 3)
        assert server.ledger.progress(room.timing.now()).finished == 200
        await room.lose_the_answers()
        await room.searching(2)
        assert server.ledger.progress(room.timing.now()).finished == 200
        assert sorted(room.searches.units()[2:]) == [(201, 300), (301, 400)]
        assert sorted(event.n for event in room.of(told.CoinAccepted)) == coins(1, 200)


async def test_in_a_pause_the_last_coins_go_out_alone() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        search = await room.searching()
        room.miner.pause()
        search.finish()
        await until(lambda: room.has(told.UnitFinished, 1))
        assert len(room.of(told.CoinAccepted)) == len(coins(1, 100))
        await turns()
        assert room.asked(DONE) == []
        room.miner.resume()
        await room.searching()
        assert len(room.asked(DONE)) == 1


async def test_a_coin_is_reported_while_the_search_goes_on() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining():
        search = await room.searching()
        search.find(coins(1, 100)[0])
        await until(lambda: server.ledger.worth() == 1)
        assert not search.future.done()


async def test_a_coin_told_wrong_is_counted_and_mining_goes_on() -> None:
    room = Room(zeros=1)
    await room.serve(zeros=2)
    async with room.mining():
        (await room.searching()).finish()
        await until(lambda: room.of(told.UnitFinished))
        rejected = room.of(told.CoinRejected)
        assert rejected
        assert rejected[0].message == "verification failed"
        assert room.miner.view().rejected == len(rejected)


async def test_a_coin_without_its_answer_is_told_again() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.find(coins(1, 100)[0])
        await until(lambda: room.asked(COIN))
        await room.lose_the_answers()
        await until(lambda: room.of(told.CoinAccepted))
        assert server.ledger.worth() == 1
        assert room.miner.view().coins == 1


async def test_a_coin_that_the_server_could_not_write_is_told_again_before_done() -> None:
    room = Room()
    disk = FullDisk()
    server = await room.serve(sink=disk)
    found = coins(1, 100)
    async with room.mining():
        search = await room.searching()
        disk.fill()
        search.find(found[0])
        await until(lambda: room.of(told.ServerGone))
        search.finish()
        await turns()
        assert room.asked(DONE) == []
        disk.free()
        await room.rejoined()
        await room.searching()
        assert server.ledger.worth() == len(found)
        assert room.network.requests[-1][1] == (DONE, b"Alice")
        assert (room.miner.view().coins, room.miner.view().rejected) == (len(found), 0)
        assert not room.of(told.CoinRejected)


async def test_a_done_that_was_granted_behind_coins_that_were_not_written_keeps_none_of_them_back() -> None:
    room = Room()
    disk = FullDisk()
    server = await room.serve(sink=disk)
    async with room.mining():
        search = await room.searching()
        disk.full_for = lambda facts: any(isinstance(fact, CoinAccepted) for fact in facts)
        search.finish()
        await until(lambda: room.of(told.ServerGone))
        assert server.ledger.progress(room.timing.now()).finished == 100
        assert server.ledger.worth() == 0
        disk.free()
        await room.rejoined()
        await room.searching()
        assert server.ledger.worth() == len(coins(1, 100))
        assert room.searches.units() == [(1, 100), (101, 200)]
        assert len(room.asked(DONE)) == 1
        assert room.miner.view().rejected == 0


async def test_coins_and_done_that_the_server_could_not_write_are_all_told_again() -> None:
    room = Room()
    disk = FullDisk()
    server = await room.serve(sink=disk)
    async with room.mining():
        search = await room.searching()
        disk.fill()
        search.finish()
        await until(lambda: room.of(told.ServerGone))
        assert server.ledger.progress(room.timing.now()).finished == 0
        disk.free()
        await room.rejoined(2)
        await room.searching()
        assert server.ledger.worth() == len(coins(1, 100))
        assert server.ledger.progress(room.timing.now()).finished == 100
        assert room.miner.view().rejected == 0


async def test_a_coin_of_the_former_secret_that_is_told_late_is_neither_shown_nor_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work_module, "TOGETHER", 3600.0)
    room = Room()
    await room.serve()
    async with room.mining():
        search = await room.searching()
        search.find(coins(1, 100)[0])
        room.network.crash(SERVER, Atom("shutdown"))
        await room.serve(b"another")
        await room.rejoined()
        await until(lambda: room.of(told.UnitAbandoned))
        await room.searching()
        assert search.future.cancelled()
        assert room.of(told.CoinFound) == []
        assert room.asked(COIN) == []


async def test_no_more_than_so_many_coins_of_a_lane_wait_for_their_answer() -> None:
    room = Room()
    await room.serve(workload=3_000)
    found = coins(1, 3_000)
    assert len(found) > 2 * 64
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.finish()
        await until(lambda: len(room.asked(COIN)) == 64)
        await turns()
        assert room.asked(COIN) == [(COIN, b"Alice", n) for n in found[:64]]
        assert room.asked(DONE) == []
        room.host.release()
        await until(lambda: room.has(told.CoinAccepted, len(found)))
        await room.searching()
        assert [event.n for event in room.of(told.CoinAccepted)] == found
        assert not room.of(told.CoinRejected)
        assert room.network.requests[-1][1] == (DONE, b"Alice")


async def test_coins_that_lost_their_answers_are_told_again_and_count_once() -> None:
    room = Room()
    server = await room.serve()
    found = coins(1, 100)
    async with room.mining():
        search = await room.searching()
        search.find(found[0])
        await until(lambda: room.has(told.CoinAccepted, 1))
        room.host.hold = True
        for n in found[1:]:
            search.find(n)
        await until(lambda: len(room.asked(COIN)) == len(found))
        await room.lose_the_answers()
        await until(lambda: room.has(told.CoinAccepted, len(found)))
        assert server.ledger.progress(room.timing.now()).coins == len(found)
        assert sorted(event.n for event in room.of(told.CoinAccepted)) == found


async def test_with_many_lanes_reports_go_out_together_while_enough_is_searched() -> None:
    room = Room(lanes=5)
    server = await room.serve()
    async with room.mining():
        await room.searching(5)
        first, second = room.searches.running[:2]
        asked = len(room.asked(DONE))
        first.finish()
        await turns()
        assert room.asked(COIN) == []
        second.finish()
        await until(lambda: server.ledger.progress(room.timing.now()).finished == 200)
        assert len(room.asked(COIN)) == len(
            coins(first.job.first, first.job.last) + coins(second.job.first, second.job.last)
        )
        assert len(room.asked(DONE)) == asked + 2
        await room.searching(5)


async def test_no_report_waits_for_long() -> None:
    room = Room(lanes=5)
    server = await room.serve()
    async with room.mining():
        await room.searching(5)
        room.searches.running[0].finish()
        await turns()
        assert room.asked(COIN) == []
        room.timing.advance(TOGETHER)
        await until(lambda: server.ledger.progress(room.timing.now()).finished == 100)
        # And the next one has its own time.
        await room.searching(5)
        room.searches.running[0].finish()
        await turns()
        assert server.ledger.progress(room.timing.now()).finished == 100
        room.timing.advance(TOGETHER)
        await until(lambda: server.ledger.progress(room.timing.now()).finished == 200)


async def test_a_report_that_waits_goes_out_when_the_miner_stops() -> None:
    room = Room(lanes=5)
    server = await room.serve()
    async with room.mining():
        await room.searching(5)
        search = room.searches.running[0]
        search.finish()
        await turns()
        assert room.asked(COIN) == []
    assert server.ledger.worth() == len(coins(search.job.first, search.job.last))
