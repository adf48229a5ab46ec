"""`pyerlcoin demo`: server, miners and board in one terminal."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
from contextlib import AsyncExitStack
from typing import Annotated, Final

import typer

from pyerlcoin.beam import NodeName
from pyerlcoin.cli import sentences, view
from pyerlcoin.cli.jobs import stoppable
from pyerlcoin.cli.lines import Lines
from pyerlcoin.cli.options import Quiet
from pyerlcoin.cli.own_node import make_cluster
from pyerlcoin.cli.running import Show, shown_by, stopping_by_signal
from pyerlcoin.cli.text import counted
from pyerlcoin.errors import ExitCode
from pyerlcoin.roles.cluster import Address, Cluster
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.miner import MinerOptions, MinerRole
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.roles.sink import OnDisk
from pyerlcoin.roles.timing import LoopTiming
from pyerlcoin.search.pool import Pool, cores
from pyerlcoin.search.python import PythonEngine
from pyerlcoin.store.db import MEMORY
from pyerlcoin.store.store import Store

__all__ = ["demo"]

HOST: Final = "127.0.0.1"
SECRET: Final = b"Serun+u"
TEAMS: Final = ("Ada", "Grace")
BOARD_EVERY: Final = 5.0


def demo(
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, metavar="N", help="How long it plays.")] = 20.0,
    quiet: Quiet = False,
) -> int:
    """Play the game in one process, without any Erlang.

    A server, two miners and their board.
    """
    return asyncio.run(_play(seconds, quiet))


async def _play(seconds: float, quiet: bool) -> ExitCode:
    timing, events, stopped = LoopTiming(), Events(), asyncio.Event()
    cookie, epmd_port = secrets.token_hex(10), _free_port()
    server = NodeName("server", HOST)
    async with AsyncExitStack() as stack:
        store = stack.enter_context(Store.open(MEMORY, SECRET, workload="auto", now=timing.now()))
        role = ServerRole(store.ledger, events, sink=OnDisk(store), timing=timing)

        async def started(name: NodeName) -> Cluster:
            # A port mapper of its own: whatever runs on this machine is left alone, and does not get in the way.
            cluster = make_cluster(name, cookie, bind=HOST, epmd_port=epmd_port)
            await cluster.start()
            stack.push_async_callback(cluster.stop)
            return cluster

        await role.open(await started(server))
        show = _show(role, timing, stopped, quiet)
        events.subscribe(show.event)
        miners: list[MinerRole] = []
        workers = max(1, cores() // len(TEAMS))
        for team in TEAMS:
            pool = stack.enter_context(Pool(PythonEngine(), workers))
            options = MinerOptions(team, Address(SERVER_NAME, server.full))
            cluster = await started(NodeName(team.lower(), HOST))
            miners.append(
                MinerRole(cluster, pool, options, Events(), chance=random.SystemRandom().random, timing=timing)
            )
        bell = timing.later(seconds, stopped.set)
        async with stopping_by_signal(stopped.set) as interruption, shown_by(show):
            with stoppable(show):
                await _mine_until(stopped, miners)
        bell.cancel()
        await role.close()
    told = role.ledger.progress(timing.now())
    if not view.is_live(quiet):
        typer.echo(f"the board after {seconds:g} s, {counted(told.finished, 'integer')} finished:")
        for line in view.plain_board(told):
            typer.echo(line)
    if not told.coins:
        typer.echo(f"no coin this time, of {told.expected_coins:.1f} to expect: try a larger --seconds")
    return interruption.exit_code


async def _mine_until(stopped: asyncio.Event, miners: list[MinerRole]) -> None:
    """Let them mine until `stopped`, or until one of them fails: that is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for miner in miners:
                group.create_task(miner.run())
            await stopped.wait()
            for miner in miners:
                miner.stop("the demo is over")
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


def _show(role: ServerRole, timing: LoopTiming, stopped: asyncio.Event, quiet: bool) -> Show:
    if view.is_live(quiet):
        return view.Screen(
            lambda rows: view.board(role.ledger.progress(timing.now()), "The board", rows), sentences.of_server
        )

    def status() -> str:
        told = role.ledger.progress(timing.now())
        return "board: " + ", ".join(f"{miner.name} {miner.coins}" for miner in told.miners)

    lines = Lines(sentences.of_server, status, stopped.set, frequent=sentences.FREQUENT, every=BOARD_EVERY)
    lines.say(f"a server and {len(TEAMS)} miners, each a node of its own on {HOST}")
    return lines


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
