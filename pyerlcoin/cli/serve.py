"""`pyerlcoin serve`: host the game."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal

import typer

from pyerlcoin.beam import NodeName
from pyerlcoin.cli import sentences, view
from pyerlcoin.cli.lines import Lines
from pyerlcoin.cli.options import (
    CookieOption,
    LongName,
    Quiet,
    Runtime,
    RuntimeOption,
    Seconds,
    ShortName,
    Zeros,
    make_cluster,
    own_name,
    read_workload,
)
from pyerlcoin.cli.page import EndsAt, FreezeAt, Page, Web, page_served, read_page
from pyerlcoin.cli.running import Show, shown_by, stopping_by_signal
from pyerlcoin.cli.text import count, rate
from pyerlcoin.coin.coin import ZEROS
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.errors import ExitCode, WrongUsage
from pyerlcoin.roles.cluster import Cluster
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.roles.timing import LoopTiming

__all__ = ["serve"]

Accept = Literal["handed", "any"]


def serve(
    secret: Annotated[str, typer.Option("--secret", metavar="S", help="The game's secret, UTF-8 text.")],
    name: LongName = None,
    sname: ShortName = None,
    cookie: CookieOption = None,
    workload: Annotated[
        str, typer.Option("--workload", metavar="N|auto", help="Integers in a unit; auto: about one second each.")
    ] = "1",
    first: Annotated[int, typer.Option("--first", min=0, metavar="N", help="The first integer.")] = 1,
    zeros: Zeros = ZEROS,
    accept: Annotated[
        Accept, typer.Option("--accept", help="Coins inside ranges that were handed to the miner, or any.")
    ] = "handed",
    lease: Annotated[
        float | None,
        typer.Option("--lease", min=1.0, metavar="SECONDS", help="Take a unit back after so long without a sign."),
    ] = None,
    web: Web = None,
    ends_at: EndsAt = None,
    freeze_at: FreezeAt = None,
    bind: Annotated[str | None, typer.Option("--bind", metavar="ADDR", help="The one address to listen on.")] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The distribution port; 0: any.")] = 0,
    hidden: Annotated[bool, typer.Option("--hidden/--visible", help="As erl -hidden; or in every Node.list().")] = True,
    seconds: Seconds = None,
    runtime: RuntimeOption = Runtime.NATIVE,
    quiet: Quiet = False,
) -> int:
    """Host the game for the miners of a cluster, until Ctrl-C."""
    node = own_name(name, sname)
    if node is None:
        raise WrongUsage("a server needs a name: give --name server@ADDRESS, or --sname server")
    size = read_workload(workload)
    try:
        as_bytes = secret.encode()
    except UnicodeEncodeError:
        raise WrongUsage("the secret is not UTF-8, and no Elixir worker could write it: choose another") from None
    if not as_bytes:
        raise WrongUsage("the secret is empty: give --secret TEXT, which every miner is told")

    def ledger(now: float) -> Ledger:
        return Ledger(as_bytes, zeros=zeros, first=first, workload=size, accept=accept, lease=lease, now=now)

    page = read_page(web, freeze_at, ends_at)
    ledger(0.0)  # what cannot be meant is said before anything listens
    cluster = make_cluster(node, cookie, bind=bind, port=port, hidden=hidden, runtime=runtime)
    return asyncio.run(_serve(cluster, node, ledger, page, seconds, quiet))


async def _serve(
    cluster: Cluster,
    node: NodeName,
    make_ledger: Callable[[float], Ledger],
    page: Page | None,
    seconds: float | None,
    quiet: bool,
) -> ExitCode:
    timing = LoopTiming()
    events = Events()
    role = ServerRole(make_ledger(timing.now()), events, timing=timing)
    stopped = asyncio.Event()
    async with page_served(page, role.ledger, events, timing) as board:
        await cluster.start()
        try:
            await role.open(cluster)
            show = _show(role, node, board, timing, stopped, quiet)
            events.subscribe(show.event)
            if seconds is not None:
                timing.later(seconds, stopped.set)
            async with stopping_by_signal(stopped.set) as interruption, shown_by(show):
                await stopped.wait()
            return interruption.exit_code
        finally:
            await role.close()
            await cluster.stop()
            for line in view.plain_board(role.ledger.progress(timing.now())):
                typer.echo(line)


def _show(
    role: ServerRole, node: NodeName, board: str | None, timing: LoopTiming, stopped: asyncio.Event, quiet: bool
) -> Show:
    title = f"ElixirCoin.Server on {node.full}"
    if view.is_live(quiet):
        heading = title if board is None else f"{title}, board at {board}"
        return view.Screen(lambda: view.board(role.ledger.progress(timing.now()), heading), sentences.of_server)
    lines = Lines(sentences.of_server, lambda: _status(role, timing), stopped.set)
    lines.say(f"serving {title}, hidden from Node.list() unless --visible; Ctrl-C ends it")
    if board is not None:
        lines.say(f"the board is at {board}, and for a projector at {board}?kiosk")
    return lines


def _status(role: ServerRole, timing: LoopTiming) -> str:
    told = role.ledger.progress(timing.now())
    leader = f", {told.miners[0].name!r} leads" if told.coins else ""
    return (
        f"{count(told.coins)} coins, {len(told.miners)} miners, {count(told.finished)} integers finished, "
        f"{count(told.open)} out, {rate(told.hashes_per_second)}{leader}"
    )
