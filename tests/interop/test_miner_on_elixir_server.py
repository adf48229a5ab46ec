"""`pyerlcoin mine` against the workshop's own server in Elixir."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.support.clock import UNIT
from tests.support.game import Table, coins_in

pytestmark = pytest.mark.beam

COIN = r"^Miner 'Alice' has found a coin: (\d+)$"


async def next_integer(table: Table, server: str) -> int:
    """The lowest integer that the server never handed out."""
    return int(await table.beam.eval(f':sys.get_state({{ElixirCoin.Dispenser, :"{server}"}})'))


async def a_new_unit(table: Table, server: str) -> None:
    """Returns once the server has handed out another unit."""
    before = await next_integer(table, server)
    async with asyncio.timeout(60 * UNIT):
        while await next_integer(table, server) == before:
            pass


async def test_every_coin_of_the_mined_integers_is_reported_once(table: Table) -> None:
    async with table.elixir_server(workload=1) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        async with table.mine(server.node, "Alice", "--lanes", "1") as miner:
            await server.wait_line(COIN, count=2, timeout=120 * UNIT)
            for changes, (workload, more) in enumerate([(100, 20), (100_000, 1000), (1, 2), (100, 20)], 1):
                await table.cast(server.node, f"{{:workload, {workload}}}")
                await server.wait_line("^The workload changes", count=changes)
                await a_new_unit(table, server.node)
                await server.wait_line(COIN, count=len(server.matches(COIN)) + more, timeout=120 * UNIT)
            miner.interrupt()
            assert await miner.wait() == 130
        frontier = await next_integer(table, server.node)
        board = await table.board(server.node)
        worth = await table.worth(server.node)
        reported = [int(match[1]) for match in server.matches(COIN)]
    assert len(set(reported)) == len(reported)
    # One lane holds one unit: all but the last 100 integers were searched to the end.
    expected = coins_in(0, frontier - 1)
    assert [n for n in sorted(reported) if n < frontier - 100] == [n for n in expected if n < frontier - 100]
    assert set(reported) <= set(expected)
    assert board == {"Alice": len(reported)}
    assert worth == len(reported)


async def test_many_lanes_cover_the_same_integers(table: Table) -> None:
    async with table.elixir_server(workload=500) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        async with table.mine(server.node, "Alice", "--lanes", "4") as miner:
            await server.wait_line(COIN, count=300, timeout=120 * UNIT)
            miner.interrupt()
            assert await miner.wait() == 130
        frontier = await next_integer(table, server.node)
        reported = [int(match[1]) for match in server.matches(COIN)]
    assert len(set(reported)) == len(reported)
    expected = coins_in(0, frontier - 1)
    assert set(reported) <= set(expected)
    # At the stop each lane held one unit: no more than those four may be incomplete.
    missing = set(expected) - set(reported)
    assert len({n // 500 for n in missing}) <= 4


async def test_a_server_that_crashes_is_said_hello_to_again(table: Table) -> None:
    """The workshop's server crashes on a coin from an unknown name and forgets everybody: the miner goes on."""
    async with table.elixir_server(workload=500) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        async with table.mine(server.node, "Alice") as miner:
            await server.wait_line(COIN, count=10, timeout=60 * UNIT)
            a_coin = coins_in(0, 10_000)[0]
            crash = f'catch_exit = try do GenServer.call({{ElixirCoin.Server, :"{server.node}"}}, '
            crash += f'{{:coin, "stranger", {a_coin}}}) catch :exit, _ -> :crashed end; catch_exit'
            before = len(server.matches(COIN))
            assert await table.beam.eval(crash) == ":crashed"
            await server.wait_line("Miner 'Alice' has registered", count=2, timeout=60 * UNIT)
            await server.wait_line(COIN, count=before + 10, timeout=60 * UNIT)
            miner.interrupt()
            await miner.wait()
        assert re.search("crash|MatchError|KeyError", "\n".join(server.err + server.out))


async def test_a_name_that_is_taken_for_ever_is_said_so(table: Table) -> None:
    async with table.elixir_server() as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        assert (await table.call(server.node, '{:hello, "Alice"}')).startswith("{:ok,")
        async with table.mine(server.node, "Alice", "--max-retries", "1") as miner:
            assert await miner.wait(60 * UNIT) in (4, 5)
            assert "already registered" in "\n".join(miner.err)
