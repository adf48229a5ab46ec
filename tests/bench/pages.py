"""What a hundred open pages cost a server whose miners call: calls per second with them and without, in turns.

    python -m tests.bench.pages [--rounds N] [--write]

50 Elixir processes tell `pyerlcoin serve --web` one coin after the other; each is acknowledged once it is kept. The
pages are read by another process (tests/bench/page_readers.py) on the same machine, so it is in the figures too: a
room's laptops would read on processors of their own. The server's own time on the processor is told beside it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from pyerlcoin.cli.loop import loop_factory
from tests.bench.contenders import Contenders, Rates, main, ratio
from tests.support.clock import UNIT
from tests.support.ports import free_port, fresh_node
from tests.support.process import Child

CALLERS = 50
PAGES = 100
SECONDS = 8.0
"""Of each measurement, about: a page is sent a state every second, and the curves every five."""

WITHOUT = f"{CALLERS} callers, no page open"
WITH = f"{CALLERS} callers, {PAGES} pages open"


async def measure(rounds: int) -> tuple[list[Rates], list[str], str]:
    """The rates, the ratios that are promised something about, and the versions."""
    with tempfile.TemporaryDirectory() as folder:
        async with Contenders() as contenders:
            caller = await contenders.beam()
            node, port = fresh_node("serve"), free_port()
            server = await contenders.program(
                "serving",
                "serve",
                *("pyerlcoin", "serve", "--name", node, "--cookie", contenders.cookie, "--secret", "Serun+"),
                *("--zeros", "0", "--workload", "10000000", "--ledger", str(Path(folder) / "ledger"), "--quiet"),
                *("--web", f"127.0.0.1:{port}"),
            )
            readers = await contenders.program("^ready$", "pages", "tests.bench.page_readers", str(port))
            to = f'{{ElixirCoin.Server, :"{node}"}}'
            await caller.eval(f":persistent_term.put(:miners, Bench.miners({to}, {CALLERS}))")

            async def calls(each: int) -> float:
                return float(
                    await caller.eval(f"Bench.coins(:persistent_term.get(:miners), {each})", timeout=600 * UNIT)
                )

            await calls(100)  # for connections, code and caches
            each = max(100, int(await calls(200) * SECONDS / CALLERS))
            measured: list[Rates] = []
            costs: list[Rates] = []
            for turn in range(rounds):
                rates, cost, told = {}, {}, ""
                # First the one, then the other: a ledger that grows, or a machine that warms up, favours neither.
                for name in (WITHOUT, WITH) if turn % 2 == 0 else (WITH, WITHOUT):
                    if name == WITH:
                        readers.write(f"open {PAGES}\n")
                        await readers.wait_next_line(f"^open {PAGES}$", timeout=60 * UNIT)
                    before = processor_seconds(server)
                    rates[name] = await calls(each)
                    cost[name] = (processor_seconds(server) - before) / (each * CALLERS)
                    if name == WITH:
                        told = await closed(readers)
                measured.append(rates)
                costs.append(cost)
                lines = "; ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
                print(f"round {turn + 1}: {lines}; {rates[WITH] / rates[WITHOUT]:.3f}; {told}", file=sys.stderr)
            few, many = (1e6 * median(cost[name] for cost in costs) for name in (WITHOUT, WITH))
            cost_of_pages = f"{ratio(costs, WITH, WITHOUT)}; {few:.0f} µs without, {many:.0f} µs with"
            ratios = [
                f"- calls per second, with {PAGES} pages to none: {ratio(measured, WITH, WITHOUT)}",
                f"- the server's time on the processor for a call, with {PAGES} pages to none: {cost_of_pages}",
            ]
            loop = "asyncio" if loop_factory() is None else "uvloop"
            return measured, ratios, f"{contenders.versions}; the server on {loop}"


async def closed(readers: Child) -> str:
    """What the pages have read. Raises SystemExit when one of them was sent nothing: then nothing was measured."""
    readers.write("close\n")
    match = await readers.wait_next_line(r"^closed (\d+) (\d+)$", timeout=60 * UNIT)
    if int(match[1]) == 0:
        raise SystemExit("a page was sent no state while the miners called")
    return f"each page had {match[1]} states or more, all of them {int(match[2]) / 1e6:.1f} MB"


def processor_seconds(child: Child) -> float:
    """The time that a process has had on the processor so far, its own and the system's for it."""
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main("pages", __doc__ or "", measure, 5)
