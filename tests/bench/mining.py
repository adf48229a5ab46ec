"""Mining from end to end beside the bare engine, in turns; a ping meanwhile; and miners of very different speed.

    python -m tests.bench.mining [--rounds N] [--write]

A miner's rate is that of the integers of its finished units, from the first to the last unit that ended in the run:
hellos, reports, units and the way to the server included. Every coin of it must have been accepted. What is said of a
thousand coins a second goes into files: whoever read it meanwhile would take a core from those who search.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from pyerlcoin.search.bench import SPEED
from pyerlcoin.search.bench import measure as bench
from pyerlcoin.search.choose import engines
from pyerlcoin.search.engine import Job
from pyerlcoin.search.pool import cores
from tests.bench.contenders import Contenders, Rates, main, ratio
from tests.support.beam import Beam
from tests.support.ports import fresh_node
from tests.support.process import Child

SECRET = "Serun+"
ZEROS = 5
SECONDS = 20
MIXED_SECONDS = 60
PINGS = 400

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "elixir"

ENGINE = "the engine alone"
AUTO = "mine at serve --workload auto"
EXS = "mine at server.exs, units of 10,000,000"


@dataclass
class Miner:
    """One of the measurement, which ends by itself."""

    node: str
    child: Child
    output: Path

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has told so far."""
        return told(self.output.read_text().splitlines())


def told(lines: Sequence[str]) -> list[dict[str, Any]]:
    """The events that a command with --json-events has told."""
    return [json.loads(line) for line in lines if line.startswith("{")]


def finished_rate(events: list[dict[str, Any]]) -> float:
    """Integers per second of the units that ended between the first and the last one that did."""
    ends = sorted((event["at"], event["last"] - event["first"] + 1) for event in events)
    # The first units are small, until the server knows the miner's speed.
    ends = [end for end in ends if end[0] >= ends[0][0] + 3.0]
    integers: int = sum(size for _, size in ends[1:])
    seconds: float = ends[-1][0] - ends[0][0]
    return integers / seconds


class Mining:
    """Miners and servers that the rounds start."""

    def __init__(self, contenders: Contenders) -> None:
        self._contenders = contenders

    async def serve(self, *options: str) -> tuple[str, Child]:
        """`pyerlcoin serve` of a throw-away game."""
        node = fresh_node("serve")
        words = ("--name", node, "--cookie", self._contenders.cookie, "--secret", SECRET, "--zeros", str(ZEROS))
        said = '"serving"|serving'
        child = await self._contenders.program(said, "serve", "pyerlcoin", "serve", *words, *options)
        return node, child

    async def exs(self) -> str:
        """The example's server in Elixir."""
        words = (SECRET, "10000000", str(ZEROS))
        output = self._contenders.file()
        return await self._contenders.script(EXAMPLES / "server.exs", "hands out", *words, output=output)

    async def mine(self, server: str, seconds: int, *options: str) -> Miner:
        """`pyerlcoin mine` of it."""
        node = fresh_node("mine")
        words = ("--as", node.partition("@")[0], "--name", node, "--cookie", self._contenders.cookie)
        rest = ("--zeros", str(ZEROS), "--seconds", str(seconds), "--json-events", *options)
        output = self._contenders.file()
        argv = ("pyerlcoin", "mine", server, *words, *rest)
        return Miner(node, await self._contenders.program('"joined"', "mine", *argv, output=output), output)


async def mined(miner: Miner, seconds: int) -> float:
    """Its rate. Every coin must have been accepted."""
    await miner.child.wait(seconds + 60)
    events = miner.events
    stopped = events[-1]
    if stopped["event"] != "stopped" or stopped["rejected"] or not stopped["coins"]:
        raise SystemExit(f"the miner did not do well: {stopped}")
    return finished_rate([event for event in events if event["event"] == "unit_finished"])


async def measure(rounds: int) -> tuple[list[Rates], list[str], str]:
    """The rates, the ratios that are promised something about, and the versions."""
    engine = next(engine for engine in engines() if engine.unavailable() is None)
    job = Job(SPEED.secret, SPEED.first, SPEED.last, ZEROS)

    async def alone() -> float:
        return (await asyncio.to_thread(bench, engine, cores(), 5.0, job)).hashes_per_second

    async with Contenders() as contenders:
        mining = Mining(contenders)
        pinger = await contenders.beam()
        measured: list[Rates] = []
        pings: list[float] = []
        for _ in range(rounds):
            before = await alone()
            server, child = await mining.serve("--workload", "auto", "--ledger", ":memory:", "--quiet")
            miner = await mining.mine(server, SECONDS)
            pings += await pinged(pinger, miner.node)
            auto = await mined(miner, SECONDS)
            child.close()
            between = await alone()
            exs = await mined(await mining.mine(await mining.exs(), SECONDS), SECONDS)
            after = await alone()
            measured.append({f"{ENGINE}, before": (before + between) / 2, AUTO: auto,
                             f"{ENGINE}, after": (between + after) / 2, EXS: exs})  # fmt: skip
            print("; ".join(f"{name} {rate / 1e6:,.1f} MH/s" for name, rate in measured[-1].items()))
        pings.sort()
        ping = (
            f"- a ping of the miner's node while every core searches: median {1e3 * median(pings):.1f} ms, "
            f"99 of 100 within {1e3 * pings[int(len(pings) * 0.99)]:.1f} ms, of {len(pings)}"
        )
        lines = [
            f"- {AUTO}, to {ENGINE}: {ratio(measured, AUTO, f'{ENGINE}, before')}",
            f"- {EXS}, to {ENGINE}: {ratio(measured, EXS, f'{ENGINE}, after')}",
            ping,
            *await mixed(mining, contenders),
        ]
        return measured, lines, f"engine {engine.name}; {contenders.versions}"


async def pinged(beam: Beam, node: str) -> list[float]:
    """Seconds that each of PINGS pings took, 20 ms apart, on a connection that is there."""
    shown = await beam.eval(
        f"""
        to = :"{node}"
        :pong = Node.ping(to)
        Process.sleep(4_000)
        for _ <- 1..{PINGS} do
          Process.sleep(20)
          {{us, :yes}} = :timer.tc(fn -> GenServer.call({{:net_kernel, to}}, {{:is_auth, node()}}, :infinity) end)
          us
        end
        |> Enum.join(",")
        """,
        timeout=120,
    )
    return [int(us) / 1e6 for us in re.findall(r"\d+", shown)]


async def mixed(mining: Mining, contenders: Contenders) -> list[str]:
    """One Elixir worker, one miner of the python engine and one of simd, on one core each, for a minute."""
    server, child = await mining.serve("--workload", "auto", "--ledger", ":memory:", "--json-events")
    await contenders.script(EXAMPLES / "worker.exs", "mines", "Elixir", server, str(ZEROS))
    miners = {
        name: await mining.mine(server, MIXED_SECONDS, "--engine", name, "--workers", "1")
        for name in ("python", "simd")
    }
    for miner in miners.values():
        await miner.child.wait(MIXED_SECONDS + 60)
    units: dict[str, list[tuple[float, float]]] = {}
    for event in told(child.out):
        if event["event"] == "finished":
            units.setdefault(event["name"], []).append((event["at"], event["seconds"]))
    names = {miner.node.partition("@")[0]: name for name, miner in miners.items()}
    lines = []
    for name, ends in units.items():
        late = [seconds for at, seconds in ends if at >= ends[0][0] + MIXED_SECONDS / 4]
        lines.append(
            f"- mixed, units of {names.get(name, name)}: median {median(late):.2f} s, "
            f"{min(late):.2f} to {max(late):.2f} s, {len(late)} of them"
        )
    lines.append(f"- mixed, simd idle: {100 * idle(miners['simd'].events):.1f} % of the time")
    child.close()
    return lines


def idle(events: list[dict[str, Any]]) -> float:
    """The share of the time, from the first unit's end to the last one's, in which no lane of a miner searched."""
    begun: dict[int, float] = {}
    searched: list[tuple[float, float]] = []
    for event in events:
        if event["event"] == "unit_taken":
            begun[event["lane"]] = event["at"]
        elif event["event"] == "unit_finished":
            start = begun[event["lane"]]
            searched.append((start, start + event["seconds"]))
    searched.sort()
    start, end = searched[0][1], max(stop for _, stop in searched)
    busy, reached = 0.0, start
    for begin, stop in searched:
        busy += max(0.0, stop - max(begin, reached))
        reached = max(reached, stop)
    return 1 - busy / (end - start)


if __name__ == "__main__":
    main("mining", __doc__ or "", measure, 3, "integers/s")
