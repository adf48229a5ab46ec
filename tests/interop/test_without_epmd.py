"""The game without any epmd: every node is on one port that everybody knows."""

from __future__ import annotations

import dataclasses
import socket

import pytest

from tests.support.clock import UNIT
from tests.support.game import Table, coins_in
from tests.support.ports import free_port, fresh_node

pytestmark = pytest.mark.beam

COIN = r"^Miner 'Alice' has found a coin: (\d+)$"


@pytest.fixture
def alone(table: Table) -> Table:
    """The table, where nobody listens on the port of epmd, and nobody begins to."""
    return dataclasses.replace(table, epmd_port=free_port())


def nobody_is_on(port: int) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


async def test_an_elixir_worker_on_our_server(alone: Table) -> None:
    # Two nodes on one machine cannot both be on that port, except by two addresses.
    port, node = str(free_port()), fresh_node("server", "127.0.0.2")
    serve = alone.serve("--workload", "100", "--bind", "127.0.0.2", "--no-epmd", port, node=node)
    async with serve as game, alone.elixir_worker("Ada", node, flags=[f"-erl_epmd_port {port}"]) as worker:
        await worker.wait_line("Ada mines", timeout=60 * UNIT)
        await game.coins_of("Ada", 20)
        assert set(game.coins) <= set(coins_in(1, max(game.coins)))
        async with alone.mine(node, "Dot", "--no-epmd", port) as miner:
            await game.coins_of("Dot", 5)
            miner.interrupt()
            assert await miner.wait() == 130
        nobody_is_on(alone.epmd_port)
        assert game.child.err == []


async def test_a_worker_that_nobody_can_dial(alone: Table) -> None:
    """`-dist_listen false`: as many on one machine as one likes, as with our own miners."""
    port = str(free_port())
    async with alone.serve("--workload", "100", "--no-epmd", port) as game:
        flags = [f"-erl_epmd_port {port}", "-dist_listen false", "-hidden"]
        async with (
            alone.elixir_worker("Ada", game.node, flags=flags),
            alone.elixir_worker("Bob", game.node, flags=flags),
        ):
            await game.coins_of("Ada", 5)
            await game.coins_of("Bob", 5)
        nobody_is_on(alone.epmd_port)


async def test_our_miner_on_an_elixir_server(alone: Table) -> None:
    port = free_port()
    async with alone.elixir_server(workload=100, flags=[f"-erl_epmd_port {port}"]) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        async with alone.mine(server.node, "Alice", "--no-epmd", str(port)) as miner:
            await server.wait_line(COIN, count=20, timeout=120 * UNIT)
            miner.interrupt()
            assert await miner.wait() == 130
            assert miner.err == []
        found = [int(match[1]) for match in server.matches(COIN)]
        assert len(set(found)) == len(found)
        assert set(found) <= set(coins_in(0, max(found)))
        for command in ("leaderboard", "worth", "ping", "doctor"):
            assert (await alone.run(command, server.node, "--no-epmd", str(port)))[0] == 0
        nobody_is_on(alone.epmd_port)


async def test_another_port_is_said_to_be_wrong(alone: Table) -> None:
    port, wrong = free_port(), free_port()
    async with alone.elixir_server(flags=[f"-erl_epmd_port {port}"]) as server:
        await server.wait_line("hands out integers", timeout=60 * UNIT)
        code, _, err = await alone.run("mine", server.node, "--as", "Alice", "--no-epmd", str(wrong))
        assert code == 3
        assert f"port {wrong}, where {server.node} is to be found, does not answer" in err
