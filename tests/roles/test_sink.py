from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Sequence
from pathlib import Path

from pyerlcoin.beam.etf import Atom, Pid, Term
from pyerlcoin.coin.facts import Fact
from pyerlcoin.roles.cluster import Address
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.roles.sink import InMemory, Kept, OnDisk
from pyerlcoin.store.audit import audit
from pyerlcoin.store.reading import Reading
from tests.support.games import PATIENCE, open_store
from tests.support.manual_timing import ManualTiming
from tests.support.memory_cluster import MemoryCluster, MemoryNetwork


def test_memory_keeps_at_once() -> None:
    kept: list[str | None] = []
    InMemory().commit([], kept.append)
    assert kept == [None]


async def test_what_waits_for_no_disk_is_kept_at_once(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        kept: list[str | None] = []
        facts = store.ledger.hello(1, "a@h", "Ann", 1001.0).facts
        OnDisk(store).commit(facts, kept.append)
        assert kept == [None]
        with Reading(tmp_path / "x") as reading:
            assert list(reading.facts()) == list(facts)


async def test_on_disk_it_is_kept_once_it_is_written(tmp_path: Path) -> None:
    with open_store(tmp_path / "x", durability="full") as store:
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[tuple[str | None, int]] = loop.create_future()
        facts = store.ledger.hello(1, "a@h", "Ann", 1001.0).facts
        OnDisk(store).commit(facts, lambda error: kept.set_result((error, threading.get_ident())))
        assert not kept.done()
        error, thread = await asyncio.wait_for(kept, PATIENCE)
        assert (error, thread) == (None, threading.get_ident())
        with Reading(tmp_path / "x") as reading:
            assert list(reading.facts()) == list(facts)


async def test_what_comes_in_one_turn_of_the_loop_is_one_commit(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        events, sizes = Events(), []

        class Counting(OnDisk):
            def commit(self, facts: Sequence[Fact], kept: Kept) -> None:
                sizes.append(len(facts))
                super().commit(facts, kept)

        network = MemoryNetwork()
        role = ServerRole(store.ledger, events, sink=Counting(store), timing=ManualTiming())
        await role.open(MemoryCluster(network, "server@a.b"))
        replies: asyncio.Queue[Term] = asyncio.Queue()
        for number in range(10):
            caller = Pid.make("a@a.b", number, 0, 1)
            role.handle_call((Atom("hello"), f"miner {number}".encode()), caller, replies.put_nowait)
        assert sizes == []
        for _ in range(10):
            assert isinstance(await asyncio.wait_for(replies.get(), PATIENCE), tuple)
        assert sizes[0] >= 20  # each registered and handed out; and some are gone again, as nobody is behind them


async def test_on_a_disk_that_refuses_the_sentence_comes_back(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        facts = store.ledger.hello(1, "a@h", "Ann", 1001.0).facts
        kept: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        store._writer._db.execute("PRAGMA query_only = ON")
        OnDisk(store).commit(facts, kept.set_result)
        error = await asyncio.wait_for(kept, PATIENCE)
        assert error is not None
        assert error.startswith("the server could not write its ledger")


async def test_a_server_on_a_full_disk_refuses_in_words_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with open_store(tmp_path / "x") as store:
        network, events = MemoryNetwork(), Events()
        role = ServerRole(store.ledger, events, sink=OnDisk(store), timing=ManualTiming())
        await role.open(MemoryCluster(network, "server@a.b"))
        caller = await MemoryCluster(network, "a@a.b").caller()
        server = Address(SERVER_NAME, "server@a.b")
        full = store._writer._db.execute("PRAGMA page_count").fetchone()[0]
        store._writer._db.execute(f"PRAGMA max_page_count = {full}")
        names = (f"{number} {'x' * 200}" for number in itertools.count())
        accepted = []
        while True:
            name = next(names)
            reply = await asyncio.wait_for(caller.call(server, (Atom("hello"), name.encode())), PATIENCE)
            assert isinstance(reply, tuple)
            if reply[0] == Atom("error"):
                break
            accepted.append(name)
        assert b"could not write its ledger" in bytes(reply[1])
        store._writer._db.execute(f"PRAGMA max_page_count = {full + 1000}")
        reply = await asyncio.wait_for(caller.call(server, (Atom("hello"), name.encode())), PATIENCE)
        assert isinstance(reply, tuple)
        assert reply[0] == Atom("ok")
        await role.close()
    with Reading(tmp_path / "x") as reading:
        assert audit(reading).found == []
        assert [miner.name for miner in reading.past().miners] == [*accepted, name]
