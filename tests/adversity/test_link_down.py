"""A BEAM in a network namespace, and the cable to it unplugged and plugged in again, at either end."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from pyerlcoin.beam import Node
from pyerlcoin.beam.errors import CallFailed, EpmdUnreachable, PortUnreachable, Unreachable
from pyerlcoin.beam.node.events import NodeDisconnected, NodeUp
from tests.support.beam import Beam, RealEpmd, Release
from tests.support.clock import UNIT, eventually
from tests.support.game import SECRET
from tests.support.leaks import nothing_left
from tests.support.namespaces import InNamespace, Namespace, why_not_here
from tests.support.nodes import EventLog
from tests.support.ports import free_port, fresh_cookie, fresh_name
from tests.support.process import Child, pyerlcoin, run_pyerlcoin
from tests.support.traffic import Traffic

_WHY = why_not_here()
pytestmark = [pytest.mark.beam, pytest.mark.skipif(_WHY is not None, reason=str(_WHY))]

TICK_TIME = max(round(2 * UNIT), 1)


@dataclass
class World:
    """A BEAM beyond the cable, with an epmd of its own, and a node of ours here."""

    namespace: Namespace
    beam: Beam
    node: Node
    log: EventLog
    traffic: Traffic

    async def until_apart(self) -> None:
        """Both have noticed."""

        async def apart() -> bool:
            return await self.beam.eval("Node.list(:hidden)") == "[]" and not self.node.nodes()

        await eventually(apart)


@pytest.fixture
async def world(beam_release: Release) -> AsyncIterator[World]:
    """Connected, and seen to be; nothing is left of it at the end but one connection."""
    cookie, log = fresh_cookie(), EventLog()
    with Namespace() as namespace:
        release = InNamespace.of(beam_release, namespace)
        with EpmdThere(namespace) as epmd:
            flags = [
                f"-kernel net_ticktime {TICK_TIME}",
                f"-kernel inet_dist_use_interface {{{namespace.there.replace('.', ',')}}}",
            ]
            name = f"{fresh_name('beam')}@{namespace.there}"
            async with (
                Beam(release, epmd_port=epmd.port, name=name, cookie=cookie, flags=flags) as beam,
                Node(
                    f"{fresh_name('py')}@{namespace.here}",
                    cookie,
                    epmd_port=epmd.port,
                    tick_time=float(TICK_TIME),
                    setup_time=2.0 * UNIT,
                    on_event=log,
                ) as node,
            ):
                traffic = Traffic(node, beam)
                await traffic.start()
                assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"
                async with nothing_left(node, beam):
                    yield World(namespace, beam, node, log, traffic)
                    assert await node.ping(beam.node) >= 0
                    assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"
                if traffic.answered:
                    assert await traffic.wrong() == []


class EpmdThere(RealEpmd):
    """OTP's epmd in the namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self.port = free_port()  # here it must be free as well: nodes ask for the same port everywhere
        command = namespace.command("epmd", "-port", str(self.port), "-d", "-d")
        Child.__init__(self, command, label="epmd in a namespace")


async def test_unplugged_for_a_moment_nothing_is_lost(world: World) -> None:
    """TCP sends again what was lost: no connection ends, and every call is answered."""
    async with world.traffic.flowing() as traffic:
        await traffic.until_answered(20)
        world.namespace.unplug_there()
        world.namespace.plug_in()
        await traffic.until_answered(20)
    assert traffic.ours["failed"] == traffic.theirs["failed"] == 0
    assert len(world.log.of(NodeUp)) == 1


@pytest.mark.parametrize("end", ["here", pytest.param("there", marks=pytest.mark.long)])
async def test_unplugged_past_the_tick_time(world: World, end: str) -> None:
    """Every call fails by the tick time, on both sides; plugged in, both find each other again."""
    async with world.traffic.flowing() as traffic:
        await traffic.until_answered(20)
        unplug = world.namespace.unplug_here if end == "here" else world.namespace.unplug_there
        unplug()
        assert "tick time" in (await world.log.wait(NodeDisconnected)).reason
        await world.until_apart()
        with pytest.raises(Unreachable) as unreachable:
            await world.node.connect(world.beam.node)
        assert isinstance(unreachable.value, EpmdUnreachable | PortUnreachable)
        with pytest.raises((Unreachable, CallFailed)):
            await world.node.call(world.traffic.target, 1)
        world.namespace.plug_in()
        await traffic.until_answered(20)
    assert traffic.ours["failed"] > 0


async def test_asking_over_an_unplugged_cable_is_one_sentence_and_3(world: World) -> None:
    """At once where this machine knows that there is no way."""
    world.namespace.unplug_here()
    env = {"ERL_EPMD_PORT": str(world.node.epmd_port), "PYERLCOIN_COOKIE": world.beam.cookie}
    code, out, err = await run_pyerlcoin("ping", world.beam.node, env=env)
    assert (code, out) == (3, ""), err
    assert re.fullmatch(r"pyerlcoin: [^\n]+", err)
    world.namespace.plug_in()
    code, _, err = await run_pyerlcoin("ping", world.beam.node, env=env)
    assert code == 0, err


@pytest.mark.long
async def test_mine_and_serve_over_a_cable_that_is_unplugged_for_long() -> None:
    """Both give the other up by the tick time, 60 s for them; plugged in, they go on."""
    env = {"ERL_EPMD_PORT": str(free_port()), "PYERLCOIN_COOKIE": fresh_cookie()}
    with Namespace() as namespace:
        server_node = f"{fresh_name('server')}@{namespace.there}"
        play = ("--secret", SECRET, "--zeros", "2", "--workload", "200", "--ledger", ":memory:", "--lease", "30")
        how = ("--zeros", "2", "--engine", "python", "--workers", "1", "--name", f"{fresh_name('m')}@{namespace.here}")
        async with pyerlcoin("serve", "--name", server_node, *play, env=env, within=namespace.command()) as server:
            await server.wait_line("serving ElixirCoin.Server", timeout=30 * UNIT)
            async with pyerlcoin("mine", server_node, "--as", "Alice", *how, env=env) as miner:
                await miner.wait_line("coin (\\d+) accepted", timeout=30 * UNIT)
                namespace.unplug_there()
                # Not by the lease, which ends before: that takes the unit alone, and the name stays.
                await server.wait_line("'Alice' left", timeout=120 * UNIT)
                await miner.wait_line("the server is gone: the connection to .+ was lost", timeout=120 * UNIT)
                namespace.plug_in()
                await miner.wait_line("joined again|going on with the units in hand", timeout=120 * UNIT)
                await miner.wait_next_line("coin (\\d+) accepted", timeout=60 * UNIT)
                miner.interrupt()
                assert await miner.wait(30 * UNIT) == 130
            server.interrupt()
            assert await server.wait(30 * UNIT) == 130
