"""The game as its players start it: servers, miners and workers as child processes, and what hashlib says about it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.beam import Beam, ElixirScript, Release
from tests.support.clock import UNIT
from tests.support.ports import fresh_node
from tests.support.process import Child, at_least, pyerlcoin, run_pyerlcoin

__all__ = ["SECRET", "SERVER", "ZEROS", "Game", "Table", "coins_in"]

SECRET = "Serun+u"
SERVER = "ElixirCoin.Server"
ZEROS = 2
"""Fewer zeros than the game's five: one integer in 256 is a coin, so a test sees many of them."""

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def coins_in(first: int, last: int, *, secret: str = SECRET, zeros: int = ZEROS) -> list[int]:
    """Every coin from `first` to `last`, both included, by the words of the rule."""
    start = "0" * zeros
    return [n for n in range(first, last + 1) if hashlib.md5(f"{secret}{n}".encode()).hexdigest().startswith(start)]


@dataclass(frozen=True)
class Table:
    """Where a game is played: one epmd, one cookie, one release of the BEAM, and a BEAM node that looks on."""

    release: Release
    epmd_port: int
    beam: Beam
    runtime: str = "native"
    """Whose node our players run on."""

    @property
    def cookie(self) -> str:
        """The cluster's cookie."""
        return self.beam.cookie

    def _environment(self) -> dict[str, str]:
        return {"ERL_EPMD_PORT": str(self.epmd_port), "PYERLCOIN_COOKIE": self.cookie}

    def serve(self, *options: str, node: str | None = None) -> Game:
        """`pyerlcoin serve`: entering the block waits until it serves."""
        node = node or fresh_node("server")
        child = pyerlcoin(
            "serve",
            *("--name", node, "--secret", SECRET, "--zeros", str(ZEROS), "--first", "1"),
            *("--runtime", self.runtime, *options),
            env=self._environment(),
        )
        return Game(self, node, child)

    def elixir_server(self, workload: int = 1, *, flags: Sequence[str] = ()) -> ElixirScript:
        """`examples/elixir/server.exs` on a node of its own."""
        script = EXAMPLES / "elixir/server.exs"
        arguments = (SECRET, str(workload), str(ZEROS))
        return self._script(script, arguments, flags)

    def elixir_worker(self, team: str, server: str, *, flags: Sequence[str] = ()) -> ElixirScript:
        """`examples/elixir/worker.exs` on a node of its own."""
        script = EXAMPLES / "elixir/worker.exs"
        arguments = (team, server, str(ZEROS))
        return self._script(script, arguments, flags)

    def _script(self, script: Path, arguments: Sequence[str], flags: Sequence[str]) -> ElixirScript:
        return ElixirScript(self.release, script, *arguments, epmd_port=self.epmd_port, cookie=self.cookie, flags=flags)

    def mine(self, server: str, team: str, *options: str) -> Child:
        """`pyerlcoin mine` with one worker of the engine that is always there."""
        return pyerlcoin(
            *("mine", server, "--as", team, "--name", fresh_node("miner"), "--zeros", str(ZEROS)),
            *("--runtime", self.runtime, "--engine", "python", "--workers", "1", *options),
            env=self._environment(),
            label=f"miner {team}",
        )

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """`pyerlcoin ARGUMENTS` to its end: exit code, standard output, standard error."""
        return await run_pyerlcoin(*arguments, env=self._environment())

    async def ask(self, *arguments: str) -> object:
        """What `pyerlcoin ARGUMENTS --json` prints."""
        code, out, err = await self.run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    async def call(self, server: str, request: str) -> str:
        """What `inspect` shows of the reply to an Elixir GenServer.call to the game's server on that node."""
        return await self.beam.eval(f'GenServer.call({{{SERVER}, :"{server}"}}, {request}, :infinity)')

    async def cast(self, server: str, request: str) -> None:
        """A GenServer.cast to the game's server on that node."""
        assert await self.beam.eval(f'GenServer.cast({{{SERVER}, :"{server}"}}, {request})') == ":ok"

    async def board(self, server: str) -> dict[str, int]:
        """The leaderboard, as Elixir sees it."""
        rows = await self.beam.eval(
            f'{{:ok, rows}} = GenServer.call({{{SERVER}, :"{server}"}}, :leaderboard); '
            "for {name, coins} <- rows, do: [name, coins]"
        )
        return dict(json.loads(rows))

    async def worth(self, server: str) -> int:
        """The coins in the wallet, as Elixir sees them."""
        return int(await self.beam.eval(f'{{:ok, n}} = GenServer.call({{{SERVER}, :"{server}"}}, :worth); n'))


class Game:
    """A running `pyerlcoin serve`."""

    def __init__(self, table: Table, node: str, child: Child) -> None:
        self.table = table
        self.node = node
        self.child = child

    async def __aenter__(self) -> Game:
        await self.child.wait_line(f"serving {SERVER} on {self.node}", timeout=30 * UNIT)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.child.__aexit__(None, None, None)

    async def call(self, request: str) -> str:
        """As `Table.call`, to this server."""
        return await self.table.call(self.node, request)

    @property
    def coins(self) -> list[int]:
        """Coins it counted so far, by its log, in that order: not all where there are many in a second."""
        return [
            int(match[1]) for match in self.child.matches(r" coin (\d+) of '.+', \d+ of theirs, \d+ in the wallet$")
        ]

    async def coins_of(self, team: str, count: int, timeout: float = 120 * UNIT) -> None:
        """Returns once that team has so many coins or more."""
        await self.child.wait_line(rf" coin \d+ of '{team}', {at_least(count)} of theirs", timeout=timeout)

    async def progress(self) -> dict[str, int]:
        """The integers of its progress, as Elixir sees them."""
        keys = ("first", "frontier", "finished", "open", "returned", "coins")
        told = await self.table.beam.eval(
            f'{{:ok, told}} = GenServer.call({{{SERVER}, :"{self.node}"}}, :progress, :infinity); '
            f"for key <- [{', '.join(':' + key for key in keys)}], do: told[key]"
        )
        return dict(zip(keys, json.loads(told), strict=True))

    async def until(self, so: Callable[[dict[str, int]], bool], timeout: float = 60 * UNIT) -> dict[str, int]:
        """The first progress of which `so` is true: asks again and again, as the server tells nobody by itself."""
        async with asyncio.timeout(timeout):
            while not so(told := await self.progress()):
                pass
        return told
