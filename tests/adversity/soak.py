"""A real BEAM and a node of ours for as long as one likes: calls both ways, idle times, cuts; and nothing may grow.

    python -m tests.adversity.soak [--minutes N] [--release NAME] [--seed N]

The run goes in cycles. In each, both ends call each other for a while; then both are looked at; then the connection is
idle for more than twice its tick time, and lives by ticks alone. Once in each cycle the connection is cut: by a proxy
while calls are in flight, by the BEAM's `Node.disconnect` while calls are in flight, or by a proxy while it is idle.
The two find each other again by the next call, each perhaps dialling at once. Every call has a number: it must be
answered, with what was asked, or fail, once, and only where a cut was may one fail.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pyerlcoin.beam import Atom, Node, Process
from pyerlcoin.beam.errors import BeamError, CallTimeout, NodeDown
from pyerlcoin.beam.node.events import NodeUp
from tests.adversity.levels import Levels, counting, keeping
from tests.support.beam import Beam, RealEpmd, Release, available_releases
from tests.support.between import Between
from tests.support.clock import UNIT, lapse
from tests.support.traffic import Asker, Echo, start_there, wrong_calls

__all__ = ["Soak", "main", "soak"]

CALLERS: Final = 4
"""On each side; one call of each is in flight."""

IN_FLIGHT: Final = 8
"""Of the process of ours that calls by hand."""

PAUSE: Final = 0.04
"""Seconds between two calls of one caller: the BEAM's callers have the same."""

DELAY: Final = 0.01
"""Seconds that the proxies keep everything: so there is always a call that a cut hits."""

PATIENCE: Final = 60 * UNIT

_DIFFERENT_CUTS: Final = ("cut by the proxy", "Node.disconnect", "cut while idle")


@dataclass
class Soak:
    """What was done, and what was wrong. Times in seconds."""

    seconds: float = 0.0
    cycles: int = 0
    cuts: Counter[str] = field(default_factory=Counter)
    idle: float = 0.0
    tick_bytes: int = 0
    ours: Counter[str] = field(default_factory=Counter)
    """Of our calls to the BEAM: answered, failed, …"""
    theirs: Counter[str] = field(default_factory=Counter)
    cpu: float = 0.0
    """Of this process, the proxies in it included, in seconds per second."""
    beam_cpu: float = 0.0
    levels: Levels = field(default_factory=lambda: Levels(1))
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [
            ("time", f"{self.seconds:.0f} s, {self.cycles} cycles, idle {self.idle:.0f} s of it"),
            ("cuts", ", ".join(f"{count} {kind}" for kind, count in self.cuts.items())),
            ("ours → BEAM", _shown(self.ours)),
            ("BEAM → ours", _shown(self.theirs)),
            ("ticks", f"{self.tick_bytes:,} bytes while idle"),
            ("processor", f"{self.cpu:.1%} of a core here, {self.beam_cpu:.1%} the BEAM"),
        ]
        return "\n".join([*(f"{name:12} {value}" for name, value in rows), *self.levels.table()])


def _shown(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count or what in ("answered", "failed"))


class _Run:
    """One soak between two nodes that are there already."""

    def __init__(self, between: Between, result: Soak, chance: random.Random) -> None:
        self.between = between
        self.node: Node = between.node
        self.beam: Beam = between.beam
        self.result = result
        self.chance = chance
        self.target = ("traffic", between.beam.node)
        self.echo = Echo()
        self.asker = Asker(self.target)
        self.callers: list[Process] = []
        self.numbers = [0] * CALLERS
        self.their_numbers = [1] * CALLERS

    async def prepare(self) -> None:
        await start_there(self.beam)
        self.node.spawn(self.echo, "traffic")
        self.node.spawn(self.asker)
        self.callers = [self.node.process() for _ in range(CALLERS)]

    async def cycle(self, kind: str, talk: float, idle: float) -> None:
        """Talk, look, be idle; with a cut of that kind."""
        result = self.result
        failed = result.ours["failed"] + result.theirs["failed"]
        cutting = asyncio.create_task(self._cut_while_talking(kind, talk * self.chance.uniform(0.3, 0.7)))
        try:
            await self._talk(talk)
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)
        if kind == "cut while idle" and result.ours["failed"] + result.theirs["failed"] != failed:
            result.wrong.append(f"cycle {result.cycles}: calls failed, and nothing was cut")
        await self._settle()
        result.levels.add(await keeping(self.node, self.beam))
        await self._idle(idle)
        if kind == "cut while idle":
            self._cut(kind)
            await self._disconnected()
        result.cycles += 1

    async def _talk(self, seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        theirs = asyncio.create_task(
            self.beam.eval(
                f'PyerlcoinTest.Traffic.talk(:"{self.node.name}", {self.their_numbers}, {round(seconds * 1000)})',
                timeout=seconds + 3 * PATIENCE,
            )
        )
        before = self.asker.counts.copy()
        try:
            async with asyncio.timeout(seconds + 3 * PATIENCE), asyncio.TaskGroup() as group:
                for who in range(CALLERS):
                    group.create_task(self._call(who, end))
                group.create_task(self._ask(end))
            self.result.ours.update(self.asker.counts - before)
            for who, told in enumerate(json.loads(await theirs)):
                self.their_numbers[who] = told.pop(0)
                names = ("answered", "failed", "timed out", "wrong", "ended otherwise", "late", "doubled")
                self.result.theirs.update(dict(zip(names, told, strict=True)))
        finally:
            theirs.cancel()
            await asyncio.gather(theirs, return_exceptions=True)

    async def _call(self, who: int, end: float) -> None:
        """One caller of ours: one call after the other."""
        counts = self.result.ours
        while asyncio.get_running_loop().time() < end:
            self.numbers[who] += 1
            n = self.numbers[who]
            request = ((self.node.name.encode(), who), n, b"x" * (200_000 if n % 97 == 0 else 100 * (n % 13)))
            try:
                reply = await self.callers[who].call(self.target, request, PATIENCE)
            except NodeDown:
                counts["failed"] += 1
            except CallTimeout:
                counts["timed out"] += 1
            except BeamError as error:
                counts["ended otherwise"] += 1
                self.result.wrong.append(f"a call of ours ended with {error!r}")
            else:
                counts["answered" if reply == request else "wrong"] += 1
            await lapse(PAUSE)

    async def _ask(self, end: float) -> None:
        """The caller by hand, to the last reply."""
        asker = self.asker
        asker.forget()
        while asyncio.get_running_loop().time() < end:
            while asker.in_flight < IN_FLIGHT:
                asker.ask()
            await lapse(4 * PAUSE)
        while asker.in_flight:
            asker.changed.clear()
            await asker.changed.wait()

    async def _cut_while_talking(self, kind: str, after: float) -> None:
        if kind != "cut while idle":
            await lapse(after)
            self._cut(kind)
            if kind == "Node.disconnect":
                await self.beam.eval(f'Node.disconnect(:"{self.node.name}")')

    def _cut(self, kind: str) -> None:
        self.result.cuts[kind] += 1
        if kind != "Node.disconnect":
            self.between.cut()

    async def _settle(self) -> None:
        """Whatever was on its way has arrived, and both ends are connected."""
        async with asyncio.timeout(PATIENCE):
            for who in range(2):
                await self.callers[who].call(self.target, (Atom("counts"), self.node.name.encode()), None)
                # The last DEMONITOR of each of the BEAM's callers was sent before.
                await self.beam.eval(f'GenServer.call({{:traffic, :"{self.node.name}"}}, :settle)')
            while sum(proxy.ways for proxy in self.between.proxies) != 1 or self.node.tables().monitors_on_us:
                await lapse(PAUSE)  # a cut way closes a turn or two after its ends

    async def _idle(self, seconds: float) -> None:
        """Nothing is said; the connection must live, by ticks of both ends."""
        proxies, log = self.between.proxies, self.between.log
        ups = len(log.of(NodeUp))
        words = [dict(proxy.words) for proxy in proxies]
        passed = [dict(proxy.passed) for proxy in proxies]
        await lapse(seconds)
        ticks: Counter[str] = Counter()
        for proxy, before in zip(proxies, passed, strict=True):
            ticks.update({direction: proxy.passed[direction] - before[direction] for direction in proxy.passed})
        complaints = {
            "the connection did not live through an idle time": len(log.of(NodeUp)) != ups or not self.node.nodes(),
            "something else than ticks was said in an idle time": [dict(proxy.words) for proxy in proxies] != words,
            "an end was silent in an idle time": 0 in ticks.values(),
        }
        self.result.wrong += [f"cycle {self.result.cycles}: {what}" for what, so in complaints.items() if so]
        self.result.idle += seconds
        self.result.tick_bytes += ticks.total()

    async def _disconnected(self) -> None:
        """Both ends know that the connection is gone."""
        async with asyncio.timeout(PATIENCE):
            while self.node.nodes() or await self.beam.eval("Node.list(:hidden)") != "[]":
                await lapse(PAUSE)

    async def finish(self) -> None:
        """Hold the two ends' counts against each other."""
        result = self.result
        heard, twice = json.loads(await self.beam.eval(f'PyerlcoinTest.Traffic.counts("{self.node.name}")'))
        begun, theirs = sum(self.numbers) + self.asker.n, sum(self.their_numbers) - CALLERS
        result.wrong += wrong_calls("ours", result.ours, begun, heard, twice)
        result.wrong += wrong_calls("the BEAM's", result.theirs, theirs, self.echo.heard, self.echo.twice)
        if not result.wrong:
            result.wrong += result.levels.grown()


async def soak(
    release: Release, cycles: int, *, talk: float, idle: float, tick_time: int, seed: int = 0, verbose: bool = False
) -> Soak:
    """Run so many cycles, each of so many seconds of calls and idleness; the tick time is both ends'.

    Raises ValueError when an idle time is not longer than the tick time and a quarter, or when there are fewer than
    three cycles: then nothing would be shown.
    """
    if idle <= 1.25 * tick_time or cycles < 3:
        raise ValueError("too short a time to show anything")
    result = Soak(levels=Levels(warm_up=max(1, cycles // 6)))
    chance = random.Random(seed)
    with counting():
        async with (
            RealEpmd() as epmd,
            Beam(release, epmd_port=epmd.port, flags=[f"-kernel net_ticktime {tick_time}"]) as beam,
            Between(beam, tick_time=float(tick_time)) as between,
        ):
            between.set(delay=DELAY)
            run = _Run(between, result, chance)
            await run.prepare()
            began, used, beam_used = time.monotonic(), time.process_time(), _processor(beam.pid)
            for number in range(cycles):
                await run.cycle(_DIFFERENT_CUTS[number % len(_DIFFERENT_CUTS)], talk, idle)
                between.log.events[:-1] = []
                for child in (beam, epmd):  # what they said is kept for the log of a failure
                    child.out.clear()
                    child.err.clear()
                if verbose:
                    _say(result, time.monotonic() - began)
                if result.wrong:
                    break  # it will not get better, and an hour is long
            result.seconds = time.monotonic() - began
            result.cpu = (time.process_time() - used) / result.seconds
            result.beam_cpu = (_processor(beam.pid) - beam_used) / result.seconds
            await run.finish()
    return result


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / float(os.sysconf("SC_CLK_TCK"))


def _say(result: Soak, seconds: float) -> None:
    look = result.levels.looks[-1]
    print(
        f"{seconds:6.0f} s  {result.cuts.total()} cuts  ours {_shown(result.ours)}  "
        f"BEAM's {_shown(result.theirs)}  "
        f"heap {look.heap / 1e6:.2f} MB  rss {look.rss / 1e6:.1f} MB  {look.objects} objects  "
        f"{look.descriptors} descriptors  {look.tasks} tasks  BEAM {look.beam_memory / 1e6:.1f} MB  "
        f"{look.beam_processes} processes  {look.beam_ports} ports",
        flush=True,
    )


def main() -> int:
    """The command line of `scripts/soak`."""
    parser = argparse.ArgumentParser(prog="soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (60; at least 1)")
    parser.add_argument("--release", help="which BEAM, otp25 say (the first there is)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (0)")
    options = parser.parse_args()
    releases = {release.name: release for release in available_releases()}
    release = releases.get(options.release or next(iter(releases), ""))
    if release is None:
        print(f"soak: no such BEAM here; there are: {', '.join(releases) or 'none'}", file=sys.stderr)
        return 2
    if options.minutes < 1:
        print("soak: less than a minute shows nothing", file=sys.stderr)
        return 2
    seconds = options.minutes * 60
    # In an hour a cut every two minutes; in two minutes six.
    half, tick_time = (60.0, 8) if seconds >= 1800 else (10.0, 4)
    cycles = int(seconds / half / 2)
    result = asyncio.run(
        soak(release, cycles, talk=half, idle=half, tick_time=tick_time, seed=options.seed, verbose=True)
    )
    print(result)
    print(*(result.wrong or ["every call was answered or failed once, and nothing grew"]), sep="\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
