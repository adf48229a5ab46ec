"""Durable coins per second with 50 Elixir callers, beside an Elixir GenServer that forgets everything, in turns.

    python -m tests.bench.ledger [--rounds N] [--write]

Ours is `pyerlcoin serve` as anybody starts it, its rules and its ledger on disk included; every integer is a coin, so
that callers need not search. The Elixir server counts, and keeps nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.bench.contenders import Contenders, Rates, loops, main, ratio
from tests.support.ports import fresh_node

CALLERS = 50
EACH = 1_000
ELIXIR = f"Elixir's own GenServer, which keeps nothing, {CALLERS} callers"


async def measure(rounds: int) -> tuple[list[Rates], list[str], str]:
    """The rates, the ratios that are promised something about, and the versions."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        async with Contenders() as contenders:
            caller, called = await contenders.beam(), await contenders.beam()
            await called.eval("{:ok, _} = GenServer.start(Bench.Server, 0, name: :bench); :ok")
            servers = {ELIXIR: f'{{:bench, :"{called.node}"}}'}
            for loop in loops():
                for kept in (":memory:", "normal", "full"):
                    node = fresh_node("serve")
                    ledger = kept if kept == ":memory:" else str(Path(folder) / f"{loop}-{kept}.ledger")
                    await contenders.program(
                        "serving",
                        f"serve {loop} {kept}",
                        *("pyerlcoin", "serve", "--name", node, "--cookie", contenders.cookie, "--secret", "Serun+"),
                        *("--zeros", "0", "--workload", "1000000", "--ledger", ledger, "--quiet"),
                        *(("--durability", kept) if kept != ":memory:" else ()),
                        env={"PYERLCOIN_LOOP": loop},
                    )
                    servers[f"serve on {loop}, {kept}"] = f'{{ElixirCoin.Server, :"{node}"}}'

            for number, server in enumerate(servers.values()):
                await caller.eval(f":persistent_term.put({number}, Bench.miners({server}, {CALLERS}))")
            measured: list[Rates] = []
            for turn in range(-1, rounds):  # the first one is for connections, code and caches
                rates = {}
                for number, name in enumerate(servers):
                    code = f"Bench.coins(:persistent_term.get({number}), {EACH})"
                    rates[name] = float(await caller.eval(code, timeout=300))
                if turn >= 0:
                    measured.append(rates)
                    print(f"round {turn + 1}: " + "; ".join(f"{name} {rate:,.0f}" for name, rate in rates.items()))
            lines = [f"- {name}, to Elixir: {ratio(measured, name, ELIXIR)}" for name in list(servers)[1:]]
            lines += [f"- one fsync of this disk: {1e6 * fsync(Path(folder)):.0f} µs", many_coins(Path(folder))]
            return measured, lines, contenders.versions


def many_coins(folder: Path) -> str:
    """What a ledger of a million coins costs."""
    command = [sys.executable, "-m", "tests.bench.many_coins", str(folder / "many.ledger"), "1000000"]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    levels = ", ".join(f"{level:.0f}" for level in told["resident"])
    return (
        f"- {told['coins']:,} coins in one ledger, a file of {told['file']:.0f} MB: memory of its process after each "
        f"tenth {levels} MB; opened again in {told['start']:.2f} s"
    )


def fsync(folder: Path) -> float:
    """The median time of appending 4 kB and syncing them, in seconds."""
    times = []
    file = folder / "fsync"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        for _ in range(200):
            os.write(handle, bytes(4096))
            started = perf_counter()
            os.fsync(handle)
            times.append(perf_counter() - started)
    finally:
        os.close(handle)
        with suppress(OSError):
            file.unlink()
    return median(times)


if __name__ == "__main__":
    main("ledger", __doc__ or "", measure, 5)
