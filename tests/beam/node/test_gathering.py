from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import pytest

from pyerlcoin.beam import GenServer, Sender, Term
from pyerlcoin.beam.errors import NoProcess
from pyerlcoin.beam.node.connection import Connection
from pyerlcoin.beam.node.gathering import Gathering
from tests.support.nodes import Cluster, RawPeer
from tests.support.whole_calls import whole_call


class Echo(GenServer):
    def handle_call(self, request: Term, sender: Sender) -> Term:
        return request


def after(gathering: Gathering, calls: int) -> bool:
    """Whether to wait, after a read that brought that many calls."""
    gathering.after(calls)
    return gathering.due


def test_a_caller_that_is_alone_never_waits() -> None:
    gathering = Gathering()
    assert not any(after(gathering, calls) for calls in (1, 0, 1, 1, 0, 1))


def test_some_calls_wait_for_more_and_many_do_not() -> None:
    assert [after(Gathering(), calls) for calls in (0, 1, 2, 9, 10, 50)] == [False, False, True, True, False, False]


def test_few_callers_soon_wait_no_more() -> None:
    gathering = Gathering()
    asked, wait = [], False
    for read in range(5_000):
        wait = after(gathering, 4 if wait else 2)
        if wait:
            asked.append(read)
    # From the one that brought all four there are 1, 2, 4, … 512 reads to the next.
    gaps = [later - earlier - 1 for earlier, later in pairwise(asked)]
    assert gaps[:10] == [2**n for n in range(10)]
    assert set(gaps[10:]) == {512}


def test_many_callers_go_on_waiting() -> None:
    chance = random.Random(1)
    gathering = Gathering()
    waited, wait = 0, False
    for _ in range(5_000):
        # Now and then all fifty come at once.
        calls = 50 if chance.random() < 0.02 else chance.randint(9, 16) if wait else chance.randint(1, 6)
        wait = after(gathering, calls)
        waited += wait
    assert waited > 1_500


def test_when_callers_become_many_it_begins_again() -> None:
    gathering = Gathering()
    wait = False
    for _ in range(5_000):
        wait = after(gathering, 4 if wait else 2)
    waited = 0
    for read in range(2_000):
        wait = after(gathering, 40 if read % 50 == 0 else 12 if wait else 3)
        waited += wait
    assert waited > 500


async def call_three_times(peer: RawPeer, name: str, first: int = 1) -> None:
    """Three calls in one write, and their replies."""
    peer.send(*(message for number in range(first, first + 3) for message in whole_call(peer, name, number)))
    got = 0
    while got < 3:
        peer.link.receive_data(await peer.reader.read(65536))
        got += len(peer.link.events())


async def test_reads_wait_while_several_call_at_once() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(gather_time=1e-6)
        node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        connection = node.route_if_up(peer.name)
        assert isinstance(connection, Connection)
        await call_three_times(peer, "echo", 1)
        assert connection.gathered == 0
        await call_three_times(peer, "echo", 4)
        assert connection.gathered == 1


async def test_a_caller_that_is_alone_waits_for_nothing() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(gather_time=1e-6)
        node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        for number in range(1, 11):
            peer.send(*whole_call(peer, "echo", number))
            await peer.receive()
        connection = node.route_if_up(peer.name)
        assert isinstance(connection, Connection)
        assert connection.fast_hits["whole call"] == 10
        assert connection.gathered == 0


async def test_replies_are_not_waited_for_however_many_come_together() -> None:
    async with Cluster() as cluster:
        node, caller = await cluster.start(), await cluster.start(gather_time=1e-6)
        node.spawn(Echo(), "echo")
        for _ in range(3):
            assert await asyncio.gather(*(caller.call(("echo", node.name), n) for n in range(5))) == list(range(5))
        connection = caller.route_if_up(node.name)
        assert isinstance(connection, Connection)
        assert connection.gathered == 0


class Silent(GenServer):
    async def handle_call(self, request: Term, sender: Sender) -> Term:
        return await asyncio.Event().wait()


async def test_replies_that_are_wanted_together_are_waited_for() -> None:
    async with Cluster() as cluster:
        node, caller = await cluster.start(), await cluster.start(gather_time=1e-6)
        node.spawn(Echo(), "echo")
        await caller.call(("echo", node.name), 0)
        connection = caller.route_if_up(node.name)
        assert isinstance(connection, Connection)
        with caller.process() as process:
            assert await process.send_request(("echo", node.name), 1) == 1
            assert connection.gathered == 0
            sent = [process.send_request(("echo", node.name), n) for n in range(5)]
            assert [await request for request in sent] == list(range(5))
            assert connection.gathered >= 1
            gathered = connection.gathered
            assert await asyncio.gather(*(process.call(("echo", node.name), n) for n in range(5))) == list(range(5))
            assert connection.gathered == gathered


async def test_replies_that_are_wanted_no_more_are_not_waited_for() -> None:
    async with Cluster() as cluster:
        node, caller = await cluster.start(), await cluster.start(gather_time=1e-6)
        node.spawn(Echo(), "echo")
        node.spawn(Silent(), "silent")
        await caller.call(("echo", node.name), 0)
        connection = caller.route_if_up(node.name)
        assert isinstance(connection, Connection)
        with caller.process() as process:
            for request in [process.send_request(("silent", node.name), n) for n in range(5)]:
                request.cancel()
            # And those whose monitor fires.
            for request in [process.send_request(("nobody", node.name), n) for n in range(5)]:
                with pytest.raises(NoProcess):
                    await request
            gathered = connection.gathered
            for n in range(3):
                assert await process.call(("echo", node.name), n) == n
            assert connection.gathered == gathered


async def test_two_busy_connections_do_not_wait_for_each_other() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(gather_time=1e-6)
        node.spawn(Echo(), "echo")
        peers = [await cluster.raw(node), await cluster.raw(node)]
        for first in (1, 4, 7):
            for peer in peers:
                await call_three_times(peer, "echo", first)
        assert {connection.gathered for connection in node._peers.connections.values()} == {0}


async def test_no_read_waits_if_that_is_asked_for() -> None:
    async with Cluster() as cluster:
        node = await cluster.start(gather_time=0.0)
        node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        for first in (1, 4, 7):
            await call_three_times(peer, "echo", first)
        connection = node.route_if_up(peer.name)
        assert isinstance(connection, Connection)
        assert connection.gathered == 0


async def test_a_connection_that_ended_is_forgotten() -> None:
    async with Cluster() as cluster:
        node = await cluster.start()
        node.spawn(Echo(), "echo")
        peer = await cluster.raw(node)
        await call_three_times(peer, "echo")
        assert node.last_read is not None
        peer.write(bytes((255,)) * 8)
        await peer.closed()
        assert node.last_read is None
