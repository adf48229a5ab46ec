from __future__ import annotations

import asyncio
from functools import partial

import pytest

from pyerlcoin.beam.etf import Atom
from pyerlcoin.coin.facts import CoinAccepted
from pyerlcoin.errors import CannotReach, GameError, GaveUp, RefusedByPeer
from pyerlcoin.roles import events as told
from pyerlcoin.roles.cluster import NoServer
from pyerlcoin.roles.miner import LANES, MOST_LANES
from tests.support.clock import UNIT
from tests.support.full_disk import FullDisk
from tests.support.manual_timing import turns, until
from tests.support.room import COIN, DONE, HELLO, SECRET, SERVER, Room, beyond, coins


async def test_it_finds_reports_and_finishes_unit_after_unit() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining():
        for _ in range(3):
            (await room.searching()).finish()
            await until(lambda: len(room.searches.all) > 3 or len(room.searches.running) == 1)
        await until(lambda: len(room.of(told.UnitFinished)) == 3)
        assert room.searches.units()[:3] == [(1, 100), (101, 200), (201, 300)]
        assert server.ledger.worth() == len(coins(1, 300))
        assert [n for n in room.asked(COIN) if n] == [(COIN, b"Alice", n) for n in coins(1, 300)]
        assert room.miner.view().coins == len(coins(1, 300)) == room.miner.view().count
        assert room.miner.view().hashes == 300


async def test_lanes_pull_through_processes_of_their_own_under_one_name() -> None:
    room = Room(lanes=3)
    server = await room.serve()
    async with room.mining():
        await room.searching(3)
        assert sorted(room.searches.units()) == [(1, 100), (101, 200), (201, 300)]
        assert len({pid for pid, _ in room.network.requests}) == 3
        assert len(room.asked(HELLO)) == 1
        assert server.ledger.progress(room.timing.now()).open == 300
        for search in list(room.searches.running):
            search.finish()
        await until(lambda: len(room.of(told.UnitFinished)) == 3)
        await room.searching(3)
        progress = server.ledger.progress(room.timing.now())
        assert (progress.finished, progress.open, progress.coins) == (300, 300, len(coins(1, 300)))


async def finish_oldest(room: Room, seconds: float) -> None:
    """The oldest search ends without coins after so long, and its lane has the next unit."""
    search = room.searches.running[0]
    room.timing.advance(seconds)
    search.finish([])
    await until(lambda: search not in room.searches.running and len(room.searches.running) >= LANES)


async def test_where_units_stay_short_more_lanes_come_to_pull() -> None:
    room = Room(lanes=None)
    await room.serve()
    async with room.mining():
        await room.searching(LANES)
        for _ in range(150):
            await finish_oldest(room, 0.01)
        assert len(room.miner.view().lanes) == LANES
        for _ in range(100):
            await finish_oldest(room, 0.01)
        await room.searching(MOST_LANES)
        assert len(room.miner.view().lanes) == MOST_LANES
        assert len({pid for pid, _ in room.network.requests}) == MOST_LANES


async def test_where_units_are_long_there_are_few_lanes() -> None:
    room = Room(lanes=None)
    await room.serve()
    async with room.mining():
        await room.searching(LANES)
        for _ in range(20):
            for _ in range(10):
                await finish_oldest(room, 0.01)
            await finish_oldest(room, 1.0)
        assert len(room.miner.view().lanes) == LANES


@pytest.mark.parametrize("finish", [False, True])
async def test_lanes_that_were_not_needed_hinder_no_stop(finish: bool) -> None:
    room = Room(lanes=None)
    await room.serve()
    async with room.mining() as task:
        await room.searching(LANES)
        asked = len(room.asked(DONE))
        room.miner.stop(finish=finish)
        if finish:
            for search in list(room.searches.running):
                search.finish([])
        async with asyncio.timeout(20 * UNIT):
            assert (await task).units == (LANES if finish else 0)
        assert len(room.asked(DONE)) == asked + (LANES if finish else 0)
        assert len(room.miner.view().lanes) == LANES


async def test_the_lanes_do_with_the_original() -> None:
    room = Room(lanes=2)
    server = await room.serve_original()
    async with room.mining():
        await room.searching(2)
        for search in list(room.searches.running):
            search.finish()
        await until(lambda: len(room.of(told.UnitFinished)) == 2)
        assert sorted(server.told) == coins(0, 199)
        assert server.crashes == 0


@pytest.mark.parametrize("workload", [1, 7])
async def test_the_original_starts_at_zero_in_both_shapes(workload: int) -> None:
    room = Room()
    server = await room.serve_original(workload)
    room.searches.held = False
    async with room.mining():
        await until(lambda: server.next > 320)
    covered = [n for first, last in room.searches.units() for n in range(first, last + 1)]
    assert covered[:300] == list(range(300))
    assert server.told[:5] == coins(0, 300)[:5]
    assert len(set(server.told)) == len(server.told)


async def test_given_another_unit_it_reports_what_it_had_found_and_takes_that() -> None:
    room = Room()
    server = await room.serve_original()
    async with room.mining():
        search = await room.searching()
        first = coins(0, 99)[0]
        search.find(first)
        await server.restart()
        await room.rejoined()
        second = await room.searching()
        assert search.future.cancelled()
        assert (second.job.first, second.job.last) == (100, 199)
        await until(lambda: first in server.told)
        assert [event.reason for event in room.of(told.UnitAbandoned)] == ["the server gave another unit"]


async def test_coins_told_to_a_server_that_forgot_them_are_told_again() -> None:
    room = Room()
    server = await room.serve_original()
    async with room.mining():
        search = await room.searching()
        first = coins(0, 99)[0]
        search.find(first)
        await until(lambda: server.told == [first])
        await server.restart()
        await room.rejoined()
        await until(lambda: server.told.count(first) == 2)
        assert server.miners == {b"Alice": 1}
        assert room.miner.view().coins == 1, "one coin is one coin, however often it is told"


async def test_a_changed_secret_drops_what_was_found_under_the_old_one() -> None:
    room = Room(lanes=2)
    await room.serve()
    async with room.mining():
        await room.searching(2)
        old = list(room.searches.running)
        room.network.barred[SERVER.node] = CannotReach("down")
        old[0].find(coins(old[0].job.first, old[0].job.last)[0])
        await until(lambda: room.of(told.CoinFound))
        room.network.crash(SERVER, Atom("shutdown"))
        del room.network.barred[SERVER.node]
        server = await room.serve(b"another", first=1)
        before = len(room.asked(COIN))
        await room.rejoined()
        await until(lambda: len(room.of(told.UnitAbandoned)) == 2)
        await room.searching(2)
        assert room.of(told.SecretChanged) == [told.SecretChanged(2)]
        assert all(search.future.cancelled() for search in old)
        assert {search.job.secret for search in room.searches.running} == {b"another"}
        assert len(room.asked(COIN)) == before
        assert server.ledger.progress(room.timing.now()).finished == 0


async def test_after_another_secret_every_lane_but_the_first_goes_on_from_a_fresh_process() -> None:
    room = Room(lanes=3)
    await room.serve()
    async with room.mining():
        await room.searching(3)
        first, *others = (pid for pid, _ in room.network.requests)
        room.network.crash(SERVER, Atom("shutdown"))
        room.network.requests.clear()
        await room.serve(b"another")
        await room.rejoined()
        await room.searching(3)
        assert room.network.requests[0] == (first, (HELLO, b"Alice"))
        fresh = {pid for pid, request in room.network.requests if request == (DONE, b"Alice")}
        assert len(fresh) == 2
        assert fresh.isdisjoint([first, *others])


async def test_what_the_server_of_another_secret_had_handed_out_is_not_searched() -> None:
    """Done had been answered already, but the coins before it were still to be told again."""
    room = Room(lanes=2)
    disk = FullDisk()
    await room.serve(sink=disk)
    async with room.mining():
        await room.searching(2)
        disk.full_for = lambda facts: any(isinstance(fact, CoinAccepted) for fact in facts)
        (unit,) = (taken for taken in room.of(told.UnitTaken) if taken.lane == 1)
        (search,) = (search for search in room.searches.running if search.job.first == unit.first)
        search.finish()
        await until(lambda: room.of(told.ServerGone))
        room.network.crash(SERVER, Atom("shutdown"))
        server = await room.serve(b"another", workload=50)
        await room.rejoined()
        await room.searching(2)
        assert sorted(room.searches.units()[2:]) == [(1, 50), (51, 100)]
        assert server.ledger.frontier == 101


async def test_a_done_without_its_reply_is_never_repeated_from_the_same_process() -> None:
    """Else the server would call the unit finished that it handed out in the reply which was lost."""
    room = Room(lanes=2)
    server = await room.serve()
    async with room.mining():
        await room.searching(2)
        room.host.hold = True
        for search in list(room.searches.running):
            search.finish([])
        await until(lambda: len(room.asked(DONE)) == 3)
        # Both were taken for finished, and two more units are out that no lane has heard of.
        assert server.ledger.progress(room.timing.now()).finished == 200
        await room.lose_the_answers()
        await room.searching(2)
        assert server.ledger.progress(room.timing.now()).finished == 200
        assert sorted(room.searches.units()[2:]) == [(201, 300), (301, 400)]


async def test_a_server_in_trouble_is_asked_again_after_a_while() -> None:
    room = Room()
    disk = FullDisk("no room")
    server = await room.serve(sink=disk)
    async with room.mining():
        search = await room.searching()
        disk.fill()
        search.finish()
        await until(lambda: room.of(told.ServerGone))
        assert room.of(told.CoinRejected)
        disk.free()
        await room.rejoined()
        await until(lambda: len(room.searches.all) == 2)
        assert server.ledger.worth() == len(coins(1, 100)), "coins that trouble refused are told again"


async def test_two_lanes_that_lose_the_connection_lose_no_integer() -> None:
    room = Room(lanes=3)
    server = await room.serve(workload=20)
    room.searches.held = False
    async with room.mining():
        for cut in range(1, 6):
            goal = cut * 300
            await until(partial(beyond, server, goal))
            room.network.cut("alice@a.b")
            await room.rejoined()
        await until(lambda: server.ledger.frontier > 2000)
    progress = server.ledger.progress(room.timing.now())
    assert progress.finished + progress.open + progress.returned == server.ledger.frontier - 1
    assert progress.open == 0
    assert server.ledger.worth() >= len(coins(1, 1900))


async def test_it_stops_by_the_clock() -> None:
    room = Room(seconds=30.0)
    await room.serve()
    async with room.mining() as task:
        await room.searching()
        room.timing.advance(29.0)
        assert not task.done()
        room.timing.advance(1.5)
        stopped = await task
    assert stopped.reason == "the time is up"
    assert stopped.seconds == pytest.approx(30.5)
    assert room.of(told.Stopped) == [stopped]


async def test_it_stops_by_the_number_of_coins() -> None:
    room = Room(coins=3)
    await room.serve()
    room.searches.held = False
    stopped = await room.miner.run()
    assert stopped.coins >= 3
    assert stopped.reason.endswith("coins are mined")


async def test_a_stop_gives_the_units_back_at_once() -> None:
    room = Room(lanes=2)
    server = await room.serve()
    async with room.mining() as task:
        await room.searching(2)
        room.searches.running[0].find(coins(1, 100)[0])
        room.miner.stop("enough")
        stopped = await task
    assert stopped.coins == 1, "what was found is still reported"
    progress = server.ledger.progress(room.timing.now())
    assert (progress.open, progress.returned) == (0, 200)
    assert all(search.future.cancelled() for search in room.searches.all)


async def test_a_stop_does_not_wait_for_ever() -> None:
    room = Room()
    await room.serve()
    async with room.mining() as task:
        search = await room.searching()
        room.host.hold = True
        search.find(coins(1, 100)[0])
        await until(lambda: room.asked(COIN))
        room.miner.stop()
        await turns()
        assert not task.done()
        room.timing.advance(5.1)
        await task
        room.host.release()


async def test_finish_says_done_for_the_unit_in_hand() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining() as task:
        search = await room.searching()
        room.miner.stop("enough", finish=True)
        search.finish()
        stopped = await task
    assert (stopped.units, stopped.reason) == (1, "enough")
    progress = server.ledger.progress(room.timing.now())
    assert (progress.finished, progress.open) == (100, 0)


async def test_cancelling_it_leaves_nothing_behind() -> None:
    room = Room(lanes=2)
    await room.serve()
    task = asyncio.create_task(room.miner.run())
    await room.searching(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not room.network.callers
    assert not room.searches.running


async def test_an_engine_that_fails_ends_it() -> None:
    room = Room()
    await room.serve()
    task = asyncio.create_task(room.miner.run())
    search = await room.searching()
    search.future.set_running_or_notify_cancel()
    search.future.set_exception(OSError("no memory"))
    with pytest.raises(OSError, match="no memory"):
        await task
    assert not room.network.callers


async def test_every_error_of_a_miner_has_its_exit_code() -> None:
    for error in (GaveUp("x"), RefusedByPeer("x"), CannotReach("x"), NoServer(SERVER)):
        assert isinstance(error, GameError)
        assert error.exit_code in (3, 4, 5)


async def test_a_pause_keeps_what_is_in_hand_and_asks_for_nothing() -> None:
    room = Room(lanes=2)
    server = await room.serve()
    async with room.mining():
        await room.searching(2)
        first = room.searches.all[0]
        room.miner.pause()
        room.miner.pause()
        assert [room.searches.paused] == [True]
        assert room.miner.view().paused
        asked = len(room.asked(DONE))
        # What was all but searched when the pause began may end in it: its coins are told, it is not called done.
        first.finish()
        await until(lambda: room.of(told.UnitFinished))
        await turns(50)
        assert len(room.asked(DONE)) == asked
        assert server.ledger.worth() == len(coins(first.job.first, first.job.last))
        assert server.ledger.progress(room.timing.now()).finished == 0
        assert server.ledger.progress(room.timing.now()).returned == 0
        room.miner.resume()
        room.miner.resume()
        await until(lambda: server.ledger.progress(room.timing.now()).finished == 100)
        assert not room.searches.paused
        assert (len(room.of(told.Paused)), len(room.of(told.Resumed))) == (1, 1)


async def test_a_unit_that_comes_in_a_pause_waits_for_its_end() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        await room.done_waits()
        room.miner.pause()
        room.host.release()
        await turns(50)
        assert room.searches.units() == [(1, 100)]
        room.miner.resume()
        await room.searching()
        assert room.searches.units() == [(1, 100), (101, 200)]


@pytest.mark.parametrize("secret", [SECRET, b"another"])
async def test_a_server_that_is_lost_in_a_pause_is_joined_in_it_and_asked_after_it(secret: bytes) -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.finish()
        await until(lambda: len(room.asked(COIN)) == len(coins(1, 100)))
        room.host.release()
        room.host.hold = True
        await until(lambda: room.asked(DONE))
        room.miner.pause()
        room.host.release()
        await turns(50)
        room.network.crash(SERVER, Atom("killed"))
        server = await room.serve(secret)
        await room.rejoined()
        room.miner.resume()
        (await room.searching()).finish()
        await until(lambda: server.ledger.progress(room.timing.now()).finished == 100)
        assert server.ledger.worth() == len(coins(1, 100, secret))
        assert room.of(told.CoinRejected) == []


@pytest.mark.parametrize("finish", [False, True])
async def test_who_is_told_to_stop_in_a_pause_stops(finish: bool) -> None:
    room = Room()
    server = await room.serve()
    async with room.mining() as task:
        search = await room.searching()
        room.miner.pause()
        room.miner.stop("enough", finish=finish)
        assert not room.searches.paused
        assert (room.miner.view().finishing, room.miner.view().stopped) == (finish, not finish)
        room.miner.pause()
        assert not room.searches.paused
        if finish:
            search.finish()
        await until(task.done)
        assert task.result().reason == "enough"
        assert room.miner.view().stopped
        assert server.ledger.progress(room.timing.now()).finished == (100 if finish else 0)


async def test_how_long_the_latest_answer_took() -> None:
    room = Room()
    await room.serve()
    assert room.miner.view().round_trip is None
    async with room.mining():
        search = await room.searching()
        assert room.miner.view().round_trip == 0.0
        room.host.hold = True
        search.finish([])
        await until(lambda: room.asked(DONE))
        room.timing.advance(0.5)
        room.host.release()
        await room.searching()
        assert room.miner.view().round_trip == 0.5
