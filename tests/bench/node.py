"""Calls between Elixir and a node of ours, beside those between two Elixir nodes, taking turns in one run.

    python -m tests.bench.node [--rounds N] [--write]

Every BEAM runs with `+sbwt none`: its schedulers otherwise spin while they wait, and take the cores from whom they
wait for. A rate is of complete calls, each reply looked at.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from importlib import metadata

from tests.bench.contenders import Contenders, Rates, loops, main, ratio

SEQUENTIAL = 20_000
CALLERS = 50
EACH = 2_000
IN_FLIGHT = 64
PIPELINED = 100_000
FRESH = 2
"""Rounds after which all processes are new ones: rates differ by the start of a BEAM more than from round to round."""


async def measure(rounds: int) -> tuple[list[Rates], list[str], str]:
    """The rates, the ratios that are promised something about, and the versions."""
    measured: list[Rates] = []
    versions = ""
    while len(measured) < rounds:
        async with Contenders() as contenders:
            one_round = await _started(contenders)
            for _ in range(min(FRESH, rounds - len(measured))):
                measured.append(await one_round())
                words = "; ".join(f"{name} {rate:,.0f}" for name, rate in measured[-1].items())
                print(f"round {len(measured)}: {words}", flush=True)
            versions = contenders.versions

    lines = []
    for loop in loops():
        pairs = [
            (f"Elixir to ours on {loop}, one after the other", "Elixir to Elixir, one after the other"),
            (f"Elixir to ours on {loop}, {CALLERS} callers", f"Elixir to Elixir, {CALLERS} callers"),
            (f"ours on {loop} to Elixir, one after the other", "Elixir to Elixir, one after the other"),
            (f"ours on {loop} to Elixir, {IN_FLIGHT} in flight", f"Elixir to Elixir, {IN_FLIGHT} in flight"),
        ]
        lines += [f"- {one}, to Elixir alone: {ratio(measured, one, other)}" for one, other in pairs]
    return measured, lines, "; ".join([versions, *_uvloop(), *_tcp()])


async def _started(contenders: Contenders) -> Callable[[], Awaitable[Rates]]:
    """What measures a round, of an Elixir that calls, one that is called, and a node of ours on each loop, all new.

    Each has called each by then.
    """
    caller, called = await contenders.beam(), await contenders.beam()
    await called.eval("{:ok, _} = GenServer.start(Bench.Server, 0, name: :bench); :ok")
    ours = {loop: await contenders.peer(loop) for loop in loops()}
    done = 'fn _ -> {:done, "Alice"} end'

    async def rate(code: str) -> float:
        return float(await caller.eval(code, timeout=300))

    async def sequential(node: str, calls: int = SEQUENTIAL) -> float:
        return await rate(f'Bench.sequential({{:bench, :"{node}"}}, {calls}, {done})')

    async def concurrent(node: str, callers: int = CALLERS, calls: int = EACH) -> float:
        return await rate(f'Bench.concurrent({{:bench, :"{node}"}}, {callers}, {calls}, {done})')

    async def from_ours(node: str, calls: int, in_flight: int) -> float:
        request = f'{{:run, :"{called.node}", {calls}, {in_flight}}}'
        return await rate(f'elem({{:ok, _}} = GenServer.call({{:caller, :"{node}"}}, {request}, :infinity), 1)')

    async def one_round() -> Rates:
        turn: Rates = {"Elixir to Elixir, one after the other": await sequential(called.node)}
        for loop, node in ours.items():
            turn[f"Elixir to ours on {loop}, one after the other"] = await sequential(node)
        turn[f"Elixir to Elixir, {CALLERS} callers"] = await concurrent(called.node)
        for loop, node in ours.items():
            turn[f"Elixir to ours on {loop}, {CALLERS} callers"] = await concurrent(node)
        pipelined = PIPELINED // IN_FLIGHT
        turn[f"Elixir to Elixir, {IN_FLIGHT} in flight"] = await concurrent(called.node, IN_FLIGHT, pipelined)
        for loop, node in ours.items():
            turn[f"ours on {loop} to Elixir, {IN_FLIGHT} in flight"] = await from_ours(node, PIPELINED, IN_FLIGHT)
        for loop, node in ours.items():
            turn[f"ours on {loop} to Elixir, one after the other"] = await from_ours(node, SEQUENTIAL, 1)
        return turn

    # Connections, code and caches.
    for node in (called.node, *ours.values()):
        await sequential(node, 1_000)
        await concurrent(node, CALLERS, 50)
    for node in ours.values():
        await from_ours(node, 5_000, IN_FLIGHT)
    return one_round


def _uvloop() -> list[str]:
    return [f"uvloop {metadata.version('uvloop')}"] if "uvloop" in loops() else []


def _tcp() -> list[str]:
    # It decides how many of its small writes a BEAM sends as one, which is most of what a call costs it.
    if not hasattr(socket, "TCP_CONGESTION"):
        return []
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        name = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return [f"TCP with {name.rstrip(bytes(1)).decode()}"]


if __name__ == "__main__":
    main("node", __doc__ or "", measure, 12)
