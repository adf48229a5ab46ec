"""The commands that ask a server one thing: leaderboard, worth, progress, workload, ping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Annotated, Final, TypeVar

import typer

from pyerlcoin.cli.node_options import NodeOptions, with_node_options
from pyerlcoin.cli.options import AsJson, NodeArgument, ServerArgument, read_workload
from pyerlcoin.cli.output import json_line
from pyerlcoin.cli.own_node import make_cluster, new_name, own_name, read_carrier, read_node
from pyerlcoin.cli.text import count, counted, rate, shown
from pyerlcoin.coin.progress import MinerProgress, Progress
from pyerlcoin.coin.sizing import AUTO
from pyerlcoin.errors import RefusedByPeer
from pyerlcoin.roles import messages
from pyerlcoin.roles.cluster import Address, Caller, Cluster
from pyerlcoin.roles.identity import is_ours, require_ours
from pyerlcoin.roles.messages import SERVER_NAME, AskLeaderboard, AskProgress, AskWorth, Refused, SetWorkload

__all__ = ["leaderboard", "ping", "progress", "workload", "worth"]

T = TypeVar("T")

PATIENCE: Final = 30.0
"""Seconds a question may take: a person waits for it, and asking again costs nothing."""


@with_node_options
def leaderboard(server: ServerArgument, me: NodeOptions, as_json: AsJson = False) -> None:
    """Who has how many coins, most first."""

    async def ask(caller: Caller, to: Address) -> list[tuple[str, int]]:
        reply = await caller.call(to, messages.request_term(AskLeaderboard()), timeout=PATIENCE)
        return _granted(messages.read_leaderboard(reply))

    board = _asked(server, me, ask)
    if as_json:
        _print_json({"miners": [{"name": miner, "coins": coins} for miner, coins in board]})
        return
    for place, (miner, coins) in enumerate(board, 1):
        typer.echo(f"{place:3}  {coins:8}  {shown(miner)}")
    if not board:
        typer.echo("no miners yet")


@with_node_options
def worth(server: ServerArgument, me: NodeOptions, as_json: AsJson = False) -> None:
    """How many coins are in the wallet."""

    async def ask(caller: Caller, to: Address) -> int:
        reply = await caller.call(to, messages.request_term(AskWorth()), timeout=PATIENCE)
        return _granted(messages.read_worth(reply))

    coins = _asked(server, me, ask)
    if as_json:
        _print_json({"coins": coins})
    else:
        typer.echo(counted(coins, "coin"))


@with_node_options
def progress(server: ServerArgument, me: NodeOptions, as_json: AsJson = False) -> None:
    """What was searched, what is out, how fast, how lucky.

    Pyerlcoin's servers only.
    """

    async def ask(caller: Caller, to: Address) -> dict[str, object]:
        await require_ours(caller, to.node, "asking for its progress")
        return await _progress(caller, to)

    told = _in_order(_asked(server, me, ask))
    if as_json:
        _print_json(told)
        return
    for key in ("first", "frontier", "finished", "open", "returned", "coins"):
        typer.echo(f"{key:<15} {_number(told[key], count)}")
    typer.echo(f"{'expected coins':<15} {_number(told['expected_coins'], lambda value: f'{value:.1f}')}")
    typer.echo(f"{'luck':<15} {_number(told['luck'], lambda value: f'{value:.0%}')}")
    typer.echo(f"{'speed':<15} {_number(told['hashes_per_second'], rate)}")
    typer.echo(f"{'workload':<15} {shown(str(told['workload']))}")
    miners = told["miners"]
    for miner in miners if isinstance(miners, list) else []:
        if isinstance(miner, dict):
            speed = _number(miner.get("hashes_per_second"), rate)
            typer.echo(f"  {_number(miner.get('coins'), count):>8}  {speed:>12}  {shown(str(miner.get('name')))}")


@with_node_options
def workload(
    server: ServerArgument,
    size: Annotated[str, typer.Argument(metavar="N|auto", help="Integers in a unit, or auto.")],
    me: NodeOptions,
) -> None:
    """Set how many integers a unit has.

    `auto` sizes each unit by its miner's speed.
    """
    wanted = read_workload(size)

    async def ask(caller: Caller, to: Address) -> None:
        if wanted == AUTO:
            await require_ours(caller, to.node, "a workload of auto")
        # A cast has no answer, so a question before tells whether anybody is there; one after it is answered
        # only when the cast has been handled, as signals keep their order.
        await caller.call(to, messages.request_term(AskWorth()), timeout=PATIENCE)
        await caller.cast(to, messages.request_term(SetWorkload(wanted)))
        if not await is_ours(caller, to.node):
            await caller.call(to, messages.request_term(AskWorth()), timeout=PATIENCE)
            return
        # Ours may have been unable to keep it, which only its progress tells.
        is_now = (await _progress(caller, to))["workload"]
        if is_now != wanted:
            raise RefusedByPeer(
                f"the workload is {shown(str(is_now))} after that: the server could not keep {wanted}, as its "
                "log says, or somebody set another"
            )

    _asked(server, me, ask)


@with_node_options
def ping(node: NodeArgument, me: NodeOptions) -> None:
    """Whether a node answers, as net_adm:ping asks."""

    async def ask(cluster: Cluster) -> float:
        return await cluster.ping(node)

    seconds = _connected(node, me, ask)
    typer.echo(f"pong from {node} in {seconds * 1000:.1f} ms, connecting included")


async def _progress(caller: Caller, to: Address) -> dict[str, object]:
    reply = await caller.call(to, messages.request_term(AskProgress()), timeout=PATIENCE)
    return _granted(messages.read_progress(reply))


def _asked(server: str, me: NodeOptions, ask: Callable[[Caller, Address], Awaitable[T]]) -> T:
    async def through_a_caller(cluster: Cluster) -> T:
        return await ask(await cluster.caller(), Address(SERVER_NAME, server))

    return _connected(server, me, through_a_caller)


def _connected(node: str, me: NodeOptions, ask: Callable[[Cluster], Awaitable[T]]) -> T:
    peer = read_node(node)
    carrier = read_carrier(me)
    ours = own_name(me) or new_name("ask", peer)

    async def run() -> T:
        cluster = make_cluster(ours, me.cookie, peer_port=me.no_epmd, carrier=carrier)
        await cluster.start()
        try:
            return await ask(cluster)
        finally:
            await cluster.stop()

    return asyncio.run(run())


def _granted(answer: T | Refused) -> T:
    if isinstance(answer, Refused):
        raise RefusedByPeer(f"the server said: {answer.message}")
    return answer


def _in_order(told: dict[str, object]) -> dict[str, object]:
    """A map has no order on the wire; a reader likes the one of the documentation, then whatever else is told."""
    miners = told.get("miners")
    if isinstance(miners, list):
        told["miners"] = [_sorted(one, MinerProgress) if isinstance(one, dict) else one for one in miners]
    return _sorted(told, Progress)


def _sorted(told: dict[str, object], kind: type[Progress] | type[MinerProgress]) -> dict[str, object]:
    known = [field.name for field in fields(kind) if field.name in told]
    return {key: told[key] for key in (*known, *sorted(told.keys() - set(known)))}


def _number(value: object, write: Callable[[int], str] | Callable[[float], str]) -> str:
    return write(value) if isinstance(value, int | float) else "-"  # type: ignore[arg-type]  # JSON's numbers are both


def _print_json(value: object) -> None:
    typer.echo(json_line(value))
