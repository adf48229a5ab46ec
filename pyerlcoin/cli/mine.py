"""`pyerlcoin mine`: mine on a server."""

from __future__ import annotations

import random
from functools import partial
from typing import Annotated

import typer

from pyerlcoin.cli import view
from pyerlcoin.cli.jobs import stoppable
from pyerlcoin.cli.json_events import JsonEvents
from pyerlcoin.cli.keys import keys_read
from pyerlcoin.cli.loop import run
from pyerlcoin.cli.miner_show import press, show_miner
from pyerlcoin.cli.node_options import NodeOptions, with_node_options
from pyerlcoin.cli.options import EngineOption, Quiet, Runtime, RuntimeOption, Seconds, ServerArgument, Workers, Zeros
from pyerlcoin.cli.own_node import make_cluster, new_name, own_name, read_carrier, read_node
from pyerlcoin.cli.running import shown_by, stopping_by_signal
from pyerlcoin.coin.coin import ZEROS
from pyerlcoin.errors import ExitCode, WrongUsage
from pyerlcoin.roles.cluster import Address, Cluster
from pyerlcoin.roles.events import Events, SearchStarted
from pyerlcoin.roles.messages import SERVER_NAME
from pyerlcoin.roles.miner import LANES, MOST_LANES, MinerOptions, MinerRole
from pyerlcoin.roles.timing import LoopTiming
from pyerlcoin.search.choose import AUTO, Choice, choose
from pyerlcoin.search.pool import Pool

__all__ = ["mine"]


@with_node_options
def mine(
    server: ServerArgument,
    team: Annotated[str, typer.Option("--as", metavar="TEAM", help="The miner's name on the board.")],
    me: NodeOptions,
    engine: EngineOption = AUTO,
    workers: Workers = None,
    lanes: Annotated[
        int | None,
        typer.Option(
            "--lanes",
            min=1,
            max=100,
            metavar="N",
            help=f"Processes that pull work under the one name: {LANES} to {MOST_LANES}, unless given.",
        ),
    ] = None,
    zeros: Zeros = ZEROS,
    seconds: Seconds = None,
    coins: Annotated[int | None, typer.Option("--coins", min=1, metavar="N", help="End after so many coins.")] = None,
    max_retries: Annotated[
        int | None, typer.Option("--max-retries", min=0, metavar="N", help="Give up after so many failures in a row.")
    ] = None,
    runtime: RuntimeOption = Runtime.NATIVE,
    quiet: Quiet = False,
    json_events: JsonEvents = False,
) -> int:
    """Mine on a server, Elixir's or pyerlcoin's, until Ctrl-C.

    On a terminal keys do more: h help, p pause, r resume, s status, f finish the units in hand and quit, q quit.
    A pause stops the search and keeps the units: nothing is called finished, nothing given back.
    """
    peer = read_node(server)
    try:
        team.encode()
    except UnicodeEncodeError:
        raise WrongUsage("the name is not UTF-8, and no server could show it: choose another with --as") from None
    choice = choose(engine)
    carrier = read_carrier(me)
    node = own_name(me) or new_name("miner", peer)
    cluster = make_cluster(node, me.cookie, runtime=runtime, peer_port=me.no_epmd, carrier=carrier)
    options = MinerOptions(
        team,
        Address(SERVER_NAME, server),
        lanes=lanes,
        zeros=zeros,
        seconds=seconds,
        coins=coins,
        max_retries=max_retries,
    )
    return run(_mine(cluster, choice, workers, options, view.form(quiet, json_events)))


async def _mine(
    cluster: Cluster, choice: Choice, workers: int | None, options: MinerOptions, form: view.Form
) -> ExitCode:
    timing = LoopTiming()
    events = Events()
    with Pool(choice.engine, workers) as pool:
        role = MinerRole(cluster, pool, options, events, chance=random.SystemRandom().random, timing=timing)
        show = show_miner(role, options, events, timing, form)
        await cluster.start()
        try:
            async with (
                stopping_by_signal(lambda: role.stop("interrupted")) as interruption,
                keys_read(partial(press, role, show)) as keys,
                shown_by(show),
            ):
                events.publish(SearchStarted(choice.engine.name, pool.workers, choice.sentence))
                with stoppable(keys, show):
                    await role.run()
            return interruption.exit_code
        finally:
            await cluster.stop()
