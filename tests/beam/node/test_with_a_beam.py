"""The node as a real BEAM sees it, on the node's own port mapper."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from pyerlcoin.beam import NO_REPLY, Atom, GenServer, Node, Sender, Term
from pyerlcoin.beam.errors import NoProcess
from pyerlcoin.beam.etf import OK
from pyerlcoin.beam.node.events import NodeDisconnected, NodeUp
from tests.support.beam import Beam, EvalFailed, Release
from tests.support.clock import UNIT
from tests.support.nodes import Cluster, EventLog

pytestmark = pytest.mark.beam


class Served(GenServer):
    """Answers in every way there is."""

    def __init__(self) -> None:
        self.asked = False
        self.held: list[Sender] = []
        self.cast: asyncio.Queue[Term] = asyncio.Queue()

    async def handle_call(self, request: Term, sender: Sender) -> object:
        match request:
            case Atom("later"):
                self.held.append(sender)
                return NO_REPLY
            case Atom("now"):
                for held in self.held:
                    held.reply(Atom("replied"))
                self.held.clear()
            case Atom("wait"):
                await asyncio.sleep(0)
            case Atom("raise"):
                raise ValueError
            case Atom("never"):
                self.asked = True
                return NO_REPLY
        return (OK, request)

    def handle_cast(self, request: Term) -> None:
        self.cast.put_nowait(request)

    def state(self) -> Term:
        return (Atom("state"), len(self.held))


@dataclass
class World:
    node: Node
    beam: Beam
    served: Served
    events: EventLog

    async def eval(self, code: str) -> str:
        """Elixir code, in which `to` is the server and `py` our node."""
        return await self.beam.eval(f'py = :"{self.node.name}"; to = {{:served, py}}; {code}', timeout=60 * UNIT)


@pytest.fixture
async def world(beam_release: Release) -> AsyncIterator[World]:
    async with Cluster() as cluster:
        events = EventLog()
        node = await cluster.start(on_event=events)
        served = Served()
        node.spawn(served, "served")
        async with Beam(beam_release, epmd_port=cluster.epmd_port, cookie=cluster.cookie) as beam:
            yield World(node, beam, served, events)


async def settled(world: World) -> None:
    """Returns once all is here that the BEAM had sent: a cast is the last of it, and nothing answers a cast."""
    await world.eval("GenServer.cast(to, :last)")
    assert await world.served.cast.get() == Atom("last")


async def test_a_visit(world: World) -> None:
    """One node of each kind, all that can go on between them."""
    node, beam = world.node, world.beam
    # Connecting. A hidden node: nobody's `nodes()` shows it, and nothing of `global` waits for it.
    assert await world.eval("Node.connect(py)") == "true"
    assert await world.eval("Node.ping(py)") == ":pong"
    assert await world.eval("{Node.list(), Node.list(:hidden) == [py]}") == "{[], true}"
    assert await world.eval(":global.sync()") == ":ok"
    assert (await world.events.wait(NodeUp)).dialled is False

    # Replies: at once, later, after a wait; to an alias, and to a multi_call's.
    assert await world.eval("GenServer.call(to, 1)") == "{:ok, 1}"
    assert await world.eval("GenServer.call(to, :wait)") == "{:ok, :wait}"
    later = asyncio.create_task(world.eval("GenServer.call(to, :later)"))
    # OTP before 26.1 shows the {ok, State} that later ones demand.
    async with asyncio.timeout(60 * UNIT):
        while "{:state, 1}" not in (state := await world.eval(":sys.get_state(to)")):
            assert "{:state, 0}" in state
    assert await world.eval("GenServer.call(to, :now)") == "{:ok, :now}"
    assert await later == ":replied"
    assert await world.eval("GenServer.multi_call([py], :served, 2) == {[{py, {:ok, 2}}], []}") == "true"
    assert await world.eval("GenServer.multi_call([py], :nobody, 2) == {[], [py]}") == "true"
    waited = "id = :gen_server.send_request(to, 3); :gen_server.wait_response(id, 5000)"
    assert await world.eval(waited) == "{:reply, {:ok, 3}}"
    await world.eval("GenServer.cast(to, {:a, [1]})")
    assert await world.served.cast.get() == (Atom("a"), [1])

    # No such process, and no answer.
    exits = "try do {call} catch :exit, {{reason, _}} -> reason end"
    assert await world.eval(exits.format(call="GenServer.call({:nobody, py}, 1, :infinity)")) == ":noproc"
    assert await world.eval(exits.format(call="GenServer.call(to, :never, 10)")) == ":timeout"
    down = "receive do {:DOWN, ^ref, :process, _, reason} -> reason end"
    assert await world.eval(f"ref = Process.monitor({{:nobody, py}}); {down}") == ":noproc"

    # What tools ask.
    status = await world.eval(
        "{:status, pid, {:module, m}, [_, state | _]} = :sys.get_status(to); {node(pid) == py, m, state}"
    )
    assert status == "{true, :Served, :running}"
    anyhow = "try do {call} catch _, reason -> reason end"  # an {{error, _}} is a value to some, an exit to others
    assert "unknown_system_msg" in await world.eval(anyhow.format(call=":sys.suspend(to)"))
    assert "not_allowed" in await world.eval(anyhow.format(call="GenServer.stop(to)"))
    assert await world.eval("GenServer.call(to, 4)") == "{:ok, 4}"
    assert await world.eval(":rpc.call(py, :os, :cmd, ['id'])") == "{:badrpc, :notsup}"
    assert await world.eval(":rpc.block_call(py, :os, :cmd, ['id'])") == "{:badrpc, :notsup}"
    with pytest.raises(EvalFailed, match="notsup"):
        await world.eval(":erpc.call(py, :os, :cmd, ['id'])")

    # Ours to theirs.
    assert await node.ping(beam.node) > 0
    assert await node.call(("net_kernel", beam.node), (Atom("is_auth"), Atom(node.name))) == Atom("yes")
    with pytest.raises(NoProcess):
        await node.call(("nobody", beam.node), 1, timeout=None)

    # The end of a process, and a handler that raises, seen from there.
    raises = exits.format(call="GenServer.call(to, :raise)")
    assert await world.eval(raises) == '{:exception, "ValueError"}'
    assert await world.eval(exits.format(call="GenServer.call(to, 1)")) == ":noproc"

    # Nothing of all that is kept. (The calls above were made by processes that live, one after the other.)
    node.spawn(world.served, "served")
    await settled(world)
    tables = node.tables()
    assert (tables.calls, tables.monitors_by_us, tables.links, tables.messages) == (0, 0, 0, 0)
    assert tables.monitors_on_us == 0


async def test_a_call_in_flight_when_we_stop(world: World) -> None:
    call = asyncio.create_task(world.eval("try do GenServer.call(to, :never) catch :exit, {reason, _} -> reason end"))
    async with asyncio.timeout(60 * UNIT):
        while not world.served.asked:
            await world.eval("GenServer.call(to, 1)")
    await world.node.stop()
    assert await call == ":shutdown"


async def test_a_beam_that_is_killed(world: World) -> None:
    await world.node.ping(world.beam.node)
    world.beam.kill()
    assert (await world.events.wait(NodeDisconnected)).node == world.beam.node
    assert world.node.nodes() == []
