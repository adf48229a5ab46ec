from __future__ import annotations

from pyerlcoin.beam.etf import Atom
from pyerlcoin.coin.past import Open, Past, PastMiner
from pyerlcoin.coin.records import MemoryRecords
from pyerlcoin.coin.unit import Unit
from pyerlcoin.roles import events as told
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.roles.unfinished import MOST, Unfinished
from pyerlcoin.roles.work import Work
from tests.support.manual_timing import until
from tests.support.room import SERVER, Room, coins

ALICE = ("Alice", "alice@a.b")


def ended(first: int, last: int, *hits: int, whole: bool = True) -> Work:
    work = Work(Unit(first, last), b"s")
    work.searched, work.whole = True, whole
    work.hits |= {*hits}
    return work


def test_a_coin_counts_once_until_its_unit_is_finished() -> None:
    unfinished = Unfinished()
    unfinished.begin(ended(1, 9, 4, 5))
    assert [unfinished.count(n) for n in (4, 4, 5)] == [True, False, True]
    unfinished.finished(Unit(1, 9))
    assert unfinished.count(4), "it was forgotten, as it does not come again"
    unfinished.finished(Unit(1, 9))
    unfinished.clear()
    assert unfinished.count(4), "of another secret it is another coin"


def test_what_was_searched_whole_is_known_and_what_was_given_up_is_not() -> None:
    unfinished = Unfinished()
    whole = ended(1, 9)
    unfinished.begin(whole)
    unfinished.begin(ended(10, 19, whole=False))
    assert whole in unfinished
    assert unfinished.searched(Unit(1, 9)) is whole
    assert unfinished.searched(Unit(10, 19)) is None
    assert unfinished.searched(Unit(1, 19)) is None
    unfinished.begin(ended(1, 9, whole=False))
    assert whole not in unfinished
    assert unfinished.searched(Unit(1, 9)) is None


def test_so_much_is_remembered_and_what_is_in_hand_always() -> None:
    unfinished = Unfinished()
    in_hand = Work(Unit(0, 0), b"s")
    unfinished.begin(in_hand)
    for n in range(1, MOST + 1):
        unfinished.begin(ended(n, n, n))
        assert unfinished.count(n)
    in_hand.whole = True
    assert len(unfinished) == MOST
    assert unfinished.searched(Unit(0, 0)) is in_hand
    assert unfinished.searched(Unit(1, 1)) is None
    assert [unfinished.count(1), unfinished.count(2)] == [True, False]


def test_where_all_is_in_hand_nothing_is_forgotten() -> None:
    unfinished = Unfinished()
    for n in range(MOST + 1):
        unfinished.begin(Work(Unit(n, n), b"s"))
    assert len(unfinished) == MOST + 1


async def start_again(
    room: Room,
    server: ServerRole,
    records: MemoryRecords,
    *units: tuple[int, int],
    name: str | None = "Alice",
    workload: int = 100,
) -> ServerRole:
    """The server ends, and another goes on with its ledger, of which `units` are open; the miner joins it."""
    ledger = server.ledger
    node = None if name is None else ALICE[1]
    past = Past(
        1,
        ledger.frontier,
        workload,
        (PastMiner(*ALICE, ledger.worth()),),
        tuple(Open(Unit(*unit), name, node) for unit in units),
    )
    room.network.crash(SERVER, Atom("killed"))
    again = await room.serve(records=records, past=past)
    await room.rejoined()
    return again


async def test_what_each_lane_has_in_hand_goes_on_whichever_is_given_it() -> None:
    room, records = Room(lanes=3), MemoryRecords()
    server = await room.serve(records=records)
    async with room.mining():
        await room.searching(3)
        room.searches.all[0].finish()
        await until(lambda: len(room.searches.all) == 4)
        in_hand = list(room.searches.running)
        for search in in_hand:
            search.find(coins(search.job.first, search.job.last)[0])
        await until(lambda: room.has(told.CoinAccepted, len(coins(1, 100)) + 3))
        # Hello is given what the second lane searches, and each done what some other one has.
        server = await start_again(room, server, records, (101, 200), (201, 300), (301, 400))
        assert room.searches.running == in_hand
        for search in in_hand:
            search.finish()
        await until(lambda: len(room.searches.all) == 7 and len(room.searches.running) == 3)
        assert sorted(room.searches.units()) == [(n, n + 99) for n in range(1, 700, 100)]
        progress = server.ledger.progress(room.timing.now())
        assert (progress.finished, progress.open, progress.returned) == (400, 300, 0)
        assert room.of(told.UnitAbandoned) == []
        assert server.ledger.worth() == room.miner.view().coins == len(coins(1, 400))
        assert sorted(event.n for event in room.of(told.CoinAccepted)) == coins(1, 400)


async def test_a_unit_that_comes_again_in_pieces_counts_once() -> None:
    found = coins(1, 100)
    room, records = Room(coins=len(found) + 1), MemoryRecords()
    server = await room.serve(records=records)
    async with room.mining() as task:
        search = await room.searching()
        for n in found[:-1]:
            search.find(n)
        await until(lambda: room.has(told.CoinAccepted, len(found) - 1))
        server = await start_again(room, server, records, (1, 100), name=None, workload=50)
        (await room.searching()).finish()
        await until(lambda: len(room.searches.all) == 3)
        (await room.searching()).finish()
        await until(lambda: len(room.searches.all) == 4)
        assert room.searches.units() == [(1, 100), (1, 50), (51, 100), (101, 150)]
        assert server.ledger.worth() == room.miner.view().coins == len(found)
        assert not task.done(), "it has not as many coins as it was asked for"
