"""Elixir workers and Python miners on one `pyerlcoin serve`: nothing skipped, nothing counted twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import pytest

from tests.support.clock import UNIT
from tests.support.game import SERVER, Table, coins_in
from tests.support.process import run_pyerlcoin

pytestmark = pytest.mark.beam

WORKLOAD = 500


async def test_nothing_is_skipped_and_nothing_counts_twice(table: Table, tmp_path: Path) -> None:
    ledger = str(tmp_path / "ledger")
    async with contextlib.AsyncExitStack() as players:
        game = await players.enter_async_context(table.serve("--workload", str(WORKLOAD), "--ledger", ledger))
        elixir = [table.elixir_worker(team, game.node) for team in ("Ada", "Bob", "Cid")]
        python = [table.mine(game.node, team) for team in ("Dot", "Eli")]
        for player in (*elixir, *python):
            await players.enter_async_context(player)
        await asyncio.gather(*(game.coins_of(team, 20) for team in ("Ada", "Bob", "Cid", "Dot", "Eli")))

        for miner in python:
            miner.interrupt()
            assert await miner.wait() == 130
        for worker in elixir:
            worker.kill()
            await worker.wait()

        # What the dead left open comes back and is handed out before anything new. When nothing waits any more, all
        # below the last miner's own unit is finished.
        async with table.mine(game.node, "Zoe", "--lanes", "1") as zoe:
            await game.until(lambda told: not told["returned"] and told["open"] <= WORKLOAD)
            zoe.interrupt()
            assert await zoe.wait() == 130

        ended = await game.progress()
        board = await table.board(game.node)
        worth = await table.worth(game.node)

    assert ended["first"] == 1
    assert ended["finished"] + ended["open"] + ended["returned"] == ended["frontier"] - 1
    assert ended["open"] + ended["returned"] <= WORKLOAD
    assert worth == sum(board.values()) == ended["coins"]
    assert set(board) == {"Ada", "Bob", "Cid", "Dot", "Eli", "Zoe"}
    exported = json.loads((await run_pyerlcoin("export", ledger, "--format", "json"))[1])
    counted = [coin["n"] for coin in exported["coins"]]
    assert len(set(counted)) == len(counted) == worth
    # Zoe may have been stopped in the middle of a unit, new or returned: the ledger says which integers are finished.
    finished = exported["finished"]
    assert sum(last - first + 1 for first, last in finished) >= ended["finished"]
    everything = coins_in(1, ended["frontier"] - 1)
    assert set(counted) <= set(everything)
    done = [n for n in everything if any(first <= n <= last for first, last in finished)]
    assert [n for n in sorted(counted) if any(first <= n <= last for first, last in finished)] == done


async def test_a_miner_killed_in_the_middle_loses_nothing(table: Table) -> None:
    """Its range comes back and is finished by another; its name says hello again and keeps its coins."""
    async with table.serve("--workload", str(WORKLOAD)) as game:
        async with table.mine(game.node, "Alice") as alice:
            await game.coins_of("Alice", 20)
            # A unit that takes minutes: she is surely in its middle.
            await table.cast(game.node, "{:workload, 1_000_000_000}")
            await game.until(lambda told: told["open"] >= 1_000_000_000)
            alice.kill()
            await alice.wait()
        kept = (await table.board(game.node))["Alice"]
        left = await game.progress()
        assert left["open"] + left["returned"] >= 1_000_000_000

        # Another Elixir process asks until it is given what Alice left, ahead of anything new; and finishes that.
        await table.cast(game.node, f"{{:workload, {WORKLOAD}}}")
        given = await table.beam.eval(
            f"""
            server = {{{SERVER}, :"{game.node}"}}
            {{:ok, _, unit}} = GenServer.call(server, {{:hello, "Bob"}}, :infinity)
            done = fn -> elem(GenServer.call(server, {{:done, "Bob"}}, :infinity), 1) end
            ask = fn
              _, {{i, j}} when i < {left["frontier"]} -> [i, j]
              ask, _ -> ask.(ask, done.())
            end
            given = ask.(ask, unit)
            done.()
            given
            """,
            timeout=90 * UNIT,
        )
        first, last = json.loads(given)
        assert last < left["frontier"]
        now = await game.progress()
        assert now["finished"] + now["open"] + now["returned"] == now["frontier"] - 1
        assert now["open"] + now["returned"] <= left["open"] + left["returned"] - (last - first + 1) + WORKLOAD

        # She may come back from another node, and her coins are still hers.
        async with table.mine(game.node, "Alice") as alice:
            await game.coins_of("Alice", kept + 1)
            alice.interrupt()
            assert await alice.wait() == 130
        assert (await table.board(game.node))["Alice"] > kept > 0
