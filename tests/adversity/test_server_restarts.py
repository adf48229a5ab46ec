"""`mine` with the lanes that it has by itself, while its server ends and comes back on the same ledger."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.support.clock import UNIT
from tests.support.game import SECRET, ZEROS
from tests.support.ports import free_port, fresh_cookie, fresh_node
from tests.support.process import Child, pyerlcoin, run_pyerlcoin

PATIENCE = 120 * UNIT
"""For what an event tells: it only keeps a hang from lasting for ever."""

WORKLOAD = 40_000


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
async def test_what_is_in_hand_goes_on_whichever_lane_is_given_it(tmp_path: Path, end: signal.Signals) -> None:
    ledger, node = tmp_path / "x.ledger", fresh_node("server")
    env = {"ERL_EPMD_PORT": str(free_port()), "PYERLCOIN_COOKIE": fresh_cookie()}
    play = ("--secret", SECRET, "--zeros", str(ZEROS), "--workload", str(WORKLOAD), "--ledger", str(ledger))
    how = ("--zeros", str(ZEROS), "--engine", "python", "--workers", "1", "--name", fresh_node("miner"))

    def serve() -> Child:
        return pyerlcoin("serve", "--name", node, *play, env=env)

    server = await serve().__aenter__()
    try:
        await server.wait_line("serving ElixirCoin.Server", timeout=PATIENCE)
        async with pyerlcoin("mine", node, "--as", "Alice", "--json-events", *how, env=env) as miner:
            for _ in range(3):
                await miner.wait_next_line('"unit_finished"', timeout=PATIENCE)
                await miner.wait_next_line('"coin_accepted"', timeout=PATIENCE)
                server.signal(end)
                await server.wait(PATIENCE)
                server.close()
                server = await serve().__aenter__()
                await miner.wait_next_line('"joined"', timeout=PATIENCE)
            # Each lane comes by its unit again, and then to new ones.
            await miner.wait_next_line('"unit_finished"', count=6, timeout=PATIENCE)
            miner.interrupt()
            assert await miner.wait(PATIENCE) == 130
        server.interrupt()
        await server.wait(PATIENCE)
    finally:
        server.close()
    events = [json.loads(line) for line in miner.out]
    searched = Counter((event["first"], event["last"]) for event in events if event["event"] == "unit_finished")
    assert set(searched.values()) == {1}, "no unit is searched again"
    told = Counter(event["n"] for event in events if event["event"] == "coin_accepted")
    assert set(told.values()) == {1}
    code, out, err = await run_pyerlcoin("export", str(ledger), "--format", "json", env=env)
    assert code == 0, err
    coins = {coin["n"] for coin in json.loads(out)["coins"]}
    assert set(told) <= coins
    stopped = events[-1]
    assert (stopped["event"], stopped["coins"]) == ("stopped", len(told))
