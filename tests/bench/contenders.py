"""What the measurements of nodes share: their processes, their rounds, their words."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pyerlcoin.search.bench import machine
from tests.bench.document import write
from tests.support.beam import Beam, ElixirScript, RealEpmd, available_releases
from tests.support.ports import fresh_cookie, fresh_node
from tests.support.process import Child, ChildFailed

__all__ = ["Contenders", "Rates", "loops", "main", "ratio"]

Rates = dict[str, float]
"""Calls per second of one round, by what was called how."""

_CALLS = Path(__file__).with_name("calls.exs")


class Contenders:
    """BEAMs and processes of ours on one epmd; they end with the block."""

    def __init__(self) -> None:
        self._undo = AsyncExitStack()
        self.cookie = fresh_cookie()

    async def __aenter__(self) -> Contenders:
        self.epmd = await self._undo.enter_async_context(RealEpmd())
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._undo.aclose()

    async def beam(self) -> Beam:
        """A node of the system's Erlang that knows calls.exs."""
        release = available_releases()[0]
        beam = await self._undo.enter_async_context(Beam(release, epmd_port=self.epmd.port, cookie=self.cookie))
        await beam.eval(_CALLS.read_text())
        self.versions = f"Elixir {beam.elixir} on OTP {beam.otp}"
        return beam

    async def program(
        self, until: str, label: str, *argv: str, env: dict[str, str] | None = None, output: Path | None = None
    ) -> Child:
        """A program of ours, as soon as it says a line like `until`; with `output`, into that file."""
        environment = {"ERL_EPMD_PORT": str(self.epmd.port), **(env or {})}
        child = Child([sys.executable, "-m", *argv], env=environment, label=label, output=output)
        await _said(await self._undo.enter_async_context(child), until, output)
        return child

    async def script(self, path: Path, until: str, *args: str, output: Path | None = None) -> str:
        """The name of a node of the system's Elixir that runs a script; the rest as for `program`."""
        release = available_releases()[0]
        script = ElixirScript(release, path, *args, epmd_port=self.epmd.port, cookie=self.cookie, output=output)
        await _said(await self._undo.enter_async_context(script), until, output)
        return script.node

    def file(self) -> Path:
        """A new one, which goes with the block."""
        folder = self._undo.enter_context(TemporaryDirectory())
        return Path(folder, "output")

    async def peer(self, loop: str) -> str:
        """The name of a node_peer on that event loop."""
        node = fresh_node(loop)
        await self.program("^up$", loop, "tests.bench.node_peer", node, self.cookie, loop)
        return node


async def _said(child: Child, until: str, output: Path | None) -> None:
    if output is None:
        await child.wait_line(until, timeout=60)
        return
    async with asyncio.timeout(60):
        while not re.search(until, output.read_text()):  # noqa: ASYNC240  # some lines by then
            if not child.running:
                raise SystemExit(f"it ended before it said {until}\n{child.log}")
            # Nothing tells of a file's growth, everywhere.
            with suppress(ChildFailed):
                await child.wait(0.1)


def loops() -> list[str]:
    """The event loops that there are here."""
    return ["asyncio", *(["uvloop"] if importlib.util.find_spec("uvloop") else [])]


def ratio(rounds: Sequence[Rates], one: str, other: str) -> str:
    """The median of the rounds' own ratios, and their range, in Markdown."""
    values = sorted(turn[one] / turn[other] for turn in rounds)
    return f"**{median(values):.2f}** ({values[0]:.2f} to {values[-1]:.2f})"


def table(rounds: Sequence[Rates], unit: str) -> list[str]:
    """Every rate, in Markdown."""
    lines = [f"| | {unit}, best | {unit}, median |", "|---|---:|---:|"]
    for name in rounds[0]:
        rates = [turn[name] for turn in rounds]
        lines.append(f"| {name} | {max(rates):,.0f} | {median(rates):,.0f} |")
    return lines


def main(
    name: str,
    words: str,
    measure: Callable[[int], Coroutine[None, None, tuple[list[Rates], list[str], str]]],
    rounds: int,
    unit: str = "calls/s",
) -> None:
    """Run `measure`, which is given a number of rounds and gives those, its ratios in Markdown and what took part."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("--section", default=name, help="there, in place of %(default)s")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    measured, ratios, versions = asyncio.run(measure(options.rounds))
    here = machine()
    clock = f"{here.megahertz:.0f} MHz as the system says" if here.megahertz else "unknown clock"
    measured_on = (
        f"Measured on {date.today().isoformat()}: {here.processor}, {here.cores} cores, {clock}; {here.system}; "
        f"{here.python}; {versions}. {len(measured)} rounds in turn. Load average before it began, so of other "
        f"programs: {load:.1f}."
    )
    section = "\n".join([measured_on, "", *table(measured, unit), "", *ratios])
    print(section)
    if options.write:
        write(options.section, section)
