"""What a session does, through the miner that it serves."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlcoin.errors import CannotReach, GaveUp, RefusedByPeer
from pyerlcoin.roles import events as told
from pyerlcoin.roles.cluster import NodeLost, NoServer
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.miner import MinerOptions, MinerRole
from pyerlcoin.roles.session import Backoff
from tests.support.manual_timing import turns, until
from tests.support.memory_cluster import MemoryCluster
from tests.support.room import COIN, DONE, HELLO, SERVER, Room, coins


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_a_delay_is_never_nothing_and_never_more_than_the_most(attempt: int, chance: float) -> None:
    backoff = Backoff(first=0.25, most=15.0)
    assert 0.125 <= backoff.delay(attempt, chance) <= 15.0


def test_delays_double_and_spread() -> None:
    backoff = Backoff(first=1.0, most=10.0)
    assert [backoff.delay(attempt, 1.0) for attempt in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert [backoff.delay(attempt, 0.0) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 5, 5]


async def test_a_call_has_no_clock_but_says_that_it_waits() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        await room.done_waits()
        room.timing.advance(4.9)
        assert room.of(told.StillWaiting) == []
        room.timing.advance(0.2)
        assert room.of(told.StillWaiting) == [told.StillWaiting(0, "done", 5.0)]
        room.timing.advance(3600.0)
        room.host.release()
        await room.searching()
        assert room.searches.units() == [(1, 100), (101, 200)]


async def test_each_call_is_said_to_wait_once_when_its_own_time_is_up() -> None:
    room = Room(lanes=2)
    await room.serve()
    async with room.mining():
        await room.searching(2)
        first, second = list(room.searches.running)
        room.host.hold = True
        first.finish([])
        await until(lambda: len(room.asked(DONE)) == 2)
        room.timing.advance(3.0)
        second.finish([])
        await until(lambda: len(room.asked(DONE)) == 3)
        room.timing.advance(2.1)
        assert [waits.lane for waits in room.of(told.StillWaiting)] == [0]
        room.timing.advance(3.0)
        assert [waits.lane for waits in room.of(told.StillWaiting)] == [0, 1]
        room.timing.advance(3600.0)
        assert len(room.of(told.StillWaiting)) == 2
        room.host.release()


async def test_coins_that_are_told_together_are_said_to_wait_once() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.finish()
        await until(lambda: room.asked(COIN) == [(COIN, b"Alice", n) for n in coins(1, 100)])
        room.timing.advance(5.1)
        assert room.of(told.StillWaiting) == [told.StillWaiting(0, "coin", 5.0)]
        room.timing.advance(3600.0)
        room.host.release()
        await until(lambda: room.has(told.CoinAccepted, len(coins(1, 100))))
        await room.searching()
    assert len(room.of(told.StillWaiting)) == 1


async def test_after_a_lost_connection_hello_comes_before_anything_else() -> None:
    room = Room()
    server = await room.serve_original()
    async with room.mining():
        search = await room.searching()
        search.find(coins(0, 99)[0])
        await until(lambda: server.told)
        await server.restart()
        before = len(room.network.requests)
        search.finish()
        await room.rejoined()
        await until(lambda: len(room.asked(DONE)) == 1 or len(room.searches.all) > 1)
        assert room.network.requests[before][1] == (HELLO, b"Alice")
        assert server.crashes == 0


async def test_hello_is_said_again_without_waiting_for_the_search() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining():
        search = await room.searching()
        room.network.cut(SERVER.node)
        await room.rejoined()
        assert len(room.asked(HELLO)) == 2
        # Its own unit was given again, so the search was not disturbed.
        assert room.searches.running == [search]
        search.finish()
        await until(lambda: room.of(told.UnitFinished))
        await room.searching()
        progress = server.ledger.progress(room.timing.now())
        assert (progress.finished, progress.coins) == (100, len(coins(1, 100)))


async def test_a_request_that_fails_is_a_loss_although_the_monitor_says_nothing() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        await room.done_waits()
        fail_first(room)
        await turns()
        assert [gone.reason for gone in room.of(told.ServerGone)] == ["the request was lost"]
        assert len(room.network.requests) == 2
        room.host.hold = False
        await room.rejoined()
        assert room.network.requests[2][1] == (HELLO, b"Alice")


async def test_a_request_that_fails_after_a_new_hello_is_no_new_loss() -> None:
    room = Room(lanes=2)
    await room.serve()
    async with room.mining():
        await room.searching(2)
        room.host.hold = True
        room.searches.running[0].finish([])
        await until(lambda: len(room.asked(DONE)) == 2)
        # The monitor tells of a loss, and the request has no end yet.
        for gone in list(room.host.watchers.values()):
            gone(NodeLost(SERVER.node))
        room.host.hold = False
        await room.rejoined()
        fail_first(room)
        await turns()
        assert room.miner.view().joined
        assert len(room.of(told.ServerGone)) == 1


async def test_when_the_first_of_many_requests_fails_no_other_stays_on_its_way() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.finish()
        await until(lambda: room.asked(DONE))
        assert len(room.host.pending) == len(coins(1, 100)) + 1
        fail_first(room)
        await turns()
        assert not room.host.pending
        room.host.hold = False


def fail_first(room: Room) -> None:
    """The request that waits longest ends without its answer."""
    next(iter(room.host.pending)).set_exception(CannotReach("the request was lost"))


async def test_already_registered_after_a_loss_goes_on_with_the_unit_it_has() -> None:
    room = Room()
    server = await room.serve_original()
    async with room.mining():
        search = await room.searching()
        room.network.cut(SERVER.node)
        await room.rejoined()
        assert room.of(told.NameTaken) == [told.NameTaken("Alice", "'Alice' is already registered", True)]
        assert room.searches.running == [search]
        search.finish()
        await until(lambda: room.of(told.UnitFinished))
        assert server.told == coins(0, 99)


async def test_it_survives_the_servers_restart_however_long_that_takes() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining() as task:
        search = await room.searching()
        await server.close()
        await until(lambda: room.of(told.ServerGone))
        for _ in range(20):
            await asyncio.sleep(0)
            room.timing.advance(20.0)
        assert len(room.of(told.Retrying)) > 5
        assert isinstance(NoServer(SERVER), CannotReach)
        assert not task.done()
        again = await room.serve(first=1)
        await room.rejoined()
        search.finish()
        await until(lambda: again.ledger.worth() == len(coins(1, 100)))


async def test_the_back_off_grows_to_its_most_and_starts_over_when_all_is_well() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining():
        search = await room.searching()
        await server.close()
        for count in range(1, 10):
            await until(partial(room.has, told.Retrying, count))
            room.timing.advance(15.0)
        assert [event.delay for event in room.of(told.Retrying)] == [0.25, 0.5, 1, 2, 4, 8, 15, 15, 15]
        again = await room.serve()
        await room.rejoined()
        search.finish()
        await until(lambda: again.ledger.worth())
        await room.searching()
        await again.close()
        await until(lambda: room.of(told.Retrying)[-1].delay == 0.25)


async def test_the_first_hello_that_cannot_reach_ends_it() -> None:
    room = Room()
    room.network.barred[SERVER.node] = CannotReach("nobody there")
    with pytest.raises(CannotReach, match="nobody there"):
        await room.miner.run()
    assert not room.network.callers


async def test_the_first_hello_without_a_server_ends_it() -> None:
    with pytest.raises(NoServer):
        await Room().miner.run()


@pytest.mark.parametrize("retries", [None, 5])
async def test_wrong_settings_are_not_tried_again(retries: int | None) -> None:
    room = Room(max_retries=retries)
    room.network.barred[SERVER.node] = RefusedByPeer("another cookie")
    with pytest.raises(RefusedByPeer, match="another cookie"):
        await room.miner.run()


async def test_with_retries_a_server_that_is_not_there_yet_is_waited_for() -> None:
    room = Room(max_retries=5)
    async with room.mining():
        await until(lambda: room.of(told.Retrying))
        await room.serve()
        await room.rejoined()
        await room.searching()


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_it_gives_up_after_so_many_retries(retries: int) -> None:
    room = Room(max_retries=retries)
    task = asyncio.create_task(room.miner.run())
    while not task.done():
        await asyncio.sleep(0)
        room.timing.advance(20.0)
    with pytest.raises(GaveUp, match=f"gave up after {retries} retr"):
        await task
    assert len(room.of(told.Retrying)) == retries


async def test_it_gives_up_on_a_server_that_was_there_too() -> None:
    room = Room(max_retries=2)
    server = await room.serve()
    async with room.mining() as task:
        await room.searching()
        await server.close()
        while not task.done():
            await asyncio.sleep(0)
            room.timing.advance(20.0)
        assert isinstance(task.exception(), GaveUp)


async def test_a_name_that_stays_taken_is_somebody_elses() -> None:
    room = Room()
    server = await room.serve_original()
    server.miners[b"Alice"] = 3
    task = asyncio.create_task(room.miner.run())
    started = room.timing.now()
    while not task.done():
        await asyncio.sleep(0)
        room.timing.advance(1.0)
    with pytest.raises(RefusedByPeer, match="'Alice' is already registered: choose another name with --as"):
        await task
    assert 75.0 <= room.timing.now() - started < 120.0


async def test_a_name_that_becomes_free_was_its_own() -> None:
    room = Room()
    server = await room.serve()
    other = await MemoryCluster(room.network, "other@a.b").caller()
    await other.call(SERVER, (HELLO, b"Alice"))
    async with room.mining():
        await until(lambda: room.of(told.NameTaken))
        assert room.of(told.NameTaken)[0].has_work is False
        await other.close()
        await room.rejoined()
        await room.searching()
        assert server.ledger.leaderboard() == [("Alice", 0)]


async def test_another_refusal_of_the_name_ends_it() -> None:
    room = Room()
    await room.serve()
    room.miner = MinerRole(
        room.cluster, room.searches, MinerOptions("x" * 300, SERVER), Events(), chance=lambda: 0.0, timing=room.timing
    )
    with pytest.raises(RefusedByPeer, match="a name is UTF-8 text"):
        await room.miner.run()
