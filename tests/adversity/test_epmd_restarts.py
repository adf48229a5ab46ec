"""The port mapper goes away and comes back, OTP's and ours, while nodes are registered and connected."""

from __future__ import annotations

import contextlib

import pytest

from pyerlcoin.beam import Node
from pyerlcoin.beam.errors import EpmdUnreachable
from pyerlcoin.beam.node.epmd_client import names
from pyerlcoin.beam.node.events import EpmdLost, EpmdRegistered, NodeUp
from tests.support.beam import Beam, RealEpmd, Release
from tests.support.clock import UNIT, eventually
from tests.support.leaks import nothing_left
from tests.support.nodes import EventLog
from tests.support.ports import free_port, fresh_cookie, fresh_node
from tests.support.traffic import Traffic

pytestmark = pytest.mark.beam


async def registered(epmd_port: int, *nodes: str) -> None:
    """Returns once the port mapper knows them all."""
    wanted = {node.partition("@")[0] for node in nodes}

    async def all_there() -> bool:
        with contextlib.suppress(EpmdUnreachable):
            return wanted <= set(await names("127.0.0.1", "127.0.0.1", epmd_port))
        return False

    await eventually(all_there, 60 * UNIT)


async def part(node: Node, beam: Beam) -> None:
    """Disconnect; returns once the BEAM knows, too."""
    assert node.disconnect(beam.node)

    async def alone() -> bool:
        return await beam.eval("Node.list(:hidden)") == "[]"

    await eventually(alone)


@pytest.mark.parametrize(
    "embedded",
    [pytest.param(False, id="until it is back", marks=pytest.mark.long), pytest.param(True, id="ours takes over")],
)
async def test_otps_epmd_is_killed(beam_release: Release, embedded: bool) -> None:
    """Connections live on, calls go on, and both nodes are found again at the next port mapper."""
    cookie, log = fresh_cookie(), EventLog()
    with RealEpmd() as epmd:
        async with (
            Beam(beam_release, epmd_port=epmd.port, cookie=cookie) as beam,
            Node(fresh_node("py"), cookie, epmd_port=epmd.port, embedded_epmd=embedded, on_event=log) as node,
        ):
            traffic = Traffic(node, beam)
            await traffic.start()
            assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"
            async with traffic.flowing():
                await traffic.until_answered(20)
                epmd.close()
                await log.wait(EpmdLost)
                await traffic.until_answered(20)
                with contextlib.ExitStack() as stack:
                    if not embedded:
                        stack.enter_context(RealEpmd(epmd.port))
                    await log.wait(EpmdRegistered, 2)
                    assert node.serves_epmd is embedded
                    await registered(epmd.port, node.name, beam.node)
                    await traffic.until_answered(20)
                    assert len(log.of(NodeUp)) == 1, "one connection, all the time"
            assert await traffic.wrong() == []
            assert traffic.ours["failed"] == traffic.theirs["failed"] == 0


@pytest.mark.long
async def test_after_a_restart_both_find_each_other_anew(beam_release: Release) -> None:
    cookie, log = fresh_cookie(), EventLog()
    async with contextlib.AsyncExitStack() as stack:
        first = stack.enter_context(RealEpmd())
        beam = await stack.enter_async_context(Beam(beam_release, epmd_port=first.port, cookie=cookie))
        node = Node(fresh_node("py"), cookie, epmd_port=first.port, embedded_epmd=False, on_event=log)
        await stack.enter_async_context(node)
        assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"
        async with nothing_left(node, beam):
            first.close()
            await log.wait(EpmdLost)
            await part(node, beam)
            # While there is none, that is said.
            with pytest.raises(EpmdUnreachable, match="epmd"):
                await node.connect(beam.node)
            assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pang"
            stack.enter_context(RealEpmd(first.port))
            await registered(first.port, node.name, beam.node)
            await node.ping(beam.node)
            await part(node, beam)
            assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"


@pytest.mark.long
async def test_our_epmd_goes_with_its_node_and_another_takes_over(beam_release: Release) -> None:
    port, cookie, log = free_port(), fresh_cookie(), EventLog()
    async with contextlib.AsyncExitStack() as stack:
        serving = await stack.enter_async_context(Node(fresh_node("py"), cookie, epmd_port=port))
        assert serving.serves_epmd
        beam = await stack.enter_async_context(Beam(beam_release, epmd_port=port, cookie=cookie))
        node = await stack.enter_async_context(Node(fresh_node("py"), cookie, epmd_port=port, on_event=log))
        assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"
        await serving.stop()
        await log.wait(EpmdRegistered, 2)
        assert node.serves_epmd
        await registered(port, node.name, beam.node)
        async with nothing_left(node, beam):
            assert len(log.of(NodeUp)) == 1
            await part(node, beam)
            assert await beam.eval(f'Node.ping(:"{node.name}")') == ":pong"
            await part(node, beam)
            await node.ping(beam.node)
