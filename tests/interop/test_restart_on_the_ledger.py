"""kill -9 of `pyerlcoin serve`, and a new one on the same ledger, as an Elixir process and a miner see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.clock import UNIT
from tests.support.game import SECRET, SERVER, Game, Table, coins_in
from tests.support.ports import fresh_node
from tests.support.process import Child, run_pyerlcoin

pytestmark = pytest.mark.beam

WORKLOAD = 500


class Ada:
    """A process on the BEAM that lives on while servers come and go, and asks what it is told to."""

    def __init__(self, game: Game) -> None:
        self._beam = game.table.beam
        self._node = game.node
        self._name = "ada" + game.node.partition("@")[0].rpartition("-")[2]

    async def start(self) -> None:
        await self._beam.eval(
            f"""
            loop = fn loop ->
              receive do
                {{:ask, from, request}} ->
                  send(from, {{:said, GenServer.call({{{SERVER}, :"{self._node}"}}, request, :infinity)}})
                  loop.(loop)
              end
            end
            Process.register(spawn(fn -> loop.(loop) end), :{self._name})
            """
        )

    async def ask(self, request: str) -> str:
        return await self._beam.eval(
            f"send(:{self._name}, {{:ask, self(), {request}}}); receive do {{:said, reply}} -> reply end"
        )


def acknowledged(miner: Child) -> set[int]:
    return {int(match[1]) for match in miner.matches(r" coin (\d+) accepted, ")}


async def test_names_counts_and_open_units_are_back_and_miners_too(table: Table, tmp_path: Path) -> None:
    first, second, *_ = coins_in(1, WORKLOAD)
    path, node = tmp_path / "x.ledger", fresh_node("server")
    options = ("--ledger", str(path), "--workload", str(WORKLOAD))
    async with table.serve(*options, node=node) as game:
        ada = Ada(game)
        await ada.start()
        assert await ada.ask('{:hello, "Ada"}') == f'{{:ok, "{SECRET}", {{1, {WORKLOAD}}}}}'
        assert await ada.ask(f'{{:coin, "Ada", {first}}}') == "{:ok, 1}"
        bob = table.mine(node, "Bob")
        await bob.__aenter__()
        try:
            await bob.wait_line(r" joined ", timeout=60 * UNIT)
            await game.coins_of("Bob", 20)
            before = await game.progress()
            game.child.kill()
            await game.child.wait()
            async with table.serve(*options, node=node) as again:
                assert (await again.progress())["frontier"] >= before["frontier"]
                assert (await table.board(node)).keys() == {"Ada", "Bob"}
                assert await ada.ask('{:hello, "Ada"}') == f'{{:ok, "{SECRET}", {{1, {WORKLOAD}}}}}'
                assert await ada.ask(f'{{:coin, "Ada", {first}}}') == "{:ok, 1}"
                assert await ada.ask(f'{{:coin, "Ada", {second}}}') == "{:ok, 2}"
                await bob.wait_line("joined again", timeout=60 * UNIT)
                known = (await table.board(node))["Bob"]
                assert known >= 20
                await again.coins_of("Bob", known + 20)
                again.child.kill()
                await again.child.wait()
        finally:
            await bob.__aexit__(None, None, None)

    code, out, err = await run_pyerlcoin("audit", str(path))
    assert (code, err) == (0, ""), out
    _, out, _ = await run_pyerlcoin("export", str(path))
    everything = json.loads(out)
    coins = {coin["n"]: coin["miner"] for coin in everything["coins"]}
    assert len(coins) == len(everything["coins"])
    assert {first, second} <= {n for n, miner in coins.items() if miner == "Ada"}
    assert acknowledged(bob) <= {n for n, miner in coins.items() if miner == "Bob"}
    for i, j in everything["finished"]:
        assert coins_in(i, j) == sorted(n for n in coins if i <= n <= j)
