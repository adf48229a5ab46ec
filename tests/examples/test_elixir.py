"""The workshop's server and worker in Elixir play one game with each other, on every release."""

from __future__ import annotations

import pytest

from tests.support.clock import UNIT
from tests.support.game import Table, coins_in

pytestmark = pytest.mark.beam


async def test_a_worker_finds_the_coins_that_the_server_counts(table: Table) -> None:
    async with table.elixir_server(workload=100) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        async with table.elixir_worker("Team A", server.node) as worker:
            await worker.wait_line("^Team A mines$", timeout=60 * UNIT)
            await table.cast(server.node, "{:workload, 1}")
            await server.wait_line("^The workload changes from 100 to 1$")
            await table.cast(server.node, "{:workload, 1000}")
            await worker.wait_line(r"^Team A found \d+, coin 5$", timeout=60 * UNIT)
        found = [int(match[1]) for match in server.matches(r"^Miner 'Team A' has found a coin: (\d+)$")]
        assert found == coins_in(0, found[-1])
        assert await table.board(server.node) == {"Team A": len(found)}
        assert await table.worth(server.node) == len(found)


async def test_a_taken_name_ends_the_worker_with_the_servers_words(table: Table) -> None:
    async with table.elixir_server() as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        assert (await table.call(server.node, '{:hello, "Team A"}')).startswith("{:ok,")
        async with table.elixir_worker("Team A", server.node) as worker:
            assert await worker.wait(60 * UNIT) == 1
            assert "'Team A' is already registered" in "\n".join(worker.err)


async def test_a_coin_of_a_stranger_makes_it_forget_every_score(table: Table) -> None:
    """As the workshop's original did; our miner has to live with it (see the interop tests)."""
    async with table.elixir_server() as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        assert (await table.call(server.node, '{:hello, "Team A"}')).startswith("{:ok,")
        exits = await table.beam.eval(
            f"""
            try do
              GenServer.call({{ElixirCoin.Server, :"{server.node}"}}, {{:coin, "Stranger", {coins_in(0, 20_000)[0]}}})
            catch
              :exit, _ -> :crashed
            end
            """
        )
        assert exits == ":crashed"
        # Its supervisor starts it again, with an empty board, and the integers go on.
        await server.wait_line("hands out integers", count=2)
        assert (await table.call(server.node, '{:hello, "Team A"}')).endswith(", 1}")
        assert await table.board(server.node) == {"Team A": 0}
