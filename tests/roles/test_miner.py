from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import pytest

from pyerlcoin.beam.etf import Atom, Term
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.errors import CannotReach, GameError, GaveUp, RefusedByPeer
from pyerlcoin.roles import events as told
from pyerlcoin.roles.cluster import Address, NoServer
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.miner import MinerOptions, MinerRole
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.search.engine import Job
from tests.support.hand_search import HandSearch, HandSearches
from tests.support.manual_timing import ManualTiming, until
from tests.support.memory_cluster import MemoryCluster, MemoryHost, MemoryNetwork
from tests.support.original import OriginalServer
from tests.support.search import expected

SERVER = Address(SERVER_NAME, "server@a.b")
SECRET = b"Serun+u"
HELLO, COIN, DONE = Atom("hello"), Atom("coin"), Atom("done")
E = TypeVar("E")


class Room:
    """A network, its clock, and one miner whose searches are in the test's hand."""

    def __init__(self, *, lanes: int = 1, zeros: int = 1, **options: object) -> None:
        self.timing = ManualTiming()
        self.network = MemoryNetwork()
        self.searches = HandSearches(held=True)
        self.seen: list[object] = []
        events = Events()
        events.subscribe(self.seen.append)
        self.cluster = MemoryCluster(self.network, "alice@a.b")
        self.miner = MinerRole(
            self.cluster,
            self.searches,
            MinerOptions("Alice", SERVER, lanes=lanes, zeros=zeros, **options),  # type: ignore[arg-type]  # by test
            events,
            chance=lambda: 1.0,
            timing=self.timing,
        )

    async def serve(self, secret: bytes = SECRET, **rules: object) -> ServerRole:
        """Start a server of ours."""
        rules = {"zeros": 1, "workload": 100, "now": self.timing.now(), **rules}
        ledger = Ledger(secret, **rules)  # type: ignore[arg-type]  # each test's own
        role = ServerRole(ledger, Events(), timing=self.timing)
        await role.open(MemoryCluster(self.network, SERVER.node))
        return role

    async def serve_original(self, workload: int = 100) -> OriginalServer:
        server = OriginalServer(MemoryCluster(self.network, SERVER.node), SECRET, zeros=1, workload=workload)
        await server.start()
        return server

    @asynccontextmanager
    async def mining(self) -> AsyncIterator[asyncio.Task[told.Stopped]]:
        """The miner runs; at the end it is stopped and everything of it is gone."""
        task = asyncio.create_task(self.miner.run())
        try:
            yield task
        finally:
            self.miner.stop()
            # The farewell is by this clock, so let it pass.
            while not task.done():
                await asyncio.sleep(0)
                self.timing.advance(1.0)
            assert not self.network.callers
            if not task.cancelled():
                task.exception()

    @property
    def host(self) -> MemoryHost:
        return self.network.hosts[SERVER]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.seen if isinstance(event, kind)]

    def has(self, kind: type[E], count: int) -> bool:
        return len(self.of(kind)) == count

    def asked(self, tag: Atom) -> list[Term]:
        return [request for _, request in self.network.requests if isinstance(request, tuple) and request[0] == tag]

    async def searching(self, count: int = 1) -> HandSearch:
        """The newest search, once `count` run."""
        await until(lambda: len(self.searches.running) == count)
        return self.searches.running[-1]

    async def rejoined(self, times: int = 1) -> None:
        """Said hello again, with whatever back-off that takes."""
        before = len(self.of(told.Joined))
        while len(self.of(told.Joined)) < before + times:
            await asyncio.sleep(0)
            if self.timing.delays():
                self.timing.advance(0.125)


def beyond(server: ServerRole, goal: int) -> bool:
    return server.ledger.frontier > goal


def coins(first: int, last: int, secret: bytes = SECRET) -> list[int]:
    return expected(Job(secret, first, last, 1))


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


async def test_each_coin_is_reported_before_done_and_done_waits_for_the_answers() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.finish()
        await until(lambda: len(room.asked(COIN)) == len(coins(1, 100)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert room.asked(DONE) == []
        room.host.release()
        await until(lambda: room.asked(DONE))


async def test_a_coin_is_reported_while_the_search_goes_on() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining():
        search = await room.searching()
        search.find(coins(1, 100)[0])
        await until(lambda: server.ledger.worth() == 1)
        assert not search.future.done()


async def test_a_call_has_no_clock_but_says_that_it_waits() -> None:
    room = Room()
    await room.serve()
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.finish([])
        await until(lambda: room.asked(DONE))
        room.timing.advance(4.9)
        assert room.of(told.StillWaiting) == []
        room.timing.advance(0.2)
        assert room.of(told.StillWaiting) == [told.StillWaiting(0, "done", 5.0)]
        room.timing.advance(3600.0)
        room.host.release()
        await room.searching()
        assert room.searches.units() == [(1, 100), (101, 200)]


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
        room.host.hold = False
        room.network.cut("alice@a.b")
        await room.rejoined()
        await room.searching(2)
        assert server.ledger.progress(room.timing.now()).finished == 200
        assert sorted(room.searches.units()[2:]) == [(201, 300), (301, 400)]


async def test_a_coin_without_its_answer_is_told_again() -> None:
    room = Room()
    server = await room.serve()
    async with room.mining():
        search = await room.searching()
        room.host.hold = True
        search.find(coins(1, 100)[0])
        await until(lambda: room.asked(COIN))
        room.host.hold = False
        room.network.cut("alice@a.b")
        await room.rejoined()
        await until(lambda: room.of(told.CoinAccepted))
        assert server.ledger.worth() == 1
        assert room.miner.view().coins == 1


async def test_a_server_in_trouble_is_asked_again_after_a_while() -> None:
    class FullDisk:
        full = True

        def commit(self, facts: object, kept: object) -> None:
            assert callable(kept)
            kept("the disk is full" if self.full else None)

    room = Room()
    sink = FullDisk()
    sink.full = False
    ledger = Ledger(SECRET, zeros=1, workload=100, now=room.timing.now())
    await ServerRole(ledger, Events(), sink=sink, timing=room.timing).open(MemoryCluster(room.network, SERVER.node))
    async with room.mining():
        search = await room.searching()
        sink.full = True
        search.finish()
        await until(lambda: room.of(told.ServerGone))
        assert room.of(told.CoinRejected)
        sink.full = False
        await room.rejoined()
        await until(lambda: len(room.searches.all) == 2)
        assert ledger.worth() == len(coins(1, 100)), "coins that trouble refused are told again"


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
        for _ in range(20):
            await asyncio.sleep(0)
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
