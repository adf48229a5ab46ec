"""kill -9 of a server under load, round after round; then its ledger against the miners' words and against hashlib.

    python -m tests.adversity.torture [--rounds N] [--seconds N] [--miners N] [--seed N] [--durability normal|full]
        [--keep FOLDER]

The miners are `pyerlcoin mine`, started once: they come back by themselves. They reach the server through a port
mapper and a proxy of ours, so that connections can be cut. Every line "coin N accepted" of theirs is an
acknowledgement that must be in the ledger in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

from pyerlcoin.beam import NodeName
from pyerlcoin.beam.node.epmd_client import register
from pyerlcoin.beam.node.epmd_server import EpmdServer
from tests.support.clock import UNIT
from tests.support.ports import free_port, fresh_cookie, fresh_node
from tests.support.process import Child, Stream
from tests.support.proxy import Proxy

__all__ = ["Torture", "main", "torture"]

SECRET: Final = "Serun+u"
ZEROS: Final = 2
WORKLOAD: Final = 200
"""Integers in a unit; at two zeros that is most often one coin."""

LEASE: Final = 2.0
"""Seconds: shorter than the longest time that a miner is stopped, so units are also taken from the living."""

LONGEST_STOP: Final = 4.0
LONGEST_LIFE: Final = 1.5
"""Seconds of a server between its first acknowledged coin and its end."""

PATIENCE: Final = 90 * UNIT
"""Seconds until a miner of a new server must have been told of a coin."""


@dataclass
class Torture:
    """What was done, what was there in the end, and what was wrong."""

    rounds: int = 0
    cuts: int = 0
    stops: int = 0
    early: int = 0
    """Servers that were killed while they started."""
    acknowledged: int = 0
    coins: int = 0
    finished: int = 0
    """Integers."""
    frontier: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds of kill -9 ({self.early} of them during a start), {self.cuts} connections cut, "
            f"{self.stops} miners stopped for a while, in {self.seconds:.0f} s: "
            f"{self.acknowledged} coins acknowledged, {self.coins} in the ledger, "
            f"{self.finished} integers finished of {self.frontier - 1} handed out"
        )


class Miner(Child):
    """`pyerlcoin mine`, whose acknowledged coins are counted."""

    def __init__(self, name: str, server: str, env: dict[str, str], told: asyncio.Event) -> None:
        self.name = name
        self.coins: set[int] = set()
        self._told = told
        self._loop = asyncio.get_running_loop()
        like = ("--as", name, "--name", fresh_node("miner"), "--zeros", str(ZEROS), "--engine", "python")
        # With --max-retries a first hello that fails does not end it.
        how = ("--workers", "1", "--max-retries", "1000000", "--quiet")
        command = [sys.executable, "-m", "pyerlcoin", "mine", server, *like, *how]
        super().__init__(command, env={"PYTHONUNBUFFERED": "1", **env}, cwd=_ROOT, label=f"miner {name}")

    def on_line(self, stream: Stream, line: str) -> None:
        if match := _ACCEPTED.search(line):
            self.coins.add(int(match[1]))
            self._loop.call_soon_threadsafe(self._told.set)


_ROOT: Final = Path(__file__).resolve().parents[2]
_ACCEPTED: Final = re.compile(r" coin (\d+) accepted, ")


def _serve(arguments: Sequence[str], env: dict[str, str], log: str) -> None:
    """In a process of its own, which starts fast because it has everything imported."""
    os.environ.update(env)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    from pyerlcoin.cli.edge import main as run

    sys.exit(run(arguments))


class _Servers:
    """One after the other, on the same ledger."""

    def __init__(self, node: str, port: int, ledger: Path, env: dict[str, str], durability: str) -> None:
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["pyerlcoin.cli.edge", "pyerlcoin.cli.serve"])
        self._env = env
        self._log = ledger.with_suffix(".log")
        self._arguments = (
            *("serve", "--name", node, "--secret", SECRET, "--zeros", str(ZEROS), "--workload", str(WORKLOAD)),
            *("--ledger", str(ledger), "--durability", durability, "--lease", str(LEASE), "--port", str(port)),
            *("--bind", "127.0.0.1", "--quiet"),
        )
        self._process: ForkServerProcess | None = None

    def start(self) -> None:
        self._process = self._context.Process(
            target=_serve, args=(self._arguments, self._env, str(self._log)), daemon=True
        )
        self._process.start()

    @property
    def words(self) -> str | None:
        """What it said when it ended by itself; None while it runs."""
        assert self._process is not None
        return None if self._process.is_alive() else self._log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.join()


async def torture(
    folder: Path,
    rounds: int,
    *,
    seconds: float = math.inf,
    miners: int = 8,
    seed: int = 0,
    durability: str = "normal",
    verbose: bool = False,
) -> Torture:
    """Play `rounds` rounds, or those of `seconds`, on a ledger in `folder`, and look at what is left."""
    result, chance, began = Torture(), random.Random(seed), time.monotonic()
    server, cookie, ledger = "torture@127.0.0.1", fresh_cookie(), folder / "torture.ledger"
    told = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        port = free_port()
        proxy = await stack.enter_async_context(Proxy(port))
        mapper = EpmdServer(0)
        await mapper.start(())
        stack.push_async_callback(mapper.stop)
        name = NodeName.parse(server)
        entry = await register(name, proxy.port, hidden=True, epmd_port=mapper.port, on_lost=lambda: None)
        stack.push_async_callback(entry.close)
        env = {"PYERLCOIN_COOKIE": cookie}
        servers = _Servers(server, port, ledger, {**env, "ERL_EPMD_PORT": str(free_port())}, durability)
        env["ERL_EPMD_PORT"] = str(mapper.port)
        playing = [Miner(f"team {number}", server, env, told) for number in range(miners)]
        for miner in playing:
            await stack.enter_async_context(miner)

        # Beside the loop, through which all ways lead: the first start waits for imports.
        await asyncio.to_thread(servers.start)
        try:
            # In peace: who is cut off before its first hello, between its proof and the answer, must take that for
            # another cookie, and ends.
            while not all(miner.coins for miner in playing):
                told.clear()
                await _first_coin(told, servers, playing)
        finally:
            servers.kill()
        adversity = asyncio.create_task(_adversity(playing, proxy, chance, result))
        try:
            while result.rounds < rounds and time.monotonic() - began < seconds:
                await asyncio.to_thread(servers.start)
                # One in ten does not live to its first coin.
                if result.rounds and chance.random() < 0.1:
                    result.early += 1
                    await _while_nothing_ends(chance.uniform(0.0, 0.5))
                else:
                    told.clear()
                    await _first_coin(told, servers, playing)
                    await _while_nothing_ends(chance.uniform(0.0, LONGEST_LIFE))
                servers.kill()
                result.rounds += 1
                if verbose and result.rounds % 10 == 0:
                    print(f"{result.rounds} rounds, {sum(len(miner.coins) for miner in playing)} coins", flush=True)
        finally:
            adversity.cancel()
            await asyncio.gather(adversity, return_exceptions=True)
            servers.kill()
        result.wrong += [miner.log for miner in playing if not miner.running]
    # All lines of the miners were read when they were closed.
    _look(result, ledger, {miner.name: miner.coins for miner in playing})
    result.seconds = time.monotonic() - began
    return result


async def _while_nothing_ends(seconds: float) -> None:
    """The random moment: no event tells when it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


async def _first_coin(told: asyncio.Event, servers: _Servers, playing: Sequence[Miner]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not told.is_set():
            words = servers.words
            assert words is None, f"the server ended by itself: {words}"
            for miner in playing:
                assert miner.running, miner.log
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await told.wait()


async def _adversity(playing: Sequence[Miner], proxy: Proxy, chance: random.Random, result: Torture) -> None:
    """Until cancelled; then every miner goes on."""
    stopped: dict[Miner, float] = {}
    try:
        while True:
            await _while_nothing_ends(chance.uniform(0.05, 0.5))
            now = time.monotonic()
            for miner in [miner for miner, until in stopped.items() if until <= now]:
                del stopped[miner]
                miner.signal(signal.SIGCONT)
            match chance.randrange(3):
                case 0 if len(stopped) < len(playing) // 2:
                    miner = chance.choice([miner for miner in playing if miner not in stopped])
                    stopped[miner] = now + chance.uniform(0.1, LONGEST_STOP)
                    miner.signal(signal.SIGSTOP)
                    result.stops += 1
                case 1:
                    result.cuts += proxy.cut(chance)
                case _:
                    pass
    finally:
        for miner in stopped:
            miner.signal(signal.SIGCONT)


def _look(result: Torture, ledger: Path, acknowledged: dict[str, set[int]]) -> None:
    """Nothing here trusts the program more than it must: the ledger comes out as JSON, hashlib says what a coin is."""
    audit = _run("audit", str(ledger))
    if audit.returncode:
        result.wrong.append(f"the audit is not clean: {audit.stdout}{audit.stderr}")
    export = _run("export", str(ledger), "--format", "json")
    if export.returncode:
        result.wrong.append(f"the ledger cannot be read: {export.stderr}")
        return
    told = json.loads(export.stdout)
    wallet = {coin["n"]: coin["miner"] for coin in told["coins"]}
    result.coins, result.frontier = len(told["coins"]), told["frontier"]
    result.finished = sum(last - first + 1 for first, last in told["finished"])
    result.acknowledged = sum(map(len, acknowledged.values()))
    if len(wallet) != len(told["coins"]):
        result.wrong.append("a coin counts twice")
    for name, told_of in acknowledged.items():
        lost = sorted(n for n in told_of if wallet.get(n) != name)
        if lost:
            result.wrong.append(f"{name} was told that {lost[:5]} count, {len(lost)} in all, and they do not")
    result.wrong += _unaccounted(told)
    coins = sorted(wallet)
    for first, last in told["finished"]:
        counted = coins[bisect_left(coins, first) : bisect_right(coins, last)]
        found = [n for n in range(first, last + 1) if _is_coin(n)]
        if found != counted:
            differ = sorted({*found} ^ {*counted})
            result.wrong.append(f"hashlib and the wallet differ in {first}..{last}: {differ[:5]}, {len(differ)} in all")
    if strange := [n for n in wallet if not _is_coin(n)]:
        result.wrong.append(f"hashlib says that {strange[:5]} are no coins")


def _unaccounted(told: dict[str, Any]) -> Iterator[str]:
    """What lies below the frontier and is neither finished, open nor returned, or more than one of them."""
    pieces = [(first, last) for first, last in told["finished"]]
    pieces += [(unit["first"], unit["last"]) for key in ("open", "returned") for unit in told[key]]
    expected = told["first"]
    for first, last in sorted(pieces):
        if first != expected:
            yield f"{expected} should be finished, open or returned, once, but the next range begins at {first}"
        expected = last + 1
    if expected != told["frontier"]:
        yield f"the ranges end before {expected}, the frontier is {told['frontier']}"


def _is_coin(n: int) -> bool:
    return hashlib.md5(f"{SECRET}{n}".encode()).hexdigest().startswith("0" * ZEROS)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pyerlcoin", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
    )


def main() -> int:
    """The command line of `scripts/torture`."""
    parser = argparse.ArgumentParser(prog="torture", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200, help="how often the server is killed (200)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="no new round after so many seconds")
    parser.add_argument("--miners", type=int, default=8, help="how many of them (8)")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (0)")
    parser.add_argument("--durability", choices=("normal", "full"), default="normal")
    parser.add_argument("--keep", type=Path, help="a folder for the ledger, which stays; else a temporary one")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        result = asyncio.run(
            torture(
                folder,
                options.rounds,
                seconds=options.seconds,
                miners=options.miners,
                seed=options.seed,
                durability=options.durability,
                verbose=True,
            )
        )
    print(result)
    print(*(result.wrong or ["every promise was kept"]), sep="\n")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
